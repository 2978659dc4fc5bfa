/*
 * Addresses. A field is eaten from its start, one "phrase <address> (comment)" or bare
 * address at a time up to the next comma or semicolon; what does not fit ends the walk,
 * and then anything that looks like "<user@host>" in the rest still counts. These are
 * SpamAssassin's steps, and rules are written for what they find: which of two addresses
 * in one From counts, what is left of a quoted name.
 *
 * Each step is linear but for "<" without an end, which looks ahead at most 8 kB.
 */
#include "text_address.h"

#include <ctype.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text_chars.h"
#include "text/text_domain.h"

static const char specials[] = "<>()[],:;";

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

/* ---- pieces -------------------------------------------------------------------------
 */

/* Length of "..." or (...) with backslash escapes at ${at}, 0 if it has no end. */
static size_t enclosed_length(struct mx_str s, size_t at, char open, char close)
{
    if (at >= s.n || s.p[at] != open)
        return 0;
    for (size_t i = at + 1; i < s.n; i++) {
        if (s.p[i] == close)
            return i + 1 - at;
        if (s.p[i] == open) /* no nesting */
            return 0;
        if (s.p[i] == '\\')
            i++;
    }
    return 0;
}

/* Length of the host or [literal] at ${at}, 0 if there is none. */
static size_t host_length(struct mx_str s, size_t at)
{
    size_t i = at;
    while (i < s.n && s.p[i] != '"' && !text_char_space(s.p[i]) &&
           !is_of(s.p[i], specials))
        i++;
    if (i > at || i >= s.n || s.p[i] != '[')
        return i - at;
    for (i++; i < s.n && (isdigit((unsigned char)s.p[i]) || is_of(s.p[i], ".:"));)
        i++;
    return i > at + 1 && i < s.n && s.p[i] == ']' ? i + 1 - at : 0;
}

/* Length of user@host at ${at}, 0 if there is none. A user may hold quotes anywhere. */
static size_t mailbox_length(struct mx_str s, size_t at)
{
    size_t i = at + enclosed_length(s, at, '"', '"');
    if (i == at || i >= s.n || s.p[i] != '@')
        for (i = at; i < s.n && s.p[i] != '@' && !text_char_space(s.p[i]) &&
                     !is_of(s.p[i], specials);)
            i++;
    if (i == at || i >= s.n || s.p[i] != '@')
        return 0;
    size_t host = host_length(s, i + 1);
    return host ? i + 1 + host - at : 0;
}

static bool is_mailbox(struct mx_str s)
{
    return s.n > 0 && mailbox_length(s, 0) == s.n;
}

/* Length of the words and quoted strings at ${at}. */
static size_t phrase_length(struct mx_str s, size_t at)
{
    size_t i = at;
    while (i < s.n && !is_of(s.p[i], ",;<")) {
        size_t quoted = s.p[i] == '"' ? enclosed_length(s, i, '"', '"') : 1;
        if (quoted == 0)
            break;
        i += quoted;
    }
    return i - at;
}

/* What may stand behind an address: a comment, then a separator or the end. */
static bool tail_at(struct mx_str s, size_t at, struct mx_str *comment, size_t *end)
{
    size_t i = skip_spaces(s, at);
    size_t n = enclosed_length(s, i, '(', ')');
    size_t behind = skip_spaces(s, n ? i + n : at);
    if (behind < s.n && !is_of(s.p[behind], ",;"))
        return false;
    *comment = n ? mx_str_sub(s, i + 1, n - 2) : MX_STR_NONE;
    *end = behind + (behind < s.n);
    return true;
}

/* Index behind further "<...>" at ${at}, which some programs write twice. */
static size_t skip_angles(struct mx_str s, size_t at)
{
    for (;;) {
        size_t i = skip_spaces(s, at), last = 0;
        if (i >= s.n || s.p[i] != '<')
            return at;
        i = skip_spaces(s, i + 1);
        i += enclosed_length(s, i, '"', '"');
        for (; i < s.n && !text_char_space(s.p[i]); i++)
            if (s.p[i] == '>')
                last = i + 1;
        i = skip_spaces(s, i);
        if (i < s.n && s.p[i] == '>')
            last = i + 1;
        if (last == 0)
            return at;
        at = last;
    }
}

/* One entry of a field. */
struct entry {
    struct mx_str phrase, address, comment; /* p NULL: none */
    bool is_angled;                         /* address stood in "<>" */
    size_t end;                             /* of the entry, separator included */
};

/* "<" ends at ${close}, the index of ">", and what follows fits. */
static bool close_angle(struct mx_str s, size_t from, size_t to, struct entry *out)
{
    size_t close = skip_spaces(s, to);
    if (close >= s.n || s.p[close] != '>' ||
        !tail_at(s, skip_angles(s, close + 1), &out->comment, &out->end))
        return false;
    out->address = mx_str_sub(s, from, to - from);
    out->is_angled = true;
    return true;
}

/*
 * The address behind "<" at ${at}. It may hold spaces in front of "@", and reaches as far
 * right as the word with the "@" does.
 */
static bool angle_at(struct mx_str s, size_t at, struct entry *out)
{
    size_t from = skip_spaces(s, at + 1), mark = from, end;
    while (mark < s.n && !is_of(s.p[mark], ">@"))
        mark++;
    for (end = mark; end < s.n && !text_char_space(s.p[end]);)
        end++;
    for (; end > mark; end--)
        if (close_angle(s, from, end, out))
            return true;
    for (; end > from; end--)
        if (!text_char_space(s.p[end - 1]) && close_angle(s, from, end, out))
            return true;
    return close_angle(s, from, from, out);
}

/*
 * A phrase without an address. Of its pieces it takes as many as it can: a comment
 * behind a quoted string is one of them unless an address inside it is in the way.
 */
static bool phrase_at(struct mx_str s, size_t from, size_t n, struct entry *out)
{
    size_t good = 0;
    *out = (struct entry){.end = 0};
    if (n > 0 && tail_at(s, from + n, &out->comment, &out->end)) {
        good = n;
    } else if (n == 0 && from > 0 && tail_at(s, from, &out->comment, &out->end)) {
        good = 1; /* nothing between two commas: the space */
        from--;
    } else {
        for (size_t i = from, piece; i < from + n; i += piece) {
            piece = s.p[i] == '"' ? enclosed_length(s, i, '"', '"') : 1;
            if (piece > 1 && tail_at(s, i + piece, &out->comment, &out->end))
                good = i + piece - from;
        }
    }
    out->phrase = mx_str_sub(s, from, good);
    return good > 0;
}

/* "phrase <address>", a bare address, or a bare phrase at the start of ${s}. */
static bool entry_at(struct mx_str s, struct entry *out)
{
    size_t from = skip_spaces(s, 0), n = phrase_length(s, from);
    *out = (struct entry){.phrase = n ? mx_str_sub(s, from, n) : MX_STR_NONE};
    if (from + n < s.n && s.p[from + n] == '<' && angle_at(s, from + n, out))
        return true;
    *out = (struct entry){.end = 0};
    size_t mailbox = mailbox_length(s, from);
    if (mailbox && tail_at(s, from + mailbox, &out->comment, &out->end)) {
        out->address = mx_str_sub(s, from, mailbox);
        return true;
    }
    return phrase_at(s, from, n, out);
}

/* ---- cleaning -----------------------------------------------------------------------
 */

/* ${s} without "(...)". */
static size_t put_uncommented(char *to, struct mx_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t comment = enclosed_length(s, i, '(', ')');
        if (comment == 0)
            to[n++] = s.p[i++];
        i += comment;
    }
    return n;
}

/* Inside of a quoted string: backslashes go, one of two stays. */
static size_t put_unescaped(char *to, struct mx_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n)
            i++;
        else if (s.p[i] == '\\')
            continue;
        to[n++] = s.p[i];
    }
    return n;
}

static struct mx_str plain_phrase(struct mx_arena *arena, struct mx_str s)
{
    char *p = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0, piece; i < s.n; i += piece) {
        piece = enclosed_length(s, i, '"', '"');
        if (piece) {
            n += put_unescaped(p + n, mx_str_sub(s, i + 1, piece - 2));
            continue;
        }
        for (piece = s.p[i] == '"'; i + piece < s.n && s.p[i + piece] != '"';)
            piece++;
        if (s.p[i] != '"')
            n += put_uncommented(p + n, mx_str_sub(s, i, piece));
    }
    return mx_str_of(p, n);
}

/* Not an address after all: an empty quoted user, or half a quoted string. */
static bool is_odd(struct mx_str address)
{
    size_t quotes = 0;
    for (size_t i = 0; i < address.n; i++)
        quotes += address.p[i] == '"';
    return quotes == 1 || mx_str_starts(address, MX_STR("\"\"@"));
}

/* Up to a second "@". */
static struct mx_str one_at(struct mx_str address)
{
    ptrdiff_t first = mx_str_chr(address, '@');
    if (first < 0)
        return address;
    ptrdiff_t second = mx_str_chr(mx_str_sub(address, (size_t)first + 1, address.n), '@');
    return second < 0 ? address : mx_str_sub(address, 0, (size_t)(first + 1 + second));
}

static bool has_host(struct mx_arena *arena, struct mx_str address)
{
    struct mx_str one = one_at(address);
    ptrdiff_t at = mx_str_chr(one, '@');
    struct mx_str host = mx_str_sub(one, (size_t)(at + 1), one.n);
    return at >= 0 && text_host_is_valid(text_host_ascii(arena, host));
}

static struct text_address clean_entry(struct mx_arena *arena, const struct entry *entry)
{
    struct text_address out = {.address = entry->address, .phrase = MX_STR_NONE};
    if (entry->is_angled) {
        char *p = mx_arena_alloc(arena, entry->address.n + 1);
        out.address = mx_str_of(p, put_uncommented(p, entry->address));
        if (!is_mailbox(out.address))
            out.address = MX_STR_NONE;
    }
    if (out.address.p && is_odd(out.address))
        out.address = MX_STR_NONE;
    if (entry->phrase.p)
        out.phrase = plain_phrase(arena, entry->phrase);
    if (out.phrase.p && !out.address.p && is_mailbox(out.phrase) && !is_odd(out.phrase) &&
        has_host(arena, out.phrase)) {
        out.address = out.phrase;
        out.phrase = MX_STR_NONE;
    }
    if (out.phrase.n == 0 || (out.address.p && mx_str_eq(out.phrase, out.address)))
        out.phrase = MX_STR_NONE;
    if (!out.phrase.p && entry->comment.p)
        out.phrase = entry->comment;
    if (out.address.p)
        out.address = one_at(out.address);
    return out;
}

/* ---- fields -------------------------------------------------------------------------
 */

/* Without pairs of backslashes, and without the name of a group in front. */
static struct mx_str prepare(struct mx_arena *arena, struct mx_str value)
{
    char *p = mx_arena_alloc(arena, value.n + 1);
    size_t n = 0, colon = 0;
    while (value.n > 0 && text_char_space(value.p[value.n - 1]))
        value.n--;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\\' && i + 1 < value.n && value.p[i + 1] == '\\')
            i++;
        else
            p[n++] = value.p[i];
    }
    for (size_t i = 0; i < n && !is_of(p[i], "\"()<>"); i++)
        if (p[i] == ':' && i > 0)
            colon = i + 1;
    struct mx_str s = mx_str_of(p, n);
    if (colon > 0)
        s = mx_str_sub(s, skip_spaces(s, colon), s.n);
    return colon > 0 && s.n > 0 && s.p[0] == ';' ? MX_STR_NONE : s;
}

/* Anything that looks like an address in a rest that nobody understands. */
static size_t find_angled(struct mx_str rest, struct text_address *out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < rest.n && n < room; i++) {
        size_t length = rest.p[i] == '<' ? mailbox_length(rest, i + 1) : 0;
        if (length == 0 || i + 1 + length >= rest.n || rest.p[i + 1 + length] != '>')
            continue;
        struct mx_str address = mx_str_sub(rest, i + 1, length);
        if (!is_odd(address))
            out[n++] = (struct text_address){.address = one_at(address)};
        i += length;
    }
    return n;
}

void text_address_parse(struct mx_arena *arena, struct mx_str value,
                        struct text_address **out, size_t *out_n)
{
    struct mx_str rest = prepare(arena, value);
    struct entry entry;
    size_t room = 1, n = 0;
    for (size_t i = 0; i < rest.n; i++)
        room += is_of(rest.p[i], ",;<");
    if (room > TEXT_ADDRESSES_MAX)
        room = TEXT_ADDRESSES_MAX;
    *out = mx_arena_array(arena, room, sizeof(**out));
    while (n < room && rest.n > 0 && entry_at(rest, &entry)) {
        (*out)[n++] = clean_entry(arena, &entry);
        rest = mx_str_sub(rest, entry.end, rest.n);
    }
    if (mx_str_chr(rest, '@') >= 0)
        n += find_angled(rest, *out + n, room - n);
    *out_n = n;
}
