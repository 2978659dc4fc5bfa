/*
 * Character classes, UTF-8 and small containers for the units that form texts. The
 * classes are those of Perl 5.36: \s and \w of a byte string are ASCII, \s of a character
 * string follows Unicode's White_Space. Decoding is lenient, because a text that came
 * through a charset conversion is valid and anything else must not stop the scan.
 *
 * Unicode's word characters are told by blocks: all but punctuation, symbols and private
 * use. Only counts of cut words depend on them.
 */
#include "text/text_chars.h"

#include <string.h>

#include "mx_arena.h"
#include "text/text.h"

#define LIST_FIRST 16 /* elements of a new array */

bool text_char_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool text_char_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '_';
}

bool text_char_space_wide(uint32_t c)
{
    if (c < 0x80)
        return text_char_space((unsigned char)c);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool text_char_word_wide(uint32_t c)
{
    static const struct {
        uint32_t from, to;
    } others[] = {
        {0x80, 0xa9},       {0xab, 0xb4},     {0xb6, 0xb9},     {0xbb, 0xbf},
        {0xd7, 0xd7},       {0xf7, 0xf7},     {0x2000, 0x200b}, {0x200e, 0x203e},
        {0x2041, 0x2070},   {0x2190, 0x2bff}, {0x3000, 0x3004}, {0x3008, 0x3020},
        {0xe000, 0xf8ff},   {0xfe10, 0xfe1f}, {0xfe30, 0xfe32}, {0xfeff, 0xff0f},
        {0x1f000, 0x1faff},
    };
    if (c < 0x80)
        return text_char_word((unsigned char)c);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (c >= others[i].from && c <= others[i].to)
            return false;
    }
    return true;
}

/* Length of the sequence that ${lead} begins, and the bits it contributes. */
static size_t sequence(unsigned char lead, uint32_t *bits)
{
    if (lead >= 0xf0 && lead <= 0xf4) {
        *bits = lead & 0x07;
        return 4;
    }
    if (lead >= 0xe0 && lead < 0xf0) {
        *bits = lead & 0x0f;
        return 3;
    }
    *bits = lead & 0x1f;
    return lead >= 0xc2 && lead < 0xe0 ? 2 : 1;
}

uint32_t text_char_next(const char **at, const char *end)
{
    const unsigned char *p = (const unsigned char *)*at;
    uint32_t c = 0;
    size_t n = *p < 0x80 ? 1 : sequence(*p, &c);
    if (n == 1 || (size_t)(end - *at) < n) {
        (*at)++;
        return *p;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            (*at)++;
            return *p;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    *at += n;
    return c;
}

size_t text_char_put(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)(lead[n] | c);
    return n;
}

size_t text_chars_count(struct mx_str s)
{
    size_t n = 0;
    for (const char *p = s.p, *end = s.p + s.n; p < end; n++)
        text_char_next(&p, end);
    return n;
}

size_t text_chars_offset(struct mx_str s, size_t n)
{
    if (s.n <= n)
        return s.n;
    const char *p = s.p, *end = s.p + s.n;
    while (n-- > 0 && p < end)
        text_char_next(&p, end);
    return (size_t)(p - s.p);
}

bool text_has_high(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    }
    return false;
}

struct mx_str text_latin1(struct mx_arena *arena, struct mx_str utf8)
{
    if (!text_has_high(utf8))
        return utf8;
    char *out = mx_arena_alloc(arena, utf8.n + 1);
    size_t n = 0;
    for (const char *p = utf8.p, *end = utf8.p + utf8.n; p < end;)
        out[n++] = (char)text_char_next(&p, end);
    return mx_str_of(out, n);
}

/* Where the character before ${end} begins. */
static const char *step_back(const char *start, const char *end)
{
    const char *p = end - 1;
    for (int i = 0; i < 3 && p > start && ((unsigned char)*p & 0xc0) == 0x80; i++)
        p--;
    const char *at = p;
    text_char_next(&at, end);
    return at == end ? p : end - 1;
}

struct mx_str text_trim(struct mx_str s, bool is_wide)
{
    const char *p = s.p, *end = s.p + s.n;
    while (p < end) {
        const char *next = p;
        uint32_t c = is_wide ? text_char_next(&next, end) : (unsigned char)*next++;
        if (is_wide ? !text_char_space_wide(c) : !text_char_space((unsigned char)c))
            break;
        p = next;
    }
    while (end > p) {
        const char *last = is_wide ? step_back(p, end) : end - 1;
        const char *at = last;
        uint32_t c = is_wide ? text_char_next(&at, end) : (unsigned char)*last;
        if (is_wide ? !text_char_space_wide(c) : !text_char_space((unsigned char)c))
            break;
        end = last;
    }
    return mx_str_of(p, (size_t)(end - p));
}

struct mx_str text_join(struct mx_arena *arena, const struct mx_str *parts, size_t n)
{
    size_t size = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        size += parts[i].n;
    char *out = mx_arena_alloc(arena, size + 1);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            memcpy(out + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    return mx_str_of(out, size);
}

void *text_grow(struct mx_arena *arena, void *old, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return old;
    *room = *room == 0 ? LIST_FIRST : *room * 2;
    void *made = mx_arena_array(arena, *room, size);
    if (n > 0)
        memcpy(made, old, n * size);
    return made;
}

void text_lister_add(struct mx_arena *arena, struct text_lister *lister, struct mx_str s)
{
    if (lister->n >= lister->max)
        return;
    lister->v = text_grow(arena, lister->v, lister->n, &lister->room, sizeof(*lister->v));
    lister->v[lister->n++] = s;
}

struct text_list text_lister_list(const struct text_lister *lister)
{
    return (struct text_list){.v = lister->v, .n = lister->n};
}
