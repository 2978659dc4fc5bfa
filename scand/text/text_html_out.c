/*
 * Rendered text, kept three times: all of it, what can be seen, and what cannot.
 *
 * Runs keep a space at either end, as it may separate words: "a <b>b</b>" is "a b". A tag
 * that breaks lines takes away the space before it and behind it. Space of invisible
 * runs is never taken, so that nobody learns from the text where they are.
 *
 * Two runs that join letters without space look like one word cut by tags, which is how
 * spam hides words from filters. How often that happens is counted (obfuscation), and in
 * how many pairs of short lengths (backhair).
 */
#include "text/text_html_out.h"

#include <string.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_chars.h"

#define SHORT_MAX 7 /* characters of a piece of a word in backhair */

struct buffer {
    char *p;
    size_t n;
};

struct html_out {
    struct buffer all, visible, invisible;
    struct {
        size_t start; /* in all */
        bool is_any, is_space, is_visible, is_wide;
    } last; /* run */
    bool is_wide;
    unsigned obfuscation;
    bool backhair[SHORT_MAX + 1][SHORT_MAX + 1];
};

struct html_out *html_out_new(struct mx_arena *arena, size_t size)
{
    struct html_out *out = mx_arena_alloc(arena, sizeof(*out));
    out->all.p = mx_arena_alloc(arena, size + 1);
    out->visible.p = mx_arena_alloc(arena, size + 1);
    out->invisible.p = mx_arena_alloc(arena, size + 1);
    return out;
}

/* Length of what counts as space at ${p}: ASCII space, or what a no-break space becomes
 * when its two bytes are taken for two characters. */
static size_t space_at(const char *p, const char *end)
{
    if (text_char_space((unsigned char)*p))
        return 1;
    return end - p >= 4 && memcmp(p, "\xc3\x82\xc2\xa0", 4) == 0 ? 4 : 0;
}

bool html_out_is_blank(struct mx_str run)
{
    const char *p = run.p, *end = run.p + run.n;
    for (size_t n; p < end; p += n) {
        n = space_at(p, end);
        if (n == 0)
            return false;
    }
    return true;
}

/* ---- words cut by tags ---------------------------------------------------------------
 */

/* A letter, a digit or what else is neither space nor ASCII punctuation. */
static bool is_solid(uint32_t c, bool is_wide)
{
    if (c < 0x80)
        return !text_char_space((unsigned char)c) &&
               (c < 0x21 || c == 0x7f || (text_char_word((unsigned char)c) && c != '_'));
    return !is_wide || !text_char_space_wide(c);
}

static bool is_word(uint32_t c, bool is_wide)
{
    return is_wide ? text_char_word_wide(c)
                   : c < 0x80 && text_char_word((unsigned char)c);
}

/* Up to ${max} characters at the start of ${s}. */
static size_t first_chars(struct mx_str s, uint32_t *out, size_t max)
{
    size_t n = 0;
    for (const char *p = s.p, *end = s.p + s.n; p < end && n < max;)
        out[n++] = text_char_next(&p, end);
    return n;
}

/* Up to ${max} characters at the end of ${s}, last one first. */
static size_t last_chars(struct mx_str s, uint32_t *out, size_t max)
{
    size_t n = 0;
    while (s.n > 0 && n < max) {
        size_t i = s.n - 1;
        while (i > 0 && s.n - i < 4 && ((unsigned char)s.p[i] & 0xc0) == 0x80)
            i--;
        const char *p = s.p + i;
        out[n++] = text_char_next(&p, s.p + s.n);
        s.n = i;
    }
    return n;
}

/* Length of the longest piece of at most SHORT_MAX solid characters of ${c} that ends at
 * a word boundary; 0 none. */
static size_t short_piece(const uint32_t *c, size_t n, bool is_wide)
{
    size_t solid = 0;
    while (solid < n && solid < SHORT_MAX && is_solid(c[solid], is_wide))
        solid++;
    for (; solid > 0; solid--) {
        bool is_behind = solid < n && is_word(c[solid], is_wide);
        if (is_word(c[solid - 1], is_wide) != is_behind)
            return solid;
    }
    return 0;
}

static void count_cuts(struct html_out *out, struct mx_str run, bool is_wide)
{
    struct mx_str last =
        mx_str_of(out->all.p + out->last.start, out->all.n - out->last.start);
    uint32_t before[SHORT_MAX + 1], behind[SHORT_MAX + 1];
    size_t n_before = last_chars(last, before, SHORT_MAX + 1);
    size_t n_behind = first_chars(run, behind, SHORT_MAX + 1);
    if (n_before == 0 || n_behind == 0)
        return;
    if (is_solid(before[0], out->last.is_wide) && is_solid(behind[0], is_wide))
        out->obfuscation++;
    size_t left = short_piece(before, n_before, out->last.is_wide);
    size_t right = short_piece(behind, n_behind, is_wide);
    if (left > 0 && right > 0)
        out->backhair[left][right] = true;
}

/* ---- runs ----------------------------------------------------------------------------
 */

static void append(struct buffer *buffer, const char *p, size_t n)
{
    memmove(buffer->p + buffer->n, p, n);
    buffer->n += n;
}

/* ${run} with its space collapsed, behind all. */
static void append_collapsed(struct html_out *out, struct mx_str run)
{
    char *to = out->all.p + out->all.n;
    const char *p = run.p, *end = run.p + run.n;
    while (p < end) {
        size_t n = space_at(p, end);
        if (n == 0) {
            *to++ = *p++;
            continue;
        }
        *to++ = ' ';
        p += n;
        while (n == 1 && p < end && text_char_space((unsigned char)*p))
            p++;
    }
    out->all.n = (size_t)(to - out->all.p);
}

void html_out_text(struct html_out *out, struct mx_str run, bool is_wide, bool is_visible)
{
    if (out->last.is_any)
        count_cuts(out, run, is_wide);
    size_t start = out->all.n;
    append_collapsed(out, run);
    bool is_behind_space = out->last.is_any && out->last.is_space && is_visible;
    if (is_behind_space && out->all.n > start && out->all.p[start] == ' ') {
        memmove(out->all.p + start, out->all.p + start + 1, out->all.n - start - 1);
        out->all.n--;
    }
    append(is_visible ? &out->visible : &out->invisible, out->all.p + start,
           out->all.n - start);
    out->last.start = start;
    out->last.is_any = true;
    out->last.is_space = false;
    out->last.is_visible = is_visible;
    out->last.is_wide = is_wide;
    out->is_wide |= is_wide;
}

void html_out_space(struct html_out *out, enum html_space space)
{
    static const char *const texts[] = {"", "\n", " ", "\n\n"};
    const char *text = texts[space];
    bool is_trimmed = out->last.is_any && !out->last.is_space && out->last.is_visible &&
                      out->all.n > out->last.start && out->all.p[out->all.n - 1] == ' ';
    if (is_trimmed) {
        out->all.n--;
        out->visible.n--;
    }
    out->last.start = out->all.n;
    append(&out->all, text, strlen(text));
    append(&out->visible, text, strlen(text));
    out->last.is_any = out->last.is_space = out->last.is_visible = true;
    out->last.is_wide = false;
}

static size_t count_space(struct mx_str text, bool is_wide)
{
    size_t n = 0;
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        uint32_t c = text_char_next(&p, end);
        n += is_wide ? text_char_space_wide(c)
                     : c < 0x80 && c != '\f' && text_char_space((unsigned char)c);
    }
    return n;
}

void html_out_result(const struct html_out *out, struct html_result *result)
{
    result->text = mx_str_of(out->all.p, out->all.n);
    result->visible = mx_str_of(out->visible.p, out->visible.n);
    result->invisible = mx_str_of(out->invisible.p, out->invisible.n);
    result->is_wide = out->is_wide;
    result->text_length = text_chars_count(result->text);
    result->non_space = result->text_length - count_space(result->text, out->is_wide);
    result->obfuscation = out->obfuscation;
    for (size_t i = 0; i < (SHORT_MAX + 1) * (SHORT_MAX + 1); i++)
        result->backhair += out->backhair[i / (SHORT_MAX + 1)][i % (SHORT_MAX + 1)];
}
