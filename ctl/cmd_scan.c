/*
 * mxdropctl scan: what the scanners find in messages, without an envelope and without a
 * verdict. By running scanners, or by the same engine in this process (--local).
 */
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_profile.h"
#include "ctl_scan.h"
#include "ctl_scanner.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_mail.h"
#include "mx_time.h"

#define ONLY_MAX 32              /* detectors that can be named */
#define EPOCH_MAX 253402300799LL /* seconds: the year 9999 */

enum {
    OPT_LOCAL = 256,
    OPT_JSON,
    OPT_ONLY,
    OPT_NOW,
    OPT_RULES,
    OPT_PROFILE,
    OPT_ENDPOINT,
    OPT_PUBLIC_KEY,
    OPT_KEYS
};

struct scan {
    struct ctl *ctl;
    struct ctl_scanner_options where;
    bool is_json, is_profile;
    struct ctl_profile *profile; /* NULL: not asked for */
    char *only[ONLY_MAX];
    size_t n_only;
    int64_t now_s; /* 0: the real time */
    char **names;
    size_t n_names;
    struct ctl_scanner *scanner;
    size_t n_scanned, n_failed;
};

static const struct argp_option options[] = {
    {"local", OPT_LOCAL, NULL, 0, "Scan in this process, without daemons", 1},
    {"json", OPT_JSON, NULL, 0, "One JSON object a line", 1},
    {"only", OPT_ONLY, "DETECTOR,...", 0, "Run only these detectors", 1},
    {"now", OPT_NOW, "EPOCH", 0, "Scan as if it were this second since 1970", 1},
    {"profile", OPT_PROFILE, NULL, 0,
     "Where the time goes, over all messages: detectors, stages, the costliest rules", 1},
    {"rules", OPT_RULES, "DIR[:DIR]...", 0,
     "With --local: SpamAssassin rules of these directories, without overlay", 1},
    {"endpoint", OPT_ENDPOINT, "ENDPOINT", 0,
     "Ask this scanner (default: those that are "
     "registered)",
     2},
    {"public-key", OPT_PUBLIC_KEY, "KEY", 0, "Public key of that scanner, for tcp://", 2},
    {"keys", OPT_KEYS, "FILE", 0, "Our key pair, as keygen printed it (or $MXDROP_KEYS)",
     2},
    CTL_OPTION_CONFIG,
    {0},
};

static void take_only(struct scan *scan, struct argp_state *state, const char *arg)
{
    struct mx_str rest = mx_str(arg), name;

    while (mx_str_next(&rest, ',', &name) == 0) {
        if (name.n == 0)
            continue;
        if (scan->n_only == ONLY_MAX) {
            argp_error(state, "--only: at most %d detectors", ONLY_MAX);
            return;
        }
        scan->only[scan->n_only++] =
            mx_arena_printf(scan->ctl->arena, "%.*s", MX_STR_FMT(name));
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct scan *scan = state->input;

    switch (key) {
    case OPT_LOCAL: scan->where.is_local = true; return 0;
    case OPT_JSON: scan->is_json = true; return 0;
    case OPT_PROFILE: scan->is_profile = true; return 0;
    case OPT_RULES:
        scan->where.dirs = ctl_scanner_dirs(scan->ctl->arena, arg);
        scan->where.overlay = ""; /* the configured one belongs to configured rules */
        return 0;
    case OPT_ENDPOINT: scan->where.endpoint = arg; return 0;
    case OPT_PUBLIC_KEY: scan->where.public_key = arg; return 0;
    case OPT_KEYS: scan->where.keys_path = arg; return 0;
    case OPT_ONLY: take_only(scan, state, arg); return 0;
    case OPT_NOW:
        if (mx_str_to_int(mx_str(arg), 1, EPOCH_MAX, &scan->now_s, NULL) != 0)
            argp_error(state, "--now: seconds since 1970 are wanted");
        return 0;
    case ARGP_KEY_ARGS:
        scan->names = state->argv + state->next;
        scan->n_names = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which messages? FILE, DIR or -"); return 0;
    default: return ctl_option(scan->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "FILE|DIR|-...",
    .doc =
        "What the scanners find in messages.\v"
        "Nothing but the message is known to them here: no client, no envelope. Exit 0 "
        "if all messages were scanned, whatever was found in them."};

/* ---- one message ---- */

static void tell_fault(struct scan *scan, const char *name, const char *fault)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);

    scan->n_failed++;
    if (scan->is_json)
        fprintf(scan->ctl->out, "{\"file\":%s,\"error\":%s}\n",
                mx_str_json(arena, mx_str(name)), mx_str_json(arena, mx_str(fault)));
    fprintf(stderr, "mxdropctl: scan: %s: %s\n", ctl_text(arena, mx_str(name)),
            ctl_text(arena, mx_str(fault)));
    mx_arena_free(arena);
}

static void show(const struct scan *scan, struct mx_arena *arena,
                 const struct ctl_scan *result)
{
    FILE *out = scan->ctl->out;

    if (scan->is_json) {
        ctl_scan_json(arena, result, out);
        fputs("\n", out);
    } else {
        ctl_scan_text(arena, result, out);
    }
    fflush(out);
}

static void tell_progress(const struct scan *scan)
{
    if (scan->ctl->is_progress && !isatty(STDOUT_FILENO))
        fprintf(scan->ctl->info, "\r%zu scanned", scan->n_scanned + scan->n_failed);
}

static int scan_one(void *user, const char *name, struct mx_str text, const char *fault)
{
    struct scan *scan = user;
    Mxp__ScanRequest request = MXP__SCAN_REQUEST__INIT;
    struct mx_arena *arena;
    Mxp__ScanReply *reply;
    struct mx_err err;

    if (fault) {
        tell_fault(scan, name, fault);
        return 0;
    }
    request.id = (char *)(uintptr_t) "ctl";
    request.size = text.n;
    request.only = scan->only;
    request.n_only = scan->n_only;
    request.profile = scan->profile != NULL;
    request.received_at_ms = scan->now_s * 1000;
    arena = ctl_scanner_arena(scan->scanner, text.n);
    if (ctl_scanner_run(scan->scanner, arena, &request, text, &reply, &err) == 0) {
        scan->n_scanned++;
        if (scan->profile)
            ctl_profile_add(scan->profile, reply);
        show(scan, arena, &(struct ctl_scan){.file = name, .reply = reply});
    } else {
        tell_fault(scan, name, err.text);
    }
    mx_arena_free(arena);
    tell_progress(scan);
    return 0;
}

/* ---- all ---- */

static void show_profile(struct scan *scan)
{
    struct ctl *ctl = scan->ctl;

    if (scan->profile && scan->is_json)
        ctl_profile_json(scan->profile, ctl->arena, ctl->out);
    else if (scan->profile && scan->n_scanned > 0) {
        fputs("\n", ctl->out);
        ctl_profile_text(scan->profile, ctl->arena, ctl->out);
    }
    ctl_profile_free(scan->profile);
}

static int run(struct scan *scan, struct mx_err *err)
{
    int status;

    if (scan->where.dirs != NULL && !scan->where.is_local)
        return mx_err_set(err, MX_ERR_INPUT, "--rules needs --local");
    if (ctl_scanner_open(scan->ctl, &scan->where, &scan->scanner, err) != 0)
        return -1;
    scan->profile = scan->is_profile ? ctl_profile_new() : NULL;
    status = mx_mail_each(scan->names, scan->n_names, scan_one, scan, err);
    ctl_scanner_close(scan->scanner);
    if (scan->ctl->is_progress && !isatty(STDOUT_FILENO) && scan->n_scanned > 0)
        fputs("\n", scan->ctl->info);
    show_profile(scan);
    if (status == 0 && scan->n_failed > 0)
        status = mx_err_set(err, MX_ERR_DOWN, "%zu of %zu messages were not scanned",
                            scan->n_failed, scan->n_failed + scan->n_scanned);
    return status;
}

int cmd_scan(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct scan scan = {.ctl = ctl};

    argp_parse(&argp, argc, argv, 0, NULL, &scan);
    return run(&scan, err) == 0 ? 0 : mx_err_wrap(err, "scan");
}
