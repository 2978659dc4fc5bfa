/*
 * Detector "headers": what is wrong with the top header and the line ends, on the raw
 * bytes: NUL, bare CR and LF, control and 8-bit characters, fields that are missing or
 * stand twice, headers that are too many or too long.
 *
 * It says what is there, not what to do about it: policyd's suspicious_chars refuses on
 * MX_SUSPICIOUS_CHARS where a site wants that. Field contents (dates, addresses, encoded
 * words) are the business of the rules.
 * Source: RFC 5322 2.1.1 (line length), 2.3 (CR and LF), 3.6 (fields and their number).
 */
#include "scan.h"

#include <string.h>

#include "mx_arena.h"

#define HOPS_MAX 100        /* RFC 5321 6.3: at least, before a loop is assumed */
#define LINE_MAX_OCTETS 998 /* RFC 5322 2.1.1, without CRLF */

static const struct scan_symbol symbols[] = {
    {"MX_SUSPICIOUS_CHARS", 0.5, "NUL or bare CR in the header: readers will differ"},
    {"MX_HEADER_CONTROL", 0.5, "control characters in the header"},
    {"MX_HEADER_8BIT", 0.2, "8-bit characters in the header that are no UTF-8"},
    {"MX_HEADER_BAD_LINE", 0.5, "a header line that is neither field nor continuation"},
    {"MX_HEADER_LONG", 0.2, "a header line over 998 octets"},
    {"MX_HEADERS_MANY", 1.0, "more or longer header fields than are looked at"},
    {"MX_NO_BODY", 0, "the header is not ended by an empty line"},
    {"MX_BODY_NUL", 0.2, "NUL in the body"},
    {"MX_BARE_CR", 0.2, "CR without LF behind it"},
    {"MX_BARE_LF", 0.2, "LF without CR in a message that has CRLF"},
    {"MX_MISSING_FROM", 1.0, "no From field"},
    {"MX_MISSING_DATE", 0.5, "no Date field"},
    {"MX_MISSING_MESSAGE_ID", 0.2, "no Message-ID field"},
    {"MX_MISSING_SUBJECT", 0.2, "no Subject field"},
    {"MX_DOUBLE_FROM", 1.5, "more than one From field"},
    {"MX_DOUBLE_HEADER", 0.5, "another field twice that may stand once"},
    {"MX_HOPS_MANY", 0, "so many Received fields as only a mail loop makes"},
    {0},
};

/* RFC 5322 3.6: fields that may stand once at most; MIME: RFC 2045 3. */
static const struct {
    const char *name;
    const char *missing; /* symbol where it must be there */
    const char *twice;
} single_fields[] = {
    {"From", "MX_MISSING_FROM", "MX_DOUBLE_FROM"},
    {"Date", "MX_MISSING_DATE", "MX_DOUBLE_HEADER"},
    {"Message-ID", "MX_MISSING_MESSAGE_ID", "MX_DOUBLE_HEADER"},
    {"Subject", "MX_MISSING_SUBJECT", "MX_DOUBLE_HEADER"},
    {"Sender", NULL, "MX_DOUBLE_HEADER"},
    {"Reply-To", NULL, "MX_DOUBLE_HEADER"},
    {"To", NULL, "MX_DOUBLE_HEADER"},
    {"Cc", NULL, "MX_DOUBLE_HEADER"},
    {"In-Reply-To", NULL, "MX_DOUBLE_HEADER"},
    {"References", NULL, "MX_DOUBLE_HEADER"},
    {"MIME-Version", NULL, "MX_DOUBLE_HEADER"},
    {"Content-Type", NULL, "MX_DOUBLE_HEADER"},
    {"Content-Transfer-Encoding", NULL, "MX_DOUBLE_HEADER"},
};

static void check_fields(const struct message *msg, struct scan_result *result)
{
    for (size_t i = 0; i < sizeof(single_fields) / sizeof(single_fields[0]); i++) {
        const char *name = single_fields[i].name;
        if (message_find(msg, name, 1) != NULL)
            scan_add(result, single_fields[i].twice, "%s", name);
        else if (single_fields[i].missing != NULL && message_find(msg, name, 0) == NULL &&
                 !(msg->cuts & MESSAGE_CUT_HEADERS))
            scan_add(result, single_fields[i].missing, "%s", "");
    }
}

static void check_line(struct mx_str line, struct scan_result *result)
{
    bool is_fold = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
    ptrdiff_t colon = mx_str_chr(line, ':');
    struct mx_str name = mx_str_trim(mx_str_sub(line, 0, colon > 0 ? (size_t)colon : 0));
    bool is_field = name.n > 0 && mx_str_chr(name, ' ') < 0 && mx_str_chr(name, '\t') < 0;
    if (!is_fold && !is_field)
        scan_add(result, "MX_HEADER_BAD_LINE", "%s",
                 mx_str_esc(scan_scratch(result), mx_str_sub(line, 0, 40)));
    if (line.n > LINE_MAX_OCTETS)
        scan_add(result, "MX_HEADER_LONG", "%zu octets", line.n);
}

static void check_lines(struct mx_str head, struct scan_result *result)
{
    struct mx_str line;
    size_t bad_enough = 8; /* details beyond it tell nothing new */
    while (bad_enough > 0 && mx_str_next(&head, '\n', &line) == 0) {
        size_t n = line.n;
        if (n > 0 && line.p[n - 1] == '\r')
            line.n--;
        if (line.n > 0) {
            check_line(line, result);
            bad_enough -= scan_has(result, "MX_HEADER_BAD_LINE");
        }
    }
}

static void check_characters(struct mx_str head, struct scan_result *result)
{
    size_t controls = 0, high = 0, nuls = 0;
    for (size_t i = 0; i < head.n; i++) {
        unsigned char c = (unsigned char)head.p[i];
        high += c > 127;
        nuls += c == 0;
        controls += (c < 32 && c != '\t' && c != '\r' && c != '\n' && c != 0) || c == 127;
    }
    if (nuls > 0)
        scan_add(result, "MX_SUSPICIOUS_CHARS", "%zu NUL in header", nuls);
    if (controls > 0)
        scan_add(result, "MX_HEADER_CONTROL", "%zu octets", controls);
    if (high > 0 && !mx_str_is_utf8(head)) /* RFC 6532 allows UTF-8 */
        scan_add(result, "MX_HEADER_8BIT", "%zu octets", high);
}

/* CR that no LF follows. */
static size_t count_bare_cr(struct mx_str text)
{
    size_t bare = 0, at = 0;
    const char *cr;
    while (at < text.n && (cr = memchr(text.p + at, '\r', text.n - at)) != NULL) {
        at = (size_t)(cr - text.p) + 1;
        bare += at >= text.n || text.p[at] != '\n';
    }
    return bare;
}

/* LF that no CR precedes, and LF in all. */
static size_t count_bare_lf(struct mx_str text, size_t *out_lines)
{
    size_t bare = 0, lines = 0, at = 0;
    const char *lf;
    while (at < text.n && (lf = memchr(text.p + at, '\n', text.n - at)) != NULL) {
        bare += lf == text.p || lf[-1] != '\r';
        at = (size_t)(lf - text.p) + 1;
        lines++;
    }
    *out_lines = lines;
    return bare;
}

static void check_line_ends(const struct message *msg, struct scan_result *result)
{
    size_t in_head = count_bare_cr(msg->head);
    size_t in_body = count_bare_cr(msg->body);
    if (in_head > 0)
        scan_add(result, "MX_SUSPICIOUS_CHARS", "%zu bare CR in header", in_head);
    /* A cut message may end between CR and LF. */
    if (in_head + in_body > (msg->is_truncated ? 1u : 0u))
        scan_add(result, "MX_BARE_CR", "%zu", in_head + in_body);
    size_t lines = 0;
    size_t bare = count_bare_lf(msg->raw, &lines);
    if (bare > 0 && bare < lines) /* only LF is how a file is stored */
        scan_add(result, "MX_BARE_LF", "%zu of %zu", bare, lines);
    if (msg->body.n > 0 && memchr(msg->body.p, 0, msg->body.n) != NULL)
        scan_add(result, "MX_BODY_NUL", "%s", "");
}

static void check_hops(const struct message *msg, struct scan_result *result)
{
    size_t hops = 0;
    for (size_t i = 0; i < msg->n_headers; i++)
        hops += mx_str_ieq(msg->headers[i].name, MX_STR("Received"));
    if (hops > HOPS_MAX)
        scan_add(result, "MX_HOPS_MANY", "%zu", hops);
}

static int run(void *state, const struct message *msg, struct scan_result *result,
               struct mx_err *err)
{
    (void)state, (void)err;
    check_fields(msg, result);
    check_hops(msg, result);
    check_lines(mx_str_sub(msg->head, 0, MESSAGE_HEADER_BYTES_MAX), result);
    check_characters(msg->head, result);
    check_line_ends(msg, result);
    if (msg->cuts & MESSAGE_CUT_HEADERS)
        scan_add(result, "MX_HEADERS_MANY", "%zu fields kept", msg->n_headers);
    if (msg->body.p == NULL && !msg->is_truncated)
        scan_add(result, "MX_NO_BODY", "%s", "");
    return 0;
}

const struct scan_detector det_headers = {
    .name = "headers",
    .cost = 10,
    .symbols = symbols,
    .run = run,
};
