/*
 * Replies. An MTA drops a reply silently when its class does not match the status, when
 * a line is too long, or when it has a '%' that is not doubled; it checks nothing in
 * headers. So whatever policyd or a site module wrote is brought into a form that is
 * sent as it is: the action alone decides the class, and no text can weaken it.
 *
 * Left out: which verdict wins and what is edited: shim_edit.c and shim_session.c.
 */
#include "shim_reply.h"

#include <stdio.h>
#include <string.h>

#include "mx_arena.h"

#define HEADER_LINE_MAX 998 /* octets, RFC 5322 2.1.1 */

static bool is_refusal(enum shim_action action)
{
    return action == SHIM_TEMPFAIL || action == SHIM_REJECT;
}

static enum shim_status status_of(enum shim_action action)
{
    switch (action) {
    case SHIM_CONTINUE: return SHIM_STATUS_CONTINUE;
    case SHIM_HOLD: return SHIM_STATUS_CONTINUE;
    case SHIM_DISCARD: return SHIM_STATUS_DISCARD;
    case SHIM_TEMPFAIL: return SHIM_STATUS_TEMPFAIL;
    case SHIM_REJECT: return SHIM_STATUS_REJECT;
    }
    return SHIM_STATUS_TEMPFAIL; /* a value from nowhere must not let mail through */
}

/* Digits of one field of an enhanced code: 1 to 3, no leading zero (RFC 3463 2). */
static bool is_field(struct mx_str s)
{
    if (s.n < 1 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool is_enhanced(const char *text, char class)
{
    struct mx_str rest = mx_str(text), field[3];
    for (int i = 0; i < 3; i++)
        if (mx_str_next(&rest, '.', &field[i]) < 0 || !is_field(field[i]))
            return false;
    return rest.n == 0 && field[0].n == 1 && field[0].p[0] == class;
}

/* How many octets of ${text} fit one line, folded at the last space where there is one.
 */
static size_t fold_at(struct mx_str text, size_t prefix)
{
    size_t wire = 0, raw = 0, space = 0, i = 0;
    for (; i < text.n; i++) {
        wire++;
        raw += text.p[i] == '%' ? 2 : 1;
        if (prefix + wire > SHIM_REPLY_LINE_MAX || raw > SHIM_REPLY_RAW_MAX)
            return space > 0 ? space : i;
        if (text.p[i] == ' ')
            space = i + 1;
    }
    return i;
}

/* One line of text: printable ASCII, '%' doubled. */
static const char *escape(struct mx_arena *arena, struct mx_str text)
{
    char *out = mx_arena_alloc(arena, text.n * 2 + 1), *p = out;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        *p++ = c >= ' ' && c <= '~' ? c : '?';
        if (c == '%')
            *p++ = '%';
    }
    *p = '\0';
    return out;
}

static void add_text(struct mx_arena *arena, struct mx_str text, struct shim_reply *out)
{
    size_t prefix = strlen(out->code) + 1 + strlen(out->enhanced) + 1;
    struct mx_str line;
    while (out->n < SHIM_REPLY_LINES && mx_str_next(&text, '\n', &line) == 0) {
        line = mx_str_trim(line);
        do {
            size_t n = fold_at(line, prefix);
            out->lines[out->n++] = escape(arena, mx_str_sub(line, 0, n));
            line = mx_str_sub(line, n, line.n);
        } while (line.n > 0 && out->n < SHIM_REPLY_LINES);
    }
}

void shim_reply_format(struct mx_arena *arena, const struct shim_verdict *verdict,
                       struct shim_reply *out)
{
    *out = (struct shim_reply){.status = status_of(verdict->action)};
    if (!is_refusal(verdict->action))
        return;
    bool is_reject = verdict->action == SHIM_REJECT;
    char class = is_reject ? '5' : '4';
    unsigned code = verdict->code;
    if (code / 100 != (is_reject ? 5 : 4))
        code = is_reject ? 550 : 451;
    const char *enhanced = verdict->enhanced;
    if (enhanced == NULL || !is_enhanced(enhanced, class))
        enhanced = is_reject ? "5.7.1" : "4.3.0";
    snprintf(out->code, sizeof(out->code), "%03u", code % 1000);
    snprintf(out->enhanced, sizeof(out->enhanced), "%s", enhanced);
    add_text(arena, mx_str_trim(verdict->text), out);
    if (out->n == 0)
        out->lines[out->n++] = is_reject ? "Refused by policy" : "Please try again later";
}

const struct shim_verdict *shim_reply_stronger(const struct shim_verdict *a,
                                               const struct shim_verdict *b)
{
    return b->action > a->action ? b : a;
}

enum shim_status shim_reply_send(struct mx_arena *arena, const struct shim_mta *mta,
                                 const struct shim_verdict *verdict)
{
    struct shim_reply reply;
    shim_reply_format(arena, verdict, &reply);
    /* Without our text the MTA answers with its own of the same class: never weaker. */
    if (reply.n > 0)
        (void)mta->reply(mta->ctx, &reply);
    return reply.status;
}

const char *shim_reply_header_name(struct mx_arena *arena, struct mx_str name)
{
    if (name.n == 0 || name.n > HEADER_LINE_MAX / 2)
        return NULL;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':')
            return NULL;
    return mx_arena_dup(arena, name.p, name.n);
}

const char *shim_reply_header_value(struct mx_arena *arena, struct mx_str value,
                                    bool has_space)
{
    /* Worst case: a fold (LF, TAB) in front of every HEADER_LINE_MAX / 2 octets. */
    size_t room = value.n + value.n / (HEADER_LINE_MAX / 2) * 2 + 8;
    char *out = mx_arena_alloc(arena, room), *p = out;
    size_t column = HEADER_LINE_MAX / 2; /* the name is at most that long */
    bool starts_blank = value.n > 0 && (value.p[0] == ' ' || value.p[0] == '\t');
    if (has_space && !starts_blank)
        *p++ = ' ';
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\n') {
            bool folds =
                i + 1 < value.n && (value.p[i + 1] == ' ' || value.p[i + 1] == '\t');
            if (!folds || p == out || p[-1] == '\n')
                continue;
            column = 0;
        } else if (c == '\r' || c == '\0') {
            continue;
        } else if (++column > HEADER_LINE_MAX - 1) {
            *p++ = '\n';
            *p++ = '\t';
            column = 2;
        }
        *p++ = c;
    }
    *p = '\0';
    return out;
}
