/*
 * HTML renderer. It walks the tokens of a part once and keeps, as it goes, the text that
 * a reader would see (text_html_out), the style it would have (text_html_style), and the
 * lists and counts that HTMLEval's rules ask for.
 *
 * Before that, three repairs of the source that mail needs: "&nbsp;" is a space, "<br/>"
 * is "<br>", curly double quotes are straight.
 *
 * Text in script and style is not rendered. Invisible text is: filters must see it, and
 * rules judge the tricks by the counts. Nothing is laid out, and no attribute is used but
 * those that rules depend on. Lists are capped, so that markup cannot become many times
 * its size in memory.
 */
#include "text/text_html.h"

#include <math.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_chars.h"
#include "text/text_html_entity.h"
#include "text/text_html_link.h"
#include "text/text_html_out.h"
#include "text/text_html_style.h"
#include "text/text_html_tag.h"
#include "text/text_html_tags.h"
#include "text/text_html_token.h"

#define ARENA_PER_BYTE 16 /* arena that one byte of source may need */
#define LIST_MAX 10000    /* entries of each list of a result */
#define SCREEN_WIDTH 8    /* one percent of 800 pixels, ... */
#define SCREEN_HEIGHT 6   /* ... of 600 */
#define SIDE_DEFAULT 200  /* pixels of an image that does not say */

/* Texts that grow one after the other in one buffer. */
struct collector {
    struct text_lister list;
    char *p;
    size_t n, room;
    bool is_full;
};

struct renderer {
    struct mx_arena *arena;
    struct html_result *result;
    struct html_out *out;
    struct html_styles *styles;
    struct html_tags *tags;
    struct html_links *links;
    struct collector anchors, titles;
    struct text_lister anchor_hrefs, comments, scripts;
    bool is_wide; /* the source is a string of characters */
};

static void collector_init(struct renderer *r, struct collector *collector, size_t room)
{
    collector->list.max = LIST_MAX;
    collector->room = room;
    collector->p = mx_arena_alloc(r->arena, room + 1);
}

static void collector_begin(struct renderer *r, struct collector *collector)
{
    collector->is_full = collector->list.n >= collector->list.max;
    text_lister_add(r->arena, &collector->list,
                    mx_str_of(collector->p + collector->n, 0));
}

static void collector_add(struct collector *collector, struct mx_str text)
{
    bool has_room = text.n <= collector->room - collector->n;
    if (collector->is_full || collector->list.n == 0 || !has_room)
        return;
    memcpy(collector->p + collector->n, text.p, text.n);
    collector->n += text.n;
    collector->list.v[collector->list.n - 1].n += text.n;
}

/* ---- the source ----------------------------------------------------------------------
 */

/* One of the repairs at ${at}: what to read on from; ${out} is what to write. */
static size_t repair_at(struct mx_str rest, char *out)
{
    *out = rest.p[0];
    if (*out != '&' && *out != '\xe2')
        return 1;
    if (mx_str_starts(rest, MX_STR("&nbsp;"))) {
        *out = ' ';
        return 6;
    }
    if (mx_str_starts(rest, MX_STR("\xe2\x80\x9c")) ||
        mx_str_starts(rest, MX_STR("\xe2\x80\x9d"))) {
        *out = '"';
        return 3;
    }
    return 1;
}

/* Whether "<", a name, space and "/>" begin at ${p}: length of "<" and the name, or 0. */
static size_t empty_element(const char *p, const char *end, const char **behind)
{
    const char *q = p + 1, *next = q;
    while (q < end && text_char_word_wide(text_char_next(&next, end)))
        q = next;
    size_t n = (size_t)(q - p);
    while (q < end && text_char_space((unsigned char)*q))
        q++;
    if (n < 2 || end - q < 2 || q[0] != '/' || q[1] != '>')
        return 0;
    *behind = q + 2;
    return n;
}

/* A repaired copy of ${source}, with NUL behind it. */
static struct mx_str repair(struct mx_arena *arena, struct mx_str source)
{
    char *copy = mx_arena_alloc(arena, source.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < source.n;)
        i += repair_at(mx_str_of(source.p + i, source.n - i), &copy[n++]);
    const char *p = copy, *end = copy + n;
    char *to = copy;
    while (p < end) {
        const char *behind;
        size_t name = *p == '<' ? empty_element(p, end, &behind) : 0;
        memmove(to, p, name > 0 ? name : 1);
        to += name > 0 ? name : 1;
        p += name > 0 ? 0 : 1;
        if (name > 0) {
            *to++ = '>';
            p = behind;
        }
    }
    *to = '\0';
    return mx_str_of(copy, (size_t)(to - copy));
}

/* ---- text ----------------------------------------------------------------------------
 */

static bool is_visible(struct renderer *r, struct mx_str text)
{
    if (html_out_is_blank(text))
        return true;
    enum html_sight sight = html_styles_sight(r->styles);
    r->result->has_low_contrast |= sight == HTML_SIGHT_LOW_CONTRAST;
    r->result->has_invalid_color |= sight == HTML_SIGHT_INVALID_COLOR;
    return sight == HTML_SIGHT_VISIBLE;
}

static void on_text(struct renderer *r, const struct html_token *token)
{
    bool is_wide = r->is_wide;
    struct mx_str text = token->text;
    if (!token->is_cdata)
        text = text_entities_decode(r->arena, text, true, &is_wide);
    if (html_tags_depth(r->tags, MX_STR("script")) > 0) {
        text_lister_add(r->arena, &r->scripts, text);
        return;
    }
    if (html_tags_depth(r->tags, MX_STR("style")) > 0)
        return;
    if (html_tags_depth(r->tags, MX_STR("a")) > 0)
        collector_add(&r->anchors, text);
    if (html_tags_depth(r->tags, MX_STR("title")) > 0)
        collector_add(&r->titles, text);
    html_out_text(r->out, text, is_wide, is_visible(r, text));
}

/* ---- tags ----------------------------------------------------------------------------
 */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One font name of a list: a word or more, maybe quoted, maybe with a digit behind. */
static bool is_font_name(struct mx_str s, bool is_first)
{
    bool has_space = false;
    while (s.n > 0 && text_char_space((unsigned char)s.p[0])) {
        has_space = s.p[0] == ' ';
        s = mx_str_sub(s, 1, s.n - 1);
    }
    char c = s.n > 0 ? s.p[0] : '\0';
    if (c == '"' || c == '\'' || (is_first && c == '.')) {
        has_space = false;
        s = mx_str_sub(s, 1, s.n - 1);
    }
    if (s.n > 0 && (s.p[s.n - 1] == '"' || s.p[s.n - 1] == '\''))
        s.n--;
    if (s.n > 0 && s.p[s.n - 1] >= '0' && s.p[s.n - 1] <= '9')
        s.n--;
    if (s.n == 0 || !is_letter(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_letter(s.p[i]) && s.p[i] != ' ' && s.p[i] != '-')
            return false;
    }
    bool may_lead = is_first && (has_space || s.p[0] == ' ');
    return may_lead ? s.n > !has_space : s.n > 1 && is_letter(s.p[0]);
}

static bool is_font_list(struct mx_str face)
{
    if (face.n > 0 && face.p[face.n - 1] == '\n')
        face.n--;
    if (face.n > 0 && face.p[face.n - 1] == ';')
        face.n--;
    struct mx_str rest = face, name;
    bool is_first = true;
    if (face.n > 0 && face.p[face.n - 1] == ',')
        return false;
    while (mx_str_next(&rest, ',', &name) == 0) {
        if (!is_font_name(name, is_first))
            return false;
        is_first = false;
    }
    return !is_first;
}

/* "12" or "50%" of a screen of ${percent} times 100 pixels. */
static double read_side(struct mx_str text, double percent)
{
    double pixels = 0;
    size_t i = 0;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        pixels = pixels * 10 + (text.p[i] - '0');
    bool is_percent = i > 0 && i < text.n && text.p[i] == '%';
    i += is_percent;
    if (i < text.n && text.p[i] == '\n')
        i++;
    if (i != text.n || pixels <= 0)
        return SIDE_DEFAULT;
    return is_percent ? pixels * percent : pixels;
}

static void on_image(struct renderer *r, const struct html_token *token)
{
    struct mx_str width, height;
    if (html_tags_depth(r->tags, MX_STR("a")) > 0)
        collector_add(&r->anchors, MX_STR("<img>\n"));
    if (html_attr_get(r->arena, token, MX_STR("width"), &width) &&
        html_attr_get(r->arena, token, MX_STR("height"), &height))
        r->result->image_area +=
            read_side(width, SCREEN_WIDTH) * read_side(height, SCREEN_HEIGHT);
}

static bool has_mailto(struct mx_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (mx_str_istarts(mx_str_sub(text, i, text.n), MX_STR("mailto:")))
            return true;
    }
    return false;
}

static void on_start(struct renderer *r, enum html_tag_id id,
                     const struct html_token *token)
{
    struct mx_str value;
    if (id == HTML_TAG_FONT && html_attr_get(r->arena, token, MX_STR("face"), &value)) {
        r->result->has_bad_face |= !is_font_list(value);
    } else if (id == HTML_TAG_IMG) {
        on_image(r, token);
    } else if (id == HTML_TAG_FORM &&
               html_attr_get(r->arena, token, MX_STR("action"), &value)) {
        r->result->has_mailto_form |= has_mailto(value);
    } else if (id == HTML_TAG_OBJECT || id == HTML_TAG_EMBED) {
        r->result->has_embeds = true;
    } else if (id == HTML_TAG_A) {
        text_lister_add(r->arena, &r->anchor_hrefs, html_links_href(r->links, token));
        collector_begin(r, &r->anchors);
    } else if (id == HTML_TAG_TITLE) {
        collector_begin(r, &r->titles);
    }
}

/* Names of other XML vocabularies that office programs mix in: "o:p", "st1:City". */
static bool is_namespaced(struct mx_str name)
{
    size_t i = mx_str_starts(name, MX_STR("o:")) ? 2 : 0;
    if (mx_str_starts(name, MX_STR("st")) && name.n > 4 && name.p[2] >= '0' &&
        name.p[2] <= '9' && name.p[3] == ':')
        i = 4;
    size_t start = i;
    while (i < name.n && (text_char_word((unsigned char)name.p[i]) || name.p[i] == '-'))
        i++;
    bool has_word = start > 0 && i > start;
    if (i < name.n && name.p[i] == '/')
        i++;
    return has_word && i == name.n;
}

static void on_tag(struct renderer *r, const struct html_token *token)
{
    struct mx_str name = mx_str_lower(r->arena, token->name);
    bool is_start = token->kind == HTML_TOKEN_START;
    bool is_foreign = is_namespaced(name);
    const struct html_known *known = is_foreign ? NULL : html_tag_find(name);
    html_tags_count(r->tags, name, is_start, is_foreign || (known && known->is_element));
    if (known == NULL)
        return;
    if (known->id < HTML_TAG_STYLES && is_start)
        html_styles_open(r->styles, known->id, token);
    else if (known->id < HTML_TAG_STYLES)
        html_styles_close(r->styles, known->id);
    if (known->space != HTML_SPACE_NONE)
        html_out_space(r->out, known->space);
    if (!is_start)
        return;
    html_links_tag(r->links, known, token);
    on_start(r, known->id, token);
}

static void on_token(struct renderer *r, const struct html_token *token)
{
    switch (token->kind) {
    case HTML_TOKEN_TEXT: on_text(r, token); break;
    case HTML_TOKEN_START:
    case HTML_TOKEN_END: on_tag(r, token); break;
    case HTML_TOKEN_COMMENT: text_lister_add(r->arena, &r->comments, token->text); break;
    case HTML_TOKEN_DECLARATION:
        if (mx_str_istarts(token->text, MX_STR("<!doctype")))
            html_tags_doctype(r->tags);
        break;
    }
}

/* ---- results -------------------------------------------------------------------------
 */

static void add_anchors(struct renderer *r)
{
    size_t n = r->anchors.list.n;
    struct html_anchor *v = mx_arena_array(r->arena, n + 1, sizeof(*v));
    for (size_t i = 0; i < n; i++)
        v[i] = (struct html_anchor){.href = r->anchor_hrefs.v[i],
                                    .text = r->anchors.list.v[i]};
    r->result->anchors = v;
    r->result->n_anchors = n;
}

static double ratio_of(unsigned part, unsigned whole, bool is_defined)
{
    return is_defined && whole > 0 ? (double)part / (double)whole : NAN;
}

static void add_ratios(struct html_result *out)
{
    out->bad_tags = out->tags_count - out->elements;
    out->bad_tag_ratio = ratio_of(out->bad_tags, out->tags_count, out->elements > 0);
    out->non_element_ratio = ratio_of(out->tags_seen - out->elements_seen, out->tags_seen,
                                      out->elements_seen > 0);
    out->closed_extra_ratio = ratio_of(out->closed_extra, out->tags_count, true);
    out->obfuscation_ratio =
        ratio_of(out->obfuscation, out->tags_count, out->obfuscation > 0);
    out->ratio = NAN;
}

static void add_results(struct renderer *r)
{
    struct html_result *out = r->result;
    html_out_result(r->out, out);
    html_tags_result(r->tags, out);
    html_links_result(r->links, out);
    add_anchors(r);
    add_ratios(out);
    int max = html_styles_max(r->styles), min = html_styles_min(r->styles);
    out->max_size = max > 0 ? (unsigned)max : 0;
    out->min_size = min > 0 ? (unsigned)min : 0;
    out->title = text_lister_list(&r->titles.list);
    out->anchor = text_lister_list(&r->anchors.list);
    out->comment = text_lister_list(&r->comments);
    out->script = text_lister_list(&r->scripts);
    out->comments_count = (unsigned)r->comments.n;
    out->is_html = true;
}

void text_html_render(struct mx_arena *arena, struct mx_str utf8_source,
                      struct html_result *out)
{
    size_t max = mx_arena_left(arena) / ARENA_PER_BYTE;
    max = max < TEXT_HTML_MAX ? max : TEXT_HTML_MAX;
    struct mx_str source = mx_str_sub(utf8_source, 0, max);
    *out = (struct html_result){.length = text_chars_count(utf8_source)};
    bool is_wide = text_has_high(source);
    source = repair(arena, source);
    struct renderer r = {
        .arena = arena,
        .result = out,
        .out = html_out_new(arena, source.n),
        .styles = html_styles_new(arena),
        .tags = html_tags_new(arena),
        .links = html_links_new(arena, is_wide),
        .anchor_hrefs = {.max = LIST_MAX},
        .comments = {.max = LIST_MAX},
        .scripts = {.max = LIST_MAX},
        .is_wide = is_wide,
    };
    collector_init(&r, &r.anchors, source.n * 2);
    collector_init(&r, &r.titles, source.n);
    struct html_tokens *tokens = html_tokens_new(arena, source.p, source.n);
    for (struct html_token token; html_tokens_next(tokens, &token);)
        on_token(&r, &token);
    add_results(&r);
}
