/* Who there is to ask: a thread that keeps the endpoints of both clients up to date. */
#ifndef SHIM_TOPOLOGY_H
#define SHIM_TOPOLOGY_H

#include <stdint.h>

#include "shim_conf.h"

struct mx_err;
struct mx_log;
struct mxp_client;
struct shim_self;
struct shim_topology;

/* All borrowed until shim_topology_stop. */
struct shim_topology_options {
    struct mxp_client *policy, *scan;
    struct mx_log *log;
    const struct shim_self *self; /* who asks; NULL: nobody in particular */
};

/**
 * shim_topology_start(options, conf, out, err):
 * Give the policy client its configured endpoints and begin to ask them for the rest.
 * Owner:  shim_topology_stop; ${conf} is not kept.
 * Fails:  an endpoint that cannot be used (-1; the text names it).
 */
int shim_topology_start(const struct shim_topology_options *options,
                        const struct shim_conf *conf, struct shim_topology **out,
                        struct mx_err *err);
void shim_topology_stop(struct shim_topology *topology);

/**
 * shim_topology_configure(topology, conf, err):
 * Another list of configured policyds, another interval.
 * Fails:  as shim_topology_start (-1, the old ones stay).
 */
int shim_topology_configure(struct shim_topology *topology, const struct shim_conf *conf,
                            struct mx_err *err);

/** shim_topology_hint(topology, version): a reply named this version; another one than
 * ours: ask now. */
void shim_topology_hint(struct shim_topology *topology, uint64_t version);

/** shim_topology_scanners(topology, workers, busy): of the scanners announced that do
 * not drain, as they said; never blocks. */
void shim_topology_scanners(const struct shim_topology *topology, unsigned *workers,
                            unsigned *busy);

/** shim_topology_version(topology): of the lists in use; 0: none yet. */
uint64_t shim_topology_version(const struct shim_topology *topology);

#endif
