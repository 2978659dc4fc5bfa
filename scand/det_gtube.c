/*
 * Detector "gtube": the Generic Test for Unsolicited Bulk Email, a string that every
 * filter must take for spam, so that an installation can be tried without real spam.
 * Looked for in the raw message and in decoded parts.
 * Source: https://spamassassin.apache.org/gtube/
 */
#include "scan.h"

static const struct scan_symbol symbols[] = {
    {"GTUBE", 1000, "the test string for spam filters"},
    {0},
};

/* In two pieces, so that this file is not spam. */
static const char gtube[] = "XJS*C4JDBQADN1.NSBN3*2IDNEN*"
                            "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

static int run(void *state, const struct message *msg, struct scan_result *result,
               struct mx_err *err)
{
    (void)state, (void)err;
    bool is_there = mx_str_find(msg->body, mx_str(gtube)) >= 0;
    for (size_t i = 0; !is_there && i < msg->n_parts; i++)
        is_there = mx_str_starts(msg->parts[i].type, MX_STR("text/")) &&
                   mx_str_find(msg->parts[i].content, mx_str(gtube)) >= 0;
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
