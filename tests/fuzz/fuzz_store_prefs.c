/*
 * Choices as users write them and as Redis returns them. What is taken is within bounds,
 * and what it is written as is read as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "store_prefs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct mx_arena *arena, enum store_pref pref, struct mx_str text)
{
    struct store_prefs first = {0}, again = {0};
    if (store_prefs_parse(pref, text, &first, NULL) != 0) {
        if (first.has != 0)
            abort();
        return;
    }
    const char *written = store_prefs_format(arena, &first, pref);
    if (written == NULL || strlen(written) > STORE_PREF_VALUE_MAX ||
        store_prefs_parse(pref, mx_str(written), &again, NULL) != 0)
        abort();
    if (strcmp(written, store_prefs_format(arena, &again, pref)) != 0)
        abort();
    if (first.tag_score < STORE_SCORE_MIN || first.tag_score > STORE_SCORE_MAX ||
        first.spam_action > STORE_SPAM_OFF || first.spam_action < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    enum store_pref found;
    if (size > 0)
        check(arena, (enum store_pref)(data[0] % STORE_PREFS),
              mx_str_of(data + 1, size - 1));
    (void)store_pref_find(mx_str_of(data, size), &found, NULL);
    mx_arena_free(arena);
    return 0;
}
