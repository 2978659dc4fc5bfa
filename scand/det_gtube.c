/*
 * Detector "gtube": the Generic Test for Unsolicited Bulk Email, a string that every
 * filter must take for spam, so that an installation can be tried without real spam.
 * Looked for in the raw message, in decoded parts, and in what HTML shows: rendering
 * takes its time, so only HTML that has the string's characters in their order, whatever
 * is between them, is rendered. (Written as entities it is not found.)
 * Source: https://spamassassin.apache.org/gtube/
 */
#include "scan.h"

#include "text/text.h"
#include "text/text_html.h"

static const struct scan_symbol symbols[] = {
    {"GTUBE", 1000, "the test string for spam filters"},
    {0},
};

/* In two pieces, so that this file is not spam. */
static const char gtube[] = "XJS*C4JDBQADN1.NSBN3*2IDNEN*"
                            "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/* The string may be there, with tags in between. */
static bool may_hold(struct mx_str source)
{
    const char *next = gtube;
    for (size_t i = 0; i < source.n && *next != '\0'; i++)
        next += source.p[i] == *next;
    return *next == '\0';
}

static bool shows(struct mx_arena *arena, struct mx_str source)
{
    struct html_result html = {0};
    if (!may_hold(source))
        return false;
    text_html_render(arena, source, &html);
    return mx_str_find(html.text, mx_str(gtube)) >= 0;
}

static bool part_holds(struct mx_arena *arena, const struct message_part *part)
{
    if (mx_str_starts(part->type, MX_STR("text/")) &&
        mx_str_find(part->content, mx_str(gtube)) >= 0)
        return true;
    return mx_str_eq(part->type, MX_STR("text/html")) && shows(arena, part->content);
}

static int run(void *state, const struct message *msg, struct scan_result *result,
               struct mx_err *err)
{
    (void)state, (void)err;
    bool is_there = mx_str_find(msg->body, mx_str(gtube)) >= 0;
    for (size_t i = 0; !is_there && i < msg->n_parts; i++)
        is_there = part_holds(scan_scratch(result), &msg->parts[i]);
    if (is_there)
        scan_add(result, "GTUBE", "%s", "");
    return 0;
}

const struct scan_detector det_gtube = {
    .name = "gtube",
    .cost = 30,
    .symbols = symbols,
    .run = run,
};
