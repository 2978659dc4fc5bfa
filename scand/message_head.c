/*
 * Splits the top header of a message into fields, on the raw bytes.
 *
 * GMime has a view of its own, normalised and lenient; rules and the headers detector
 * need what was really sent: every field in order, with its folding, its odd bytes, and
 * the lines that are no fields at all. Nothing is copied: names and values point into
 * the raw message. No decoding is done here.
 */
#include "message_head.h"

#include <string.h>

#include "mx_arena.h"

/* Octets of the line at p[0..n), line end included. */
static size_t line_length(const char *p, size_t n)
{
    const char *lf = memchr(p, '\n', n);
    return lf != NULL ? (size_t)(lf - p) + 1 : n;
}

static bool line_is_empty(const char *p, size_t n)
{
    return n > 0 && (p[0] == '\n' || (n == 2 && p[0] == '\r' && p[1] == '\n'));
}

/* Where the header ends: the offset of the empty line, or the size of everything. */
static size_t head_size(struct mx_str raw, size_t *out_lines)
{
    size_t at = 0, lines = 0;
    while (at < raw.n) {
        size_t n = line_length(raw.p + at, raw.n - at);
        if (line_is_empty(raw.p + at, n))
            break;
        at += n;
        lines++;
    }
    *out_lines = lines;
    return at;
}

/* The field name at the start of a line, or the missing slice. RFC 5322 3.6.8: printable
   ASCII but for the colon; we allow white space before the colon, as RFC 822 did. */
static struct mx_str field_name(struct mx_str line)
{
    ptrdiff_t colon = mx_str_chr(line, ':');
    if (colon <= 0)
        return MX_STR_NONE;
    struct mx_str name = mx_str_trim(mx_str_sub(line, 0, (size_t)colon));
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= 32 || (unsigned char)name.p[i] == 127)
            return MX_STR_NONE;
    return name;
}

static struct mx_str without_line_end(const char *p, size_t n)
{
    if (n > 0 && p[n - 1] == '\n')
        n--;
    if (n > 0 && p[n - 1] == '\r')
        n--;
    return mx_str_of(p, n);
}

/* One line more: opens a field, or makes the one before it longer. */
static void take_line(struct message_header *fields, size_t *n_fields, const char *p,
                      size_t n)
{
    struct mx_str line = without_line_end(p, n);
    bool is_fold = n > 0 && (p[0] == ' ' || p[0] == '\t');
    struct mx_str name = is_fold ? MX_STR_NONE : field_name(line);
    if (name.n == 0 && *n_fields > 0) {
        struct message_header *last = &fields[*n_fields - 1];
        last->value.n = (size_t)(line.p + line.n - last->value.p);
        return;
    }
    struct message_header *field = &fields[(*n_fields)++];
    field->name = name;
    size_t from = name.n > 0 ? (size_t)mx_str_chr(line, ':') + 1 : 0;
    field->value = mx_str_sub(line, from, line.n - from);
}

void message_head_parse(struct mx_arena *arena, struct message *msg)
{
    size_t lines = 0;
    size_t size = head_size(msg->raw, &lines);
    msg->head = mx_str_sub(msg->raw, 0, size);
    msg->body = MX_STR_NONE;
    if (size < msg->raw.n) {
        size_t skip = size + line_length(msg->raw.p + size, msg->raw.n - size);
        msg->body = mx_str_of(msg->raw.p + skip, msg->raw.n - skip);
    }
    size_t max = lines < MESSAGE_HEADERS_MAX ? lines : MESSAGE_HEADERS_MAX;
    struct message_header *fields = mx_arena_array(arena, max + 1, sizeof(*fields));
    size_t n_fields = 0, at = 0;
    while (at < size && at < MESSAGE_HEADER_BYTES_MAX && n_fields <= max) {
        size_t n = line_length(msg->raw.p + at, size - at);
        take_line(fields, &n_fields, msg->raw.p + at, n);
        at += n;
    }
    if (at < size || n_fields > MESSAGE_HEADERS_MAX)
        msg->cuts |= MESSAGE_CUT_HEADERS;
    msg->headers = fields;
    msg->n_headers = n_fields < max ? n_fields : max;
}
