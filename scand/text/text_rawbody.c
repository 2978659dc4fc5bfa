/*
 * The text of rawbody rules: decoded leaves of type text or message as they are, without
 * charset conversion or rendering. Each is cut at a limit and then into pieces of two to
 * four kilobytes, at a line end if there is one, so that no rule can match across a
 * distance that costs too much.
 *
 * Calendars are left out: they are attachments that nobody reads.
 */
#include "text/text_body.h"

#include <string.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_chars.h"
#include "text/text_tree.h"

/* Where cuts may be, best first. */
static const char cut_at[] = {'\n', '>', ' '};

static bool is_wanted(const struct text_part *part)
{
    static const char *const tops[] = {"text", "message"};
    if (!part->is_leaf || mx_str_eq(part->declared_type, MX_STR("text/calendar")))
        return false;
    for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
        struct mx_str top = mx_str(tops[i]);
        if (mx_str_starts(part->type, top) &&
            (part->type.n == top.n ||
             !text_char_word((unsigned char)part->type.p[top.n])))
            return true;
    }
    return false;
}

/* Behind the best place in the ${within} bytes from ${from} on; or 0. */
static size_t find_cut(struct mx_str s, size_t from, size_t within)
{
    struct mx_str near = mx_str_sub(s, from, within);
    for (size_t i = 0; i < sizeof(cut_at); i++) {
        ptrdiff_t at = mx_str_chr(near, cut_at[i]);
        if (at >= 0)
            return from + (size_t)at + 1;
    }
    return 0;
}

static struct mx_str cut(struct mx_str s, size_t max)
{
    if (s.n <= max)
        return s;
    size_t n = find_cut(s, max, TEXT_CUT_SEARCH + 1);
    return mx_str_sub(s, 0, n > 0 ? n : max);
}

static void add_pieces(struct mx_arena *arena, struct text_lister *lister,
                       struct mx_str s)
{
    if (s.n <= TEXT_LINE_MAX) {
        text_lister_add(arena, lister, s);
        return;
    }
    while (s.n > 2 * TEXT_LINE_MAX) {
        size_t n = find_cut(s, TEXT_LINE_MAX, TEXT_LINE_MAX);
        if (n == 0)
            n = TEXT_LINE_MAX + 1;
        text_lister_add(arena, lister, mx_str_sub(s, 0, n));
        s = mx_str_sub(s, n, s.n);
    }
    if (s.n > 0)
        text_lister_add(arena, lister, s);
}

void text_rawbody_form(struct mx_arena *arena, struct texts *texts)
{
    struct text_lister lister = {.max = SIZE_MAX};
    size_t max = texts->settings ? texts->settings->rawbody_part_max : 0;
    if (max == 0)
        max = TEXT_RAWBODY_PART_MAX;
    for (size_t i = 0; i < texts->tree.n_parts; i++) {
        const struct text_part *part = &texts->tree.parts[i];
        if (is_wanted(part))
            add_pieces(arena, &lister, cut(text_part_decoded(arena, part), max));
    }
    texts->rawbody = text_lister_list(&lister);
}
