/*
 * libcyaml: from our tables a schema, from the schema a tree of texts.
 *
 * Scalars are loaded as text although libcyaml has types: 1.3 reads "5x" as 5, "010" as
 * 8 and "maybe" as true, and names the place of the mapping rather than of the value. So
 * mx_conf_doc has checked structure and places before, and mx_conf_value judges each
 * text afterwards. What is left to libcyaml is what it does well: lists, groups,
 * optional members and the memory of all of it.
 */
#include "mx_conf_priv.h"

#include <cyaml/cyaml.h>
#include <stdio.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

struct mx_conf_raw {
    cyaml_config_t config;
    cyaml_schema_value_t schema; /* of the whole file; the rest is in the arena */
    struct mx_conf_slot *slots;
    char why[256]; /* the first error that libcyaml logged */
};

/* The entry of every list. */
static const cyaml_schema_value_t text_entry = {
    .type = CYAML_STRING,
    .flags = CYAML_FLAG_POINTER,
    .data_size = sizeof(char *),
    .string = {.min = 0, .max = MX_CONF_FILE_MAX},
};

static size_t count_keys(const struct mx_conf_key *keys)
{
    size_t n = 0;
    while (keys[n].type != MX_CONF_END)
        n++;
    return n;
}

static cyaml_schema_value_t mapping_value(struct mx_arena *arena,
                                          const struct mx_conf_key *keys,
                                          enum cyaml_flag flags);

static cyaml_schema_value_t key_value(struct mx_arena *arena,
                                      const struct mx_conf_key *key)
{
    if (key->type == MX_CONF_GROUP)
        return mapping_value(
            arena, key->sub,
            (enum cyaml_flag)(CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL));
    cyaml_schema_value_t value = text_entry;
    value.flags = (enum cyaml_flag)(CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL);
    if (key->type == MX_CONF_STRINGS) {
        value.type = CYAML_SEQUENCE;
        value.sequence.entry = &text_entry;
        value.sequence.min = 0;
        value.sequence.max = CYAML_UNLIMITED; /* MX_CONF_NODES_MAX bounds it */
    }
    return value;
}

static cyaml_schema_value_t mapping_value(struct mx_arena *arena,
                                          const struct mx_conf_key *keys,
                                          enum cyaml_flag flags)
{
    size_t n = count_keys(keys), slot = sizeof(struct mx_conf_slot);
    cyaml_schema_field_t *fields = mx_arena_array(arena, n + 1, sizeof(*fields));
    for (size_t i = 0; i < n; i++) {
        size_t offset = i * slot;
        fields[i].key = keys[i].name;
        fields[i].data_offset = (uint32_t)(offset + offsetof(struct mx_conf_slot, p));
        fields[i].count_offset = (uint32_t)(offset + offsetof(struct mx_conf_slot, n));
        fields[i].count_size = sizeof(((struct mx_conf_slot *)NULL)->n);
        fields[i].value = key_value(arena, &keys[i]);
    }
    return (cyaml_schema_value_t){
        .type = CYAML_MAPPING,
        .flags = flags,
        .data_size = (uint32_t)(n * slot),
        .mapping = {.fields = fields},
    };
}

__attribute__((format(printf, 3, 0))) static void
remember_first(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
    struct mx_conf_raw *raw = ctx;
    if (level == CYAML_LOG_ERROR && raw->why[0] == '\0')
        vsnprintf(raw->why, sizeof(raw->why), fmt, args);
}

int mx_conf_raw_load(const struct mx_conf_doc *doc, const struct mx_conf_key *root,
                     struct mx_conf_raw **out, struct mx_err *err)
{
    struct mx_conf_raw *raw = mx_xalloc(sizeof(*raw));
    cyaml_data_t *data = NULL;
    raw->config = (cyaml_config_t){
        .log_fn = remember_first,
        .log_ctx = raw,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        /* What is unknown here are the sections of other programs: mx_conf_doc. */
        .flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_IGNORE_UNKNOWN_KEYS,
    };
    raw->schema = mapping_value(doc->arena, root, CYAML_FLAG_POINTER);
    cyaml_err_t status = cyaml_load_data((const uint8_t *)doc->text.p, doc->text.n,
                                         &raw->config, &raw->schema, &data, NULL);
    if (status != CYAML_OK) {
        mx_err_set(err, MX_ERR_SYSTEM, "%s: libcyaml: %s: %s", doc->path,
                   cyaml_strerror(status), raw->why);
        mx_conf_raw_free(raw);
        return -1;
    }
    raw->slots = data;
    *out = raw;
    return 0;
}

void mx_conf_raw_free(struct mx_conf_raw *raw)
{
    if (raw == NULL)
        return;
    if (raw->slots)
        cyaml_free(&raw->config, &raw->schema, raw->slots, 0);
    free(raw);
}

const struct mx_conf_slot *mx_conf_raw_slots(const struct mx_conf_raw *raw)
{
    return raw->slots;
}
