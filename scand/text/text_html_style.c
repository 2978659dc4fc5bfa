/*
 * A stack of styles, one entry for each open tag that may change how text looks. A start
 * tag copies the entry below and changes what its attributes say; an end tag closes
 * everything up to the tag of its name, if there is one. So <b>, which changes nothing,
 * is no entry, and </font> without <font> does nothing.
 *
 * From style attributes: color, background-color, background, display, visibility; what
 * is not named there is kept from below, display too. bgcolor attributes count for
 * nothing: SpamAssassin 4.0 reads and then drops them, and rules are tuned to it.
 *
 * The stack is bounded. Past the limit a start tag replaces the entry on top.
 */
#include "text/text_html_style.h"

#include <string.h>

#include "mx_arena.h"
#include "text/text_chars.h"
#include "text/text_html_color.h"
#include "text/text_html_token.h"

#define DEPTH_MAX 65536   /* open tags */
#define SIZE_DEFAULT 3    /* of seven; HTML 4.01, 15.2.2 */
#define SIZE_MIN_SEEN 1   /* text of this size or less counts as invisible */
#define SIZE_LIMIT 100000 /* numbers in size attributes are capped here */

struct style {
    enum html_tag_id tag;
    uint32_t color, background;
    int size;
    bool is_not_displayed, is_hidden;
};

struct html_styles {
    struct mx_arena *arena;
    struct style *v;
    size_t n, room;
    unsigned open[HTML_TAG_STYLES]; /* entries of each tag */
    int base_size, min_size, max_size;
};

struct html_styles *html_styles_new(struct mx_arena *arena)
{
    struct html_styles *s = mx_arena_alloc(arena, sizeof(*s));
    s->arena = arena;
    s->base_size = s->min_size = s->max_size = SIZE_DEFAULT;
    s->v = text_grow(arena, NULL, 0, &s->room, sizeof(*s->v));
    s->v[s->n++] = (struct style){
        .tag = HTML_TAG_STYLES, .background = 0xffffff, .size = SIZE_DEFAULT};
    return s;
}

static void pop(struct html_styles *s)
{
    s->open[s->v[--s->n].tag]--;
}

static void push(struct html_styles *s, struct style style)
{
    if (s->n == DEPTH_MAX)
        pop(s);
    s->v = text_grow(s->arena, s->v, s->n, &s->room, sizeof(*s->v));
    s->v[s->n++] = style;
    s->open[style.tag]++;
}

/* A new cell or row ends the one before, and fonts left open in it. */
static void close_cells(struct html_styles *s, enum html_tag_id tag)
{
    if (s->open[tag] == 0)
        return;
    for (;;) {
        enum html_tag_id top = s->v[s->n - 1].tag;
        bool is_inside = top == HTML_TAG_FONT || top == HTML_TAG_TD ||
                         (tag == HTML_TAG_TR && top == HTML_TAG_TR);
        if (!is_inside)
            return;
        pop(s);
    }
}

void html_styles_close(struct html_styles *s, enum html_tag_id tag)
{
    /* Browsers go on to render text behind </body>. */
    if (tag == HTML_TAG_BODY || s->open[tag] == 0)
        return;
    unsigned left = s->open[tag] - 1;
    while (s->open[tag] > left)
        pop(s);
}

/* ---- attributes ----------------------------------------------------------------------
 */

/* A number at the start of ${text}, with its sign; false without one. */
static bool read_size(struct mx_str text, bool *out_is_relative, int *out)
{
    size_t i = 0;
    while (i < text.n && text_char_space((unsigned char)text.p[i]))
        i++;
    char sign = i < text.n ? text.p[i] : '\0';
    *out_is_relative = sign == '+' || sign == '-';
    i += *out_is_relative;
    size_t start = i;
    int n = 0;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        n = n >= SIZE_LIMIT ? SIZE_LIMIT : n * 10 + (text.p[i] - '0');
    *out = sign == '-' ? -n : n;
    return i > start;
}

/* "name: value" in its two halves; false if ${part} is none. The value may be a space. */
static bool split_declaration(struct mx_str part, struct mx_str *out_name,
                              struct mx_str *out_value)
{
    ptrdiff_t colon = mx_str_chr(part, ':');
    if (colon < 0)
        return false;
    *out_name = mx_str_sub(part, 0, (size_t)colon);
    while (out_name->n > 0 && text_char_space((unsigned char)out_name->p[0]))
        *out_name = mx_str_sub(*out_name, 1, out_name->n - 1);
    struct mx_str value = mx_str_sub(part, (size_t)colon + 1, part.n);
    *out_value = text_trim(value, false);
    bool is_broken = mx_str_chr(*out_value, '\n') >= 0;
    return !is_broken && (out_value->n > 0 || mx_str_chr(value, ' ') >= 0);
}

static struct mx_str without_important(struct mx_str value)
{
    struct mx_str important = MX_STR("important");
    if (!mx_str_iends(value, important))
        return value;
    struct mx_str rest = text_trim(mx_str_sub(value, 0, value.n - important.n), false);
    if (rest.n == 0 || rest.p[rest.n - 1] != '!')
        return value;
    return text_trim(mx_str_sub(rest, 0, rest.n - 1), false);
}

/* Sets ${color}; ${out_is_transparent} where the value says so. */
static void set_color(struct html_styles *s, struct mx_str value, uint32_t *color,
                      bool *out_is_transparent)
{
    struct mx_str lower = mx_str_lower(s->arena, without_important(value));
    *out_is_transparent = mx_str_eq(lower, MX_STR("transparent"));
    if (mx_str_find(lower, MX_STR("rgb")) >= 0)
        *color = html_color_parse_rgb(lower);
    else if (!*out_is_transparent && !mx_str_eq(lower, MX_STR("inherit")))
        *color = html_color_parse(lower);
}

struct see_through {
    bool color, background;
};

static void apply_declaration(struct html_styles *s, struct mx_str part,
                              struct style *style, struct see_through *through)
{
    struct mx_str name, value;
    if (!split_declaration(part, &name, &value))
        return;
    if (mx_str_ieq(name, MX_STR("color"))) {
        set_color(s, value, &style->color, &through->color);
    } else if (mx_str_ieq(name, MX_STR("background-color"))) {
        set_color(s, value, &style->background, &through->background);
    } else if (mx_str_eq(name, MX_STR("background"))) {
        uint32_t color = html_color_parse_background(value);
        if (color == HTML_COLOR_INVALID)
            return;
        style->background = color;
        through->background = false;
    } else {
        name = text_trim(name, false);
        if (mx_str_eq(name, MX_STR("display")))
            style->is_not_displayed = mx_str_ieq(value, MX_STR("none"));
        else if (mx_str_eq(name, MX_STR("visibility")))
            style->is_hidden = mx_str_ieq(value, MX_STR("hidden"));
    }
}

static void apply_style(struct html_styles *s, struct mx_str text, struct style *style)
{
    struct see_through through = {0};
    struct mx_str part;
    while (mx_str_next(&text, ';', &part) == 0)
        apply_declaration(s, part, style, &through);
    if (through.background)
        style->background = s->v[s->n - 1].background;
    if (through.color)
        style->color = style->background;
}

static void apply_size(const struct html_styles *s, struct mx_str text,
                       struct style *style)
{
    bool is_relative;
    int n;
    if (read_size(text, &is_relative, &n))
        style->size = is_relative ? s->base_size + n : n;
}

enum attr { ATTR_TEXT, ATTR_COLOR, ATTR_SIZE, ATTR_STYLE, ATTR_IDLE };

static const struct {
    const char *name;
    enum attr attr;
    unsigned tags; /* that may carry it */
} permitted[] = {
    {"text", ATTR_TEXT, 1u << HTML_TAG_BODY},
    {"color", ATTR_COLOR, 1u << HTML_TAG_FONT | 1u << HTML_TAG_BASEFONT},
    {"size", ATTR_SIZE, 1u << HTML_TAG_FONT | 1u << HTML_TAG_BASEFONT},
    {"face", ATTR_IDLE, 1u << HTML_TAG_FONT | 1u << HTML_TAG_BASEFONT},
    {"bgcolor", ATTR_IDLE,
     1u << HTML_TAG_BODY | 1u << HTML_TAG_TABLE | 1u << HTML_TAG_TR | 1u << HTML_TAG_TD},
    {"background", ATTR_IDLE, 1u << HTML_TAG_BODY},
    {"link", ATTR_IDLE, 1u << HTML_TAG_BODY},
    {"alink", ATTR_IDLE, 1u << HTML_TAG_BODY},
    {"vlink", ATTR_IDLE, 1u << HTML_TAG_BODY},
    {"style", ATTR_STYLE,
     1u << HTML_TAG_TABLE | 1u << HTML_TAG_TR | 1u << HTML_TAG_TD | 1u << HTML_TAG_SPAN |
         1u << HTML_TAG_P | 1u << HTML_TAG_DIV | 1u << HTML_TAG_A},
};

static void apply_attrs(struct html_styles *s, const struct html_token *token,
                        struct style *style)
{
    bool has_any = false;
    for (size_t i = 0; i < sizeof(permitted) / sizeof(permitted[0]); i++) {
        struct mx_str value;
        if ((permitted[i].tags >> style->tag & 1) == 0 ||
            !html_attr_get(s->arena, token, mx_str(permitted[i].name), &value))
            continue;
        has_any = true;
        switch (permitted[i].attr) {
        case ATTR_TEXT:
        case ATTR_COLOR: style->color = html_color_parse(value); break;
        case ATTR_SIZE: apply_size(s, value, style); break;
        case ATTR_STYLE: apply_style(s, value, style); break;
        case ATTR_IDLE: break;
        }
    }
    if (has_any && style->size > s->max_size)
        s->max_size = style->size;
    else if (has_any && style->size < s->min_size)
        s->min_size = style->size;
}

void html_styles_open(struct html_styles *s, enum html_tag_id tag,
                      const struct html_token *token)
{
    struct mx_str value;
    bool is_relative;
    int n;
    if (tag == HTML_TAG_BASEFONT &&
        html_attr_get(s->arena, token, MX_STR("size"), &value) &&
        read_size(value, &is_relative, &n) && !is_relative) {
        s->base_size = n;
        return;
    }
    if (tag == HTML_TAG_TD || tag == HTML_TAG_TR)
        close_cells(s, tag);
    struct style style = s->v[s->n - 1];
    style.tag = tag;
    if (tag == HTML_TAG_BIG)
        style.size++;
    else if (tag == HTML_TAG_SMALL)
        style.size--;
    else
        apply_attrs(s, token, &style);
    push(s, style);
}

enum html_sight html_styles_sight(const struct html_styles *s)
{
    const struct style *top = &s->v[s->n - 1];
    if (top->color == top->background || html_color_is_close(top->color, top->background))
        return HTML_SIGHT_LOW_CONTRAST;
    if (top->color == HTML_COLOR_INVALID || top->background == HTML_COLOR_INVALID)
        return HTML_SIGHT_INVALID_COLOR;
    if (top->size <= SIZE_MIN_SEEN || top->is_not_displayed || top->is_hidden)
        return HTML_SIGHT_HIDDEN;
    return HTML_SIGHT_VISIBLE;
}

int html_styles_min(const struct html_styles *s)
{
    return s->min_size;
}

int html_styles_max(const struct html_styles *s)
{
    return s->max_size;
}
