/* Section "scand" of the configuration. */
#ifndef SCAN_CONF_H
#define SCAN_CONF_H

#include "mx_conf.h"

/* Group "clamav" (det_clamav.c). */
struct clamav_settings {
    const char *signatures; /* directory */
    int64_t max_scan_size;  /* octets looked at of one message, archives unpacked */
    int64_t max_file_size;  /* octets of one file */
    int64_t max_recursion;
    int64_t max_files;
    int64_t max_html_size; /* octets of HTML or script that is normalised */
    int64_t max_scan_time_ms;
    bool heuristics;
    int64_t max_age_ms;
};

/* Group "rules" (det_rules.c). */
struct rules_settings {
    struct mx_conf_strings dirs; /* none: the usual ones */
    const char *overlay;
    const char *cache_dir;
    struct mx_conf_strings trusted_networks, internal_networks;
    int64_t max_size; /* octets of a message looked at */
    const char *trial_sample;
    int64_t trial_messages, trial_new_spam;
    double trial_shift, trial_mean_shift;
};

struct scan_conf {
    const char *endpoint;
    const char *advertise;
    const char *node;
    const char *public_key, *secret_key;
    struct mx_conf_strings allowed_keys;
    const char *metrics;
    int64_t workers;
    int64_t queue_length;
    int64_t queue_bytes;
    int64_t max_body;
    int64_t scan_timeout_ms;
    int64_t drain_timeout_ms;
    int64_t recycle_messages;
    int64_t recycle_growth;
    int64_t worker_memory;
    int64_t reload_interval_ms;
    const char *poison_dir;
    int64_t poison_samples;
    int64_t poison_ttl_ms;
    const char *temp_dir;
    int64_t scan_delay_ms;
    double required_score;
    struct mx_conf_strings detectors;
    struct mx_conf_strings scores;
    struct clamav_settings clamav;
    struct rules_settings rules;
};

extern const struct mx_conf_section scan_conf_section;

#endif
