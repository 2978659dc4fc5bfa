/*
 * Detector "clamav": viruses, by libclamav on the whole message.
 *
 * The raw bytes go to libclamav, which has a mail parser of its own (its signatures for
 * mail need it). It takes a file for mail by the look of its first lines or of a few
 * well-known field names anywhere; a message without those would be scanned as plain
 * text and its attachments would not be unpacked. So a message that does not begin like
 * mail gets a Received line in front, in a copy.
 *
 * No signatures: load fails and the chain reports the detector as degraded. Limits are
 * findings, too, as "clean as far as I looked" is not clean. Heuristics on links are a
 * finding with a score, not a virus: they are wrong too often to refuse mail on them.
 */
#include "scan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "clam_engine.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "scan_conf.h"

#define MAIL_PREFIX "Received: from scan; mxdrop\r\n"

struct state {
    struct clam_engine *engine;
};

static const struct scan_symbol symbols[] = {
    {"VIRUS", 1000, "libclamav knows a virus in the message"},
    {"MX_CLAMAV_PHISHING", 2.5, "libclamav's heuristics take links for phishing"},
    {"MX_CLAMAV_LIMITS", 0, "the message exceeds a limit of the virus scanner"},
    {0},
};

static int load(void *opaque, const struct scan_env *env, struct mx_err *err)
{
    struct state *state = opaque;
    return clam_engine_load(env->settings, &state->engine, err);
}

static int start(void *opaque, const struct scan_env *env, struct mx_err *err)
{
    struct state *state = opaque;
    return clam_engine_temp_dir(state->engine, env->temp_dir, err);
}

static void stop(void *opaque)
{
    struct state *state = opaque;
    clam_engine_free(state->engine);
}

/* What libclamav takes for the start of a mail (its table of file types). */
static bool looks_like_mail(struct mx_str raw)
{
    return mx_str_starts(raw, MX_STR("Received: ")) ||
           mx_str_starts(raw, MX_STR("Return-Path: ")) ||
           mx_str_starts(raw, MX_STR("From: "));
}

static int scan(struct state *state, const struct message *msg, const char **out_name,
                enum clam_verdict *out, struct mx_err *err)
{
    if (looks_like_mail(msg->raw))
        return clam_engine_scan(state->engine, msg->raw, scan_left_ms(msg), out_name, out,
                                err);
    size_t n = strlen(MAIL_PREFIX) + msg->raw.n;
    char *copy = mx_xalloc(n);
    memcpy(copy, MAIL_PREFIX, strlen(MAIL_PREFIX));
    if (msg->raw.n > 0)
        memcpy(copy + strlen(MAIL_PREFIX), msg->raw.p, msg->raw.n);
    int rc = clam_engine_scan(state->engine, mx_str_of(copy, n), scan_left_ms(msg),
                              out_name, out, err);
    free(copy);
    return rc;
}

static int run(void *opaque, const struct message *msg, struct scan_result *result,
               struct mx_err *err)
{
    const char *name = "";
    enum clam_verdict verdict = CLAM_CLEAN;
    if (scan(opaque, msg, &name, &verdict, err) < 0)
        return -1;
    if (verdict == CLAM_PHISHING)
        scan_add(result, "MX_CLAMAV_PHISHING", "%s", name);
    if (verdict == CLAM_LIMIT)
        scan_add(result, "MX_CLAMAV_LIMITS", "%s", name);
    if (verdict != CLAM_VIRUS)
        return 0;
    scan_add(result, "VIRUS", "%s", name);
    scan_virus(result, mx_str(name));
    scan_final(result);
    return 0;
}

static void versions(const void *opaque, struct scan_versions *out)
{
    const struct state *state = opaque;
    out->signatures = clam_engine_version(state->engine);
}

const struct scan_detector det_clamav = {
    .name = "clamav",
    .cost = 1500,
    .settings_offset = offsetof(struct scan_conf, clamav),
    .state_size = sizeof(struct state),
    .symbols = symbols,
    .load = load,
    .start = start,
    .run = run,
    .stop = stop,
    .versions = versions,
    .library = clam_library,
};
