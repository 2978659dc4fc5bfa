/*
 * The engine in this process: chain, temporary directory, scan_once. What it leaves out
 * is all that the daemon is for: isolation, deadlines that kill, retry.
 */
#include "scan_local.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "scan_once.h"
#include "scan_result.h"
#include "scan_rules.h"

#define FAULT_MAX 512 /* octets of a fault's text */

struct scan_local {
    const struct scan_conf *conf;
    struct scan_conf own; /* conf with what the caller wants otherwise */
    const char *names[SCAN_DETECTORS_MAX + 1], *dirs[SCAN_RULES_DIRS_MAX];
    struct scan_chain *chain;
    char *temp_dir;
    char fault[FAULT_MAX];
};

/* Decoded contents are no larger than the message; the rest is structure. */
size_t scan_local_arena_size(size_t n)
{
    return n * 2 + (32u << 20);
}

static int make_temp_dir(struct scan_local *local, struct mx_err *err)
{
    struct mx_buf path = {0};
    mx_buf_printf(&path, "%s/mxdrop-local-XXXXXX", local->conf->temp_dir);
    if (mkdtemp(path.p) == NULL) {
        mx_err_errno(err, "temp_dir %s", local->conf->temp_dir);
        mx_buf_fini(&path);
        return -1;
    }
    local->temp_dir = mx_xdup(path.p);
    mx_buf_fini(&path);
    return 0;
}

/* The detectors that are configured, and that of rules; for scores without clamav. */
static void choose_detectors(struct scan_local *local, bool is_for_scores)
{
    struct mx_conf_strings *detectors = &local->own.detectors;
    bool is_on = false;
    size_t n = 0;
    for (size_t i = 0; i < detectors->n && n < SCAN_DETECTORS_MAX; i++) {
        if (is_for_scores && strcmp(detectors->v[i], "clamav") == 0)
            continue;
        local->names[n++] = detectors->v[i];
        is_on |= strcmp(detectors->v[i], "rules") == 0;
    }
    if (!is_on)
        local->names[n++] = "rules";
    *detectors = (struct mx_conf_strings){local->names, n};
}

static int take_dirs(struct scan_local *local, const char *const *dirs,
                     struct mx_err *err)
{
    size_t n = 0;
    for (; dirs[n] != NULL && n < SCAN_RULES_DIRS_MAX; n++)
        local->dirs[n] = dirs[n];
    if (dirs[n] != NULL)
        return mx_err_set(err, MX_ERR_LIMIT, "more than %d directories of rules",
                          SCAN_RULES_DIRS_MAX);
    local->own.rules.dirs = (struct mx_conf_strings){local->dirs, n};
    return 0;
}

int scan_local_open(const struct mx_conf *conf, const struct scan_local_options *options,
                    struct scan_local **out, struct mx_err *err)
{
    static const struct scan_local_options none = {0};
    struct scan_local *local = mx_xalloc(sizeof(*local));
    const struct scan_conf *configured = mx_conf_get(conf, "scand");
    local->own = *configured;
    local->conf = &local->own;
    options = options != NULL ? options : &none;
    if (options->dirs != NULL || options->is_for_scores)
        choose_detectors(local, options->is_for_scores);
    if (options->overlay != NULL)
        local->own.rules.overlay = options->overlay;
    if ((options->dirs != NULL && take_dirs(local, options->dirs, err) < 0) ||
        scan_chain_new(local->conf, &local->chain, err) < 0 ||
        scan_chain_load(local->chain, err) < 0 || make_temp_dir(local, err) < 0) {
        scan_local_close(local);
        return -1;
    }
    scan_chain_start(local->chain, local->temp_dir);
    *out = local;
    return 0;
}

void scan_local_close(struct scan_local *local)
{
    if (local == NULL)
        return;
    scan_chain_free(local->chain);
    if (local->temp_dir != NULL)
        rmdir(local->temp_dir); /* libclamav has removed what it made */
    free(local->temp_dir);
    free(local);
}

const char *scan_local_fault(struct scan_local *local, size_t nth)
{
    struct scan_fault fault;
    if (scan_chain_fault(local->chain, nth, &fault) < 0)
        return NULL;
    struct mx_buf text = {.max = sizeof(local->fault)};
    mx_buf_printf(&text, "%s: %.400s", fault.detector, fault.reason);
    memcpy(local->fault, text.p, text.n + 1);
    mx_buf_fini(&text);
    return local->fault;
}

const char *scan_local_rules(const struct scan_local *local)
{
    const char *rules = scan_chain_versions(local->chain).rules;
    return rules != NULL ? rules : "";
}

void scan_local_run(struct scan_local *local, struct mx_arena *arena,
                    const struct scan_local_input *input, Mxp__ScanReply **out)
{
    Mxp__ScanRequest nothing;
    mxp__scan_request__init(&nothing);
    int64_t time_ms = input->time_ms > 0 ? input->time_ms : local->conf->scan_timeout_ms;
    struct scan_once once = {
        .request = input->request != NULL ? input->request : &nothing,
        .raw = input->message,
        .deadline_ms = mx_mono_us() / 1000 + time_ms,
        .now_ms = input->now_ms,
        .scanner = "local",
    };
    struct scan_result result;
    scan_once_run(local->chain, local->conf, arena, &once, &result, out);
}
