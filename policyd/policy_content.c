/*
 * Actions on findings that concern everybody: the message is refused in SMTP, held, or
 * dropped, for all recipients alike. A module names the finding; this is the rest.
 */
#include "policy_content.h"

#include "mx_arena.h"
#include "policy_verdict.h"

#define DETAIL_MAX 120 /* octets of a finding's detail that a reply shows */

const char *const policy_content_words[] = {"off", "refuse", "hold", "discard", NULL};

const struct policy_finding *policy_content_find(const struct policy_scan *scan,
                                                 struct mx_str symbol)
{
    for (size_t i = 0; i < scan->n_findings; i++)
        if (mx_str_eq(scan->findings[i].symbol, symbol))
            return &scan->findings[i];
    return NULL;
}

static struct mx_str with_detail(const struct policy_req *req, struct mx_str text,
                                 struct mx_str detail)
{
    if (detail.n == 0)
        return text;
    detail = policy_verdict_clean(req->arena, mx_str_sub(detail, 0, DETAIL_MAX));
    return mx_str(
        mx_arena_printf(req->arena, "%.*s (%.*s)", MX_STR_FMT(text), MX_STR_FMT(detail)));
}

enum policy_step policy_content_verdict(const struct policy_req *req, int action,
                                        struct mx_str detail, struct policy_verdict *out)
{
    const char *reason = out->reason;
    struct mx_str text = out->text;
    switch ((enum policy_content_action)action) {
    case POLICY_CONTENT_OFF: return POLICY_NEXT;
    case POLICY_CONTENT_REFUSE:
        policy_verdict_reject(out, "5.7.1", with_detail(req, text, detail), reason);
        break;
    case POLICY_CONTENT_HOLD:
        *out = (struct policy_verdict){.action = POLICY_HOLD, .reason = reason};
        break;
    case POLICY_CONTENT_DISCARD:
        *out = (struct policy_verdict){.action = POLICY_DISCARD, .reason = reason};
        break;
    }
    out->is_for_all = true;
    return POLICY_DONE;
}

enum policy_step policy_content_rows(const struct policy_req *req,
                                     const struct policy_content_row *rows, size_t n,
                                     struct policy_verdict *out)
{
    if (req->scan == NULL) {
        out->reason = "not scanned";
        return POLICY_FAIL;
    }
    for (size_t i = 0; i < n; i++) {
        if (rows[i].action == POLICY_CONTENT_OFF)
            continue;
        const struct policy_finding *found =
            policy_content_find(req->scan, rows[i].symbol);
        if (found == NULL)
            continue;
        out->reason = rows[i].reason;
        out->text = mx_str(rows[i].text);
        return policy_content_verdict(req, rows[i].action, found->detail, out);
    }
    return POLICY_NEXT;
}
