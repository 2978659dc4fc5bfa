/*
 * mxdropctl explain: an envelope, and a message where one is given, through the running
 * chains, stage by stage, as a shim would ask. Every request says explain: policyd
 * decides and shows how, but records nothing.
 *
 * A stage that refuses does not end it: what the later ones would have said is asked,
 * too. Recipients that were refused at RCPT are left out at CONTENT, as in a real
 * session.
 */
#include <string.h>

#include "ctl.h"
#include "mx_mail.h"
#include "ctl_peers.h"
#include "ctl_scan.h"
#include "ctl_scanner.h"
#include "ctl_store.h"
#include "ctl_trace.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_net.h"
#include "mxp_pack.h"

#define ASK_MS 10000 /* one stage */
#define RCPTS_MAX 100

enum {
    OPT_IP = 256,
    OPT_NAME,
    OPT_HELO,
    OPT_FROM,
    OPT_RCPT,
    OPT_AUTH,
    OPT_JSON,
    OPT_ENDPOINT,
    OPT_PUBLIC_KEY,
    OPT_KEYS
};

struct explain {
    struct ctl *ctl;
    const char *ip, *name, *helo, *from, *auth, *file;
    const char *rcpts[RCPTS_MAX];
    size_t n_rcpts;
    bool is_json;
    const char *endpoint, *public_key, *keys_path;
    struct mxp_keys keys;
    struct mx_net client_net;
    struct mxp_client *client;
    Mxp__Recipient *accepted[RCPTS_MAX];
    size_t n_accepted;
    size_t n_shown;
};

static const struct argp_option options[] = {
    {"ip", OPT_IP, "A", 0, "Address of the client", 1},
    {"name", OPT_NAME, "N", 0, "Its verified name (default: none)", 1},
    {"helo", OPT_HELO, "H", 0, "What it says at HELO", 1},
    {"from", OPT_FROM, "S", 0, "Sender; \"\" or <> is the null sender", 1},
    {"rcpt", OPT_RCPT, "R", 0, "Recipient; may be repeated", 1},
    {"auth", OPT_AUTH, "USER", 0, "Authenticated as", 1},
    {"json", OPT_JSON, NULL, 0, "One JSON object", 2},
    {"endpoint", OPT_ENDPOINT, "ENDPOINT", 0,
     "Ask this policyd (default: those that are "
     "registered)",
     2},
    {"public-key", OPT_PUBLIC_KEY, "KEY", 0, "Public key of that policyd, for tcp://", 2},
    {"keys", OPT_KEYS, "FILE", 0, CTL_PEERS_KEYS_DOC, 2},
    CTL_OPTION_CONFIG,
    {0},
};

static void check_arguments(struct explain *e, struct argp_state *state)
{
    struct mx_err err;

    if (!e->ip || !e->helo || !e->from || e->n_rcpts == 0)
        argp_error(state, "--ip, --helo, --from and --rcpt are wanted");
    else if (mx_net_parse(mx_str(e->ip), &e->client_net, &err) != 0 ||
             e->client_net.bits != (e->client_net.family == 4 ? 32 : 128))
        argp_error(state, "--ip %s: not an address", e->ip);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct explain *e = state->input;

    switch (key) {
    case OPT_IP: e->ip = arg; return 0;
    case OPT_NAME: e->name = arg; return 0;
    case OPT_HELO: e->helo = arg; return 0;
    case OPT_FROM: e->from = arg; return 0;
    case OPT_AUTH: e->auth = arg; return 0;
    case OPT_JSON: e->is_json = true; return 0;
    case OPT_ENDPOINT: e->endpoint = arg; return 0;
    case OPT_PUBLIC_KEY: e->public_key = arg; return 0;
    case OPT_KEYS: e->keys_path = arg; return 0;
    case OPT_RCPT:
        if (e->n_rcpts == RCPTS_MAX)
            argp_error(state, "--rcpt: at most %d", RCPTS_MAX);
        else
            e->rcpts[e->n_rcpts++] = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (e->file)
            argp_error(state, "%s: one message at a time", arg);
        e->file = arg;
        return 0;
    case ARGP_KEY_END: check_arguments(e, state); return 0;
    default: return ctl_option(e->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "[FILE]",
    .doc =
        "How the running chains decide about an envelope, and about a message (FILE, or "
        "- for standard input): each module, its answers, its time.\v"
        "Nothing is recorded: asking neither greylists nor counts."};

/* ---- requests ---- */

/* "<a@b>", as it stands in SMTP. */
static ProtobufCBinaryData path_of(struct mx_arena *arena, const char *address)
{
    if (address[0] == '<')
        return mxp_bytes(mx_str(address));
    return mxp_bytes(mx_str(mx_arena_printf(arena, "<%s>", address)));
}

static char *borrow(const char *text)
{
    return (char *)(uintptr_t)(text ? text : "");
}

/* What is known at ${stage}: as a shim says it. */
static void fill(struct explain *e, Mxp__Stage stage, Mxp__PolicyRequest *out)
{
    mxp__policy_request__init(out);
    out->stage = stage;
    out->id = out->connection = borrow("explain");
    out->explain = true;
    out->client_addr =
        mxp_bytes(mx_str_of(e->client_net.addr, e->client_net.family == 4 ? 4 : 16));
    out->client_name = mxp_bytes(mx_str(e->name));
    out->auth_user = borrow(e->auth);
    if (stage >= MXP__STAGE__STAGE_HELO)
        out->helo = mxp_bytes(mx_str(e->helo));
    if (stage >= MXP__STAGE__STAGE_MAIL)
        out->sender = path_of(e->ctl->arena, e->from);
    out->rcpts = e->accepted;
    out->n_rcpts = stage >= MXP__STAGE__STAGE_RCPT ? e->n_accepted : 0;
}

static int ask(struct explain *e, const Mxp__PolicyRequest *request,
               const Mxp__PolicyReply **out, struct mx_err *err)
{
    const struct ctl_peers_call call = {.call = {.type = MXP_POLICY_REQUEST,
                                                 .payload = &request->base,
                                                 .reply_type = MXP_POLICY_REPLY,
                                                 .deadline_ms = ASK_MS},
                                        .descriptor = &mxp__policy_reply__descriptor};
    ProtobufCMessage *reply;

    if (ctl_peers_ask(e->client, e->ctl->arena, &call, &reply, err) != 0)
        return -1;
    *out = (const Mxp__PolicyReply *)reply;
    return 0;
}

static void show(struct explain *e, const char *stage, const char *argument,
                 const Mxp__PolicyReply *reply)
{
    const struct ctl_trace trace = {.stage = stage, .argument = argument, .reply = reply};

    if (!e->is_json) {
        ctl_trace_text(e->ctl->arena, &trace, e->ctl->out);
        return;
    }
    if (e->n_shown++)
        fputs(",", e->ctl->out);
    ctl_trace_json(e->ctl->arena, &trace, e->ctl->out);
}

static int explain_stage(struct explain *e, Mxp__Stage stage, const char *name,
                         const char *argument, struct mx_err *err)
{
    Mxp__PolicyRequest request;
    const Mxp__PolicyReply *reply;

    fill(e, stage, &request);
    if (ask(e, &request, &reply, err) != 0)
        return mx_err_wrap(err, "%s", name);
    show(e, name, argument, reply);
    return 0;
}

/* One recipient; what policyd says of it is handed back at CONTENT. */
static int explain_rcpt(struct explain *e, const char *address, struct mx_err *err)
{
    Mxp__Recipient *rcpt = mx_arena_alloc(e->ctl->arena, sizeof(*rcpt));
    Mxp__PolicyRequest request;
    const Mxp__PolicyReply *reply;

    mxp__recipient__init(rcpt);
    rcpt->path = path_of(e->ctl->arena, address);
    fill(e, MXP__STAGE__STAGE_RCPT, &request);
    request.rcpt = rcpt;
    if (ask(e, &request, &reply, err) != 0)
        return mx_err_wrap(err, "rcpt %s", address);
    show(e, "rcpt", address, reply);
    if (reply->action == MXP__ACTION__ACTION_REJECT)
        return 0;
    if (reply->rcpt) {
        rcpt->mailboxes = reply->rcpt->mailboxes;
        rcpt->n_mailboxes = reply->rcpt->n_mailboxes;
        rcpt->rewritten = reply->rcpt->rewritten;
        rcpt->split_class = reply->rcpt->split_class;
        rcpt->marks = reply->rcpt->marks;
        rcpt->n_marks = reply->rcpt->n_marks;
    }
    e->accepted[e->n_accepted++] = rcpt;
    return 0;
}

static int explain_envelope(struct explain *e, struct mx_err *err)
{
    if (explain_stage(e, MXP__STAGE__STAGE_CONNECT, "connect", e->ip, err) != 0 ||
        explain_stage(e, MXP__STAGE__STAGE_HELO, "helo", e->helo, err) != 0 ||
        explain_stage(e, MXP__STAGE__STAGE_MAIL, "mail", e->from, err) != 0)
        return -1;
    for (size_t i = 0; i < e->n_rcpts; i++) {
        if (explain_rcpt(e, e->rcpts[i], err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the message ---- */

static int scan(struct explain *e, struct mx_str message, Mxp__ScanReply **out,
                struct mx_err *err)
{
    const struct ctl_scanner_options where = {.keys_path = e->keys_path};
    Mxp__ScanRequest request = MXP__SCAN_REQUEST__INIT;
    struct ctl_scanner *scanner;
    int status;

    if (ctl_scanner_open(e->ctl, &where, &scanner, err) != 0)
        return -1;
    request.id = borrow("explain");
    request.client_addr =
        mxp_bytes(mx_str_of(e->client_net.addr, e->client_net.family == 4 ? 4 : 16));
    request.client_name = mxp_bytes(mx_str(e->name));
    request.helo = mxp_bytes(mx_str(e->helo));
    request.sender = path_of(e->ctl->arena, e->from);
    request.auth_user = borrow(e->auth);
    request.size = message.n;
    status = ctl_scanner_run(scanner, e->ctl->arena, &request, message, out, err);
    ctl_scanner_close(scanner);
    return status;
}

static void show_scan(struct explain *e, const Mxp__ScanReply *reply)
{
    const struct ctl_scan result = {.file = e->file, .reply = reply};

    if (e->is_json) {
        fputs("],\"scan\":", e->ctl->out);
        ctl_scan_json(e->ctl->arena, &result, e->ctl->out);
        fputs(",\"content\":[", e->ctl->out);
        e->n_shown = 0;
    } else {
        fputs("scan ", e->ctl->out);
        ctl_scan_text(e->ctl->arena, &result, e->ctl->out);
    }
}

static int decide(struct explain *e, struct mx_str message, Mxp__ScanReply *found,
                  struct mx_err *err)
{
    Mxp__PolicyRequest request;
    const Mxp__PolicyReply *reply;

    fill(e, MXP__STAGE__STAGE_CONTENT, &request);
    request.scan = found;
    request.size = message.n;
    if (ask(e, &request, &reply, err) != 0)
        return mx_err_wrap(err, "content");
    show(e, "content", e->file, reply);
    return 0;
}

static int explain_message(struct explain *e, struct mx_err *err)
{
    struct mx_buf text = {0};
    struct mx_str message;
    Mxp__ScanReply *found;
    int status;

    if (mx_mail_read(e->file, &text, err) != 0)
        return -1;
    message = mx_str_of(text.p ? text.p : "", text.n);
    status = scan(e, message, &found, err);
    if (status == 0) {
        show_scan(e, found);
        if (e->n_accepted > 0)
            status = decide(e, message, found, err);
        else if (!e->is_json)
            fputs("content is not reached: every recipient is refused\n", e->ctl->out);
    }
    mx_buf_fini(&text);
    return status;
}

/* ---- all ---- */

static int open_policyd(struct explain *e, struct mx_err *err)
{
    Mxp__TopologyReply *topology;

    if (ctl_peers_keys(e->ctl->arena, e->keys_path, &e->keys, err) != 0)
        return -1;
    if (e->endpoint)
        return ctl_peers_open_one(e->endpoint, e->public_key, &e->keys, &e->client, err);
    if (ctl_store_topology(e->ctl, &topology, err) != 0)
        return -1;
    if (ctl_peers_open(topology->policyds, topology->n_policyds, &e->keys, &e->client,
                       err) != 0)
        return mx_err_wrap(err, "policyd");
    return 0;
}

int cmd_explain(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct explain e = {.ctl = ctl};
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &e);
    status = open_policyd(&e, err);
    if (e.is_json && status == 0)
        fputs("{\"stages\":[", ctl->out);
    if (status == 0)
        status = explain_envelope(&e, err);
    if (status == 0 && e.file)
        status = explain_message(&e, err);
    if (e.is_json && status == 0)
        fputs("]}\n", ctl->out);
    if (e.client)
        mxp_client_free(e.client);
    return status == 0 ? 0 : mx_err_wrap(err, "explain");
}
