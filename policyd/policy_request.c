/*
 * Decoding. A shim is trusted to be ours but passes on what strangers typed, so each size
 * is bounded here once and modules need not care. Bad syntax of an address is no error:
 * fq_rcpt and others judge it. Too long texts are cut where a cut does no harm (HELO,
 * names) and refused where it would (ids, numbers of things).
 */
#include "policy_request.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_pack.h"
#include "policy.pb-c.h"

static struct mx_str cut(struct mx_str s, size_t n)
{
    return mx_str_sub(s, 0, n);
}

static int take_stage(Mxp__Stage stage, struct policy_req *req, struct mx_err *err)
{
    switch (stage) {
    case MXP__STAGE__STAGE_CONNECT: req->stage = POLICY_AT_CONNECT; return 0;
    case MXP__STAGE__STAGE_HELO: req->stage = POLICY_AT_HELO; return 0;
    case MXP__STAGE__STAGE_MAIL: req->stage = POLICY_AT_MAIL; return 0;
    case MXP__STAGE__STAGE_RCPT: req->stage = POLICY_AT_RCPT; return 0;
    case MXP__STAGE__STAGE_CONTENT: req->stage = POLICY_AT_CONTENT; return 0;
    case MXP__STAGE__STAGE_UNKNOWN:
    case _MXP__STAGE_IS_INT_SIZE: break;
    }
    return mx_err_set(err, MX_ERR_INPUT, "stage %d is not known", (int)stage);
}

static int take_id(const char *text, struct mx_str *out, struct mx_err *err)
{
    struct mx_str id = mx_str(text);
    if (id.n > POLICY_ID_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "id of %zu octets", id.n);
    *out = id;
    return 0;
}

static int take_client(const Mxp__PolicyRequest *in, struct policy_req *req,
                       struct mx_err *err)
{
    struct mx_str addr = mxp_str(in->client_addr);
    if (addr.n && mx_net_from_bytes(addr.p, addr.n, &req->client) < 0)
        return mx_err_set(err, MX_ERR_INPUT, "client address of %zu octets", addr.n);
    struct mx_str name = cut(mxp_str(in->client_name), POLICY_TEXT_MAX);
    req->client_name = mx_str_lower(req->arena, name);
    req->helo = cut(mxp_str(in->helo), POLICY_TEXT_MAX);
    req->auth_user = cut(mx_str(in->auth_user), POLICY_TEXT_MAX);
    return 0;
}

static void take_sender(const Mxp__PolicyRequest *in, struct policy_req *req)
{
    req->sender_path = cut(mxp_str(in->sender), POLICY_TEXT_MAX);
    if (req->stage < POLICY_AT_MAIL)
        return;
    if (in->sender.len > MX_ADDR_PATH_MAX ||
        mx_addr_parse(req->arena, mxp_str(in->sender), &req->sender, NULL) < 0)
        req->has_bad_sender = true;
}

/* "User+Detail@dom" to "user@dom": what lists, quota and thresholds know. */
static struct mx_str mailbox_of(struct mx_arena *arena, const struct mx_addr *addr,
                                const char *delimiter)
{
    struct mx_str local = addr->local;
    for (size_t i = 1; i < local.n; i++) {
        if (local.p[i] != '\0' && strchr(delimiter, local.p[i]) != NULL) {
            local = mx_str_sub(local, 0, i);
            break;
        }
    }
    const char *text = addr->domain.n
                           ? mx_arena_printf(arena, "%.*s@%.*s", MX_STR_FMT(local),
                                             MX_STR_FMT(addr->domain))
                           : mx_arena_printf(arena, "%.*s", MX_STR_FMT(local));
    return mx_str_lower(arena, mx_str(text));
}

static const struct mx_str *texts(struct mx_arena *arena, char **v, size_t n)
{
    struct mx_str *out = mx_arena_array(arena, n, sizeof(*out));
    for (size_t i = 0; i < n; i++)
        out[i] = mx_str(v[i]);
    return out;
}

/* "NOTIFY=... ORCPT=...": what RFC 3461 wants passed along with a copy. */
static struct mx_str delivery_args(struct mx_arena *arena, const Mxp__Recipient *in)
{
    const char *out = "";
    for (size_t i = 0; i < in->n_args && i < POLICY_ARGS_MAX; i++) {
        struct mx_str arg = cut(mxp_str(in->args[i]), POLICY_TEXT_MAX);
        if (mx_str_istarts(arg, MX_STR("NOTIFY=")) ||
            mx_str_istarts(arg, MX_STR("ORCPT=")))
            out = mx_arena_printf(arena, "%s%s%s", out, *out ? " " : "",
                                  mx_str_cstr(arena, arg));
    }
    return mx_str(out);
}

static int take_rcpt(struct mx_arena *arena, const Mxp__Recipient *in,
                     const char *delimiter, struct policy_rcpt *out, struct mx_err *err)
{
    if (in->n_mailboxes > POLICY_MAILBOXES_MAX || in->n_marks > POLICY_MARKS_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "recipient with %zu mailboxes, %zu marks",
                          in->n_mailboxes, in->n_marks);
    out->path = mxp_str(in->path);
    out->is_bad = out->path.n > MX_ADDR_PATH_MAX ||
                  mx_addr_parse(arena, out->path, &out->addr, NULL) < 0 ||
                  out->addr.is_null;
    if (out->is_bad)
        out->addr = (struct mx_addr){.is_null = false};
    out->rewritten = cut(mxp_str(in->rewritten), POLICY_REWRITTEN_MAX);
    out->args = delivery_args(arena, in);
    out->marks = texts(arena, in->marks, in->n_marks);
    out->n_marks = in->n_marks;
    if (in->n_mailboxes) {
        out->mailboxes = texts(arena, in->mailboxes, in->n_mailboxes);
        out->n_mailboxes = in->n_mailboxes;
        out->mailbox = cut(out->mailboxes[0], POLICY_TEXT_MAX);
    } else if (!out->is_bad) {
        out->mailbox = mailbox_of(arena, &out->addr, delimiter);
        out->mailboxes = &out->mailbox;
        out->n_mailboxes = 1;
    }
    return 0;
}

static int take_rcpts(const Mxp__PolicyRequest *in, const char *delimiter,
                      struct policy_req *req, struct mx_err *err)
{
    if (in->n_rcpts > POLICY_RCPTS_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "%zu recipients", in->n_rcpts);
    struct policy_rcpt *rcpts = mx_arena_array(req->arena, in->n_rcpts, sizeof(*rcpts));
    for (size_t i = 0; i < in->n_rcpts; i++)
        if (take_rcpt(req->arena, in->rcpts[i], delimiter, &rcpts[i], err) < 0)
            return -1;
    req->rcpts = rcpts;
    req->n_rcpts = in->n_rcpts;
    if (req->stage == POLICY_AT_CONTENT && req->n_rcpts == 0)
        return mx_err_set(err, MX_ERR_INPUT, "content without recipients");
    if (req->stage != POLICY_AT_RCPT)
        return 0;
    if (in->rcpt == NULL)
        return mx_err_set(err, MX_ERR_INPUT, "stage rcpt without recipient");
    struct policy_rcpt *rcpt = mx_arena_alloc(req->arena, sizeof(*rcpt));
    req->rcpt = rcpt;
    return take_rcpt(req->arena, in->rcpt, delimiter, rcpt, err);
}

static void take_files(const Mxp__ScanReply *in, struct mx_arena *arena,
                       struct policy_scan *out)
{
    size_t n = in->n_files < POLICY_FILES_MAX ? in->n_files : POLICY_FILES_MAX;
    struct policy_file *files = mx_arena_array(arena, n, sizeof(*files));
    for (size_t i = 0; i < n; i++)
        files[i] = (struct policy_file){.name = mxp_str(in->files[i]->name),
                                        .type = mx_str(in->files[i]->type),
                                        .archive_depth = in->files[i]->archive_depth};
    out->files = files;
    out->n_files = n;
}

static void take_scan(const Mxp__ScanReply *in, struct policy_req *req)
{
    size_t n =
        in->n_findings < POLICY_FINDINGS_MAX ? in->n_findings : POLICY_FINDINGS_MAX;
    size_t n_viruses =
        in->n_viruses < POLICY_FINDINGS_MAX ? in->n_viruses : POLICY_FINDINGS_MAX;
    struct policy_scan *scan = mx_arena_alloc(req->arena, sizeof(*scan));
    struct policy_finding *findings = mx_arena_array(req->arena, n, sizeof(*findings));
    for (size_t i = 0; i < n; i++) {
        const Mxp__Finding *f = in->findings[i];
        findings[i] = (struct policy_finding){.symbol = mx_str(f->symbol),
                                              .detail = mxp_str(f->detail),
                                              .detector = mx_str(f->detector),
                                              .score = f->score};
    }
    *scan = (struct policy_scan){.findings = findings,
                                 .n_findings = n,
                                 .viruses = texts(req->arena, in->viruses, n_viruses),
                                 .n_viruses = n_viruses,
                                 .score = in->score,
                                 .is_poison = in->is_poison};
    take_files(in, req->arena, scan);
    req->scan = scan;
}

int policy_request_decode(struct mx_arena *arena, struct mx_str payload,
                          const char *delimiter, struct policy_wish *out,
                          struct mx_err *err)
{
    struct policy_wish wish = {.req.arena = arena};
    struct policy_req *req = &wish.req;
    if (payload.n > POLICY_PAYLOAD_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "request of %zu octets", payload.n);
    const Mxp__PolicyRequest *in = (const Mxp__PolicyRequest *)mxp_unpack(
        arena, &mxp__policy_request__descriptor, payload, err);
    if (in == NULL)
        return -1;
    if (take_stage(in->stage, req, err) < 0 || take_id(in->id, &req->id, err) < 0 ||
        take_id(in->connection, &req->connection, err) < 0 ||
        take_client(in, req, err) < 0)
        return -1;
    take_sender(in, req);
    if (take_rcpts(in, delimiter, req, err) < 0)
        return -1;
    if (in->scan)
        take_scan(in->scan, req);
    req->size = in->size;
    req->tempfailed_rcpts = in->tempfailed_rcpts;
    req->scan_fault = cut(mx_str(in->scan_fault), POLICY_ID_MAX);
    wish.is_explain = in->explain;
    *out = wish;
    return 0;
}
