/*
 * Detector "mime": structure that readers will understand differently, or that is meant
 * to be put together elsewhere.
 *
 * Two things it adds to the parser's warnings: parameters counted on the raw Content-Type
 * (the parser keeps one boundary, another reader takes the other one), and types that
 * are no content of their own (message/partial, message/external-body).
 * What is merely sloppy and common in good mail weighs nothing by default.
 * Source: RFC 2045 5.1, RFC 2046 5.1.1, 5.2.2, 5.2.3.
 */
#include "scan.h"

#include <string.h>

#include "mx_arena.h"

static const struct scan_symbol symbols[] = {
    {"MX_MIME_AMBIGUOUS", 2.0, "two boundaries, types or encodings: readers will differ"},
    {"MX_MIME_PARTIAL", 2.0, "message/partial: content that is put together elsewhere"},
    {"MX_MIME_EXTERNAL", 2.0, "message/external-body: content that is fetched elsewhere"},
    {"MX_MIME_HIDDEN", 0.5, "content that only lenient readers decode"},
    {"MX_MIME_TOO_DEEP", 2.0, "nested deeper than is looked at"},
    {"MX_MIME_TOO_MANY", 2.0, "more parts than are looked at"},
    {"MX_MIME_CUT", 0, "decoded contents are larger than is looked at"},
    {"MX_MIME_NO_BOUNDARY", 1.0, "multipart without a boundary"},
    {"MX_MIME_NO_PARTS", 0.5, "multipart without any part"},
    {"MX_MIME_NO_END", 0.2, "the final boundary is missing"},
    {"MX_MIME_BAD_TYPE", 0.5, "Content-Type that cannot be read"},
    {"MX_MIME_BAD_HEADER", 0.2, "field of a part that cannot be read"},
    {"MX_MIME_EMPTY_PART", 0, "a part without content"},
    {"MX_MIME_8BIT_HEADER", 0, "unencoded 8-bit characters in a field"},
    {0},
};

static const struct {
    enum message_warning warning;
    const char *symbol;
} by_warning[] = {
    {MESSAGE_WARN_CONFLICTING, "MX_MIME_AMBIGUOUS"},
    {MESSAGE_WARN_DOUBLE_PARAMETER, "MX_MIME_BAD_HEADER"},
    {MESSAGE_WARN_8BIT_HEADER, "MX_MIME_8BIT_HEADER"},
    {MESSAGE_WARN_BAD_TYPE, "MX_MIME_BAD_TYPE"},
    {MESSAGE_WARN_BAD_ENCODED_WORD, "MX_MIME_BAD_HEADER"},
    {MESSAGE_WARN_BAD_PARAMETER, "MX_MIME_BAD_HEADER"},
    {MESSAGE_WARN_BAD_HEADER_NAME, "MX_MIME_BAD_HEADER"},
    {MESSAGE_WARN_MALFORMED, "MX_MIME_BAD_HEADER"},
    {MESSAGE_WARN_NO_PARTS, "MX_MIME_NO_PARTS"},
    {MESSAGE_WARN_NO_BOUNDARY, "MX_MIME_NO_BOUNDARY"},
    {MESSAGE_WARN_TOO_DEEP, "MX_MIME_TOO_DEEP"},
    {MESSAGE_WARN_EMPTY_PART, "MX_MIME_EMPTY_PART"},
};

static void check_warnings(const struct message *msg, struct scan_result *result)
{
    for (size_t i = 0; i < sizeof(by_warning) / sizeof(by_warning[0]); i++) {
        const struct message_warned *warned = &msg->warned[by_warning[i].warning];
        if (warned->count > 0)
            scan_add(result, by_warning[i].symbol, "%s",
                     mx_str_esc(scan_scratch(result), warned->item));
    }
    if (msg->warned[MESSAGE_WARN_NO_END].count > 0 && !msg->is_truncated)
        scan_add(result, "MX_MIME_NO_END", "%s", "");
}

/* How often a parameter is named in a Content-Type value, quoted strings and comments
   left out; "boundary*" and "boundary*0" (RFC 2231) count as the same parameter. */
static size_t count_parameter(struct mx_str value, struct mx_str name)
{
    size_t count = 0;
    bool is_quoted = false;
    unsigned comment = 0;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\\')
            i++;
        else if (c == '"' && comment == 0)
            is_quoted = !is_quoted;
        else if (!is_quoted && (c == '(' || (c == ')' && comment > 0)))
            comment += c == '(' ? 1u : -1u;
        else if (!is_quoted && comment == 0 && c == ';') {
            struct mx_str rest = mx_str_trim(mx_str_sub(value, i + 1, name.n + 64));
            struct mx_str behind = mx_str_trim(mx_str_sub(rest, name.n, rest.n));
            count += mx_str_istarts(rest, name) && behind.n > 0 &&
                     (behind.p[0] == '=' || mx_str_starts(behind, MX_STR("*=")) ||
                      mx_str_starts(behind, MX_STR("*0")));
        }
    }
    return count;
}

static void check_type_field(const struct message_header *headers, size_t n,
                             struct scan_result *result)
{
    size_t types = 0, encodings = 0;
    for (size_t i = 0; i < n; i++) {
        encodings += mx_str_ieq(headers[i].name, MX_STR("Content-Transfer-Encoding"));
        if (!mx_str_ieq(headers[i].name, MX_STR("Content-Type")))
            continue;
        types++;
        if (count_parameter(headers[i].value, MX_STR("boundary")) > 1)
            scan_add(result, "MX_MIME_AMBIGUOUS", "two boundaries");
        if (count_parameter(headers[i].value, MX_STR("charset")) > 1)
            scan_add(result, "MX_MIME_AMBIGUOUS", "two charsets");
    }
    if (types > 1)
        scan_add(result, "MX_MIME_AMBIGUOUS", "two Content-Type fields");
    if (encodings > 1)
        scan_add(result, "MX_MIME_AMBIGUOUS", "two Content-Transfer-Encoding fields");
}

static bool is_empty_multipart(const struct message *msg, size_t i)
{
    bool has_child =
        i + 1 < msg->n_parts && msg->parts[i + 1].depth > msg->parts[i].depth;
    return mx_str_starts(msg->parts[i].type, MX_STR("multipart/")) && !has_child;
}

static void check_parts(const struct message *msg, struct scan_result *result)
{
    for (size_t i = 0; i < msg->n_parts; i++) {
        const struct message_part *part = &msg->parts[i];
        if (mx_str_eq(part->type, MX_STR("message/partial")))
            scan_add(result, "MX_MIME_PARTIAL", "%s", "");
        if (mx_str_eq(part->type, MX_STR("message/external-body")))
            scan_add(result, "MX_MIME_EXTERNAL", "%s", "");
        if (is_empty_multipart(msg, i) && msg->cuts == 0 && !msg->is_truncated &&
            !scan_has(result, "MX_MIME_NO_BOUNDARY"))
            scan_add(result, "MX_MIME_NO_PARTS", "%s",
                     mx_str_esc(scan_scratch(result), part->type));
        if (part->is_hidden)
            scan_add(result, "MX_MIME_HIDDEN", "%s",
                     mx_str_esc(scan_scratch(result), part->type));
        if (i > 0)
            check_type_field(part->headers, part->n_headers, result);
    }
}

static int run(void *state, const struct message *msg, struct scan_result *result,
               struct mx_err *err)
{
    (void)state, (void)err;
    check_warnings(msg, result);
    check_type_field(msg->headers, msg->n_headers, result);
    check_parts(msg, result);
    if (msg->cuts & MESSAGE_CUT_DEPTH)
        scan_add(result, "MX_MIME_TOO_DEEP", "over %d levels", MESSAGE_DEPTH_MAX);
    if (msg->cuts & (MESSAGE_CUT_PARTS | MESSAGE_CUT_BOUNDARIES))
        scan_add(result, "MX_MIME_TOO_MANY", "over %d parts", MESSAGE_PARTS_MAX);
    if (msg->cuts & MESSAGE_CUT_CONTENT)
        scan_add(result, "MX_MIME_CUT", "%s", "");
    return 0;
}

const struct scan_detector det_mime = {
    .name = "mime",
    .cost = 20,
    .symbols = symbols,
    .run = run,
};
