/*
 * Bounds what the MIME parser gets to see.
 *
 * GMime makes objects of about 1.3 kB for each part and 1 kB for each header field, so
 * a megabyte of "--b" lines costs 260 MB, and parameters are searched one by one, so a
 * field of 190 kB costs seconds. It compares each line that begins with "--" to every
 * open boundary. It has no limits for these but nesting (1,024 levels). So we count the
 * lines that can cost something, before the parser sees them.
 *
 * A header can only begin at the start, behind a line with "--", and behind an empty line
 * that ended the header of an attached message or an empty header (multipart/digest). We
 * count fields there and nowhere else, so that no text, however odd, is touched.
 * The raw message is not changed: detectors that read it see everything.
 */
#include "message_gate.h"

#include <stdbool.h>
#include <string.h>

#include "message.h"

struct gate {
    struct mx_str raw;
    void (*emit)(void *user, struct mx_str piece);
    void *user;
    size_t done; /* everything before it was emitted or dropped */
    size_t boundaries, headers;
    unsigned cuts;
    bool in_header;       /* the current line may belong to a header */
    bool names_message;   /* this header may be that of an attached message */
    size_t block_headers; /* fields in this header */
    size_t block_lines;
    size_t field_bytes; /* octets of the current field */
};

static void flush(struct gate *gate, size_t upto)
{
    if (upto <= gate->done)
        return;
    gate->emit(gate->user, mx_str_of(gate->raw.p + gate->done, upto - gate->done));
    gate->done = upto;
}

static void open_header(struct gate *gate)
{
    gate->in_header = true;
    gate->names_message = false;
    gate->block_headers = gate->block_lines = gate->field_bytes = 0;
}

/* An empty line ended a header: may another one follow at once? */
static void close_header(struct gate *gate)
{
    bool is_next = gate->names_message || gate->block_lines == 0;
    open_header(gate);
    gate->in_header = is_next;
}

/* Where the field ends whose line is at ${at}: behind its last continuation. */
static size_t field_end(const struct gate *gate, size_t at)
{
    do {
        const char *lf = memchr(gate->raw.p + at, '\n', gate->raw.n - at);
        at = lf != NULL ? (size_t)(lf - gate->raw.p) + 1 : gate->raw.n;
    } while (at < gate->raw.n && (gate->raw.p[at] == ' ' || gate->raw.p[at] == '\t'));
    return at;
}

/* A field that grew too long at the line that begins at ${at}: only its end follows. */
static void shorten(struct gate *gate, size_t at, size_t before)
{
    size_t end = field_end(gate, at), keep = GATE_FIELD_MAX - before;
    size_t tail = end - at > keep + GATE_TAIL_MAX ? end - GATE_TAIL_MAX : at + keep;
    flush(gate, at + keep);
    gate->emit(gate->user, MX_STR(" ")); /* at the start of a line, it is a fold */
    gate->done = tail;
    flush(gate, end);
    gate->cuts |= MESSAGE_CUT_HEADERS;
}

static void header_line(struct gate *gate, size_t at, size_t n)
{
    struct mx_str line = mx_str_of(gate->raw.p + at, n);
    gate->block_lines++;
    if (line.p[0] != ' ' && line.p[0] != '\t') {
        gate->field_bytes = 0;
        if (mx_str_chr(line, ':') >= 0) {
            gate->block_headers++;
            gate->headers++;
        }
    }
    gate->field_bytes += n;
    for (size_t i = 0; !gate->names_message && i + 8 <= n; i++)
        gate->names_message = mx_str_istarts(mx_str_sub(line, i, 8), MX_STR("message/"));
    if (gate->field_bytes > GATE_FIELD_MAX && gate->done <= at)
        shorten(gate, at, gate->field_bytes - n);
    if (gate->block_headers > GATE_BLOCK_MAX) {
        flush(gate, at);
        gate->emit(gate->user, MX_STR("\r\n"));
        gate->cuts |= MESSAGE_CUT_HEADERS;
        gate->in_header = false;
    }
}

/* The next line that matters: every one inside a header, else one that begins with "--".
 */
static size_t next_line(const struct gate *gate, size_t at)
{
    if (gate->in_header || at >= gate->raw.n)
        return at;
    if (gate->raw.n - at >= 2 && memcmp(gate->raw.p + at, "--", 2) == 0)
        return at;
    const char *hit = memmem(gate->raw.p + at, gate->raw.n - at, "\n--", 3);
    return hit != NULL ? (size_t)(hit - gate->raw.p) + 1 : gate->raw.n;
}

/* Takes one line; false when the message has to end here. */
static bool take_line(struct gate *gate, size_t at, size_t n)
{
    const char *p = gate->raw.p + at;
    if (n >= 2 && p[0] == '-' && p[1] == '-') {
        gate->boundaries++;
        open_header(gate);
    } else if (p[0] == '\n' || (n == 2 && p[0] == '\r')) {
        close_header(gate);
    } else {
        header_line(gate, at, n);
    }
    if (gate->boundaries > GATE_BOUNDARIES_MAX)
        gate->cuts |= MESSAGE_CUT_BOUNDARIES;
    if (gate->headers > GATE_HEADERS_MAX)
        gate->cuts |= MESSAGE_CUT_HEADERS;
    return gate->boundaries <= GATE_BOUNDARIES_MAX && gate->headers <= GATE_HEADERS_MAX;
}

unsigned message_gate(struct mx_str raw, void (*emit)(void *user, struct mx_str piece),
                      void *user)
{
    struct gate gate = {.raw = raw, .emit = emit, .user = user};
    open_header(&gate);
    gate.block_lines = 1; /* an empty line at the very start is no empty part header */
    size_t at = 0;
    while ((at = next_line(&gate, at)) < raw.n) {
        const char *lf = memchr(raw.p + at, '\n', raw.n - at);
        size_t n = lf != NULL ? (size_t)(lf - raw.p) + 1 - at : raw.n - at;
        if (!take_line(&gate, at, n))
            break;
        at += n;
    }
    flush(&gate, at);
    return gate.cuts;
}
