/*
 * Counts of tags, in a hash table of fixed size with open addressing. Names are chosen by
 * the sender, so their number is capped at half the table, and a search takes at most
 * that many steps even if all of them collide.
 *
 * An end tag without start tag counts as extra and leaves the depth at zero.
 */
#include "text/text_html_tags.h"

#include "mx_arena.h"
#include "text/text.h"

#define SLOTS (HTML_TAGS_MAX * 2) /* a power of two */

struct html_tags {
    struct html_tag *v;
    size_t n;
    unsigned short slot[SLOTS]; /* index + 1; 0 free */
    unsigned tags, tags_seen, elements, elements_seen, closed_extra;
};

struct html_tags *html_tags_new(struct mx_arena *arena)
{
    struct html_tags *tags = mx_arena_alloc(arena, sizeof(*tags));
    tags->v = mx_arena_array(arena, HTML_TAGS_MAX, sizeof(*tags->v));
    return tags;
}

/* The slot of ${name}, or the free one where it belongs. */
static size_t find_slot(const struct html_tags *tags, struct mx_str name)
{
    size_t i = (size_t)mx_str_hash(name) % SLOTS;
    while (tags->slot[i] != 0 && !mx_str_eq(tags->v[tags->slot[i] - 1].name, name))
        i = (i + 1) % SLOTS;
    return i;
}

/* The entry of ${name}, new where it has none; the last one when the table is full. */
static struct html_tag *entry_of(struct html_tags *tags, struct mx_str name,
                                 bool *out_is_new)
{
    size_t slot = find_slot(tags, name);
    *out_is_new = tags->slot[slot] == 0 && tags->n < HTML_TAGS_MAX;
    if (*out_is_new) {
        tags->v[tags->n++].name = name;
        tags->slot[slot] = (unsigned short)tags->n;
    }
    return &tags->v[tags->slot[slot] != 0 ? tags->slot[slot] - 1u : tags->n - 1u];
}

void html_tags_count(struct html_tags *tags, struct mx_str name, bool is_start,
                     bool is_element)
{
    bool is_new;
    struct html_tag *tag = entry_of(tags, name, &is_new);
    tags->tags++;
    tags->elements += is_element;
    tags->tags_seen += is_new;
    tags->elements_seen += is_new && is_element;
    tag->seen += is_start;
    tag->open += is_start ? 1 : -1;
    if (tag->open < 0) {
        tag->open = 0;
        tags->closed_extra++;
    }
}

void html_tags_doctype(struct html_tags *tags)
{
    bool is_new;
    entry_of(tags, MX_STR("!doctype"), &is_new)->open = 0;
    tags->tags++;
    tags->elements++;
}

int html_tags_depth(const struct html_tags *tags, struct mx_str name)
{
    size_t slot = find_slot(tags, name);
    return tags->slot[slot] == 0 ? 0 : tags->v[tags->slot[slot] - 1].open;
}

void html_tags_result(const struct html_tags *tags, struct html_result *result)
{
    result->tags = tags->v;
    result->n_tags = tags->n;
    result->tags_count = tags->tags;
    result->tags_seen = tags->tags_seen;
    result->elements = tags->elements;
    result->elements_seen = tags->elements_seen;
    result->closed_extra = tags->closed_extra;
}
