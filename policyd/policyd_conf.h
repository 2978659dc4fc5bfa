/* Section "policyd": the daemon's own keys, the chains, and one group per module. */
#ifndef POLICYD_CONF_H
#define POLICYD_CONF_H

#include "mx_conf.h"
#include "policy.h"

#define POLICYD_STAGES 5
#define POLICYD_WORKERS_MAX 64

enum policyd_mode { POLICYD_OFF, POLICYD_WARN, POLICYD_ON };
enum policyd_on_fail { POLICYD_FAIL_NEXT, POLICYD_FAIL_TEMPFAIL };

struct policyd_conf {
    const char *endpoint, *advertise, *node, *metrics;
    const char *public_key, *secret_key;
    struct mx_conf_strings allowed_keys;
    int64_t workers;   /* 0: one per CPU */
    int64_t in_flight; /* checks of one worker at once */
    int64_t drain_timeout_ms;
    const char *recipient_delimiter;
    int64_t deadline_ms[POLICYD_STAGES];          /* by policyd_conf_stage_index */
    struct mx_conf_strings chain[POLICYD_STAGES]; /* module names in order */
    /* One struct policyd_module_conf per line of policy_table follows. */
};

/* What the chain reads of a module's group; the module's own settings follow. */
struct policyd_module_conf {
    int mode;    /* enum policyd_mode */
    int on_fail; /* enum policyd_on_fail */
};

/** policyd_conf_mode_name(mode): "off", "warn", "on". */
const char *policyd_conf_mode_name(enum policyd_mode mode);

/** policyd_conf_stage(index) / policyd_conf_stage_index(stage): 0 is CONNECT. */
enum policy_stage policyd_conf_stage(size_t index);
size_t policyd_conf_stage_index(enum policy_stage stage);

/**
 * policyd_conf_section_new():
 * The section, with the modules' keys from policy_table.
 * Owner:  policyd_conf_section_free, after every configuration that was loaded with it.
 */
struct mx_conf_section *policyd_conf_section_new(void);
void policyd_conf_section_free(struct mx_conf_section *section);

/** policyd_conf_get(conf): the daemon's own keys. */
const struct policyd_conf *policyd_conf_get(const struct mx_conf *conf);

/** policyd_conf_module(conf, index, out_own): group of a module of policy_table. */
const struct policyd_module_conf *policyd_conf_module(const struct policyd_conf *conf,
                                                      size_t index, const void **out_own);

#endif
