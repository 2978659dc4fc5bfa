/* The cluster behind a shim: two clients, policy and scan, and what answers mean. */
#ifndef SHIM_BACKEND_H
#define SHIM_BACKEND_H

#include "shim.h"

struct mxp_client;
struct shim_cluster;
struct shim_self;

/**
 * shim_cluster_open(conf, log, self, out, err):
 * Start both clients (each with its owner thread, which alone touches ZeroMQ) and the
 * thread that keeps their endpoints up to date. Nobody needs to be there yet.
 * Owner:  shim_cluster_close, which fails the calls under way; ${log} and ${self} are
 * borrowed,
 *         ${conf} is not kept.
 * Fails:  an endpoint or key that cannot be used (-1).
 */
int shim_cluster_open(const struct shim_conf *conf, struct mx_log *log,
                      const struct shim_self *self, struct shim_cluster **out,
                      struct mx_err *err);
void shim_cluster_close(struct shim_cluster *cluster);

/** shim_cluster_backend(cluster): for struct shim. */
struct shim_backend shim_cluster_backend(struct shim_cluster *cluster);

/**
 * shim_cluster_reload(cluster, conf, err):
 * Another list of configured policyds, another polling interval.
 * Fails:  an endpoint that cannot be used (-1, the old list stays).
 */
int shim_cluster_reload(struct shim_cluster *cluster, const struct shim_conf *conf,
                        struct mx_err *err);

#endif
