/*
 * ReplaceTags. A pass takes <pre X>, <inter X> and <post X> out of the pattern, splits
 * what is left at <...>, and puts each piece back with its tag replaced: the pre text
 * before and the post text behind every piece in <>, the inter text for every empty
 * piece, that is between two tags that touch (and before one that opens the pattern).
 * A name that is no tag, such as that of a named group, stays as it is.
 *
 * The order of these steps shows in the result (a pre text may itself hold tags), so it
 * is the order of the original.
 */
#include "rule_replace.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_names.h"

#define PASSES_MAX 6

/* The modifiers of one pass. */
struct pass {
    struct mx_str pre, inter, post;
    bool is_again; /* a replacement held tags itself */
};

void rule_replace_init(struct rule_replace *replace, struct mx_arena *arena)
{
    *replace =
        (struct rule_replace){.arena = arena, .start = MX_STR("<"), .end = MX_STR(">")};
    for (size_t i = 0; i < RULE_TAGS; i++) {
        replace->names[i] = rule_names_new(arena);
    }
}

void rule_replace_fini(struct rule_replace *replace)
{
    for (size_t i = 0; i < RULE_TAGS; i++) {
        rule_names_free(replace->names[i]);
    }
    free(replace->texts);
}

void rule_replace_define(struct rule_replace *replace, enum rule_tag_kind kind,
                         struct mx_str name, struct mx_str text)
{
    if (replace->n == replace->room) {
        replace->room = replace->room ? replace->room * 2 : 64;
        replace->texts =
            mx_xrealloc(replace->texts, replace->room * sizeof(*replace->texts));
    }
    rule_names_set(replace->names[kind], name, replace->n);
    replace->texts[replace->n++] = text;
}

static struct mx_str find(const struct rule_replace *replace, enum rule_tag_kind kind,
                          struct mx_str name)
{
    ptrdiff_t i = rule_names_find(replace->names[kind], name);

    return i < 0 ? MX_STR_NONE : replace->texts[i];
}

/*
 * The first ${open} NAME ${end} of ${s}, NAME not empty and on one line, as short as
 * possible: index of ${open}, with NAME in ${name}; -1 where there is none.
 */
static ptrdiff_t find_tag(struct mx_str s, struct mx_str open, struct mx_str end,
                          struct mx_str *name)
{
    size_t from = 0;
    ptrdiff_t at = 0;

    while ((at = mx_str_find(mx_str_sub(s, from, s.n), open)) >= 0) {
        struct mx_str inside;
        ptrdiff_t stop;

        from += (size_t)at + open.n;
        inside = mx_str_sub(s, from, s.n);
        if (inside.n < 2) {
            return -1;
        }
        stop = mx_str_find(mx_str_sub(inside, 1, inside.n), end);
        if (stop < 0) {
            return -1;
        }
        *name = mx_str_sub(inside, 0, (size_t)stop + 1);
        if (mx_str_chr(*name, '\n') < 0) {
            return (ptrdiff_t)(from - open.n);
        }
    }
    return -1;
}

static void add(struct mx_buf *buf, struct mx_str s)
{
    mx_buf_add(buf, s.p, s.n);
}

/* Cut "<WORD NAME>" out of ${buf}: the text of NAME. */
static struct mx_str take_modifier(const struct rule_replace *replace, struct mx_buf *buf,
                                   enum rule_tag_kind kind)
{
    static const char *const words[RULE_TAGS] = {"", "pre ", "inter ", "post "};
    struct mx_buf open = {0};
    struct mx_str name, text = MX_STR_NONE, s = mx_str_of(buf->p, buf->n);
    ptrdiff_t at;

    add(&open, replace->start);
    mx_buf_str(&open, words[kind]);
    at = find_tag(s, mx_str_of(open.p, open.n), replace->end, &name);
    if (at >= 0) {
        size_t stop = (size_t)(name.p + name.n - s.p) + replace->end.n;

        text = find(replace, kind, name);
        memmove(buf->p + at, buf->p + stop, buf->n - stop);
        buf->n -= stop - (size_t)at;
    }
    mx_buf_fini(&open);
    return text;
}

/* ${piece} with the pre text before its first tag and the post text behind every one. */
static void add_around(const struct rule_replace *replace, const struct pass *pass,
                       struct mx_str piece, struct mx_buf *out)
{
    struct mx_str name;
    bool is_first = true;
    ptrdiff_t at;

    while ((at = find_tag(piece, replace->start, replace->end, &name)) >= 0) {
        size_t stop = (size_t)(name.p + name.n - piece.p) + replace->end.n;

        add(out, mx_str_sub(piece, 0, (size_t)at));
        if (is_first) {
            add(out, pass->pre);
        }
        add(out, mx_str_sub(piece, (size_t)at, stop - (size_t)at));
        add(out, pass->post);
        piece = mx_str_sub(piece, stop, piece.n);
        is_first = false;
    }
    add(out, piece);
}

/* Does ${s} hold something in <> ? */
static bool holds_tag(struct mx_str s)
{
    ptrdiff_t open = mx_str_chr(s, '<');
    ptrdiff_t end = mx_str_rchr(s, '>');

    return open >= 0 && end > open + 1;
}

/* Put ${piece} behind ${out}, its first known tag replaced wherever it occurs. */
static void add_replaced(const struct rule_replace *replace, struct pass *pass,
                         struct mx_str piece, struct mx_buf *out)
{
    struct mx_str name, tag, text;
    ptrdiff_t at = find_tag(piece, replace->start, replace->end, &name);

    text = at < 0 ? MX_STR_NONE : find(replace, RULE_TAG, name);
    if (text.n == 0) {
        add(out, piece);
        return;
    }
    pass->is_again = pass->is_again || holds_tag(text);
    tag = mx_str_of(piece.p + at, name.n + replace->start.n + replace->end.n);
    for (; at >= 0 && !out->is_overflown; at = mx_str_find(piece, tag)) {
        add(out, mx_str_sub(piece, 0, (size_t)at));
        add(out, text);
        piece = mx_str_sub(piece, (size_t)at + tag.n, piece.n);
    }
    add(out, piece);
}

static void add_piece(const struct rule_replace *replace, struct pass *pass,
                      struct mx_str piece, struct mx_buf *out)
{
    struct mx_buf around = {.max = 2 * RULE_PATTERN_BYTES_MAX};

    if (piece.n == 0) {
        piece = pass->inter;
    } else if (pass->pre.n > 0 || pass->post.n > 0) {
        add_around(replace, pass, piece, &around);
        piece = mx_str_of(around.p, around.n);
    }
    add_replaced(replace, pass, piece, out);
    if (around.is_overflown) {
        out->is_overflown = true;
    }
    mx_buf_fini(&around);
}

/* Length of the <...> that ${s} begins with: no < or > inside, not empty; 0 none. */
static size_t bracket_length(struct mx_str s)
{
    size_t n = 1;

    if (s.n < 3 || s.p[0] != '<') {
        return 0;
    }
    while (n < s.n && s.p[n] != '<' && s.p[n] != '>') {
        n++;
    }
    return n > 1 && n < s.n && s.p[n] == '>' ? n + 1 : 0;
}

/* Split at <...>; between two that touch is an empty piece, none at the end, and none
   before the first one: there the original has the modifiers of its pattern. Each '<' is
   looked at once more only by the bracket it opens: linear. */
static void replace_pieces(const struct rule_replace *replace, struct pass *pass,
                           struct mx_str s, struct mx_buf *out)
{
    size_t from = 0, i = 0;

    while (i < s.n && !out->is_overflown) {
        size_t n = bracket_length(mx_str_sub(s, i, s.n));

        if (n == 0) {
            i++;
            continue;
        }
        if (i > 0) {
            add_piece(replace, pass, mx_str_sub(s, from, i - from), out);
        }
        add_piece(replace, pass, mx_str_sub(s, i, n), out);
        i += n;
        from = i;
    }
    if (from < s.n) {
        add_piece(replace, pass, mx_str_sub(s, from, s.n - from), out);
    }
}

int rule_replace_apply(struct rule_replace *replace, struct mx_str pattern,
                       struct mx_str *out, struct mx_err *err)
{
    struct mx_buf now = {.max = RULE_PATTERN_BYTES_MAX};
    struct pass pass = {.is_again = true};
    int rc = 0;

    add(&now, pattern);
    for (int i = 0; i < PASSES_MAX && pass.is_again && !now.is_overflown; i++) {
        struct mx_buf buf = {.max = RULE_PATTERN_BYTES_MAX};

        pass = (struct pass){0};
        pass.pre = take_modifier(replace, &now, RULE_TAG_PRE);
        pass.post = take_modifier(replace, &now, RULE_TAG_POST);
        pass.inter = take_modifier(replace, &now, RULE_TAG_INTER);
        replace_pieces(replace, &pass, mx_str_of(now.p, now.n), &buf);
        mx_buf_fini(&now);
        now = buf;
    }
    if (now.is_overflown) {
        rc = mx_err_set(err, MX_ERR_LIMIT, "longer than %u bytes with its tags",
                        RULE_PATTERN_BYTES_MAX);
    } else {
        *out = mx_str_dup(replace->arena, mx_str_of(now.p, now.n));
    }
    mx_buf_fini(&now);
    return rc;
}
