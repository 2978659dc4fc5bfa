/*
 * How much the HTML of a multipart/alternative says that its text does not (BodyEval):
 * words of both are counted in one hash table, and words of HTML that occur less often in
 * the text are the difference, in percent of all different words of the HTML.
 *
 * Words are what white space parts and what holds a letter, digit or "_". Unicode's
 * letters are taken to be all characters but those of its blocks of punctuation and
 * symbols. A message with more than WORDS_MAX words has no difference.
 */
#include "eval_family.h"

#include <string.h>

#include "mx_arena.h"

#include "text/text_chars.h"

#include "eval_util.h"

#define WORDS_MAX 400000

struct word {
    struct mx_str text; /* n 0: free */
    unsigned in_html, in_text;
};

struct table {
    struct word *v;
    size_t size; /* a power of two, at least twice the words */
};

struct difference {
    double percent, html_words, text_words;
};

/* Blocks of Unicode without letters, that mail uses. */
static const struct {
    uint32_t first, last;
} symbols[] = {
    {0x80, 0xa9},     {0xab, 0xb4},     {0xb6, 0xb9},       {0xbb, 0xbf},
    {0xd7, 0xd7},     {0xf7, 0xf7},     {0x2000, 0x200b},   {0x200e, 0x203e},
    {0x2041, 0x2053}, {0x2055, 0x2070}, {0x2074, 0x207e},   {0x2080, 0x208e},
    {0x20a0, 0x20cf}, {0x2190, 0x249b}, {0x24ea, 0x2bff},   {0x3000, 0x3004},
    {0x3008, 0x3020}, {0x3030, 0x3030}, {0xe000, 0xf8ff},   {0xfe10, 0xfe1f},
    {0xfe30, 0xfe32}, {0xfe35, 0xfe4c}, {0xfe50, 0xfe6f},   {0xfeff, 0xff0f},
    {0xff1a, 0xff20}, {0xffe0, 0xffff}, {0x1f000, 0x1f12f}, {0x1f18a, 0x1faff},
};

static bool is_letter(uint32_t c)
{
    if (c < 0x80) {
        return text_char_word((unsigned char)c);
    }
    for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
        if (c >= symbols[i].first && c <= symbols[i].last) {
            return false;
        }
    }
    return true;
}

/* Cut the next word off ${rest}; false at the end. */
static bool next_word(struct mx_str *rest, struct mx_str *word)
{
    const char *at = rest->p, *end = rest->p + rest->n, *begin = NULL;
    bool has_letter = false;

    while (at < end) {
        const char *before = at;
        uint32_t c = text_char_next(&at, end);

        if (!text_char_space_wide(c)) {
            begin = begin ? begin : before;
            has_letter |= is_letter(c);
        } else if (begin && has_letter) {
            *word = mx_str_of(begin, (size_t)(before - begin));
            *rest = mx_str_of(at, (size_t)(end - at));
            return true;
        } else {
            begin = NULL;
            has_letter = false;
        }
    }
    *rest = MX_STR("");
    *word = begin ? mx_str_of(begin, (size_t)(end - begin)) : MX_STR("");
    return begin && has_letter;
}

static struct word *find_word(const struct table *table, struct mx_str text)
{
    size_t i = (size_t)mx_str_hash(text) & (table->size - 1);

    while (table->v[i].text.n > 0 && !mx_str_eq(table->v[i].text, text)) {
        i = (i + 1) & (table->size - 1);
    }
    table->v[i].text = text;
    return &table->v[i];
}

static bool is_inside(const struct text_tree *tree, size_t part, size_t ancestor)
{
    for (ptrdiff_t i = (ptrdiff_t)part; i >= 0; i = tree->parts[i].parent) {
        if ((size_t)i == ancestor) {
            return true;
        }
    }
    return false;
}

/* A rendered text part of multipart ${top}: the next at or behind ${*i}, or NULL. */
static const struct text_part *next_text(const struct text_tree *tree, size_t top,
                                         size_t *i)
{
    while (*i < tree->n_parts) {
        const struct text_part *part = &tree->parts[(*i)++];

        if (part->is_leaf && part->rendered.p &&
            mx_str_starts(part->declared_type, MX_STR("text")) &&
            is_inside(tree, *i - 1, top)) {
            return part;
        }
    }
    return NULL;
}

/* An empty table that holds all words of ${top}; false where there are too many. */
static bool make_table(struct eval_context *context, size_t top, struct table *out)
{
    const struct text_tree *tree = &context->texts->tree;
    const struct text_part *part;
    size_t words = 1, size = 64;

    for (size_t i = top; (part = next_text(tree, top, &i));) {
        struct mx_str rest = part->rendered, word;

        while (words <= WORDS_MAX && next_word(&rest, &word)) {
            words++;
        }
    }
    while (size < words * 2) {
        size *= 2;
    }
    if (words > WORDS_MAX || size * sizeof(*out->v) > mx_arena_left(context->arena) / 2) {
        return false;
    }
    *out = (struct table){mx_arena_array(context->arena, size, sizeof(*out->v)), size};
    return true;
}

static bool has_image(const struct html_result *html)
{
    for (size_t i = 0; html && i < html->n_tags; i++) {
        if (mx_str_eq(html->tags[i].name, MX_STR("img"))) {
            return true;
        }
    }
    return false;
}

static void count_words(const struct text_part *part, struct table *table, bool *has_html)
{
    struct mx_str rest = part->rendered, word;

    while (next_word(&rest, &word)) {
        struct word *entry = find_word(table, word);

        if (part->html) {
            entry->in_html++;
            *has_html = true;
        } else {
            entry->in_text++;
        }
    }
    /* HTML that is only pictures still says something: one word that no text has. */
    if (part->html && !*has_html && has_image(part->html)) {
        find_word(table, MX_STR("\n"))->in_html = 1;
        *has_html = true;
    }
}

static void compare(struct eval_context *context, size_t top, struct difference *out)
{
    const struct text_tree *tree = &context->texts->tree;
    const struct text_part *part;
    struct table table;
    double html = 0, text = 0, left = 0;
    bool has_html = false;

    if (!make_table(context, top, &table)) {
        return;
    }
    for (size_t i = top; (part = next_text(tree, top, &i));) {
        count_words(part, &table, &has_html);
    }
    for (size_t i = 0; i < table.size; i++) {
        html += table.v[i].in_html > 0;
        text += table.v[i].in_text > 0;
        left += table.v[i].in_html > table.v[i].in_text;
    }
    if (html > 0) {
        out->html_words = html;
        out->text_words = text;
        out->percent =
            left / html * 100 > out->percent ? left / html * 100 : out->percent;
    }
}

/* An invitation of Exchange: HTML and a calendar, without text. */
static bool is_invitation(const struct text_tree *tree)
{
    return tree->n_parts == 3 &&
           mx_str_eq(tree->parts[0].declared_type, MX_STR("multipart/alternative")) &&
           mx_str_eq(tree->parts[1].declared_type, MX_STR("text/html")) &&
           mx_str_eq(tree->parts[2].declared_type, MX_STR("text/calendar"));
}

#define ALTERNATIVES_MAX 100 /* more in one message are somebody's test of us */

static const struct difference *difference_of(struct eval_context *context)
{
    const struct text_tree *tree = &context->texts->tree;
    struct difference *found = context->cache[EVAL_CACHE_ALTERNATIVE];
    unsigned n = 0;

    if (found) {
        return found;
    }
    found = mx_arena_alloc(context->arena, sizeof(*found));
    for (size_t i = 0; !is_invitation(tree) && i < tree->n_parts; i++) {
        if (mx_str_starts(tree->parts[i].declared_type,
                          MX_STR("multipart/alternative")) &&
            n++ < ALTERNATIVES_MAX) {
            compare(context, i, found);
        }
    }
    context->cache[EVAL_CACHE_ALTERNATIVE] = found;
    return found;
}

static int multipart_alternative_difference(struct eval_context *context,
                                            const struct mx_str *args, size_t n_args)
{
    double percent = difference_of(context)->percent, min = eval_number(args[0]);

    return (min == 0 || percent > min) &&
           (eval_is_undef(args, n_args, 1) || percent <= eval_number(args[1]));
}

/* (RATIO, MIN_HTML) */
static int multipart_alternative_difference_count(struct eval_context *context,
                                                  const struct mx_str *args,
                                                  size_t n_args)
{
    const struct difference *found = difference_of(context);

    (void)n_args;
    return found->html_words > eval_number(args[1]) &&
           found->text_words / found->html_words > eval_number(args[0]);
}

const struct eval_function eval_body_diff_functions[] = {
    {"multipart_alternative_difference", multipart_alternative_difference, false, 0, 1},
    {"multipart_alternative_difference_count", multipart_alternative_difference_count,
     false, 0, 2},
    {NULL, NULL, false, 0, 0},
};
