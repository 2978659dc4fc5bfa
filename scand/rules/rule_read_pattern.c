/*
 * Regex literals of rule files. Delimiters are those of Perl: "/.../", or m (qr) with
 * any sign or pair of brackets. Modifiers go in front as (?imsx...), which is how the
 * original compiles them too. Whether the pattern is a good one, only the engine that
 * compiles it can say: rule_match.
 */
#include "rule_read.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_text.h"

/* Modifiers that a pattern can carry inside. "a" says what we do anyway (ASCII classes),
   "p" and "o" only matter to programs; all others change what we cannot. */
#define MODIFIERS_KEPT "imsxn"
#define MODIFIERS_DROPPED "apo"

/* Cut the opening delimiter off; the closing one, or '\0' where there is none. */
static char take_open(struct mx_str *re)
{
    static const char pairs[] = "{}()<>[]";
    size_t skip = mx_str_starts(*re, MX_STR("qr")) ? 2 : 1;
    const char *pair;
    char open;

    if (re->n > 0 && re->p[0] == '/') {
        *re = mx_str_sub(*re, 1, re->n);
        return '/';
    }
    if (re->n <= skip || (skip == 1 && re->p[0] != 'm')) {
        return '\0';
    }
    open = re->p[skip];
    if (open == '\0' || open == '\\' || rule_text_is_word(open)) {
        return '\0';
    }
    *re = mx_str_sub(*re, skip + 1, re->n);
    pair = strchr(pairs, open);
    return pair && (pair - pairs) % 2 == 0 ? pair[1] : open;
}

/* Is there a ${delimiter} without a backslash before it? */
static bool has_bare(struct mx_str re, char delimiter)
{
    for (size_t i = 0; i < re.n; i++) {
        if (re.p[i] == '\\') {
            i++;
        } else if (re.p[i] == delimiter) {
            return true;
        }
    }
    return false;
}

static int check_modifiers(struct mx_str mods, char kept[static 32], struct mx_err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < mods.n; i++) {
        if (strchr(MODIFIERS_KEPT, mods.p[i]) && n < 31) {
            kept[n++] = mods.p[i];
        } else if (!strchr(MODIFIERS_DROPPED, mods.p[i])) {
            return mx_err_set(err, MX_ERR_INPUT, "modifier \"%c\" has no meaning here",
                              mods.p[i]);
        }
    }
    kept[n] = '\0';
    return 0;
}

static bool is_modifier(char c)
{
    return c >= 'a' && c <= 'z' && c != 'e';
}

/* (?{ code }) and (??{ code }) */
static bool has_code(struct mx_str re)
{
    return mx_str_find(re, MX_STR("(?{")) >= 0 || mx_str_find(re, MX_STR("(??{")) >= 0;
}

/* "(?mods)re"; NUL bytes in ${re} are bytes like others. */
static struct mx_str with_modifiers(struct mx_arena *arena, struct mx_str re,
                                    const char *mods)
{
    struct mx_buf buf = {0};
    struct mx_str out;

    if (mods[0] != '\0') {
        mx_buf_printf(&buf, "(?%s)", mods);
    }
    mx_buf_add(&buf, re.p, re.n);
    out = mx_str_dup(arena, mx_str_of(buf.p, buf.n));
    mx_buf_fini(&buf);
    return out;
}

int rule_read_pattern(struct mx_arena *arena, struct mx_str literal, struct mx_str *out,
                      struct mx_err *err)
{
    struct mx_str re = literal, mods;
    char close = take_open(&re), kept[32];
    size_t end = re.n;

    if (close == '\0') {
        return mx_err_set(err, MX_ERR_INPUT, "no delimiters around the pattern");
    }
    while (end > 0 && is_modifier(re.p[end - 1])) {
        end--;
    }
    if (end == 0 || re.p[end - 1] != close) {
        return mx_err_set(err, MX_ERR_INPUT, "the pattern does not end in %c", close);
    }
    mods = mx_str_sub(re, end, re.n);
    re = mx_str_sub(re, 0, end - 1);
    if (re.n > RULE_PATTERN_BYTES_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "pattern of more than %u bytes",
                          RULE_PATTERN_BYTES_MAX);
    }
    if (has_code(re)) {
        return mx_err_set(err, MX_ERR_INPUT, "code inside a pattern is never run");
    }
    if (!strchr("})]", close) && has_bare(re, close)) {
        return mx_err_set(err, MX_ERR_INPUT, "%c inside the pattern without \\", close);
    }
    if (check_modifiers(mods, kept, err)) {
        return -1;
    }
    *out = with_modifiers(arena, re, kept);
    return 0;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* "%{NAME" at ${i}, not behind a backslash */
static bool needs_at(struct mx_str s, size_t i)
{
    return s.p[i] == '%' && i + 2 < s.n && s.p[i + 1] == '{' && is_upper(s.p[i + 2]) &&
           (i == 0 || s.p[i - 1] != '\\');
}

/* "(?<NAME", "(?P<NAME", "(?'NAME" at ${i} */
static bool captures_at(struct mx_str s, size_t i)
{
    struct mx_str rest = mx_str_sub(s, i, 5);
    size_t n = mx_str_starts(rest, MX_STR("(?P")) ? 3 : 2;

    return mx_str_starts(rest, MX_STR("(?")) && rest.n > n + 1 &&
           (rest.p[n] == '<' || rest.p[n] == '\'') && is_upper(rest.p[n + 1]);
}

unsigned rule_read_captures(struct mx_str pattern)
{
    unsigned flags = 0;

    for (size_t i = 0; i < pattern.n; i++) {
        if (needs_at(pattern, i)) {
            flags |= RULE_NEEDS_CAPTURE;
        }
        if (captures_at(pattern, i)) {
            flags |= RULE_HAS_CAPTURE;
        }
    }
    return flags;
}
