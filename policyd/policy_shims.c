/*
 * A table of encoded nodes by id. Shims ask every few seconds, any policyd of several, so
 * one is forgotten after it could have come round a few times; who asks all policyds has
 * the whole picture. Texts are checked as those of the registry are.
 */
#include "policy_shims.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_pack.h"
#include "registry_node.h"

#define ROUNDS 4                /* questions that it may miss here */
#define INTERVAL_MAX_MS 300000u /* the longest milter.topology_interval */
#define SLACK_MS 5000

struct heard {
    UT_hash_handle hh;
    char id[REGISTRY_TEXT_MAX + 1];
    int64_t at_ms, until_ms; /* monotonic */
    size_t n;
    uint8_t *bytes; /* the encoded node */
};

struct policy_shims {
    const struct mx_clock *clock;
    struct heard *table; /* the order of hearing: oldest first */
};

struct policy_shims *policy_shims_new(const struct mx_clock *clock)
{
    struct policy_shims *shims = mx_xalloc(sizeof(*shims));
    shims->clock = clock;
    return shims;
}

static void drop(struct policy_shims *shims, struct heard *heard)
{
    HASH_DEL(shims->table, heard);
    free(heard->bytes);
    free(heard);
}

void policy_shims_free(struct policy_shims *shims)
{
    struct heard *heard, *next;
    if (shims == NULL)
        return;
    HASH_ITER(hh, shims->table, heard, next)
    {
        drop(shims, heard);
    }
    free(shims);
}

static void remember(struct policy_shims *shims, const char *id, struct mx_str bytes,
                     uint32_t interval_ms)
{
    struct heard *heard = NULL;
    int64_t now_ms = mx_mono_ms(shims->clock);
    uint32_t wait_ms = interval_ms < INTERVAL_MAX_MS ? interval_ms : INTERVAL_MAX_MS;
    HASH_FIND_STR(shims->table, id, heard);
    if (heard) /* taken out and put in again, so that the table stays in order */
        drop(shims, heard);
    else if (HASH_COUNT(shims->table) >= POLICY_SHIMS_MAX)
        drop(shims, shims->table);
    heard = mx_xalloc(sizeof(*heard));
    memcpy(heard->id, id, strlen(id));
    heard->at_ms = now_ms;
    heard->until_ms = now_ms + ROUNDS * (int64_t)wait_ms + SLACK_MS;
    heard->n = bytes.n;
    heard->bytes = mx_xalloc(bytes.n);
    memcpy(heard->bytes, bytes.p, bytes.n);
    HASH_ADD_STR(shims->table, id, heard);
}

int policy_shims_hear(struct policy_shims *shims, struct mx_arena *arena,
                      struct mx_str payload, struct mx_err *err)
{
    struct mx_str bytes;
    const Mxp__TopologyRequest *request = (const Mxp__TopologyRequest *)mxp_unpack(
        arena, &mxp__topology_request__descriptor, payload, err);
    if (request == NULL)
        return -1;
    if (request->shim == NULL)
        return 0;
    if (registry_caller_encode(arena, request->shim, &bytes, err) != 0)
        return -1;
    remember(shims, request->shim->id, bytes, request->interval_ms);
    return 0;
}

static Mxp__Shim *told(struct mx_arena *arena, const struct heard *heard, int64_t now_ms)
{
    Mxp__Shim *shim = mx_arena_alloc(arena, sizeof(*shim));
    mxp__shim__init(shim);
    shim->heard_ms = now_ms - heard->at_ms;
    shim->node = (Mxp__Node *)mxp_unpack(arena, &mxp__node__descriptor,
                                         mx_str_of(heard->bytes, heard->n), NULL);
    return shim;
}

void policy_shims_list(const struct policy_shims *shims, struct mx_arena *arena,
                       Mxp__StatusReply *out)
{
    int64_t now_ms = mx_mono_ms(shims->clock);
    out->shims = mx_arena_array(arena, HASH_COUNT(shims->table), sizeof(*out->shims));
    for (const struct heard *heard = shims->table; heard; heard = heard->hh.next) {
        if (heard->until_ms <= now_ms)
            continue;
        Mxp__Shim *shim = told(arena, heard, now_ms);
        if (shim->node)
            out->shims[out->n_shims++] = shim;
    }
}
