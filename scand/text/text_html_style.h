/*
 * How text looks where the renderer stands: colours, size, whether it shows. Tags that
 * change it nest loosely, as browsers let them.
 */
#ifndef TEXT_HTML_STYLE_H
#define TEXT_HTML_STYLE_H

#include <stdbool.h>

#include "text/text_html_tag.h"

struct html_token;
struct mx_arena;

struct html_styles;

/** html_styles_new(arena): the style of a page before its first tag. */
struct html_styles *html_styles_new(struct mx_arena *arena);

/**
 * html_styles_open(styles, tag, token) / html_styles_close(styles, tag):
 * A start tag with its attributes; an end tag. ${tag} < HTML_TAG_STYLES.
 */
void html_styles_open(struct html_styles *styles, enum html_tag_id tag,
                      const struct html_token *token);
void html_styles_close(struct html_styles *styles, enum html_tag_id tag);

enum html_sight {
    HTML_SIGHT_VISIBLE,
    HTML_SIGHT_LOW_CONTRAST,
    HTML_SIGHT_INVALID_COLOR,
    HTML_SIGHT_HIDDEN, /* too small or not displayed */
};

/** html_styles_sight(styles): whether text here can be seen; if not, why first. */
enum html_sight html_styles_sight(const struct html_styles *styles);

/** html_styles_min, _max(styles): font sizes seen; a page begins with 3. */
int html_styles_min(const struct html_styles *styles);
int html_styles_max(const struct html_styles *styles);

#endif
