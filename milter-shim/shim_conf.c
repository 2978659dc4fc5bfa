/*
 * The keys of section "milter" and what is derived from them once instead of per mail.
 * A snapshot is immutable and counted: a reload makes another one, sessions that run
 * keep the one they began with, the last holder frees it.
 */
#include "shim_conf.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"
#include "mxp_address.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define AT(member) offsetof(struct shim_conf, member)

static const char *const policyd_down_words[] = {"tempfail", "continue", NULL};
static const char *const scand_down_words[] = {"tempfail", "accept-unscanned", "hold",
                                               NULL};

static const struct mx_conf_key keys[] = {
    {.name = "socket",
     .type = MX_CONF_STRING,
     .offset = AT(socket),
     .max = 256,
     .def = "unix:/run/mxdrop/milter.sock",
     .doc = "Where the MTA reaches the filter: unix:PATH, inet:PORT@HOST or "
            "inet6:PORT@HOST."},
    {.name = "socket_mode",
     .type = MX_CONF_STRING,
     .offset = AT(socket_mode),
     .max = 4,
     .def = "0660",
     .doc = "Mode of a UNIX socket, octal. The MTA's user needs write access."},
    {.name = "user",
     .type = MX_CONF_STRING,
     .offset = AT(user),
     .max = 64,
     .doc = "Started as root, become this user once the socket is bound."},
    {.name = "allow_root",
     .type = MX_CONF_BOOL,
     .offset = AT(allow_root),
     .def = "false",
     .doc = "Keep running as root. For test set-ups in containers only."},
    {.name = "backlog",
     .type = MX_CONF_INT,
     .offset = AT(backlog),
     .min = 1,
     .max = 65535,
     .def = "1024",
     .doc = "Connections that may wait to be accepted."},
    {.name = "mta_timeout",
     .type = MX_CONF_DURATION,
     .offset = AT(mta_timeout_ms),
     .min = 10 * SECOND,
     .max = 24 * 60 * MINUTE,
     .def = "2h",
     .doc = "Give an MTA connection up when nothing was heard for so long. Inside a "
            "packet that is exact; connections at rest are looked at every 10 minutes."},
    {.name = "policyd",
     .type = MX_CONF_STRINGS,
     .offset = AT(policyd),
     .max = 64,
     .def = "ipc:///run/mxdrop/policyd.sock",
     .doc =
         "Endpoints of policyd, each \"ADDRESS\" or \"ADDRESS PUBLIC-KEY\". Others that "
         "policyd announces, and all scanners, are used without being listed."},
    {.name = "public_key",
     .type = MX_CONF_STRING,
     .offset = AT(public_key),
     .max = 40,
     .doc = "Our CURVE key (mxdropctl keygen); needed for tcp:// between hosts."},
    {.name = "secret_key",
     .type = MX_CONF_STRING,
     .offset = AT(secret_key),
     .max = 40,
     .doc = "CURVE secret key that belongs to it. Keep the file private."},
    {.name = "ask_at",
     .type = MX_CONF_STRINGS,
     .offset = AT(ask_at),
     .max = 4,
     .def = "connect, helo, mail, rcpt",
     .doc = "Stages at which policyd is asked. What is known of a stage that is left out "
            "goes along with the next question."},
    {.name = "envelope_timeout",
     .type = MX_CONF_DURATION,
     .offset = AT(envelope_timeout_ms),
     .min = 10,
     .max = 5 * MINUTE,
     .def = "500ms",
     .doc = "Longest wait for policyd at CONNECT, HELO and MAIL."},
    {.name = "rcpt_timeout",
     .type = MX_CONF_DURATION,
     .offset = AT(rcpt_timeout_ms),
     .min = 10,
     .max = 5 * MINUTE,
     .def = "2s",
     .doc = "Longest wait for policyd at RCPT."},
    {.name = "content_timeout",
     .type = MX_CONF_DURATION,
     .offset = AT(content_timeout_ms),
     .min = 10,
     .max = 5 * MINUTE,
     .def = "5s",
     .doc = "Longest wait for policyd at end of message, after the scan."},
    {.name = "scan_timeout",
     .type = MX_CONF_DURATION,
     .offset = AT(scan_timeout_ms),
     .min = 10,
     .max = 9 * MINUTE,
     .def = "60s",
     .doc = "Longest wait for a scan, with its retry on another scanner."},
    {.name = "scan_attempt",
     .type = MX_CONF_DURATION,
     .offset = AT(scan_attempt_ms),
     .min = 10,
     .max = 9 * MINUTE,
     .def = "25s",
     .doc = "Ask a second scanner when the first has not answered for so long."},
    {.name = "progress",
     .type = MX_CONF_DURATION,
     .offset = AT(progress_ms),
     .min = 100,
     .max = 5 * MINUTE,
     .def = "5s",
     .doc = "Tell the MTA that often that a scan is still running."},
    {.name = "topology_interval",
     .type = MX_CONF_DURATION,
     .offset = AT(topology_ms),
     .min = 100,
     .max = 5 * MINUTE,
     .def = "3s",
     .doc = "Ask policyd that often for the lists of scanners and policyds."},
    {.name = "drain_timeout",
     .type = MX_CONF_DURATION,
     .offset = AT(drain_timeout_ms),
     .min = 0,
     .max = 30 * MINUTE,
     .def = "30s",
     .doc = "On SIGTERM let messages under way finish, at most for so long."},
    {.name = "policyd_down",
     .type = MX_CONF_ENUM,
     .offset = AT(policyd_down),
     .words = policyd_down_words,
     .def = "tempfail",
     .doc = "No policyd answers: 451 4.3.0, or let mail through without policy."},
    {.name = "scand_down",
     .type = MX_CONF_ENUM,
     .offset = AT(scand_down),
     .words = scand_down_words,
     .def = "tempfail",
     .doc = "No scanner answers: 451 4.3.2, or leave it to policyd without findings, or "
            "that and into the MTA's hold queue."},
    {.name = "scand_down_submission",
     .type = MX_CONF_ENUM,
     .offset = AT(scand_down_submission),
     .words = scand_down_words,
     .def = "tempfail",
     .doc = "The same for mail of authenticated users."},
    {.name = "scand_down_early",
     .type = MX_CONF_BOOL,
     .offset = AT(scand_down_early),
     .def = "false",
     .doc = "While no scanner works, turn new sessions away with 421 4.3.2 at connect, "
            "before their bodies are sent. One a second is let in to find out."},
    {.name = "shed_load",
     .type = MX_CONF_INT,
     .offset = AT(shed_load),
     .min = 0,
     .max = 100000,
     .def = "16",
     .doc = "With more scans in flight per scan worker than this, new sessions of "
            "clients from whose network no mail was accepted lately get 421 4.3.2. "
            "0: never."},
    {.name = "shed_load_all",
     .type = MX_CONF_INT,
     .offset = AT(shed_load_all),
     .min = 0,
     .max = 100000,
     .def = "64",
     .doc = "With more scans in flight per scan worker than this, all new sessions but "
            "those of this host get 421 4.3.2. 0: never."},
    {.name = "tempfail_alarm_share",
     .type = MX_CONF_INT,
     .offset = AT(alarm_share),
     .min = 0,
     .max = 100,
     .def = "50",
     .doc = "Raise an alarm (log, /healthz) when one reason makes up more than this per "
            "cent of all answers, as a temporary refusal, for tempfail_alarm_after. "
            "0: never."},
    {.name = "tempfail_alarm_after",
     .type = MX_CONF_DURATION,
     .offset = AT(alarm_after_ms),
     .min = SECOND,
     .max = 24 * 60 * MINUTE,
     .def = "10m",
     .doc = "How long that has to last."},
    {.name = "scan",
     .type = MX_CONF_BOOL,
     .offset = AT(has_scan),
     .def = "true",
     .doc = "Scan bodies. Off: envelope checks only, policyd decides without findings."},
    {.name = "max_recipients",
     .type = MX_CONF_INT,
     .offset = AT(max_recipients),
     .min = 1,
     .max = 10000,
     .def = "1000",
     .doc = "Recipients of one message; more get 452 4.5.3."},
    {.name = "max_headers",
     .type = MX_CONF_INT,
     .offset = AT(max_headers),
     .min = 10,
     .max = 100000,
     .def = "2000",
     .doc = "Header fields of one message; a message with more is refused."},
    {.name = "max_header_bytes",
     .type = MX_CONF_SIZE,
     .offset = AT(max_header_bytes),
     .min = 4 * KIB,
     .max = 16 * MIB,
     .def = "1MiB",
     .doc = "Size of a message's whole header; a longer one is refused."},
    {.name = "body_memory",
     .type = MX_CONF_SIZE,
     .offset = AT(body_memory),
     .min = 0,
     .max = 1024 * MIB,
     .def = "256KiB",
     .doc = "A message up to this size is kept in plain memory, a longer one in a file."},
    {.name = "body_budget",
     .type = MX_CONF_SIZE,
     .offset = AT(body_budget),
     .min = 64 * KIB,
     .max = 1024 * 1024 * MIB,
     .def = "512MiB",
     .doc = "All messages together; beyond it new ones get 452 4.3.1."},
    {.name = "scan_limit",
     .type = MX_CONF_SIZE,
     .offset = AT(scan_limit),
     .min = 4 * KIB,
     .max = 1024 * MIB,
     .def = "25MiB",
     .doc = "Of a message larger than this only header and oversize_head are scanned."},
    {.name = "oversize_head",
     .type = MX_CONF_SIZE,
     .offset = AT(oversize_head),
     .min = 0,
     .max = 1024 * MIB,
     .def = "256KiB",
     .doc = "How much of the body of an oversized message is scanned."},
    {.name = "spool_dir",
     .type = MX_CONF_STRING,
     .offset = AT(spool_dir),
     .doc = "Directory for unlinked message files. Empty: sealed memory files."},
    {.name = "metrics",
     .type = MX_CONF_STRING,
     .offset = AT(metrics),
     .max = 128,
     .doc = "ADDRESS:PORT of /metrics and /healthz. Empty: none."},
    {0},
};

const struct mx_conf_section shim_conf_section = {
    .name = "milter",
    .doc = "The milter between the MTA and the mxdrop cluster (mxdrop-milter).",
    .size = sizeof(struct shim_conf),
    .keys = keys,
};

static const struct {
    const char *name;
    unsigned bit;
} stages[] = {
    {"connect", SHIM_ASK_CONNECT},
    {"helo", SHIM_ASK_HELO},
    {"mail", SHIM_ASK_MAIL},
    {"rcpt", SHIM_ASK_RCPT},
};

static int ask_parse(const struct mx_conf_strings *names, unsigned *out,
                     struct mx_err *err)
{
    unsigned ask = 0;
    for (size_t i = 0; i < names->n; i++) {
        unsigned bit = 0;
        for (size_t s = 0; s < sizeof(stages) / sizeof(stages[0]); s++)
            if (strcmp(names->v[i], stages[s].name) == 0)
                bit = stages[s].bit;
        if (bit == 0)
            return mx_err_set(err, MX_ERR_INPUT,
                              "\"%s\" is no stage: use connect, helo, "
                              "mail, rcpt",
                              names->v[i]);
        ask |= bit;
    }
    *out = ask;
    return 0;
}

static int mode_parse(const char *text, mode_t *out, struct mx_err *err)
{
    char *end;
    unsigned long mode = strtoul(text, &end, 8);
    if (*text < '0' || *text > '7' || *end != '\0' || mode > 0777)
        return mx_err_set(err, MX_ERR_INPUT,
                          "\"%s\" is no mode: use four octal digits, "
                          "\"0660\"",
                          text);
    *out = (mode_t)mode;
    return 0;
}

/* "ADDRESS" or "ADDRESS PUBLIC-KEY". */
static int endpoint_check(const char *text, bool has_keys, struct mx_err *err)
{
    char address[MXP_ADDRESS_MAX + 1];
    size_t n = strcspn(text, " \t");
    snprintf(address, sizeof(address), "%.*s", (int)n, text);
    return mxp_address_check(address, has_keys, err);
}

/* Where a file says something that only we can judge. */
static int at_key(const struct mx_conf *conf, const char *key, struct mx_err *err)
{
    return mx_err_wrap(err, "%s: %s", mx_conf_where(conf, key), key);
}

static int derive(const struct mx_conf *snapshot, struct shim_settings *out,
                  struct mx_err *err)
{
    const struct shim_conf *conf = mx_conf_get(snapshot, "milter");
    out->conf = conf;
    if (ask_parse(&conf->ask_at, &out->ask, err) < 0)
        return at_key(snapshot, "milter.ask_at", err);
    if (mode_parse(conf->socket_mode, &out->socket_mode, err) < 0)
        return at_key(snapshot, "milter.socket_mode", err);
    if (conf->policyd.n == 0) {
        mx_err_set(err, MX_ERR_INPUT, "no endpoint: name at least one policyd");
        return at_key(snapshot, "milter.policyd", err);
    }
    for (size_t i = 0; i < conf->policyd.n; i++)
        if (endpoint_check(conf->policyd.v[i], *conf->public_key != '\0', err) < 0)
            return at_key(snapshot, "milter.policyd", err);
    if ((*conf->public_key == '\0') != (*conf->secret_key == '\0')) {
        mx_err_set(err, MX_ERR_INPUT, "public_key and secret_key go together");
        return at_key(snapshot, "milter.public_key", err);
    }
    return 0;
}

int shim_conf_check(const struct mx_conf *conf, struct mx_err *err)
{
    struct shim_settings settings;
    return derive(conf, &settings, err);
}

int shim_settings_new(const struct mx_conf *snapshot, struct mx_conf *owned,
                      struct shim_settings **out, struct mx_err *err)
{
    struct shim_settings *settings = mx_xalloc(sizeof(*settings));
    if (derive(snapshot, settings, err) < 0) {
        free(settings);
        return -1;
    }
    settings->owned = owned;
    settings->holders = 1;
    *out = settings;
    return 0;
}

struct shim_settings *shim_settings_hold(struct shim_settings *settings)
{
    atomic_fetch_add(&settings->holders, 1);
    return settings;
}

void shim_settings_drop(struct shim_settings *settings)
{
    if (settings == NULL || atomic_fetch_sub(&settings->holders, 1) != 1)
        return;
    mx_conf_free(settings->owned);
    free(settings);
}

const char *shim_settings_restart(const struct shim_conf *old,
                                  const struct shim_conf *new)
{
    if (strcmp(old->socket, new->socket) != 0)
        return "socket";
    if (strcmp(old->socket_mode, new->socket_mode) != 0)
        return "socket_mode";
    if (strcmp(old->user, new->user) != 0)
        return "user";
    if (old->backlog != new->backlog)
        return "backlog";
    if (old->mta_timeout_ms != new->mta_timeout_ms)
        return "mta_timeout";
    if (strcmp(old->public_key, new->public_key) != 0)
        return "public_key";
    if (strcmp(old->secret_key, new->secret_key) != 0)
        return "secret_key";
    if (strcmp(old->metrics, new->metrics) != 0)
        return "metrics";
    return NULL;
}
