/*
 * One interface over two ways to scan. The local one is the scanner's own engine linked
 * into this program: same detectors, same scores, no daemon, no second process that dies
 * for us. It is the one place where ctl knows of scand.
 */
#include "ctl_scanner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_peers.h"
#include "ctl_store.h"
#include "mx_arena.h"
#include "mx_conf.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "scan_local.h"

#define SCAN_MS 120000                  /* for one message, its retry included */
#define REPLY_ARENA ((size_t)256 << 20) /* bytes; a reply has at most 8 MiB */

struct ctl_scanner {
    struct mxp_client *client; /* NULL: local */
    struct mx_conf *conf;
    struct scan_local *local;
};

/* ---- in this process ---- */

int ctl_scanner_conf(const struct ctl *ctl, struct mx_conf **out, struct mx_err *err)
{
    static const struct mx_conf_section *const sections[] = {&scan_conf_section, NULL};
    const char *path = ctl_conf_path(ctl);
    const char *from_env = getenv("MXDROP_CONFIG");

    if (!ctl->conf_path && !(from_env && *from_env) && access(path, F_OK) != 0)
        path = NULL;
    return mx_conf_load(path, sections, mx_daemon_section_names, out, err);
}

const char *const *ctl_scanner_dirs(struct mx_arena *arena, const char *path)
{
    struct mx_str rest = mx_str(path), dir;
    size_t n = 0, room = 2;
    const char **dirs;

    for (const char *p = path; *p; p++)
        room += *p == ':';
    dirs = mx_arena_array(arena, room, sizeof(*dirs));
    while (mx_str_next(&rest, ':', &dir) == 0) {
        if (dir.n > 0)
            dirs[n++] = mx_arena_printf(arena, "%.*s", MX_STR_FMT(dir));
    }
    return dirs;
}

void ctl_scanner_tell_loading(const struct ctl *ctl, const char *what)
{
    if (ctl->is_progress)
        fprintf(ctl->info,
                "%sloading rules; patterns that the cache does not have take some 20 s\n",
                what);
}

static int open_local(const struct ctl *ctl, const struct ctl_scanner_options *options,
                      struct ctl_scanner *scanner, struct mx_err *err)
{
    struct scan_local_options local = {.dirs = options->dirs,
                                       .overlay = options->overlay,
                                       .is_for_scores = options->is_for_scores};
    const char *fault;

    if (ctl_scanner_conf(ctl, &scanner->conf, err) != 0 ||
        scan_local_open(scanner->conf, &local, &scanner->local, err) != 0)
        return -1;
    for (size_t i = 0; (fault = scan_local_fault(scanner->local, i)); i++)
        fprintf(ctl->info, "not checked: %s\n", ctl_text(ctl->arena, mx_str(fault)));
    if (ctl->is_progress && options->is_for_scores)
        fprintf(ctl->info, "rules: %s\n",
                ctl_text(ctl->arena, mx_str(scan_local_rules(scanner->local))));
    return 0;
}

/* ---- a running one ---- */

static int open_remote(struct ctl *ctl, const struct ctl_scanner_options *options,
                       struct ctl_scanner *scanner, struct mx_err *err)
{
    Mxp__TopologyReply *topology;
    struct mxp_keys keys;

    if (ctl_peers_keys(ctl->arena, options->keys_path, &keys, err) != 0)
        return -1;
    if (options->endpoint)
        return ctl_peers_open_one(options->endpoint, options->public_key, &keys,
                                  &scanner->client, err);
    if (ctl_store_topology(ctl, &topology, err) != 0)
        return -1;
    if (ctl_peers_open(topology->scanners, topology->n_scanners, &keys, &scanner->client,
                       err) != 0)
        return mx_err_wrap(err, "scanners");
    return 0;
}

int ctl_scanner_open(struct ctl *ctl, const struct ctl_scanner_options *options,
                     struct ctl_scanner **out, struct mx_err *err)
{
    struct ctl_scanner *scanner = mx_xalloc(sizeof(*scanner));
    int status = options->is_local ? open_local(ctl, options, scanner, err)
                                   : open_remote(ctl, options, scanner, err);

    if (status == 0)
        *out = scanner;
    else
        ctl_scanner_close(scanner);
    return status;
}

void ctl_scanner_close(struct ctl_scanner *scanner)
{
    if (!scanner)
        return;
    if (scanner->client)
        mxp_client_free(scanner->client);
    if (scanner->local)
        scan_local_close(scanner->local);
    mx_conf_free(scanner->conf);
    free(scanner);
}

struct mx_arena *ctl_scanner_arena(const struct ctl_scanner *scanner, size_t n)
{
    return mx_arena_new(scanner->client ? REPLY_ARENA : scan_local_arena_size(n));
}

/* ZeroMQ may still hold the body when a call ends early, the caller's text is gone then:
   it gets a copy. */
static struct mxp_body *copy_body(struct mx_str message)
{
    char *copy = mx_xalloc(message.n + 1);

    memcpy(copy, message.p, message.n);
    return mxp_body_new(copy, message.n, free, copy);
}

static int run_remote(struct mxp_client *client, struct mx_arena *arena,
                      const Mxp__ScanRequest *request, struct mx_str message,
                      ProtobufCMessage **out, struct mx_err *err)
{
    struct ctl_peers_call call = {.call = {.type = MXP_SCAN_REQUEST,
                                           .payload = &request->base,
                                           .body = copy_body(message),
                                           .reply_type = MXP_SCAN_REPLY,
                                           .deadline_ms = SCAN_MS},
                                  .descriptor = &mxp__scan_reply__descriptor};
    int status = ctl_peers_ask(client, arena, &call, out, err);

    mxp_body_unref(call.call.body);
    return status;
}

int ctl_scanner_run(struct ctl_scanner *scanner, struct mx_arena *arena,
                    const Mxp__ScanRequest *request, struct mx_str message,
                    Mxp__ScanReply **out, struct mx_err *err)
{
    const struct scan_local_input input = {
        .message = message, .request = request, .now_ms = request->received_at_ms};
    ProtobufCMessage *reply;

    if (!scanner->client) {
        scan_local_run(scanner->local, arena, &input, out);
        return 0;
    }
    if (run_remote(scanner->client, arena, request, message, &reply, err) != 0)
        return -1;
    *out = (Mxp__ScanReply *)reply;
    return 0;
}
