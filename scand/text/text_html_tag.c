/*
 * The table of HTML elements: HTML 4.01 strict and loose, three that mail programs add,
 * and five that are rendered though they are not valid. What is in no row (marquee, the
 * elements of HTML 5) is a bad tag and changes nothing.
 *
 * Also attributes, as they belong to a tag: the first of a name wins, as in browsers.
 */
#include "text/text_html_tag.h"

#include <stdlib.h>

#include "text/text_html_entity.h"
#include "text/text_html_token.h"

/* clang-format off: one row a line. Source: HTML 4.01, 23. */
static const struct html_known known[] = {
    {"a", HTML_TAG_A, HTML_SPACE_NONE, HTML_LINK_HREF, true},
    {"abbr", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"acronym", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"address", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"applet", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"area", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_HREF, true},
    {"b", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"base", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_BASE, true},
    {"basefont", HTML_TAG_BASEFONT, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"bdo", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"bgsound", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_SRC, false},
    {"big", HTML_TAG_BIG, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"blockquote", HTML_TAG_OTHER, HTML_SPACE_BREAK, HTML_LINK_NONE, true},
    {"body", HTML_TAG_BODY, HTML_SPACE_NONE, HTML_LINK_BACKGROUND, true},
    {"br", HTML_TAG_OTHER, HTML_SPACE_LINE, HTML_LINK_NONE, true},
    {"button", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"caption", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"center", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"cite", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"code", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"col", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"colgroup", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"dd", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"del", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"dfn", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"dir", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"div", HTML_TAG_DIV, HTML_SPACE_LINE, HTML_LINK_NONE, true},
    {"dl", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"dt", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"em", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"embed", HTML_TAG_EMBED, HTML_SPACE_BLANK, HTML_LINK_SRC, false},
    {"fieldset", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"font", HTML_TAG_FONT, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"form", HTML_TAG_FORM, HTML_SPACE_NONE, HTML_LINK_ACTION, true},
    {"frame", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_SRC, true},
    {"frameset", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"h1", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"h2", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"h3", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"h4", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"h5", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"h6", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"head", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"hr", HTML_TAG_OTHER, HTML_SPACE_BREAK, HTML_LINK_NONE, true},
    {"html", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"i", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"iframe", HTML_TAG_IFRAME, HTML_SPACE_NONE, HTML_LINK_SRC, true},
    {"img", HTML_TAG_IMG, HTML_SPACE_NONE, HTML_LINK_SRC, true},
    {"input", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"ins", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"isindex", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"kbd", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"label", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"legend", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"li", HTML_TAG_OTHER, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"link", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_HREF, true},
    {"listing", HTML_TAG_OTHER, HTML_SPACE_BREAK, HTML_LINK_NONE, false},
    {"map", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"menu", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"meta", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_META, true},
    {"nobr", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"noframes", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"noscript", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"object", HTML_TAG_OBJECT, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"ol", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"optgroup", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"option", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"p", HTML_TAG_P, HTML_SPACE_BREAK, HTML_LINK_NONE, true},
    {"param", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"plaintext", HTML_TAG_OTHER, HTML_SPACE_BREAK, HTML_LINK_NONE, false},
    {"pre", HTML_TAG_OTHER, HTML_SPACE_BREAK, HTML_LINK_NONE, true},
    {"q", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"s", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"samp", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"script", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_SRC, true},
    {"select", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"small", HTML_TAG_SMALL, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"span", HTML_TAG_SPAN, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"strike", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"strong", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"style", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"sub", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"sup", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"table", HTML_TAG_TABLE, HTML_SPACE_NONE, HTML_LINK_BACKGROUND, true},
    {"tbody", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"td", HTML_TAG_TD, HTML_SPACE_BLANK, HTML_LINK_BACKGROUND, true},
    {"textarea", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"tfoot", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"th", HTML_TAG_TD, HTML_SPACE_BLANK, HTML_LINK_NONE, true},
    {"thead", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"title", HTML_TAG_TITLE, HTML_SPACE_BREAK, HTML_LINK_NONE, true},
    {"tr", HTML_TAG_TR, HTML_SPACE_NONE, HTML_LINK_BACKGROUND, true},
    {"tt", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"u", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"ul", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"var", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"x-sigsep", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"x-tab", HTML_TAG_OTHER, HTML_SPACE_NONE, HTML_LINK_NONE, true},
    {"xmp", HTML_TAG_OTHER, HTML_SPACE_BREAK, HTML_LINK_NONE, false},
};
/* clang-format on */

static int compare_name(const void *key, const void *element)
{
    const struct html_known *row = element;
    return mx_str_icmp(*(const struct mx_str *)key, mx_str(row->name));
}

const struct html_known *html_tag_find(struct mx_str name)
{
    return bsearch(&name, known, sizeof(known) / sizeof(known[0]), sizeof(known[0]),
                   compare_name);
}

bool html_attr_find(const struct html_token *token, struct mx_str name,
                    struct mx_str *out)
{
    for (size_t i = 0; i < token->n_attrs; i++) {
        if (mx_str_ieq(token->attrs[i].name, name)) {
            *out = token->attrs[i].value;
            return true;
        }
    }
    return false;
}

bool html_attr_get(struct mx_arena *arena, const struct html_token *token,
                   struct mx_str name, struct mx_str *out)
{
    struct mx_str raw;
    if (!html_attr_find(token, name, &raw))
        return false;
    bool is_wide = false;
    *out = text_entities_decode(arena, raw, false, &is_wide);
    return true;
}
