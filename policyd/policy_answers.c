/*
 * Growing arrays of questions and effects in the request's arena, the slots that map a
 * module's own numbering onto them, and the answers in words. It asks nobody.
 */
#include "policy_answers.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_time.h"
#include "store_pattern.h"

#define ROOM_FIRST 16 /* elements; doubled when full */

/* ${v} with room for one more than ${n}; the old array stays in the arena until reset. */
static void *grown(struct mx_arena *arena, void *v, size_t n, size_t *io_room,
                   size_t size)
{
    if (n < *io_room)
        return v;
    size_t room = *io_room ? *io_room * 2 : ROOM_FIRST;
    void *bigger = mx_arena_array(arena, room, size);
    if (n)
        memcpy(bigger, v, n * size);
    *io_room = room;
    return bigger;
}

void policy_ask(struct policy_questions *out, unsigned slot,
                const struct store_question *question)
{
    assert(slot < POLICY_SLOTS_MAX && out->slots->at[slot] == 0);
    if (out->n == POLICY_QUESTIONS_MAX)
        return;
    out->v = grown(out->arena, out->v, out->n, &out->room, sizeof(*out->v));
    out->v[out->n++] = *question;
    out->slots->at[slot] = (uint32_t)out->n;
}

const struct store_answer *policy_answer(const struct policy_answers *answers,
                                         unsigned slot)
{
    static const struct store_answer unknown = {.is_known = false};
    assert(slot < POLICY_SLOTS_MAX);
    if (answers->v == NULL || answers->slots == NULL)
        return &unknown;
    uint32_t at = answers->slots->at[slot];
    return at && at <= answers->n ? &answers->v[at - 1] : &unknown;
}

void policy_tell(struct policy_effects *out, const struct store_effect *effect)
{
    if (out->n == POLICY_EFFECTS_MAX)
        return;
    out->v = grown(out->arena, out->v, out->n, &out->room, sizeof(*out->v));
    out->v[out->n++] = *effect;
}

bool policy_answers_unknown(const struct policy_answers *answers)
{
    for (unsigned i = 0; answers->slots && i < POLICY_SLOTS_MAX; i++)
        if (answers->slots->at[i] && !policy_answer(answers, i)->is_known)
            return true;
    return false;
}

static const char *list_words(struct mx_arena *arena, const struct store_list_query *q,
                              const struct store_answer *a)
{
    if (a->list.listing == STORE_NOT_LISTED)
        return "not listed";
    char room[MX_NET_TEXT_MAX];
    struct mx_str by = store_list_pattern(q, a->list.pattern, room);
    return mx_arena_printf(arena, "%s by %s",
                           a->list.listing == STORE_ALLOWED ? "allowed" : "denied",
                           mx_str_esc(arena, by));
}

static const char *grey_words(struct mx_arena *arena, const struct store_answer *a,
                              int64_t now_ms)
{
    if (a->grey.first_ms == 0)
        return mx_arena_printf(arena, "never seen, the pool passed %" PRId64 " times",
                               a->grey.pool_passes);
    int64_t ago_s = (now_ms - a->grey.first_ms) / 1000;
    return mx_arena_printf(arena,
                           "first seen %" PRId64 " s ago, passed %" PRId64
                           " times, the pool %" PRId64,
                           ago_s, a->grey.passes, a->grey.pool_passes);
}

static const char *quota_words(struct mx_arena *arena, const struct store_answer *a)
{
    const char *used = a->quota.has_used ? mx_size_format(arena, a->quota.used) : "?";
    const char *limit = a->quota.has_limit ? mx_size_format(arena, a->quota.limit) : "?";
    return mx_arena_printf(arena, "uses %s of %s%s", used, limit,
                           a->quota.over_since_ms ? ", over" : "");
}

static const char *epoch_words(struct mx_arena *arena, const struct store_answer *a,
                               int64_t now_ms)
{
    if (a->epoch.since_ms == 0)
        return "is empty";
    return mx_arena_printf(arena, "keeps state for %" PRId64 " s",
                           (now_ms - a->epoch.since_ms) / 1000);
}

static const char *rate_words(struct mx_arena *arena, const struct store_answer *a)
{
    if (a->rate.wait_ms == 0)
        return mx_arena_printf(arena, "room, %" PRId64 " left", a->rate.left);
    return mx_arena_printf(arena, "full for %" PRId64 " ms", a->rate.wait_ms);
}

/* "spam_action=tag tag_score=3" */
static const char *prefs_words(struct mx_arena *arena, const struct store_answer *a)
{
    const char *all = "";
    for (size_t i = 0; i < STORE_PREFS; i++) {
        enum store_pref pref = (enum store_pref)i;
        const char *value = store_prefs_format(arena, &a->prefs, pref);
        if (value)
            all = mx_arena_printf(arena, "%s%s%s=%s", all, *all ? " " : "",
                                  store_pref_name(pref), value);
    }
    return *all ? all : "none";
}

static const char *words(struct mx_arena *arena, const struct policy_answers *answers,
                         size_t i, int64_t now_ms)
{
    const struct store_question *q = &answers->questions[i];
    const struct store_answer *a = &answers->v[i];
    const char *fault = answers->fault ? answers->fault : "no answer";
    const char *unknown = mx_arena_printf(arena, "unknown: %s", fault);
    const char *subject = "store", *said = unknown;
    switch (q->kind) {
    case STORE_LIST_MATCH:
        subject = mx_arena_printf(arena, "list %s", mx_str_esc(arena, q->list.scope));
        said = list_words(arena, &q->list, a);
        break;
    case STORE_GREY_SEEN:
        subject = mx_arena_printf(arena, "greylist %s", mx_str_esc(arena, q->grey.pool));
        said = grey_words(arena, a, now_ms);
        break;
    case STORE_EPOCH: said = epoch_words(arena, a, now_ms); break;
    case STORE_RATE:
        subject = mx_arena_printf(arena, "rate %s", mx_str_esc(arena, q->rate.name));
        said = rate_words(arena, a);
        break;
    case STORE_PREFS_OF:
        subject =
            mx_arena_printf(arena, "choices of %s", mx_str_esc(arena, q->prefs.scope));
        said = prefs_words(arena, a);
        break;
    case STORE_DOVECOT: break; /* asked behind STORE_QUOTA, by the store */
    case STORE_QUOTA:
        subject = mx_arena_printf(arena, "quota %s", mx_str_esc(arena, q->mailbox));
        said = quota_words(arena, a);
        break;
    }
    return mx_arena_printf(arena, "%s: %s", subject, a->is_known ? said : unknown);
}

size_t policy_answers_words(struct mx_arena *arena, const struct policy_answers *answers,
                            int64_t now_ms, const char *out[static POLICY_SLOTS_MAX])
{
    size_t n = 0;
    if (answers->v == NULL || answers->slots == NULL)
        return 0;
    for (unsigned slot = 0; slot < POLICY_SLOTS_MAX; slot++) {
        uint32_t at = answers->slots->at[slot];
        if (at && at <= answers->n)
            out[n++] = words(arena, answers, at - 1, now_ms);
    }
    return n;
}
