/* How a policy answer is shown: what each module of the chain was told and said. */
#ifndef CTL_TRACE_H
#define CTL_TRACE_H

#include <stdio.h>

#include "policy.pb-c.h"

struct mx_arena;

struct ctl_trace {
    const char *stage;    /* "connect", "rcpt" ... */
    const char *argument; /* what was asked about: an address, a name; may be "" */
    const Mxp__PolicyReply *reply;
};

/** ctl_trace_text(arena, trace, out): one stage for people, a line a module. */
void ctl_trace_text(struct mx_arena *arena, const struct ctl_trace *trace, FILE *out);

/** ctl_trace_json(arena, trace, out): one object, no newline behind it. */
void ctl_trace_json(struct mx_arena *arena, const struct ctl_trace *trace, FILE *out);

#endif
