/*
 * Configuration snapshots. Loading is steps in files of their own: mx_conf_scan reads and
 * bounds the file, mx_conf_doc checks its structure, mx_conf_raw has libcyaml load it,
 * mx_conf_value turns each text into its C value; here the results go into the sections'
 * structs, keys that are not in the file get their default, and a wrong value gets its
 * place put in front. A snapshot never changes; reload makes another.
 */
#include "mx_conf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_conf_priv.h"
#include "mx_err.h"

#define DEFAULTS_NAME "defaults" /* stands for the file where there is none */

struct mx_conf {
    struct mx_conf_doc doc;         /* its arena holds everything, the snapshot as well */
    const struct mx_conf_key *root; /* one group per section */
    char *data;                     /* the sections' structs, at the root's offsets */
};

const char *mx_conf_dotted(struct mx_arena *arena, const char *prefix, struct mx_str name)
{
    return mx_arena_printf(arena, "%s%s%.*s", prefix, prefix[0] ? "." : "",
                           MX_STR_FMT(name));
}

const struct mx_conf_key *mx_conf_root(struct mx_arena *arena,
                                       const struct mx_conf_section *const *sections,
                                       size_t *out_size)
{
    size_t n = 0, size = 0, step = _Alignof(max_align_t);
    while (sections[n])
        n++;
    struct mx_conf_key *root = mx_arena_array(arena, n + 1, sizeof(*root));
    for (size_t i = 0; i < n; i++) {
        root[i].name = sections[i]->name;
        root[i].type = MX_CONF_GROUP;
        root[i].offset = size;
        root[i].sub = sections[i]->keys;
        root[i].doc = sections[i]->doc;
        size += (sections[i]->size + step - 1) & ~(step - 1);
    }
    *out_size = size;
    return root;
}

/* Put the place in front, or name the table whose default is broken. */
static int wrap_place(const struct mx_conf *conf, const struct mx_conf_place *place,
                      const char *dotted, struct mx_err *err)
{
    if (place == NULL)
        return mx_err_wrap(err, "%s: default of %s", conf->doc.path, dotted);
    return mx_err_wrap(err, "%s:%u:%u: %s", conf->doc.path, place->value_line,
                       place->value_column, dotted);
}

/* Fill the struct at ${data}; ${slots} NULL: nothing of this group is in the file. */
static int fill(struct mx_conf *conf, const struct mx_conf_key *keys,
                const struct mx_conf_slot *slots, const char *prefix, char *data,
                struct mx_err *err)
{
    struct mx_arena *arena = conf->doc.arena;
    for (size_t i = 0; keys[i].type != MX_CONF_END; i++) {
        const char *dotted = mx_conf_dotted(arena, prefix, mx_str(keys[i].name));
        const struct mx_conf_place *place = mx_conf_doc_find(&conf->doc, dotted);
        void *out = data + keys[i].offset;
        int status;
        if (keys[i].type == MX_CONF_GROUP)
            status = fill(conf, keys[i].sub, slots ? slots[i].p : NULL, dotted, out, err);
        else if (place && slots)
            status = mx_conf_value_parse(arena, &keys[i], &slots[i], out, err);
        else
            status = mx_conf_value_default(arena, &keys[i], out, err);
        if (status < 0)
            return keys[i].type == MX_CONF_GROUP ? -1
                                                 : wrap_place(conf, place, dotted, err);
    }
    return 0;
}

static int load(struct mx_conf *conf, bool has_file, const char *const *foreign,
                struct mx_err *err)
{
    struct mx_conf_doc *doc = &conf->doc;
    struct mx_conf_raw *raw = NULL;
    const struct mx_conf_slot *slots = NULL;
    if (has_file && (mx_conf_scan_read(doc, err) < 0 ||
                     mx_conf_doc_check(doc, conf->root, foreign, err) < 0))
        return -1;
    /* A file without any key is all defaults; libcyaml would insist on a mapping. */
    if (doc->places.n > 0) {
        if (mx_conf_raw_load(doc, conf->root, &raw, err) < 0)
            return -1;
        slots = mx_conf_raw_slots(raw);
    }
    int status = fill(conf, conf->root, slots, "", conf->data, err);
    mx_conf_raw_free(raw);
    return status;
}

int mx_conf_load(const char *path, const struct mx_conf_section *const *sections,
                 const char *const *foreign, struct mx_conf **out, struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(MX_CONF_ARENA_MAX);
    struct mx_conf *conf = mx_arena_alloc(arena, sizeof(*conf));
    size_t size;
    conf->doc.arena = arena;
    conf->doc.path = mx_str_dup(arena, mx_str(path ? path : DEFAULTS_NAME)).p;
    conf->root = mx_conf_root(arena, sections, &size);
    conf->data = mx_arena_alloc(arena, size);
    if (load(conf, path != NULL, foreign, err) < 0) {
        mx_conf_free(conf);
        return -1;
    }
    *out = conf;
    return 0;
}

void mx_conf_free(struct mx_conf *conf)
{
    if (conf)
        mx_arena_free(conf->doc.arena);
}

const void *mx_conf_get(const struct mx_conf *conf, const char *section)
{
    const struct mx_conf_key *key = conf->root;
    while (key->type != MX_CONF_END && strcmp(key->name, section) != 0)
        key++;
    assert(key->type != MX_CONF_END); /* the section was not among those loaded */
    return conf->data + key->offset;
}

const char *mx_conf_where(const struct mx_conf *conf, const char *dotted)
{
    const struct mx_conf_place *place = mx_conf_doc_find(&conf->doc, dotted);
    return place ? place->where : conf->doc.path;
}

void mx_conf_dump(const struct mx_conf *conf, bool only_changed, struct mx_buf *out)
{
    mx_conf_text_dump(conf->root, conf->data, only_changed, out);
}
