/* The one list of detectors: adding one is one line here. */
#include "scan_table.h"

#include <string.h>

#include "mx_arena.h"

const struct scan_detector *const scan_table[] = {
    &det_headers, &det_mime, &det_gtube, &det_attachments, &det_clamav, &det_rules, NULL,
};

const struct scan_detector *scan_table_find(const char *name)
{
    for (size_t i = 0; scan_table[i] != NULL; i++)
        if (strcmp(scan_table[i]->name, name) == 0)
            return scan_table[i];
    return NULL;
}

const char *scan_table_features(struct mx_arena *arena)
{
    const char *text = "detectors:";
    for (size_t i = 0; scan_table[i] != NULL; i++)
        text = mx_arena_printf(arena, "%s %s", text, scan_table[i]->name);
    text = mx_arena_printf(arena, "%s; libraries: %s", text, message_library());
    for (size_t i = 0; scan_table[i] != NULL; i++)
        if (scan_table[i]->library != NULL)
            text = mx_arena_printf(arena, "%s, %s", text, scan_table[i]->library());
    return text;
}
