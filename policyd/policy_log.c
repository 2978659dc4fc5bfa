/*
 * The verdict line. Addresses, subjects and reply texts are not in it: the id leads to
 * the MTA's own log.
 */
#include "policy_log.h"

#include <inttypes.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_log.h"
#include "mx_str.h"
#include "mx_time.h"
#include "policy_chain.h"
#include "policy_outcome.h"
#include "policy_verdict.h"

/* " degraded=a,b", or nothing. */
static const char *degraded_text(const struct policy_check *check)
{
    struct mx_arena *arena = check->req->arena;
    const char *text = "";
    for (size_t i = 0; i < check->n_degraded; i++)
        text = mx_arena_printf(arena, "%s%s%s", text,
                               i ? "," : " degraded=", check->degraded[i]);
    return text;
}

/* " rcpts=3 deliver=2 tag=1 status=spam", zeros left out. */
static const char *outcome_text(const struct policy_check *check,
                                const struct policy_outcome *outcome)
{
    struct mx_arena *arena = check->req->arena;
    const char *text = mx_arena_printf(arena, " rcpts=%zu", check->n_results);
    for (int copy = 0; copy < POLICY_COPIES; copy++)
        if (outcome->counts[copy])
            text = mx_arena_printf(arena, "%s %s=%zu", text,
                                   policy_copy_name((enum policy_copy)copy),
                                   outcome->counts[copy]);
    if (outcome->n_overruled)
        text = mx_arena_printf(arena, "%s overruled=%zu", text, outcome->n_overruled);
    text = mx_arena_printf(arena, "%s status=%s", text, outcome->status);
    if (check->req->scan == NULL)
        return mx_arena_printf(arena, "%s scan=%s", text,
                               mx_str_esc(arena, check->req->scan_fault));
    return mx_arena_printf(arena, "%s score=%.2f", text, check->req->scan->score);
}

void policy_log_verdict(struct mx_log *log, const struct policy_check *check,
                        const struct policy_outcome *outcome)
{
    const struct policy_req *req = check->req;
    const struct policy_verdict *verdict =
        outcome ? &outcome->verdict : &check->results[0].verdict;
    const char *module = outcome ? outcome->module : check->results[0].module;
    bool is_info = outcome != NULL || module != NULL;
    if (log == NULL)
        return;
    mx_log(log, is_info ? MX_LOG_INFO : MX_LOG_DEBUG, "policy.verdict",
           "id=%s stage=%s module=%s action=%s reason=%s ms=%.1f%s%s",
           mx_str_esc(req->arena, req->id), policy_stage_name(req->stage),
           module ? module : "-", policy_action_name(verdict->action),
           verdict->reason ? verdict->reason : "-",
           (double)(mx_mono_us() - check->arrived_us) / 1000.0,
           outcome ? outcome_text(check, outcome) : "", degraded_text(check));
}
