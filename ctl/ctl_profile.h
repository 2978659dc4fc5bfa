/* Where the scanner's time went over many messages, added up and on paper. */
#ifndef CTL_PROFILE_H
#define CTL_PROFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "mx_str.h"
#include "scan.pb-c.h"

struct ctl_profile;
struct mx_arena;

/** ctl_profile_new(): nothing yet; free with ctl_profile_free, which takes NULL. */
struct ctl_profile *ctl_profile_new(void);
void ctl_profile_free(struct ctl_profile *profile);

/** ctl_profile_add(profile, reply): a reply to a request that says profile. Copies. */
void ctl_profile_add(struct ctl_profile *profile, const Mxp__ScanReply *reply);

/** ctl_profile_text(profile, arena, out): two tables: stages, and the costliest rules. */
void ctl_profile_text(const struct ctl_profile *profile, struct mx_arena *arena,
                      FILE *out);

/**
 * ctl_profile_json(profile, arena, out):
 * One object on one line: {"profile":{"messages":N,"ns":N,"stages":[..],"rules":[..]}}.
 */
void ctl_profile_json(const struct ctl_profile *profile, struct mx_arena *arena,
                      FILE *out);

/* What one rule took of its own: its judge or its function. */
struct ctl_profile_rule {
    size_t n_messages,
        n_messages_all; /* those where it took time; all that were scanned */
    double us;          /* for each of all messages */
    double share;       /* of the detector's time, 0 to 1 */
    size_t rank;        /* 1: the costliest; 0: it took none */
};

/** ctl_profile_rule(profile, name, out): of rule ${name}. */
void ctl_profile_rule(const struct ctl_profile *profile, const char *name,
                      struct ctl_profile_rule *out);

#endif
