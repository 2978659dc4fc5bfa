/*
 * Picks the texts of a rule: lists that texts_form made, the value of a header, or one
 * value for each MIME part, or for some, or all of them as one. Of several fields of one
 * name in a part, the last one counts, unlike in the header of the message, where all are
 * joined.
 */
#include "rule_run_text.h"

#include <string.h>

#include "mx_arena.h"

#include "text/text.h"

#define CONCAT_MAX (1u << 20) /* bytes of the values of all parts */

static struct mx_str with_newline(struct mx_arena *arena, struct mx_str value)
{
    char *copy = mx_arena_alloc(arena, value.n + 1);
    if (value.n > 0)
        memcpy(copy, value.p, value.n);
    copy[value.n] = '\n';
    return mx_str_of(copy, value.n + 1);
}

static struct mx_str all_fields(struct mx_arena *arena, const struct text_part *part,
                                bool is_raw)
{
    struct mx_buf buf = {.max = 65536}; /* as SpamAssassin cuts ALL */
    for (size_t i = 0; i < part->n_fields; i++) {
        const struct text_field *field = &part->fields[i];
        mx_buf_add(&buf, field->name.p, field->name.n);
        mx_buf_str(&buf, is_raw ? ":" : ": ");
        struct mx_str value = is_raw ? field->raw : field->value;
        mx_buf_add(&buf, value.p, value.n);
        mx_buf_str(&buf, "\n");
    }
    struct mx_str out = mx_str_dup(arena, mx_str_of(buf.p, buf.n));
    mx_buf_fini(&buf);
    return out;
}

static struct mx_str part_value(struct mx_arena *arena, const struct text_part *part,
                                const struct rule_match_group *group)
{
    if (mx_str_eq(group->selector, MX_STR("ALL")))
        return all_fields(arena, part, group->is_raw);
    for (size_t i = part->n_fields; i-- > 0;) {
        const struct text_field *field = &part->fields[i];
        if (mx_str_ieq(field->name, group->selector))
            return with_newline(arena, group->is_raw ? field->raw : field->value);
    }
    return MX_STR_NONE;
}

static void part_values(struct mx_arena *arena, const struct text_tree *tree,
                        const struct rule_match_group *group, struct text_list *out)
{
    size_t from = group->part_from > 0 ? group->part_from - 1 : 0, to = tree->n_parts;
    if (group->part_to > 0 && group->part_to < to)
        to = group->part_to;
    out->v = mx_arena_array(arena, tree->n_parts + 1, sizeof(*out->v));
    for (size_t i = from; i < to; i++)
        out->v[out->n++] = part_value(arena, &tree->parts[i], group);
}

static void one(struct mx_arena *arena, struct mx_str text, struct text_list *out)
{
    out->v = mx_arena_alloc(arena, sizeof(*out->v));
    out->v[0] = text;
    out->n = 1;
}

/* The values of all parts as one; each with its newline already. */
static void concat(struct mx_arena *arena, struct text_list *list)
{
    struct mx_buf buf = {.max = CONCAT_MAX};
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i].p == NULL)
            mx_buf_str(&buf, "\n");
        else
            mx_buf_add(&buf, list->v[i].p, list->v[i].n);
    }
    one(arena, mx_str_dup(arena, mx_str_of(buf.p ? buf.p : "", buf.n)), list);
    mx_buf_fini(&buf);
}

void rule_run_texts(struct mx_arena *arena, const struct texts *texts,
                    const struct rule_match_group *group, struct rule_texts *out)
{
    struct mx_str value;
    *out = (struct rule_texts){0};
    switch (group->kind) {
    case RULE_BODY: out->list = texts->body; return;
    case RULE_RAWBODY: out->list = texts->rawbody; return;
    case RULE_URI: out->list = texts->uris; return;
    case RULE_FULL: one(arena, texts->full, &out->list); return;
    case RULE_MIMEHEADER:
        part_values(arena, &texts->tree, group, &out->list);
        if (group->is_concat)
            concat(arena, &out->list);
        return;
    case RULE_HEADER:
        out->is_missing = !text_header_get(arena, texts, group->selector, &value);
        if (!out->is_missing)
            one(arena, value, &out->list);
        return;
    default: return;
    }
}
