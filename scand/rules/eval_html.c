/*
 * Evals on rendered HTML (HTMLEval): flags, numbers, lists and tags of each part that was
 * rendered; one part that fits is a hit. All is known from rendering; nothing is looked
 * at again here but strings that a rule's own pattern is for.
 */
#include "eval_family.h"

#include <stddef.h>

#include "text/text_chars.h"

#include "eval_locale.h"
#include "eval_util.h"

/* The next part at or behind ${*i} that was rendered as HTML. */
static const struct html_result *next_html(const struct eval_context *context, size_t *i)
{
    const struct text_tree *tree = &context->texts->tree;

    while (*i < tree->n_parts) {
        const struct html_result *html = tree->parts[(*i)++].html;

        if (html) {
            return html;
        }
    }
    return NULL;
}

struct flag {
    const char *name;
    size_t offset; /* of a bool in struct html_result */
};

static const struct flag flags[] = {
    {"html", offsetof(struct html_result, is_html)},
    {"font_low_contrast", offsetof(struct html_result, has_low_contrast)},
    {"font_face_bad", offsetof(struct html_result, has_bad_face)},
    {"font_invalid_color", offsetof(struct html_result, has_invalid_color)},
    {"form_action_mailto", offsetof(struct html_result, has_mailto_form)},
    {"embeds", offsetof(struct html_result, has_embeds)},
    {"big_font", offsetof(struct html_result, has_big_font)},
    {"tiny_font", offsetof(struct html_result, has_tiny_font)},
    {"title_extra", offsetof(struct html_result, has_title_extra)},
    {"image_map", offsetof(struct html_result, has_image_map)},
};

enum number_type { SIZE, UNSIGNED, DOUBLE };

struct number {
    const char *name;
    enum number_type type;
    size_t offset; /* in struct html_result */
};

static const struct number numbers[] = {
    {"length", SIZE, offsetof(struct html_result, length)},
    {"non_space_len", SIZE, offsetof(struct html_result, non_space)},
    {"elements", UNSIGNED, offsetof(struct html_result, elements)},
    {"elements_seen", UNSIGNED, offsetof(struct html_result, elements_seen)},
    {"tags", UNSIGNED, offsetof(struct html_result, tags_count)},
    {"tags_seen", UNSIGNED, offsetof(struct html_result, tags_seen)},
    {"bad_tag_count", UNSIGNED, offsetof(struct html_result, bad_tags)},
    {"closed_extra", UNSIGNED, offsetof(struct html_result, closed_extra)},
    {"obfuscation", UNSIGNED, offsetof(struct html_result, obfuscation)},
    {"backhair_count", UNSIGNED, offsetof(struct html_result, backhair)},
    {"max_size", UNSIGNED, offsetof(struct html_result, max_size)},
    {"min_size", UNSIGNED, offsetof(struct html_result, min_size)},
    {"image_area", DOUBLE, offsetof(struct html_result, image_area)},
    {"ratio", DOUBLE, offsetof(struct html_result, ratio)},
    {"bad_tag_ratio", DOUBLE, offsetof(struct html_result, bad_tag_ratio)},
    {"non_element_ratio", DOUBLE, offsetof(struct html_result, non_element_ratio)},
    {"closed_extra_ratio", DOUBLE, offsetof(struct html_result, closed_extra_ratio)},
    {"obfuscation_ratio", DOUBLE, offsetof(struct html_result, obfuscation_ratio)},
    {"non_uri_ratio", DOUBLE, offsetof(struct html_result, non_uri_ratio)},
};

static const struct number *find_number(struct mx_str name)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        if (mx_str_eq(name, mx_str(numbers[i].name))) {
            return &numbers[i];
        }
    }
    return NULL;
}

static double number_of(const struct html_result *html, const struct number *number)
{
    const char *at = (const char *)html + number->offset;

    switch (number->type) {
    case SIZE: return (double)*(const size_t *)(const void *)at;
    case UNSIGNED: return *(const unsigned *)(const void *)at;
    case DOUBLE: return *(const double *)(const void *)at;
    }
    return 0;
}

static int html_test(struct eval_context *context, const struct mx_str *args,
                     size_t n_args)
{
    const struct html_result *html;

    (void)n_args;
    for (size_t f = 0; f < sizeof(flags) / sizeof(*flags); f++) {
        if (!mx_str_eq(args[0], mx_str(flags[f].name))) {
            continue;
        }
        for (size_t i = 0; (html = next_html(context, &i));) {
            if (*(const bool *)((const char *)html + flags[f].offset)) {
                return 1;
            }
        }
    }
    return 0;
}

/* (NUMBER, MIN[, MAX]): an open end is "inf". */
static int html_range(struct eval_context *context, const struct mx_str *args,
                      size_t n_args)
{
    const struct number *number = find_number(args[0]);
    struct mx_str max = n_args > 2 ? args[2] : MX_STR("inf");
    const struct html_result *html;

    for (size_t i = 0; number && (html = next_html(context, &i));) {
        if (eval_above(number_of(html, number), args[1], max)) {
            return 1;
        }
    }
    return 0;
}

static int html_eval(struct eval_context *context, const struct mx_str *args,
                     size_t n_args)
{
    const struct number *number = find_number(args[0]);
    const struct html_result *html;

    (void)n_args;
    for (size_t i = 0; number && (html = next_html(context, &i));) {
        if (eval_compare(number_of(html, number), args[1])) {
            return 1;
        }
    }
    return 0;
}

static const struct html_tag *find_tag(const struct html_result *html, struct mx_str name)
{
    for (size_t i = 0; i < html->n_tags; i++) {
        if (mx_str_eq(html->tags[i].name, name)) {
            return &html->tags[i];
        }
    }
    return NULL;
}

static int html_tag_exists(struct eval_context *context, const struct mx_str *args,
                           size_t n_args)
{
    const struct html_result *html;

    (void)n_args;
    for (size_t i = 0; (html = next_html(context, &i));) {
        if (find_tag(html, args[0])) {
            return 1;
        }
    }
    return 0;
}

static int html_tag_balance(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct html_result *html;

    (void)n_args;
    for (size_t i = 0; (html = next_html(context, &i));) {
        const struct html_tag *tag = find_tag(html, args[0]);

        if (tag && eval_compare(tag->open, args[1])) {
            return 1;
        }
    }
    return 0;
}

static int html_image_only(struct eval_context *context, const struct mx_str *args,
                           size_t n_args)
{
    const struct html_result *html;

    (void)n_args;
    for (size_t i = 0; (html = next_html(context, &i));) {
        if (find_tag(html, MX_STR("img")) &&
            eval_above((double)html->length, args[0], args[1])) {
            return 1;
        }
    }
    return 0;
}

static int html_image_ratio(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct html_result *html;

    (void)n_args;
    for (size_t i = 0; (html = next_html(context, &i));) {
        if (html->image_area > 0 &&
            eval_above((double)html->non_space / html->image_area, args[0], args[1])) {
            return 1;
        }
    }
    return 0;
}

static const struct text_list *find_list(const struct html_result *html,
                                         struct mx_str name)
{
    return mx_str_eq(name, MX_STR("title"))     ? &html->title
           : mx_str_eq(name, MX_STR("anchor"))  ? &html->anchor
           : mx_str_eq(name, MX_STR("comment")) ? &html->comment
           : mx_str_eq(name, MX_STR("script"))  ? &html->script
                                                : NULL;
}

/* Some string of the list does, or does not, match the rule's pattern. */
static int any_text(struct eval_context *context, struct mx_str name, bool wanted)
{
    const struct eval_regex *regex = eval_shared_argument(context);
    const struct html_result *html;

    for (size_t i = 0; regex && (html = next_html(context, &i));) {
        const struct text_list *list = find_list(html, name);

        for (size_t j = 0; list && j < list->n; j++) {
            if (eval_argument_hit(context, regex, list->v[j]) == wanted) {
                return 1;
            }
        }
    }
    return 0;
}

static int html_text_match(struct eval_context *context, const struct mx_str *args,
                           size_t n_args)
{
    (void)n_args;
    return any_text(context, args[0], true);
}

static int html_text_not_match(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    (void)n_args;
    return any_text(context, args[0], false);
}

/* Length of the longest title, in characters, over that of the Subject, in bytes. */
static int html_title_subject_ratio(struct eval_context *context,
                                    const struct mx_str *args, size_t n_args)
{
    struct mx_str subject = eval_header(context, "Subject");
    const struct html_result *html;

    (void)n_args;
    for (size_t i = 0; subject.n > 0 && (html = next_html(context, &i));) {
        for (size_t j = 0; j < html->title.n; j++) {
            double length = (double)text_chars_count(html->title.v[j]);

            if (length / (double)subject.n > eval_number(args[0])) {
                return 1;
            }
        }
    }
    return 0;
}

static int check_iframe_src(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct html_result *html;

    (void)args;
    (void)n_args;
    for (size_t i = 0; (html = next_html(context, &i));) {
        if (html->has_iframe) {
            return 1;
        }
    }
    return 0;
}

/* A part's declared charset stands for what its <meta> may say. */
static int html_charset_faraway(struct eval_context *context, const struct mx_str *args,
                                size_t n_args)
{
    const struct text_tree *tree = &context->texts->tree;

    (void)args;
    (void)n_args;
    for (size_t i = 0; i < tree->n_parts; i++) {
        if (tree->parts[i].html && tree->parts[i].charset.n > 0 &&
            eval_locale_is_faraway(context, tree->parts[i].charset)) {
            return 1;
        }
    }
    return 0;
}

const struct eval_function eval_html_functions[] = {
    {"html_test", html_test, false, 0, 1},
    {"html_range", html_range, false, 0, 2},
    {"html_eval", html_eval, false, 0, 2},
    {"html_tag_exists", html_tag_exists, false, 0, 1},
    {"html_tag_balance", html_tag_balance, false, 0, 2},
    {"html_image_only", html_image_only, false, 0, 2},
    {"html_image_ratio", html_image_ratio, false, 0, 2},
    {"html_text_match", html_text_match, false, 2, 2},
    {"html_text_not_match", html_text_not_match, false, 2, 2},
    {"html_title_subject_ratio", html_title_subject_ratio, false, 0, 1},
    {"html_charset_faraway", html_charset_faraway, false, 0, 0},
    {"check_iframe_src", check_iframe_src, false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
