/*
 * Calls under way: attempts, retries, deadlines.
 *
 * A call has a slot; its id on the wire leads to the slot by a remainder. It is in one of
 * three states: asked (one or two attempts in flight), waiting for an endpoint (none can
 * be asked now, one may come back), or a ghost (answered or given up, but an endpoint
 * still works on it: it goes on counting as that endpoint's work until the late answer or
 * the deadline, and then is forgotten).
 *
 * A second attempt is made at once when the first fails, or when it is late
 * (attempt_ms) and there is another usable endpoint; the first good answer wins. There is
 * never a third. When a connection breaks, its calls may be asked again on the same
 * endpoint once it is back; when an endpoint answers that it cannot, only on another.
 *
 * Timers: each slot knows when it is due, the owner knows a lower bound of all of them.
 * When that passes all slots are looked at once. As most calls end long before they are
 * due, this is about one pass over the few live ones per attempt_ms.
 */
#include "mxp_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "admin.pb-c.h"
#include "mx_arena.h"
#include "mx_time.h"
#include "mxp_pack.h"

#define WAIT_POLL_MS 20 /* a waiting call looks for an endpoint at least this often */
#define NEVER INT64_MAX

void mxp_calls_init(struct mxp_owner *owner)
{
    owner->ghosts_max = owner->options.in_flight_max;
    owner->n_slots = owner->ghosts_max + owner->options.in_flight_max;
    owner->slots = mx_xalloc(owner->n_slots * sizeof(owner->slots[0]));
    owner->ids = mx_xalloc(owner->n_slots * sizeof(owner->ids[0]));
    for (size_t i = owner->n_slots; i-- > 0;) {
        owner->ids[i] = i; /* the first id of slot i is i + n_slots, so never 0 */
        LL_PREPEND(owner->free, &owner->slots[i]);
    }
    owner->next_due_ms = NEVER;
}

void mxp_calls_fini(struct mxp_owner *owner)
{
    free(owner->slots);
    free(owner->ids);
}

/* ---- slots ------------------------------------------------------------------------- */

static struct mxp_slot *slot_take(struct mxp_owner *owner, struct mxp_flight *flight)
{
    /* There is one: live calls are bounded by in_flight_max, ghosts by ghosts_max. */
    struct mxp_slot *slot = owner->free;
    LL_DELETE(owner->free, slot);
    size_t i = (size_t)(slot - owner->slots);
    owner->ids[i] += owner->n_slots;
    *slot = (struct mxp_slot){.id = owner->ids[i],
                              .flight = flight,
                              .hedge_ms = NEVER,
                              .deadline_ms = flight->deadline_ms};
    DL_APPEND(owner->active, slot);
    return slot;
}

static void slot_free(struct mxp_owner *owner, struct mxp_slot *slot)
{
    DL_DELETE(owner->active, slot);
    slot->id = 0;
    slot->flight = NULL;
    LL_PREPEND(owner->free, slot);
}

static bool is_asked(const struct mxp_slot *slot)
{
    return slot->asked[0] || slot->asked[1];
}

/* The attempt on ${link} is over. Returns false where there was none. */
static bool attempt_end(struct mxp_slot *slot, struct mxp_link *link)
{
    for (unsigned i = 0; i < 2; i++) {
        if (slot->asked[i] == link) {
            slot->asked[i] = NULL;
            mxp_peer_ended(&link->peer);
            return true;
        }
    }
    return false;
}

static void attempts_end(struct mxp_slot *slot)
{
    for (unsigned i = 0; i < 2; i++) {
        if (slot->asked[i])
            attempt_end(slot, slot->asked[i]);
    }
}

/* When the slot must be looked at again, at the latest. */
static void plan(struct mxp_owner *owner, struct mxp_slot *slot)
{
    slot->due_ms = slot->deadline_ms;
    if (slot->flight && !is_asked(slot) && owner->now_ms + WAIT_POLL_MS < slot->due_ms)
        slot->due_ms = owner->now_ms + WAIT_POLL_MS;
    if (slot->flight && is_asked(slot) && slot->hedge_ms < slot->due_ms)
        slot->due_ms = slot->hedge_ms;
    if (slot->due_ms < owner->next_due_ms)
        owner->next_due_ms = slot->due_ms;
}

static void ghost_free(struct mxp_owner *owner, struct mxp_slot *slot)
{
    attempts_end(slot);
    owner->n_ghosts--;
    slot_free(owner, slot);
}

/* The caller wakes up and is not touched again; a ghost may stay. */
static void finish(struct mxp_owner *owner, struct mxp_slot *slot)
{
    struct mxp_flight *flight = slot->flight;
    slot->flight = NULL;
    if (is_asked(slot) && owner->n_ghosts < owner->ghosts_max &&
        owner->now_ms < slot->deadline_ms) {
        owner->n_ghosts++;
        plan(owner, slot);
    } else {
        attempts_end(slot);
        slot_free(owner, slot);
    }
    atomic_fetch_sub_explicit(&owner->waiting, 1, memory_order_relaxed);
    mxp_job_done(&flight->job);
}

static void finish_failed(struct mxp_owner *owner, struct mxp_slot *slot,
                          enum mx_err_code code, const char *reason)
{
    slot->flight->rc = mx_err_set(&slot->flight->err, code, "%s", reason);
    finish(owner, slot);
}

/* ---- asking ------------------------------------------------------------------------ */

static struct mxp_link *choose(struct mxp_owner *owner, const struct mxp_link *except,
                               bool is_retry)
{
    struct mxp_choice choice = {.peers = (struct mxp_peer *const *)owner->links,
                                .n = owner->n_links,
                                .except = except ? &except->peer : NULL,
                                .is_retry = is_retry,
                                .now_ms = owner->now_ms};
    struct mxp_peer *peer = mxp_peer_choose(&choice, &owner->random);
    return peer ? mxp_link_of(peer) : NULL;
}

/* Send one attempt. Fails: not taken by ZeroMQ (-1). */
static int ask(struct mxp_owner *owner, struct mxp_slot *slot, struct mxp_link *link)
{
    struct mxp_flight *flight = slot->flight;
    struct mxp_header header = {.type = (uint16_t)flight->call->type,
                                .id = slot->id,
                                .deadline_ms =
                                    (uint32_t)(slot->deadline_ms - owner->now_ms)};
    int rc = mxp_link_send(link, &header, &flight->parcel);
    mxp_owner_touch(owner, link); /* sending may swallow the wake-up of an answer */
    if (rc != 0) {
        /* Broken a moment ago, or its queue is full: the others first for a while. */
        mxp_peer_rest(&link->peer, &owner->random, owner->now_ms);
        return -1;
    }
    mxp_peer_asked(&link->peer);
    slot->asked[slot->asked[0] != NULL] = link;
    flight->attempts++;
    bool may_hedge = flight->attempts == 1 && flight->call->attempt_ms > 0;
    slot->hedge_ms = may_hedge ? owner->now_ms + flight->call->attempt_ms : NEVER;
    return 0;
}

/* Is there an endpoint that may become usable while we wait? */
static bool has_hope(const struct mxp_owner *owner, const struct mxp_link *except)
{
    for (size_t i = 0; i < owner->n_links; i++) {
        if (owner->links[i] != except &&
            mxp_peer_hopeful(&owner->links[i]->peer, owner->now_ms))
            return true;
    }
    return false;
}

/*
 * An attempt now, or wait for an endpoint, or the end. ${code} and ${reason} say why the
 * call ends where there is no hope.
 */
static void ask_or_wait(struct mxp_owner *owner, struct mxp_slot *slot,
                        enum mx_err_code code, const char *reason)
{
    bool is_retry = slot->flight->attempts > 0;
    struct mxp_link *link = choose(owner, slot->except, is_retry);
    if (link && ask(owner, slot, link) != 0) {
        link = choose(owner, slot->except ? slot->except : link, is_retry);
        if (link && ask(owner, slot, link) != 0)
            link = NULL;
    }
    if (link || has_hope(owner, slot->except))
        plan(owner, slot);
    else
        finish_failed(owner, slot, code, reason);
}

void mxp_calls_start(void *state, struct mxp_job *job)
{
    struct mxp_owner *owner = state;
    struct mxp_flight *flight = (struct mxp_flight *)job;
    struct mxp_slot *slot = slot_take(owner, flight);
    if (slot->deadline_ms <= owner->now_ms)
        finish_failed(owner, slot, MX_ERR_TIMEOUT, "no time left to ask");
    else
        ask_or_wait(owner, slot, MX_ERR_DOWN,
                    owner->n_links ? "no endpoint works" : "no endpoint is known");
}

/* An attempt is over without a good answer. */
static void retry(struct mxp_owner *owner, struct mxp_slot *slot, enum mx_err_code code,
                  const char *reason)
{
    if (is_asked(slot)) /* the other attempt may still bring it */
        plan(owner, slot);
    else if (slot->flight->attempts >= 2)
        finish_failed(owner, slot, code, reason);
    else
        ask_or_wait(owner, slot, code, reason);
}

/* ---- answers ----------------------------------------------------------------------- */

static void good_answer(struct mxp_owner *owner, struct mxp_link *link)
{
    if (!mxp_peer_succeeded(&link->peer))
        return;
    owner->is_stirred = true;
    mxp_owner_count_usable(owner);
    mxp_owner_tell(owner, link, "up", "answers again");
}

static void end_call_as_bad(struct mxp_owner *owner, struct mxp_slot *slot,
                            struct mxp_link *link, const char *text)
{
    good_answer(owner, link); /* it is the request that is bad, not the endpoint */
    char reason[256];
    snprintf(reason, sizeof(reason), "%s: request refused: %s", link->address, text);
    finish_failed(owner, slot, MX_ERR_INPUT, reason);
}

static void on_version(struct mxp_owner *owner, struct mxp_link *link)
{
    link->peer.failures_all++;
    mxp_peer_trip(&link->peer, &owner->breaker, &owner->random, owner->now_ms);
    mxp_owner_count_usable(owner);
    mxp_owner_tell(owner, link, "version", "speaks another major version");
}

/* An ErrorReply: who is at fault, and is it worth to ask another? */
static void on_error_reply(struct mxp_owner *owner, struct mxp_slot *slot,
                           struct mxp_link *link, struct mx_str payload)
{
    mx_arena_reset(owner->scratch);
    const Mxp__ErrorReply *error = (const Mxp__ErrorReply *)mxp_unpack(
        owner->scratch, &mxp__error_reply__descriptor, payload, NULL);
    Mxp__ErrorCode code = error ? error->code : MXP__ERROR_CODE__ERROR_UNKNOWN;
    slot->except = link;
    switch (code) {
    case MXP__ERROR_CODE__ERROR_BAD_REQUEST:
    case MXP__ERROR_CODE__ERROR_UNKNOWN_TYPE:
    case MXP__ERROR_CODE__ERROR_TOO_LARGE:
        end_call_as_bad(owner, slot, link, error->text);
        return;
    case MXP__ERROR_CODE__ERROR_VERSION:
        on_version(owner, link);
        retry(owner, slot, MX_ERR_VERSION, "other side speaks another major version");
        return;
    case MXP__ERROR_CODE__ERROR_OVERLOADED:
        mxp_peer_rest(&link->peer, &owner->random, owner->now_ms);
        retry(owner, slot, MX_ERR_DOWN, "overloaded");
        return;
    case MXP__ERROR_CODE__ERROR_DRAINING:
        link->peer.is_draining = true;
        slot->except = NULL; /* its successor may come up in time */
        mxp_owner_count_usable(owner);
        mxp_owner_tell(owner, link, "down", "draining");
        retry(owner, slot, MX_ERR_DOWN, "draining");
        return;
    default:
        mxp_owner_failed(owner, link, "internal error");
        retry(owner, slot, MX_ERR_DOWN, "internal error of the other side");
    }
}

void mxp_calls_answer(struct mxp_owner *owner, struct mxp_link *link,
                      const struct mxp_header *header, zmq_msg_t *payload)
{
    struct mxp_slot *slot = &owner->slots[header->id % owner->n_slots];
    if (slot->id != header->id || header->id == 0 || !attempt_end(slot, link))
        return; /* late, and not waited for any more */
    struct mxp_flight *flight = slot->flight;
    if (flight == NULL) {
        if (!is_asked(slot))
            ghost_free(owner, slot);
    } else if (header->type == flight->call->reply_type) {
        good_answer(owner, link);
        zmq_msg_move(&flight->reply, payload);
        memcpy(flight->endpoint, link->address, sizeof(flight->endpoint));
        flight->rc = 0;
        finish(owner, slot);
    } else if (header->type == MXP_ERROR) {
        on_error_reply(owner, slot, link,
                       mx_str_of(zmq_msg_data(payload), zmq_msg_size(payload)));
    } else {
        slot->except = link;
        mxp_owner_failed(owner, link, "answer of a wrong type");
        retry(owner, slot, MX_ERR_DOWN, "answer of a wrong type");
    }
}

size_t mxp_calls_lost(struct mxp_owner *owner, struct mxp_link *link,
                      enum mx_err_code code, const char *reason)
{
    size_t lost = 0;
    struct mxp_slot *slot, *next;
    DL_FOREACH_SAFE(owner->active, slot, next)
    {
        if (!attempt_end(slot, link))
            continue;
        lost++;
        if (slot->flight)
            retry(owner, slot, code, reason);
        else if (!is_asked(slot))
            ghost_free(owner, slot);
    }
    return lost;
}

void mxp_calls_forget(struct mxp_owner *owner, const struct mxp_link *link)
{
    struct mxp_slot *slot;
    DL_FOREACH(owner->active, slot)
    {
        if (slot->except == link)
            slot->except = NULL;
    }
}

/* ---- time -------------------------------------------------------------------------- */

/* The deadline passed with attempts in flight, or without any endpoint to ask. */
static void expire(struct mxp_owner *owner, struct mxp_slot *slot)
{
    if (slot->flight == NULL) {
        ghost_free(owner, slot);
        return;
    }
    bool was_asked = is_asked(slot);
    for (unsigned i = 0; i < 2; i++) {
        if (slot->asked[i])
            mxp_owner_failed(owner, slot->asked[i], "timeout");
    }
    /* Nobody there for a whole deadline: later calls should not wait as long. */
    for (size_t i = 0; i < owner->n_links && !was_asked; i++) {
        if (!owner->links[i]->peer.is_connected)
            mxp_owner_failed(owner, owner->links[i], "not reachable");
    }
    if (slot->flight->attempts > 0)
        finish_failed(owner, slot, MX_ERR_TIMEOUT, "no answer in time");
    else
        finish_failed(owner, slot, MX_ERR_DOWN, "no endpoint could be reached in time");
}

/* The first attempt is late: a second one beside it, where there is somebody to ask. */
static void hedge(struct mxp_owner *owner, struct mxp_slot *slot)
{
    struct mxp_link *late = slot->asked[0] ? slot->asked[0] : slot->asked[1];
    struct mxp_link *other = choose(owner, late, true);
    if (other && ask(owner, slot, other) == 0)
        mxp_owner_failed(owner, late, "late");
    else
        slot->hedge_ms = owner->now_ms + slot->flight->call->attempt_ms;
    plan(owner, slot);
}

static void look_at(struct mxp_owner *owner, struct mxp_slot *slot, bool is_stirred)
{
    bool is_due = owner->now_ms >= slot->due_ms;
    if (owner->now_ms >= slot->deadline_ms)
        expire(owner, slot);
    else if (slot->flight && !is_asked(slot) && (is_stirred || is_due))
        ask_or_wait(owner, slot, MX_ERR_DOWN, "no endpoint works");
    else if (slot->flight && is_asked(slot) && owner->now_ms >= slot->hedge_ms)
        hedge(owner, slot);
    else if (slot->due_ms < owner->next_due_ms)
        owner->next_due_ms = slot->due_ms; /* as planned */
}

void mxp_calls_run_timers(struct mxp_owner *owner)
{
    bool is_stirred = owner->is_stirred;
    if (!is_stirred && owner->now_ms < owner->next_due_ms)
        return;
    owner->is_stirred = false;
    owner->next_due_ms = NEVER;
    struct mxp_slot *slot, *next;
    DL_FOREACH_SAFE(owner->active, slot, next)
    {
        look_at(owner, slot, is_stirred);
    }
}

void mxp_calls_fail_all(struct mxp_owner *owner)
{
    struct mxp_slot *slot, *next;
    DL_FOREACH_SAFE(owner->active, slot, next)
    {
        if (slot->flight)
            finish_failed(owner, slot, MX_ERR_DOWN, "the client is being closed");
    }
}
