/*
 * The configuration file as a libyaml document: its structure against the tables, and
 * the place of every key for errors that are found later.
 *
 * All that is wrong is told as "FILE:LINE:COLUMN: key: what". The first error ends the
 * check. Values are not judged here, only that there is one where one belongs. Size,
 * depth and syntax were bounded before by mx_conf_scan; the contents of other programs'
 * sections are not looked at.
 */
#include "mx_conf_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "mx_arena.h"
#include "mx_err.h"

/* One check: the document and what it is checked for. */
struct check {
    struct mx_conf_doc *doc;
    yaml_document_t yaml;
    const char *const *foreign;
    struct mx_err *err;
};

/* Level of a mapping in the file: the table that judges it and its dotted name. */
struct level {
    const struct mx_conf_key *keys;
    const char *prefix;
};

__attribute__((format(printf, 3, 4))) static int
fail_at(const struct check *check, yaml_mark_t mark, const char *fmt, ...)
{
    char text[MX_ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return mx_err_set(check->err, MX_ERR_INPUT, "%s:%zu:%zu: %s", check->doc->path,
                      mark.line + 1, mark.column + 1, text);
}

/* The scan has read this text to its end: what fails now is libyaml or memory. */
static int load_document(struct check *check)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return mx_err_set(check->err, MX_ERR_SYSTEM, "%s: libyaml cannot start",
                          check->doc->path);
    yaml_parser_set_input_string(&parser, (const unsigned char *)check->doc->text.p,
                                 check->doc->text.n);
    int status = yaml_parser_load(&parser, &check->yaml) ? 0 : -1;
    if (status < 0)
        mx_err_set(check->err, MX_ERR_SYSTEM, "%s: libyaml: %s", check->doc->path,
                   parser.problem ? parser.problem : "cannot load the document");
    yaml_parser_delete(&parser);
    return status;
}

static struct mx_str scalar_text(const yaml_node_t *node)
{
    return mx_str_of(node->data.scalar.value, node->data.scalar.length);
}

/* "key:" with nothing behind it. */
static bool is_left_empty(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0 &&
           node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_null_word(const yaml_node_t *node)
{
    struct mx_str text = scalar_text(node);
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (mx_str_eq(text, MX_STR("~")) || mx_str_ieq(text, MX_STR("null")));
}

static int check_scalar(const struct check *check, const yaml_node_t *node,
                        const char *dotted)
{
    static const char *const kinds[] = {
        [YAML_SEQUENCE_NODE] = "a list",
        [YAML_MAPPING_NODE] = "keys of its own",
    };
    if (node->type != YAML_SCALAR_NODE)
        return fail_at(check, node->start_mark, "%s: one value is wanted, not %s", dotted,
                       node->type == YAML_NO_NODE ? "nothing" : kinds[node->type]);
    if (is_null_word(node))
        return fail_at(check, node->start_mark,
                       "%s: null is no value: leave the key out, or write \"\"", dotted);
    if (mx_str_chr(scalar_text(node), '\0') >= 0)
        return fail_at(check, node->start_mark, "%s: a NUL byte may not stand in a value",
                       dotted);
    return 0;
}

static int check_list(struct check *check, const yaml_node_t *node, const char *dotted)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return fail_at(
            check, node->start_mark,
            "%s: a list is wanted: write [a, b], or lines that begin with '- '", dotted);
    yaml_node_item_t *item = node->data.sequence.items.start;
    for (; item < node->data.sequence.items.top; item++)
        if (check_scalar(check, yaml_document_get_node(&check->yaml, *item), dotted) < 0)
            return -1;
    return 0;
}

static const struct mx_conf_key *find_key(const struct mx_conf_key *keys,
                                          struct mx_str name)
{
    for (; keys->type != MX_CONF_END; keys++)
        if (mx_str_eq(name, mx_str(keys->name)))
            return keys;
    return NULL;
}

static const char *known_names(struct check *check, const struct level *level)
{
    const char *text = "";
    bool is_top = level->prefix[0] == '\0';
    for (size_t i = 0; level->keys[i].type != MX_CONF_END; i++)
        text = mx_arena_printf(check->doc->arena, "%s%s%s", text, i ? ", " : "",
                               level->keys[i].name);
    for (size_t i = 0; is_top && check->foreign && check->foreign[i]; i++)
        if (find_key(level->keys, mx_str(check->foreign[i])) == NULL)
            text = mx_arena_printf(check->doc->arena, "%s, %s", text, check->foreign[i]);
    return text;
}

static bool is_foreign(const struct check *check, const struct level *level,
                       struct mx_str name)
{
    if (level->prefix[0] != '\0' || check->foreign == NULL)
        return false;
    for (size_t i = 0; check->foreign[i]; i++)
        if (mx_str_eq(name, mx_str(check->foreign[i])))
            return true;
    return false;
}

static int note_place(struct check *check, const char *dotted, const yaml_node_t *key,
                      const yaml_node_t *value)
{
    struct mx_conf_places *places = &check->doc->places;
    const struct mx_conf_place *first = mx_conf_doc_find(check->doc, dotted);
    if (first)
        return fail_at(check, key->start_mark, "%s: stands twice, first in line %u",
                       dotted, first->line);
    /* room: one per node of the document, made by mx_conf_doc_check. */
    places->v[places->n++] = (struct mx_conf_place){
        .dotted = dotted,
        .where = mx_arena_printf(check->doc->arena, "%s:%zu", check->doc->path,
                                 key->start_mark.line + 1),
        .line = (unsigned)key->start_mark.line + 1,
        .column = (unsigned)key->start_mark.column + 1,
        .value_line = (unsigned)value->start_mark.line + 1,
        .value_column = (unsigned)value->start_mark.column + 1,
    };
    return 0;
}

static int check_mapping(struct check *check, const yaml_node_t *node,
                         const struct level *level);

static int check_value(struct check *check, const yaml_node_t *node,
                       const struct mx_conf_key *key, const char *dotted)
{
    struct level below = {.keys = key->sub, .prefix = dotted};
    if (key->type == MX_CONF_STRINGS)
        return check_list(check, node, dotted);
    if (key->type == MX_CONF_GROUP)
        return is_left_empty(node) ? 0 : check_mapping(check, node, &below);
    return check_scalar(check, node, dotted);
}

static int check_pair(struct check *check, const yaml_node_pair_t *pair,
                      const struct level *level)
{
    const yaml_node_t *key_node = yaml_document_get_node(&check->yaml, pair->key);
    const yaml_node_t *node = yaml_document_get_node(&check->yaml, pair->value);
    if (key_node->type != YAML_SCALAR_NODE)
        return fail_at(check, key_node->start_mark, "a key must be one word");
    struct mx_str name = scalar_text(key_node);
    const struct mx_conf_key *key = find_key(level->keys, name);
    if (key == NULL && !is_foreign(check, level, name))
        return fail_at(check, key_node->start_mark, "%s: unknown %s; known here: %s",
                       mx_conf_dotted(check->doc->arena, level->prefix,
                                      mx_str(mx_str_esc(check->doc->arena, name))),
                       level->prefix[0] ? "key" : "section", known_names(check, level));
    const char *dotted = mx_conf_dotted(check->doc->arena, level->prefix, name);
    if (note_place(check, dotted, key_node, node) < 0)
        return -1;
    return key ? check_value(check, node, key, dotted) : 0;
}

static int check_mapping(struct check *check, const yaml_node_t *node,
                         const struct level *level)
{
    if (node->type != YAML_MAPPING_NODE)
        return fail_at(check, node->start_mark, "%s%skeys are wanted here: %s",
                       level->prefix, level->prefix[0] ? ": " : "",
                       known_names(check, level));
    yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++)
        if (check_pair(check, pair, level) < 0)
            return -1;
    return 0;
}

static int check_document(struct check *check, const struct mx_conf_key *root)
{
    struct mx_conf_places *places = &check->doc->places;
    struct level top = {.keys = root, .prefix = ""};
    const yaml_node_t *node = yaml_document_get_root_node(&check->yaml);
    if (node == NULL || is_left_empty(node))
        return 0;
    places->room = (size_t)(check->yaml.nodes.top - check->yaml.nodes.start);
    places->v = mx_arena_array(check->doc->arena, places->room, sizeof(*places->v));
    return check_mapping(check, node, &top);
}

int mx_conf_doc_check(struct mx_conf_doc *doc, const struct mx_conf_key *root,
                      const char *const *foreign, struct mx_err *err)
{
    struct check check = {.doc = doc, .foreign = foreign, .err = err};
    if (mx_conf_scan(doc, err) < 0 || load_document(&check) < 0)
        return -1;
    int status = check_document(&check, root);
    yaml_document_delete(&check.yaml);
    return status;
}

const struct mx_conf_place *mx_conf_doc_find(const struct mx_conf_doc *doc,
                                             const char *dotted)
{
    for (size_t i = 0; i < doc->places.n; i++)
        if (strcmp(doc->places.v[i].dotted, dotted) == 0)
            return &doc->places.v[i];
    return NULL;
}
