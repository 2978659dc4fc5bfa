/*
 * Detector "clamav": viruses, by libclamav on the whole message.
 *
 * The raw bytes go to libclamav, which has a mail parser of its own (its signatures for
 * mail need it). It takes a file for mail by the look of its first lines or of a few
 * well-known field names anywhere; a message without those would be scanned as plain
 * text and its attachments would not be unpacked. So a message that does not begin like
 * mail gets a Received line in front, in a copy.
 *
 * Where readers may see more than libclamav's parser does, it gets that as well: see
 * message_part.is_hidden.
 *
 * libclamav writes each part of a mail to a file, and does not look at its limits while
 * it does so: with 10,000 parts that takes longer than a worker may. A mail with more
 * parts than our own parser lists is cut there.
 *
 * No signatures: load fails and the chain reports the detector as degraded. Limits are
 * findings, too, as "clean as far as I looked" is not clean. Heuristics on links are a
 * finding with a score, not a virus: they are wrong too often to refuse mail on them.
 * Macros and encryption are what a site's policy may mind; they are no virus either.
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
    size_t max_html_size;
};

static const struct scan_symbol symbols[] = {
    {"VIRUS", 1000, "libclamav knows a virus in the message"},
    {"MX_CLAMAV_PHISHING", 2.5, "libclamav's heuristics take links for phishing"},
    {"MX_CLAMAV_LIMITS", 0, "the message exceeds a limit of the virus scanner"},
    {0},
};

/* Declared by the attachments detector, too, which looks for them in its own way. */
static const struct scan_symbol shared_symbols[] = {
    {"MX_DOC_MACROS", 0, "document with macros"},
    {"MX_DOC_ENCRYPTED", 0,
     "encrypted document; a PDF of that kind may open without a password"},
};

static size_t more_symbols(const void *opaque, const struct scan_symbol **out)
{
    (void)opaque;
    *out = shared_symbols;
    return sizeof(shared_symbols) / sizeof(shared_symbols[0]);
}

static int load(void *opaque, const struct scan_env *env, struct mx_err *err)
{
    struct state *state = opaque;
    const struct clamav_settings *settings = env->settings;
    state->max_html_size = (size_t)settings->max_html_size;
    return clam_engine_load(settings, &state->engine, err);
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

/* Something must be left to answer with when libclamav used up its time. */
static int64_t time_for(const struct message *msg)
{
    return scan_left_ms(msg) / 4 * 3;
}

static bool has_too_many_parts(const struct message *msg)
{
    return msg->n_parts > 1 && (msg->cuts & (MESSAGE_CUT_PARTS | MESSAGE_CUT_BOUNDARIES));
}

/* Up to the first part that our parser does not list, roughly: all lines that could be
   boundaries count. */
static struct mx_str without_more_parts(struct mx_str mail)
{
    const char *end = mail.p + mail.n, *at = mail.p;
    for (size_t i = 0; i < MESSAGE_PARTS_MAX && at != NULL; i++) {
        at = memmem(at, (size_t)(end - at), "\n--", 3);
        at = at != NULL ? at + 3 : NULL;
    }
    return at != NULL ? mx_str_of(mail.p, (size_t)(at - mail.p)) : mail;
}

static int scan_mail(struct state *state, const struct message *msg, struct mx_str mail,
                     struct clam_report *out, struct mx_err *err)
{
    if (has_too_many_parts(msg))
        mail = without_more_parts(mail);
    if (looks_like_mail(mail))
        return clam_engine_scan(state->engine, mail, time_for(msg), out, err);
    size_t n = strlen(MAIL_PREFIX) + mail.n;
    char *copy = mx_xalloc(n);
    memcpy(copy, MAIL_PREFIX, strlen(MAIL_PREFIX));
    if (mail.n > 0)
        memcpy(copy + strlen(MAIL_PREFIX), mail.p, mail.n);
    int rc = clam_engine_scan(state->engine, mx_str_of(copy, n), time_for(msg), out, err);
    free(copy);
    return rc;
}

static int scan_hidden(struct state *state, const struct message *msg,
                       const struct message_part *part, struct clam_report *out,
                       struct mx_err *err)
{
    if (mx_str_starts(part->type, MX_STR("message/")))
        return scan_mail(state, msg, part->content, out, err);
    return clam_engine_scan(state->engine, part->content, time_for(msg), out, err);
}

static void report(const struct clam_report *found, struct scan_result *result)
{
    static const char *const by_kind[CLAM_KINDS] = {
        [CLAM_VIRUS] = "VIRUS",
        [CLAM_PHISHING] = "MX_CLAMAV_PHISHING",
        [CLAM_LIMIT] = "MX_CLAMAV_LIMITS",
        [CLAM_MACROS] = "MX_DOC_MACROS",
        [CLAM_ENCRYPTED] = "MX_DOC_ENCRYPTED",
    };
    for (size_t i = 0; i < CLAM_KINDS; i++)
        if (found->name[i] != NULL)
            scan_add(result, by_kind[i], "%s", found->name[i]);
    if (found->name[CLAM_VIRUS] == NULL)
        return;
    scan_virus(result, mx_str(found->name[CLAM_VIRUS]));
    scan_final(result);
}

/* libclamav says nothing about HTML that it did not normalise. */
static bool is_large_html(const struct state *state, const struct message_part *part)
{
    return mx_str_eq(part->type, MX_STR("text/html")) &&
           part->content.n > state->max_html_size;
}

static int run(void *opaque, const struct message *msg, struct scan_result *result,
               struct mx_err *err)
{
    struct state *state = opaque;
    struct clam_report found;
    if (scan_mail(state, msg, msg->raw, &found, err) < 0)
        return -1;
    report(&found, result);
    if (has_too_many_parts(msg))
        scan_add(result, "MX_CLAMAV_LIMITS", "over %d parts", MESSAGE_PARTS_MAX);
    for (size_t i = 0; i < msg->n_parts && found.name[CLAM_VIRUS] == NULL; i++) {
        const struct message_part *part = &msg->parts[i];
        if (is_large_html(state, part))
            scan_add(result, "MX_CLAMAV_LIMITS", "HTML larger than max_html_size");
        if (!part->is_hidden)
            continue;
        if (scan_hidden(state, msg, part, &found, err) < 0)
            return -1;
        report(&found, result);
    }
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
    .more_symbols = more_symbols,
    .load = load,
    .start = start,
    .run = run,
    .stop = stop,
    .versions = versions,
    .library = clam_library,
};
