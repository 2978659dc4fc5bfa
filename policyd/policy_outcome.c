/*
 * A message has one final reply, its recipients have a verdict each. The rules, first
 * that applies:
 *
 *   1. A REJECT that is about the message (is_for_all: a virus) refuses it for everybody.
 *   2. Any TEMPFAIL defers the message: nobody has got it yet, so nobody gets it twice,
 *      and nothing is lost.
 *   3. A DISCARD for all drops it; any HOLD holds it.
 *   4. All refuse, or those who do not have chosen to discard: refused. All discard:
 *      dropped.
 *   5. Else it is accepted. Who discards is removed from the envelope. Who wants spam in
 *      his junk folder is replaced by that folder's address. Who would refuse
 *      gets it tagged: a refusal would cost the others their mail, removing the recipient
 *      would lose it without a word, and there is no quarantine to keep his copy in. The
 *      log says how many (overruled=N). For the same reason QUARANTINE counts as refusal
 *      here, and is HOLD where everybody wants it.
 *
 * Headers belong to the message: a milter has one header for all recipients, so all see
 * the same. X-Mxdrop-Status speaks of the content (clean, spam, exempt, unscanned, held),
 * and is "spam" where at least one recipient's copy is tagged: he asked for the mark.
 * Where another one's copy is not, X-Mxdrop-Mixed says that the mark is not everybody's;
 * it does not say whose, as that would tell recipients of each other. What is to differ
 * for sure goes by the envelope: the junk folder.
 */
#include "policy_outcome.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_metric.h"
#include "policy_verdict.h"

#define SYMBOLS_MAX 100      /* in X-Mxdrop-Symbols */
#define SYMBOL_SHOWN_MAX 64  /* bytes of one */
#define LINE_MAX_COLUMNS 76u /* RFC 5322 2.1.1 recommends 78 */
#define ID_SHOWN_MAX 128     /* bytes */

const char *policy_copy_name(enum policy_copy copy)
{
    static const char *const names[POLICY_COPIES] = {"deliver", "tag", "folder", "refuse",
                                                     "discard"};
    return (unsigned)copy < POLICY_COPIES ? names[copy] : "unknown";
}

/* ---- combining ------------------------------------------------------------------------
 */

static const struct policy_result *find_result(const struct policy_check *check,
                                               enum policy_action action,
                                               bool only_for_all)
{
    for (size_t i = 0; i < check->n_results; i++) {
        const struct policy_result *result = &check->results[i];
        if (result->verdict.action == action &&
            (!only_for_all || result->verdict.is_for_all))
            return result;
    }
    return NULL;
}

static size_t count_action(const struct policy_check *check, enum policy_action action)
{
    size_t n = 0;
    for (size_t i = 0; i < check->n_results; i++)
        n += check->results[i].verdict.action == action;
    return n;
}

static void decide_as(struct policy_outcome *out, const struct policy_result *result,
                      enum policy_action action)
{
    out->verdict = result->verdict;
    out->verdict.action = action;
    out->module = result->module;
}

/* Rules 1 to 4; false: the message is accepted. */
static bool decide_message(const struct policy_check *check, struct policy_outcome *out)
{
    const struct policy_result *virus = find_result(check, POLICY_REJECT, true);
    const struct policy_result *defer = find_result(check, POLICY_TEMPFAIL, false);
    const struct policy_result *drop = find_result(check, POLICY_DISCARD, true);
    const struct policy_result *hold = find_result(check, POLICY_HOLD, false);
    const struct policy_result *refuse = find_result(check, POLICY_REJECT, false);
    size_t n_refuse = count_action(check, POLICY_REJECT);
    size_t n_discard = count_action(check, POLICY_DISCARD);
    size_t n_aside = count_action(check, POLICY_QUARANTINE);
    if (virus)
        decide_as(out, virus, POLICY_REJECT);
    else if (defer)
        decide_as(out, defer, POLICY_TEMPFAIL);
    else if (drop)
        decide_as(out, drop, POLICY_DISCARD);
    else if (hold)
        decide_as(out, hold, POLICY_HOLD);
    else if (refuse && n_refuse + n_discard == check->n_results)
        decide_as(out, refuse, POLICY_REJECT);
    else if (n_discard == check->n_results)
        decide_as(out, find_result(check, POLICY_DISCARD, false), POLICY_DISCARD);
    else if (n_aside && n_aside + n_discard == check->n_results)
        decide_as(out, find_result(check, POLICY_QUARANTINE, false), POLICY_HOLD);
    else
        return false;
    return true;
}

/* Rule 5, for one recipient. */
static enum policy_copy accepted_copy(const struct policy_result *result,
                                      struct policy_outcome *out)
{
    switch (result->verdict.action) {
    case POLICY_CONTINUE: return POLICY_COPY_DELIVER;
    case POLICY_TAG: return POLICY_COPY_TAG;
    case POLICY_FOLDER:
        return result->rcpt->is_bad ? POLICY_COPY_TAG : POLICY_COPY_FOLDER;
    case POLICY_DISCARD: return POLICY_COPY_DISCARD;
    case POLICY_REJECT:
    case POLICY_QUARANTINE:
    case POLICY_HOLD:
    case POLICY_TEMPFAIL: break;
    }
    out->n_overruled++;
    return POLICY_COPY_TAG;
}

static enum policy_copy common_copy(enum policy_action action)
{
    switch (action) {
    case POLICY_REJECT:
    case POLICY_TEMPFAIL: return POLICY_COPY_REFUSE;
    case POLICY_DISCARD: return POLICY_COPY_DISCARD;
    case POLICY_CONTINUE:
    case POLICY_TAG:
    case POLICY_FOLDER:
    case POLICY_QUARANTINE:
    case POLICY_HOLD: break;
    }
    return POLICY_COPY_DELIVER;
}

static void fill_copies(const struct policy_check *check, bool is_accepted,
                        struct policy_outcome *out)
{
    for (size_t i = 0; i < check->n_results; i++) {
        out->copies[i] = is_accepted ? accepted_copy(&check->results[i], out)
                                     : common_copy(out->verdict.action);
        out->counts[out->copies[i]]++;
    }
}

/* Accepted: the module that named the tag speaks for the message in the log. */
static void name_tagger(const struct policy_check *check, struct policy_outcome *out)
{
    for (size_t i = 0; i < check->n_results && out->module == NULL; i++) {
        if (out->copies[i] != POLICY_COPY_DELIVER) {
            out->module = check->results[i].module;
            out->verdict.reason = check->results[i].verdict.reason;
        }
    }
    out->verdict.action = out->counts[POLICY_COPY_TAG]      ? POLICY_TAG
                          : out->counts[POLICY_COPY_FOLDER] ? POLICY_FOLDER
                                                            : POLICY_CONTINUE;
}

/* Nobody gets it elsewhere: its headers may call it spam. */
static bool is_all_folder(const struct policy_outcome *out)
{
    return out->counts[POLICY_COPY_FOLDER] > 0 && out->counts[POLICY_COPY_DELIVER] == 0;
}

static const char *status_of(const struct policy_check *check,
                             const struct policy_outcome *out)
{
    if (out->verdict.action == POLICY_HOLD)
        return "held";
    if (out->counts[POLICY_COPY_TAG] > 0 || is_all_folder(out))
        return "spam";
    if (check->req->scan == NULL)
        return "unscanned";
    for (size_t i = 0; i < check->n_results; i++)
        if (check->results[i].module &&
            check->results[i].verdict.action == POLICY_CONTINUE)
            return "exempt";
    return "clean";
}

/* ---- edits
 * ----------------------------------------------------------------------------- */

static void add_header(struct policy_outcome *out, const char *name, struct mx_str value)
{
    out->edits[out->n_edits++] =
        (struct policy_edit){POLICY_ADD_HEADER, mx_str(name), value};
}

static struct mx_str printable(struct mx_arena *arena, struct mx_str text, size_t n_max)
{
    return policy_verdict_clean(arena, mx_str_sub(text, 0, n_max));
}

/* "A=1.5, B=2", folded before a symbol that would make the line too long. */
static struct mx_str symbols_value(struct mx_arena *arena, const struct policy_scan *scan)
{
    size_t n = scan->n_findings < SYMBOLS_MAX ? scan->n_findings : SYMBOLS_MAX;
    size_t room = (n + 1) * (SYMBOL_SHOWN_MAX + 40), at = 0;
    size_t column = strlen("X-Mxdrop-Symbols: ");
    char *text = mx_arena_alloc(arena, room);
    for (size_t i = 0; i < n; i++) {
        const struct policy_finding *f = &scan->findings[i];
        struct mx_str name = printable(arena, f->symbol, SYMBOL_SHOWN_MAX);
        const char *item =
            mx_arena_printf(arena, "%.*s=%.6g", MX_STR_FMT(name), f->score);
        size_t need = strlen(item) + 2;
        const char *between = i == 0 ? "" : ", ";
        if (i > 0 && column + need > LINE_MAX_COLUMNS) {
            between = ",\n\t";
            column = 8;
        }
        int written = snprintf(text + at, room - at, "%s%s", between, item);
        at += (size_t)written;
        column += need;
    }
    if (scan->n_findings > n)
        at += (size_t)snprintf(text + at, room - at, ",\n\tand %zu more",
                               scan->n_findings - n);
    return mx_str_of(text, at);
}

static void add_headers(const struct policy_check *check, struct policy_outcome *out)
{
    const struct policy_req *req = check->req;
    add_header(out, "X-Mxdrop-Id", printable(req->arena, req->id, ID_SHOWN_MAX));
    add_header(out, "X-Mxdrop-Status", mx_str(out->status));
    if (out->counts[POLICY_COPY_TAG] > 0 && out->counts[POLICY_COPY_DELIVER] > 0)
        add_header(out, "X-Mxdrop-Mixed", MX_STR("yes"));
    if (req->scan == NULL)
        return;
    double score = isfinite(req->scan->score) ? req->scan->score : 0;
    add_header(out, "X-Mxdrop-Score", mx_str(mx_arena_printf(req->arena, "%.2f", score)));
    if (req->scan->n_findings)
        add_header(out, "X-Mxdrop-Symbols", symbols_value(req->arena, req->scan));
}

static void add_edit(struct policy_outcome *out, enum policy_edit_kind kind,
                     struct mx_str name, struct mx_str value)
{
    out->edits[out->n_edits++] = (struct policy_edit){kind, name, value};
}

/* "<a@b>,<c@d>": one recipient each; a path holds no comma outside quotes here, as
   change_recipient writes what it parsed. */
static size_t count_paths(const struct policy_check *check)
{
    size_t n = 0;
    for (size_t i = 0; i < check->n_results; i++) {
        const struct policy_rewrite *rewrite = check->results[i].rewrite;
        for (size_t at = 0; rewrite && at < rewrite->paths.n; at++)
            n += rewrite->paths.p[at] == '<';
        n += check->results[i].verdict.action == POLICY_FOLDER;
    }
    return n;
}

/* "<user+Junk@dom>" of "<user@dom>", in place of a detail that is there; the path itself
   where it has no such form. */
static struct mx_str folder_path(struct mx_arena *arena, struct mx_str path,
                                 const char *folder)
{
    struct mx_addr addr;
    if (mx_addr_parse(arena, path, &addr, NULL) != 0 || addr.local.n == 0 ||
        addr.domain.n == 0)
        return path;
    bool is_quoted = addr.local.p[addr.local.n - 1] == '"';
    struct mx_str user = mx_str_sub(addr.local, 0, addr.local.n - is_quoted);
    ptrdiff_t detail = mx_str_chr(user, folder[0]);
    if (detail > is_quoted)
        user = mx_str_sub(user, 0, (size_t)detail);
    return mx_str(mx_arena_printf(arena, "<%.*s%s%s@%.*s>", MX_STR_FMT(user), folder,
                                  is_quoted ? "\"" : "", MX_STR_FMT(addr.domain)));
}

static void add_path(struct mx_arena *arena, struct policy_outcome *out,
                     const struct policy_result *result, struct mx_str path,
                     const char *folder)
{
    if (folder)
        path = folder_path(arena, path, folder);
    add_edit(out, POLICY_ADD_RCPT, path, result->rcpt->args);
}

/* Those of the rewrite; else the address itself, which is one whatever it holds: a comma
   may stand between quotes. */
static void add_paths(struct mx_arena *arena, struct policy_outcome *out,
                      const struct policy_result *result, const char *folder)
{
    struct mx_str paths = result->rewrite ? result->rewrite->paths : MX_STR_NONE;
    struct mx_str path = MX_STR_NONE;
    if (paths.n == 0)
        add_path(arena, out, result, result->rcpt->path, folder);
    while (mx_str_next(&paths, ',', &path) == 0)
        if (path.n > 0 && path.p[0] == '<')
            add_path(arena, out, result, path, folder);
}

/* Recipients that discard leave the envelope; rewritten ones are put in their place. */
static void edit_envelope(const struct policy_check *check, struct policy_outcome *out)
{
    for (size_t i = 0; i < check->n_results; i++) {
        const struct policy_result *result = &check->results[i];
        bool is_dropped = out->copies[i] == POLICY_COPY_DISCARD;
        bool is_rewritten = result->rewrite && result->rewrite->paths.n > 0;
        bool is_folder = out->copies[i] == POLICY_COPY_FOLDER;
        if (is_dropped || is_rewritten || is_folder)
            add_edit(out, POLICY_REMOVE_RCPT, result->rcpt->path, MX_STR_NONE);
        if (!is_dropped && (is_rewritten || is_folder))
            add_paths(check->req->arena, out, result,
                      is_folder ? result->verdict.folder : NULL);
    }
}

void policy_outcome_fold(const struct policy_check *check, struct policy_outcome *out)
{
    struct mx_arena *arena = check->req->arena;
    memset(out, 0, sizeof(*out));
    out->copies = mx_arena_array(arena, check->n_results, sizeof(*out->copies));
    bool is_accepted = !decide_message(check, out);
    fill_copies(check, is_accepted, out);
    if (is_accepted)
        name_tagger(check, out);
    out->status = status_of(check, out);
    if (!is_accepted && out->verdict.action != POLICY_HOLD)
        return;
    size_t room = POLICY_OUTCOME_HEADERS + check->n_results + count_paths(check);
    out->edits = mx_arena_array(arena, room, sizeof(*out->edits));
    add_headers(check, out);
    edit_envelope(check, out);
}

/* ---- counting
 * --------------------------------------------------------------------------- */

void policy_outcome_counters_init(struct policy_outcome_counters *out,
                                  struct mx_metrics *metrics)
{
    out->spam_scanned = mx_metrics_counter(metrics, "mxdrop_policy_spam_scanned_total",
                                           NULL, "Messages that were scanned.");
    out->spam_block = mx_metrics_counter(metrics, "mxdrop_policy_spam_block_total", NULL,
                                         "Recipients' copies refused as spam.");
    out->spam_realtag =
        mx_metrics_counter(metrics, "mxdrop_policy_spam_realtag_total", NULL,
                           "Recipients' copies delivered with a mark.");
    out->spam_realdir =
        mx_metrics_counter(metrics, "mxdrop_policy_spam_realdir_total", NULL,
                           "Recipients' copies put into the junk folder.");
    out->sa_spamnodnsbl =
        mx_metrics_counter(metrics, "mxdrop_policy_sa_spamnodnsbl_total", NULL,
                           "Messages that are spam for somebody, and would be without "
                           "points for DNS lists.");
    out->virus = mx_metrics_counter(metrics, "mxdrop_policy_virus_total", NULL,
                                    "Messages with malware.");
    out->reject_tempquota =
        mx_metrics_counter(metrics, "mxdrop_policy_reject_tempquota_total", NULL,
                           "Recipients refused for now, their mailbox is full.");
    out->reject_permquota =
        mx_metrics_counter(metrics, "mxdrop_policy_reject_permquota_total", NULL,
                           "Recipients refused for good, their mailbox is full.");
}

static void count_quota(const struct policy_outcome_counters *counters,
                        const struct policy_check *check)
{
    const struct policy_result *result = &check->results[0];
    if (result->module == NULL || strcmp(result->module, "quota_check") != 0)
        return;
    mx_counter_add(counters->reject_tempquota, result->verdict.action == POLICY_TEMPFAIL);
    mx_counter_add(counters->reject_permquota, result->verdict.action == POLICY_REJECT);
}

static bool is_spam_unlisted(const struct policy_check *check)
{
    for (size_t i = 0; i < check->n_results; i++)
        if (check->results[i].verdict.is_spam_unlisted)
            return true;
    return false;
}

void policy_outcome_count(const struct policy_outcome_counters *counters,
                          const struct policy_check *check,
                          const struct policy_outcome *outcome)
{
    const struct policy_scan *scan = check->req->scan;
    if (outcome == NULL) {
        count_quota(counters, check);
        return;
    }
    bool is_spam = outcome->module && strcmp(outcome->module, "spam") == 0;
    mx_counter_add(counters->spam_scanned, scan != NULL);
    mx_counter_add(counters->virus, scan != NULL && scan->n_viruses > 0);
    if (is_spam)
        mx_counter_add(counters->spam_block,
                       (int64_t)outcome->counts[POLICY_COPY_REFUSE]);
    mx_counter_add(counters->spam_realtag, (int64_t)outcome->counts[POLICY_COPY_TAG]);
    mx_counter_add(counters->spam_realdir, (int64_t)outcome->counts[POLICY_COPY_FOLDER]);
    mx_counter_add(counters->sa_spamnodnsbl, is_spam_unlisted(check));
}
