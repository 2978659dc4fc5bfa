/*
 * Edits. Milter changes are requests: libmilter says only that one was sent, so all that
 * can be known beforehand is checked here: recipients to remove are compared with those
 * the MTA named, header text is made safe, sizes are bounded.
 *
 * Fields are removed from the last instance to the first, as MTAs differ in whether the
 * instances behind a removed one are counted anew.
 *
 * Left out: body changes; mxdrop makes none.
 */
#include "shim_edit.h"

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_pack.h"

struct edits {
    struct shim_conn *conn;
    const struct shim_mta *mta;
    unsigned failed; /* header edits */
};

static const struct shim_rcpt *rcpt_find(const struct shim_msg *msg, struct mx_str path)
{
    for (size_t i = 0; i < msg->n_rcpts; i++)
        if (mx_str_eq(msg->rcpts[i].path, path))
            return &msg->rcpts[i];
    return NULL;
}

static bool is_removed(const Mxp__PolicyReply *reply, const struct shim_rcpt *rcpt)
{
    if (rcpt->is_discarded)
        return true;
    for (size_t i = 0; reply && i < reply->n_edits; i++) {
        const Mxp__Edit *edit = reply->edits[i];
        if (edit->kind == MXP__EDIT_KIND__EDIT_REMOVE_RCPT &&
            mx_str_eq(mxp_str(edit->name), rcpt->path))
            return true;
    }
    return false;
}

bool shim_edit_leaves_nobody(const struct shim_msg *msg, const Mxp__PolicyReply *reply)
{
    for (size_t i = 0; reply && i < reply->n_edits; i++)
        if (reply->edits[i]->kind == MXP__EDIT_KIND__EDIT_ADD_RCPT)
            return false;
    for (size_t i = 0; i < msg->n_rcpts; i++)
        if (!is_removed(reply, &msg->rcpts[i]))
            return false;
    return msg->n_rcpts > 0;
}

/* Remove instances ${last} .. 1 of a field. */
static void remove_all(struct edits *edits, const char *name, unsigned last)
{
    for (unsigned i = last; i > 0; i--)
        if (edits->mta->change_header(edits->mta->ctx, name, (int)i, NULL) < 0)
            edits->failed++;
}

static void remove_forged(struct edits *edits)
{
    const struct shim_msg *msg = &edits->conn->msg;
    for (size_t i = 0; i < msg->n_forged; i++) {
        const char *name =
            shim_reply_header_name(edits->conn->scratch, msg->forged[i].name);
        if (name)
            remove_all(edits, name, msg->forged[i].count);
        else
            edits->failed++;
    }
}

static int header_edit(struct edits *edits, const Mxp__Edit *edit)
{
    struct mx_arena *arena = edits->conn->scratch;
    const struct shim_mta *mta = edits->mta;
    struct mx_str raw = mxp_str(edit->name);
    const char *name = shim_reply_header_name(arena, raw);
    if (name == NULL || edit->index > INT16_MAX)
        return -1;
    const char *value = shim_reply_header_value(arena, mxp_str(edit->value),
                                                edits->conn->features.has_space);
    bool is_gone = shim_conn_is_own(raw); /* inbound ones were all removed already */
    switch (edit->kind) {
    case MXP__EDIT_KIND__EDIT_ADD_HEADER: return mta->add_header(mta->ctx, name, value);
    case MXP__EDIT_KIND__EDIT_INSERT_HEADER:
        return mta->insert_header(mta->ctx, (int)edit->index, name, value);
    case MXP__EDIT_KIND__EDIT_CHANGE_HEADER:
        if (is_gone)
            return mta->add_header(mta->ctx, name, value);
        return mta->change_header(mta->ctx, name, (int)edit->index, value);
    case MXP__EDIT_KIND__EDIT_REMOVE_HEADER:
        if (is_gone)
            return 0;
        if (edit->index > 0)
            return mta->change_header(mta->ctx, name, (int)edit->index, NULL);
        remove_all(edits, name, shim_conn_header_count(&edits->conn->msg, raw));
        return 0;
    default: return -1;
    }
}

/* Text of an SMTP command: no byte that could end it or begin another one. */
static bool is_command_text(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n <= SHIM_WORD_MAX;
}

static int add_rcpt(struct edits *edits, const Mxp__Edit *edit, struct mx_err *err)
{
    struct mx_arena *arena = edits->conn->scratch;
    struct mx_str path = mxp_str(edit->name), args = mxp_str(edit->value);
    if (path.n == 0 || !is_command_text(path) || !is_command_text(args))
        return mx_err_set(err, MX_ERR_INPUT, "not a recipient to add: %s",
                          mx_str_esc(arena, path));
    const char *p = mx_str_cstr(arena, path);
    const char *a = args.n > 0 ? mx_str_cstr(arena, args) : NULL;
    if (edits->mta->add_rcpt(edits->mta->ctx, p, a) < 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "the MTA let us add no recipient");
    return 0;
}

static int remove_rcpt(struct edits *edits, struct mx_str path, struct mx_err *err)
{
    const struct shim_rcpt *rcpt = rcpt_find(&edits->conn->msg, path);
    if (rcpt == NULL)
        return mx_err_set(err, MX_ERR_INPUT, "no such recipient to remove: %s",
                          mx_str_esc(edits->conn->scratch, path));
    if (edits->mta->remove_rcpt(edits->mta->ctx, rcpt->path.p) < 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "the MTA let us remove no recipient");
    return 0;
}

static int edit_one(struct edits *edits, const Mxp__Edit *edit, struct mx_err *err)
{
    switch (edit->kind) {
    case MXP__EDIT_KIND__EDIT_REMOVE_RCPT:
        return remove_rcpt(edits, mxp_str(edit->name), err);
    case MXP__EDIT_KIND__EDIT_ADD_RCPT: return add_rcpt(edits, edit, err);
    default:
        if (header_edit(edits, edit) < 0)
            edits->failed++;
        return 0;
    }
}

int shim_edit_apply(struct shim_conn *conn, const struct shim_mta *mta,
                    const Mxp__PolicyReply *reply, unsigned *out_failed,
                    struct mx_err *err)
{
    struct edits edits = {.conn = conn, .mta = mta};
    if (reply && reply->n_edits > SHIM_EDITS_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "%zu edits", reply->n_edits);
    remove_forged(&edits);
    for (size_t i = 0; reply && i < reply->n_edits; i++)
        if (edit_one(&edits, reply->edits[i], err) < 0)
            return -1;
    for (size_t i = 0; i < conn->msg.n_rcpts; i++)
        if (conn->msg.rcpts[i].is_discarded &&
            remove_rcpt(&edits, conn->msg.rcpts[i].path, err) < 0)
            return -1;
    *out_failed = edits.failed;
    return 0;
}
