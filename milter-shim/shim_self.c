/*
 * Nobody connects to a shim but its MTA, so it is not in the registry: it sends this
 * along when it asks a policyd for the lists, and mxdropctl status hears of it there.
 */
#include "shim_self.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_daemon.h"
#include "mx_health.h"
#include "mx_time.h"
#include "shim.h"

#define DEGRADED_MAX 32 /* checks: mx_health.h */
#define REASON_MAX 200u /* bytes of "check: reason" */

void shim_self_init(struct shim_self *self, const struct shim *shim)
{
    char host[65] = "localhost";
    gethostname(host, sizeof(host) - 1);
    self->shim = shim;
    self->since_ms = mx_wall_ms(shim->clock);
    snprintf(self->id, sizeof(self->id), "milter@%s-%d", host, (int)getpid());
}

struct filling {
    struct mx_arena *arena;
    Mxp__Node *node;
};

/* A policyd takes printable ASCII only. */
static void add_degraded(void *user, const char *check, const char *reason)
{
    struct filling *f = user;
    char text[REASON_MAX + 1];
    if (f->node->n_degraded == DEGRADED_MAX)
        return;
    snprintf(text, sizeof(text), "%s: %s", check, reason);
    for (char *p = text; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
    f->node->degraded[f->node->n_degraded++] = mx_arena_dup(f->arena, text, strlen(text));
}

/* protobuf-c wants char *, and never writes to what it packs. */
static char *copy(struct mx_arena *arena, const char *text)
{
    return mx_arena_dup(arena, text, strlen(text));
}

Mxp__Node *shim_self_describe(const struct shim_self *self, struct mx_arena *arena)
{
    const struct shim *shim = self->shim;
    Mxp__Node *node = mx_arena_alloc(arena, sizeof(*node));
    struct filling filling = {arena, node};
    mxp__node__init(node);
    node->id = copy(arena, self->id);
    node->version = copy(arena, MX_VERSION);
    node->since_ms = self->since_ms;
    node->workers = atomic_load(&shim->sessions);
    node->busy = atomic_load(&shim->messages);
    node->is_draining = atomic_load(&shim->is_draining);
    node->degraded = mx_arena_array(arena, DEGRADED_MAX, sizeof(*node->degraded));
    mx_health_each(shim->health, add_degraded, &filling);
    return node;
}
