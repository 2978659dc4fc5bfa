/*
 * Configuration as text for people: effective settings, a commented sample file and the
 * reference in Markdown, all from the tables alone, so they cannot disagree with the
 * parser. Secrets never appear.
 */
#include <string.h>

#include "mx_arena.h"
#include "mx_conf_priv.h"

#define INDENT 2      /* columns a level */
#define WRAP_WIDTH 88 /* columns of a comment line */
#define TEXT_ARENA_MAX (16u << 20)
#define HIDDEN "\"(hidden)\""

/* "password", "sentinel_password", "secret_key"; but "password_file" is only a path. */
static bool is_secret(const struct mx_conf_key *key)
{
    struct mx_str name = mx_str(key->name);
    return (mx_str_find(name, MX_STR("password")) >= 0 ||
            mx_str_find(name, MX_STR("secret")) >= 0) &&
           !mx_str_iends(name, MX_STR("_file"));
}

static void put_indent(struct mx_buf *out, unsigned depth)
{
    mx_buf_printf(out, "%*s", (int)(depth * INDENT), "");
}

/* Settings of one table; a group's name is written when its first member is. */
static void dump_keys(struct mx_arena *arena, const struct mx_conf_key *keys,
                      const char *data, bool only_changed, unsigned depth,
                      struct mx_buf *out)
{
    for (; keys->type != MX_CONF_END; keys++) {
        const char *value = data + keys->offset;
        if (keys->type == MX_CONF_GROUP) {
            struct mx_buf below = {.max = 0};
            dump_keys(arena, keys->sub, value, only_changed, depth + 1, &below);
            if (below.n > 0) {
                put_indent(out, depth);
                mx_buf_printf(out, "%s:\n", keys->name);
                mx_buf_add(out, below.p, below.n);
            }
            mx_buf_fini(&below);
            continue;
        }
        const char *text = mx_conf_value_format(arena, keys, value);
        bool is_default = strcmp(text, mx_conf_value_format_default(arena, keys)) == 0;
        if (only_changed && is_default)
            continue;
        put_indent(out, depth);
        mx_buf_printf(out, "%s: %s\n", keys->name,
                      is_secret(keys) && !is_default ? HIDDEN : text);
    }
}

void mx_conf_text_dump(const struct mx_conf_key *root, const char *data,
                       bool only_changed, struct mx_buf *out)
{
    struct mx_arena *arena = mx_arena_new(TEXT_ARENA_MAX);
    dump_keys(arena, root, data, only_changed, 0, out);
    mx_arena_free(arena);
}

/* "# ..." lines of words up to the width. */
static void put_comment(struct mx_buf *out, unsigned depth, const char *text)
{
    struct mx_str rest = mx_str(text), word;
    size_t column = WRAP_WIDTH;
    bool is_first = true;
    while (mx_str_next(&rest, ' ', &word) == 0) {
        if (column + 1 + word.n > WRAP_WIDTH) {
            mx_buf_str(out, is_first ? "" : "\n");
            put_indent(out, depth);
            mx_buf_str(out, "#");
            column = depth * INDENT + 1;
            is_first = false;
        }
        mx_buf_printf(out, " %.*s", MX_STR_FMT(word));
        column += 1 + word.n;
    }
    mx_buf_str(out, is_first ? "" : "\n");
}

/* "Meaning (duration, 1s to 1h)" */
static const char *explain(struct mx_arena *arena, const struct mx_conf_key *key)
{
    const char *range = mx_conf_value_range(arena, key);
    return mx_arena_printf(arena, "%s (%s%s%s)", key->doc ? key->doc : key->name,
                           mx_conf_value_kind(key), range[0] ? ": " : "", range);
}

static void sample_keys(struct mx_arena *arena, const struct mx_conf_key *keys,
                        unsigned depth, struct mx_buf *out)
{
    for (bool is_first = true; keys->type != MX_CONF_END; keys++, is_first = false) {
        if (!is_first)
            mx_buf_str(out, "\n");
        if (keys->type == MX_CONF_GROUP) {
            put_comment(out, depth, keys->doc ? keys->doc : "");
            put_indent(out, depth);
            mx_buf_printf(out, "%s:\n", keys->name);
            sample_keys(arena, keys->sub, depth + 1, out);
            continue;
        }
        put_comment(out, depth, explain(arena, keys));
        put_indent(out, depth);
        mx_buf_printf(out, "%s: %s\n", keys->name,
                      mx_conf_value_format_default(arena, keys));
    }
}

void mx_conf_sample(const struct mx_conf_section *const *sections, struct mx_buf *out)
{
    struct mx_arena *arena = mx_arena_new(TEXT_ARENA_MAX);
    size_t size;
    sample_keys(arena, mx_conf_root(arena, sections, &size), 0, out);
    mx_arena_free(arena);
}

/* A table cell: '|' would end it. */
static void put_cell(struct mx_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            mx_buf_str(out, "\\");
        mx_buf_add(out, *text == '\n' ? " " : text, 1);
    }
    mx_buf_str(out, " |");
}

static void docs_keys(struct mx_arena *arena, const struct mx_conf_key *keys,
                      const char *prefix, struct mx_buf *out)
{
    for (; keys->type != MX_CONF_END; keys++) {
        const char *dotted = mx_conf_dotted(arena, prefix, mx_str(keys->name));
        mx_buf_printf(out, "| `%s` | ", dotted);
        put_cell(out, mx_conf_value_kind(keys));
        mx_buf_str(out, " ");
        put_cell(out, mx_conf_value_range(arena, keys));
        mx_buf_str(out, " ");
        if (keys->type == MX_CONF_GROUP)
            put_cell(out, "");
        else
            put_cell(out, mx_arena_printf(arena, "`%s`",
                                          mx_conf_value_format_default(arena, keys)));
        mx_buf_str(out, " ");
        put_cell(out, keys->doc ? keys->doc : "");
        mx_buf_str(out, "\n");
        if (keys->type == MX_CONF_GROUP)
            docs_keys(arena, keys->sub, dotted, out);
    }
}

void mx_conf_docs(const struct mx_conf_section *const *sections, struct mx_buf *out)
{
    struct mx_arena *arena = mx_arena_new(TEXT_ARENA_MAX);
    for (size_t i = 0; sections[i]; i++) {
        const struct mx_conf_section *section = sections[i];
        mx_buf_printf(out, "%s## %s\n\n%s\n\n", i ? "\n" : "", section->name,
                      section->doc ? section->doc : "");
        mx_buf_str(out, "| key | type | range | default | meaning |\n"
                        "| --- | --- | --- | --- | --- |\n");
        docs_keys(arena, section->keys, "", out);
    }
    mx_arena_free(arena);
}
