/*
 * The section's table is put together at start: the daemon's own keys, then one group per
 * line of policy_table, whose keys are "mode", "on_fail" and the module's own. So a new
 * module brings its settings, checks and documentation along. Layout: the struct of the
 * daemon's keys, then for each module a small head and its settings, all aligned.
 */
#include "policyd_conf.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "policy_table.h"

#define AT(member) offsetof(struct policyd_conf, member)
#define ALIGN alignof(max_align_t)
#define SECTION_ARENA_MAX (1u << 20) /* bytes of tables: some 100 keys of 80 bytes */
#define SECOND_MAX_MS 90000          /* ms, the longest stage deadline: field-notes 1 */

static const char *const mode_words[] = {"off", "warn", "on", NULL};
static const char *const on_fail_words[] = {"next", "tempfail", NULL};

#define DEADLINE(stage, index, value)                                                    \
    {                                                                                    \
        .name = stage, .type = MX_CONF_DURATION, .offset = (index) * sizeof(int64_t),    \
        .min = 10, .max = SECOND_MAX_MS, .def = value,                                   \
        .doc = "Longest time for one check at this stage."                               \
    }
static const struct mx_conf_key deadline_keys[] = {
    DEADLINE("connect", 0, "500ms"), DEADLINE("helo", 1, "500ms"),
    DEADLINE("mail", 2, "500ms"),    DEADLINE("rcpt", 3, "2s"),
    DEADLINE("content", 4, "5s"),    {0},
};

#define CHAIN(stage, index, modules)                                                     \
    {                                                                                    \
        .name = stage, .type = MX_CONF_STRINGS,                                          \
        .offset = (index) * sizeof(struct mx_conf_strings), .max = POLICY_TABLE_MAX,     \
        .def = modules, .doc = "Modules in order; the first that takes action decides."  \
    }
static const struct mx_conf_key chain_keys[] = {
    CHAIN("connect", 0, "access"),
    CHAIN("helo", 1, "access"),
    CHAIN("mail", 2, "access, rate_limit"),
    CHAIN("rcpt", 3,
          "access, fq_rcpt, change_recipient, quota_check, rate_limit, user_lists, "
          "greylist"),
    CHAIN("content", 4,
          "virus, block_partial, bad_filename, suspicious_chars, findings, rate_limit, "
          "spam, change_recipient_end"),
    {0},
};

static const struct mx_conf_key own_keys[] = {
    {.name = "endpoint",
     .type = MX_CONF_STRING,
     .offset = AT(endpoint),
     .def = "ipc:///run/mxdrop/policyd.sock",
     .doc =
         "Where worker 0 listens: ipc:// on one host, tcp:// (with keys) between hosts. "
         "Worker N adds -N to a path, or N to a port. A change needs a restart."},
    {.name = "advertise",
     .type = MX_CONF_STRING,
     .offset = AT(advertise),
     .doc = "The endpoint as shims reach it, when it differs (address translation, "
            "wildcard address). Empty: endpoint."},
    {.name = "node",
     .type = MX_CONF_STRING,
     .offset = AT(node),
     .max = 64,
     .doc = "Name of this policyd in the cluster. Empty: policyd@HOST-PID."},
    {.name = "metrics",
     .type = MX_CONF_STRING,
     .offset = AT(metrics),
     .doc = "Where /metrics and /healthz are served, 127.0.0.1:9601. Empty: nowhere."},
    {.name = "public_key",
     .type = MX_CONF_STRING,
     .offset = AT(public_key),
     .max = 40,
     .doc = "CURVE public key (Z85, from mxdropctl keygen)."},
    {.name = "secret_key",
     .type = MX_CONF_STRING,
     .offset = AT(secret_key),
     .max = 40,
     .doc = "CURVE secret key that belongs to it. Keep the file private."},
    {.name = "allowed_keys",
     .type = MX_CONF_STRINGS,
     .offset = AT(allowed_keys),
     .max = 1024,
     .doc = "Public keys of the shims that may ask."},
    {.name = "workers",
     .type = MX_CONF_INT,
     .offset = AT(workers),
     .min = 0,
     .max = POLICYD_WORKERS_MAX,
     .def = "1",
     .doc = "Threads, each with its own endpoint and Redis connection. 0: one per CPU. A "
            "change needs a restart."},
    {.name = "in_flight",
     .type = MX_CONF_INT,
     .offset = AT(in_flight),
     .min = 1,
     .max = 100000,
     .def = "4096",
     .doc = "Checks of one worker that may be under way; beyond it requests are answered "
            "\"overloaded\" at once, and the shim asks another policyd."},
    {.name = "drain_timeout",
     .type = MX_CONF_DURATION,
     .offset = AT(drain_timeout_ms),
     .min = 0,
     .max = 600000,
     .def = "5s",
     .doc = "After SIGTERM: how long checks under way may take to finish."},
    {.name = "recipient_delimiter",
     .type = MX_CONF_STRING,
     .offset = AT(recipient_delimiter),
     .max = 8,
     .def = "+",
     .doc = "Characters that separate a mailbox from its detail (user+detail), as in "
            "Postfix. Empty: none."},
    {.name = "deadline",
     .type = MX_CONF_GROUP,
     .offset = AT(deadline_ms),
     .sub = deadline_keys,
     .doc = "Time budgets."},
    {.name = "chain",
     .type = MX_CONF_GROUP,
     .offset = AT(chain),
     .sub = chain_keys,
     .doc = "Which modules are asked, by stage."},
    {0},
};
#define OWN_KEYS (sizeof(own_keys) / sizeof(own_keys[0]) - 1)

/* The section with the memory of its tables behind it. */
struct made_section {
    struct mx_conf_section section;
    struct mx_arena *arena;
};

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t head_size(void)
{
    return aligned(sizeof(struct policyd_module_conf));
}

static size_t group_offset(size_t index)
{
    size_t offset = aligned(sizeof(struct policyd_conf));
    for (size_t i = 0; i < index; i++)
        offset += head_size() + aligned(policy_table[i]->settings_size);
    return offset;
}

static size_t count_keys(const struct mx_conf_key *keys)
{
    size_t n = 0;
    while (keys && keys[n].type != MX_CONF_END)
        n++;
    return n;
}

/* "mode", "on_fail", then the module's own keys behind the head. */
static const struct mx_conf_key *group_keys(struct mx_arena *arena,
                                            const struct policy_module *module)
{
    size_t n = count_keys(module->keys);
    struct mx_conf_key *keys = mx_arena_array(arena, n + 3, sizeof(*keys));
    keys[0] = (struct mx_conf_key){
        .name = "mode",
        .type = MX_CONF_ENUM,
        .offset = offsetof(struct policyd_module_conf, mode),
        .def = "on",
        .words = mode_words,
        .doc =
            "on: it decides. warn: what it would have done is logged. off: not asked."};
    keys[1] = (struct mx_conf_key){
        .name = "on_fail",
        .type = MX_CONF_ENUM,
        .offset = offsetof(struct policyd_module_conf, on_fail),
        .def = module->on_fail == POLICY_FAIL ? "tempfail" : "next",
        .words = on_fail_words,
        .doc = "When it cannot tell (store down): next passes, tempfail answers 451."};
    for (size_t i = 0; i < n; i++) {
        keys[i + 2] = module->keys[i];
        keys[i + 2].offset += head_size();
    }
    return keys;
}

struct mx_conf_section *policyd_conf_section_new(void)
{
    struct made_section *made = mx_xalloc(sizeof(*made));
    size_t n_modules = 0;
    while (policy_table[n_modules])
        n_modules++;
    made->arena = mx_arena_new(SECTION_ARENA_MAX);
    struct mx_conf_key *keys =
        mx_arena_array(made->arena, OWN_KEYS + n_modules + 1, sizeof(*keys));
    for (size_t i = 0; i < OWN_KEYS; i++)
        keys[i] = own_keys[i];
    for (size_t i = 0; i < n_modules; i++)
        keys[OWN_KEYS + i] =
            (struct mx_conf_key){.name = policy_table[i]->name,
                                 .type = MX_CONF_GROUP,
                                 .offset = group_offset(i),
                                 .sub = group_keys(made->arena, policy_table[i]),
                                 .doc = policy_table[i]->doc};
    made->section = (struct mx_conf_section){.name = "policyd",
                                             .doc = "Decisions by envelope and findings.",
                                             .size = group_offset(n_modules),
                                             .keys = keys};
    return &made->section;
}

void policyd_conf_section_free(struct mx_conf_section *section)
{
    struct made_section *made = (struct made_section *)section;
    if (made == NULL)
        return;
    mx_arena_free(made->arena);
    free(made);
}

const struct policyd_conf *policyd_conf_get(const struct mx_conf *conf)
{
    return mx_conf_get(conf, "policyd");
}

const struct policyd_module_conf *policyd_conf_module(const struct policyd_conf *conf,
                                                      size_t index, const void **out_own)
{
    const char *group = (const char *)conf + group_offset(index);
    *out_own = group + head_size();
    return (const struct policyd_module_conf *)(const void *)group;
}

const char *policyd_conf_mode_name(enum policyd_mode mode)
{
    return mode_words[mode];
}

enum policy_stage policyd_conf_stage(size_t index)
{
    assert(index < POLICYD_STAGES);
    return (enum policy_stage)(1u << index);
}

size_t policyd_conf_stage_index(enum policy_stage stage)
{
    size_t index = 0;
    while ((1u << index) != (unsigned)stage)
        index++;
    assert(index < POLICYD_STAGES);
    return index;
}
