/*
 * Content-Type and Content-Disposition. SpamAssassin searches the value for
 * "boundary=", "charset=" and "name=" wherever they stand and does not split it at
 * semicolons first, so that broken fields still give what a mail program would show; the
 * searches here find the same places. "text/whatever" is text/plain, but for three types
 * whose text nobody reads.
 *
 * Left out: RFC 2231 charsets of names, comments.
 */
#include "text_type.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text_chars.h"

#define VALUE_MAX_BYTES 16384 /* of a Content-Type that is looked at */

static bool is_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static size_t skip_spaces(struct mx_str s, size_t i)
{
    while (i < s.n && text_char_space(s.p[i]))
        i++;
    return i;
}

/*
 * Index behind the next "${name} =" and its white space at or after ${from}, -1 if none.
 * The name stands at the start of a word.
 */
static ptrdiff_t find_parameter(struct mx_str s, const char *name, size_t from)
{
    struct mx_str wanted = mx_str(name);
    for (size_t i = from; i + wanted.n < s.n; i++) {
        if ((i > 0 && text_char_word(s.p[i - 1])) ||
            !mx_str_istarts(mx_str_sub(s, i, s.n), wanted))
            continue;
        size_t equals = skip_spaces(s, i + wanted.n);
        if (equals < s.n && s.p[equals] == '=')
            return (ptrdiff_t)skip_spaces(s, equals + 1);
    }
    return -1;
}

/* The earlier of "name=" and "filename=". */
static ptrdiff_t find_name(struct mx_str s, const char *suffix, size_t from)
{
    char name[16], filename[16];
    snprintf(name, sizeof(name), "name%.4s", suffix);
    snprintf(filename, sizeof(filename), "filename%.4s", suffix);
    ptrdiff_t a = find_parameter(s, name, from), b = find_parameter(s, filename, from);
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* Up to ";" or the end, without one quote on each side. */
static struct mx_str loose_value(struct mx_str s, size_t from)
{
    if (from < s.n && is_quote(s.p[from]))
        from++;
    size_t end = from;
    while (end < s.n && s.p[end] != ';' && s.p[end] != '\n')
        end++;
    if (end > from && is_quote(s.p[end - 1]))
        end--;
    return mx_str_sub(s, from, end - from);
}

/* A quoted boundary needs no closing quote; a bare one ends in space, ";" or nothing. */
static struct mx_str find_boundary(struct mx_str s)
{
    for (ptrdiff_t at = 0; (at = find_parameter(s, "boundary", (size_t)at)) >= 0;) {
        size_t i = (size_t)at, end;
        if (i < s.n && s.p[i] == '"') {
            struct mx_str rest = mx_str_sub(s, i + 1, s.n);
            ptrdiff_t quote = mx_str_chr(rest, '"');
            if (quote != 0 && rest.n > 0)
                return quote < 0 ? rest : mx_str_sub(rest, 0, (size_t)quote);
            continue;
        }
        for (end = i; end < s.n && !text_char_space(s.p[end]) && !is_of(s.p[end], "\";");
             end++)
            ;
        if (end > i && (end == s.n || s.p[end] != '"'))
            return mx_str_sub(s, i, end - i);
    }
    return MX_STR_NONE;
}

#define PIECES_MAX 32 /* of a name in RFC 2231 3 continuations */

/* "name*0=" and those behind it, joined in order of their numbers. */
static struct mx_str continued_name(struct mx_arena *arena, struct mx_str s)
{
    struct mx_str piece[PIECES_MAX] = {{NULL, 0}};
    size_t total = 0, n = 0;
    if (find_name(s, "*0", 0) < 0)
        return MX_STR("");
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        char suffix[8];
        snprintf(suffix, sizeof(suffix), "*%u", i);
        ptrdiff_t at = find_name(s, suffix, 0);
        if (at >= 0)
            piece[i] = loose_value(s, (size_t)at);
        total += piece[i].n;
    }
    char *out = mx_arena_alloc(arena, total + 1);
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        if (piece[i].n)
            memcpy(out + n, piece[i].p, piece[i].n);
        n += piece[i].n;
    }
    return mx_str_of(out, n);
}

/* "text" or "text/anything" that mail programs show as plain text. */
static bool is_plain(struct mx_str type)
{
    if (!mx_str_starts(type, MX_STR("text")) || (type.n > 4 && text_char_word(type.p[4])))
        return false;
    return !mx_str_eq(type, MX_STR("text/x-vcard")) &&
           !mx_str_eq(type, MX_STR("text/calendar")) &&
           !mx_str_eq(type, MX_STR("text/html"));
}

/* "something/something" of the value, lower case, without bytes no type has. */
static struct mx_str plain_type(struct mx_arena *arena, struct mx_str s)
{
    size_t from = skip_spaces(s, 0), end = from;
    while (end < s.n && s.p[end] != ';' && s.p[end] != '/')
        end++;
    if (end > from && end < s.n && s.p[end] == '/')
        for (end++; end < s.n && !is_of(s.p[end], ";/") && !text_char_space(s.p[end]);)
            end++;
    else if (end == from) /* begins with "/": all of it up to ";" */
        while (end < s.n && s.p[end] != ';')
            end++;
    struct mx_str type = mx_str_lower(arena, mx_str_sub(s, from, end - from));
    if (type.n == 0 || is_plain(type))
        return MX_STR("text/plain");
    char *p = mx_arena_alloc(arena, type.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < type.n; i++)
        if (type.p[i] > ' ' && type.p[i] < 0x7f && !is_of(type.p[i], "\"(),:;<=>?@[\\]"))
            p[n++] = type.p[i];
    return mx_str_of(p, n);
}

void text_type_parse(struct mx_arena *arena, struct mx_str value, struct text_type *out)
{
    ptrdiff_t at;
    *out = (struct text_type){.is_missing = value.n == 0};
    if (value.n == 0)
        value = MX_STR("text/plain; charset=us-ascii");
    value = mx_str_sub(value, 0, VALUE_MAX_BYTES);
    out->boundary = find_boundary(value);
    at = find_parameter(value, "charset", 0);
    out->charset =
        at < 0 ? MX_STR("") : mx_str_lower(arena, loose_value(value, (size_t)at));
    at = find_name(value, "", 0);
    out->name = at < 0 ? MX_STR("") : loose_value(value, (size_t)at);
    if (out->name.n == 0)
        out->name = continued_name(arena, value);
    size_t first = skip_spaces(value, 0);
    if (first == value.n || value.p[first] == ';')
        out->is_missing = true;
    out->type = plain_type(arena, value);
}

struct mx_str text_type_file_name(struct mx_str disposition)
{
    struct mx_str wanted = MX_STR("name=");
    for (size_t i = 0; i + wanted.n <= disposition.n; i++) {
        if (!mx_str_istarts(mx_str_sub(disposition, i, disposition.n), wanted))
            continue;
        size_t from = skip_spaces(disposition, i + wanted.n);
        if (from < disposition.n && disposition.p[from] == '"')
            from++;
        size_t end = from;
        while (end < disposition.n && !is_of(disposition.p[end], "\";"))
            end++;
        if (end > from)
            return mx_str_sub(disposition, from, end - from);
    }
    return MX_STR("");
}

bool text_type_is_html_name(struct mx_str name)
{
    if (name.n > 0 && name.p[name.n - 1] == '\n')
        name.n--;
    return mx_str_iends(name, MX_STR(".htm")) || mx_str_iends(name, MX_STR(".html")) ||
           mx_str_iends(name, MX_STR(".shtm")) || mx_str_iends(name, MX_STR(".shtml"));
}
