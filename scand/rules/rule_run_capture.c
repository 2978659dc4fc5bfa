/*
 * Captures of one message. Values are text from outside that becomes part of a pattern:
 * every byte but letters, digits and _ is quoted, and their number and length are
 * bounded.
 */
#include "rule_run_capture.h"

#include "mx_arena.h"

static bool is_known(const struct rule_captures *captures, struct mx_str name,
                     struct mx_str value)
{
    for (size_t i = 0; i < captures->n; i++)
        if (mx_str_eq(captures->v[i].name, name) &&
            mx_str_eq(captures->v[i].value, value))
            return true;
    return false;
}

void rule_captures_take(struct rule_captures *captures, struct mx_arena *arena,
                        const struct rule_judge_scratch *scratch,
                        const struct rule_judge *judge)
{
    struct mx_str name, value;
    for (size_t i = 0; rule_judge_group(scratch, judge, i, &name, &value); i++) {
        if (value.n == 0 || value.n > RULE_CAPTURE_BYTES_MAX ||
            captures->n == RULE_CAPTURES_MAX || is_known(captures, name, value))
            continue;
        captures->v[captures->n++] =
            (struct rule_capture){mx_str_dup(arena, name), mx_str_dup(arena, value)};
    }
}

static void add_quoted(struct mx_buf *buf, struct mx_str value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i], lower = (char)(c | 0x20);
        bool is_word =
            (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (!is_word)
            mx_buf_str(buf, "\\");
        mx_buf_add(buf, &c, 1);
    }
}

/* "(?:VALUE|VALUE)"; false: none. */
static bool add_values(const struct rule_captures *captures, struct mx_str name,
                       struct mx_buf *buf)
{
    bool has_any = false;
    for (size_t i = 0; i < captures->n; i++) {
        if (!mx_str_eq(captures->v[i].name, name))
            continue;
        mx_buf_str(buf, has_any ? "|" : "(?:");
        add_quoted(buf, captures->v[i].value);
        has_any = true;
    }
    if (has_any)
        mx_buf_str(buf, ")");
    return has_any;
}

bool rule_captures_fill(const struct rule_captures *captures, struct mx_arena *arena,
                        struct mx_str pattern, struct mx_str *out)
{
    struct mx_buf buf = {.max = 1u << 20};
    bool is_filled = true;
    while (pattern.n > 0 && is_filled) {
        ptrdiff_t open = mx_str_find(pattern, MX_STR("%{"));
        ptrdiff_t close =
            open < 0 ? -1 : mx_str_chr(mx_str_sub(pattern, (size_t)open, pattern.n), '}');
        if (close < 0) {
            mx_buf_add(&buf, pattern.p, pattern.n);
            break;
        }
        mx_buf_add(&buf, pattern.p, (size_t)open);
        struct mx_str name = mx_str_sub(pattern, (size_t)open + 2, (size_t)close - 2);
        is_filled = add_values(captures, name, &buf);
        pattern = mx_str_sub(pattern, (size_t)(open + close + 1), pattern.n);
    }
    if (is_filled && !buf.is_overflown)
        *out = mx_str_dup(arena, mx_str_of(buf.p, buf.n));
    is_filled = is_filled && !buf.is_overflown;
    mx_buf_fini(&buf);
    return is_filled;
}
