/*
 * Calls to the cluster. One owner thread per client holds the ZeroMQ sockets; the threads
 * of libmilter sleep in mxp_client_call. That costs two thread switches a call, and buys
 * few sockets however many sessions there are, one view on which endpoint is busy or
 * broken, and no socket that two threads could touch (libmilter promises no thread for a
 * session). Replies are decoded in the caller's thread and arena.
 *
 * Left out: retries and breakers (mxp_client), who the endpoints are (shim_topology.c).
 */
#include "shim_backend.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_client.h"
#include "mxp_pack.h"
#include "shim_topology.h"

#include "scan.pb-c.h"

#define POLICY_IN_FLIGHT 8192u
#define SCAN_IN_FLIGHT 2048u

struct shim_cluster {
    struct mx_log *log;
    struct mxp_client *policy, *scan;
    struct shim_topology *topology;
    _Atomic unsigned scans; /* under way */
};

static void on_event(void *user, const struct mxp_client_event *event)
{
    struct shim_cluster *cluster = user;
    mx_log(cluster->log, MX_LOG_INFO, "shim.endpoint", "address=%s state=%s reason=%s",
           event->address, event->state, event->reason ? event->reason : "-");
}

static int clients_open(struct shim_cluster *cluster, const struct shim_conf *conf,
                        struct mx_err *err)
{
    struct mxp_client_options options = {
        .name = "policy",
        .in_flight_max = POLICY_IN_FLIGHT,
        .reply_max = SHIM_WIRE_MAX,
        .on_event = on_event,
        .user = cluster,
    };
    if (*conf->public_key)
        options.keys = (struct mxp_keys){conf->public_key, conf->secret_key};
    if (mxp_client_new(&options, &cluster->policy, err) < 0)
        return -1;
    options.name = "scan";
    options.in_flight_max = SCAN_IN_FLIGHT;
    return mxp_client_new(&options, &cluster->scan, err);
}

int shim_cluster_open(const struct shim_conf *conf, struct mx_log *log,
                      const struct shim_self *self, struct shim_cluster **out,
                      struct mx_err *err)
{
    struct shim_cluster *cluster = mx_xalloc(sizeof(*cluster));
    cluster->log = log;
    int rc = clients_open(cluster, conf, err);
    if (rc == 0)
        rc =
            shim_topology_start(&(struct shim_topology_options){.policy = cluster->policy,
                                                                .scan = cluster->scan,
                                                                .log = log,
                                                                .self = self},
                                conf, &cluster->topology, err);
    if (rc < 0) {
        shim_cluster_close(cluster);
        return -1;
    }
    *out = cluster;
    return 0;
}

void shim_cluster_close(struct shim_cluster *cluster)
{
    if (cluster == NULL)
        return;
    shim_topology_stop(cluster->topology);
    mxp_client_free(cluster->scan);
    mxp_client_free(cluster->policy);
    free(cluster);
}

int shim_cluster_reload(struct shim_cluster *cluster, const struct shim_conf *conf,
                        struct mx_err *err)
{
    return shim_topology_configure(cluster->topology, conf, err);
}

static void set_patience(struct mxp_call *call, const struct shim_patience *patience)
{
    call->deadline_ms = patience->deadline_ms;
    call->attempt_ms = patience->attempt_ms;
    call->tick_ms = patience->tick_ms;
    call->on_tick = patience->on_tick;
    call->user = patience->user;
}

static int policy(void *user, struct mx_arena *arena, const Mxp__PolicyRequest *request,
                  const struct shim_patience *patience, Mxp__PolicyReply **out,
                  struct mx_err *err)
{
    struct shim_cluster *cluster = user;
    struct mxp_call call = {.type = MXP_POLICY_REQUEST,
                            .payload = &request->base,
                            .reply_type = MXP_POLICY_REPLY};
    struct mxp_answer answer;
    set_patience(&call, patience);
    if (mxp_client_call(cluster->policy, arena, &call, &answer, err) < 0)
        return -1;
    ProtobufCMessage *reply =
        mxp_unpack(arena, &mxp__policy_reply__descriptor, answer.payload, err);
    if (reply == NULL)
        return mx_err_wrap(err, "%s", answer.endpoint);
    *out = (Mxp__PolicyReply *)reply;
    return 0;
}

static int scan(void *user, struct mx_arena *arena, const Mxp__ScanRequest *request,
                struct mxp_body *body, const struct shim_patience *patience,
                Mxp__ScanReply **out, struct mx_err *err)
{
    struct shim_cluster *cluster = user;
    struct mxp_call call = {.type = MXP_SCAN_REQUEST,
                            .payload = &request->base,
                            .body = body,
                            .reply_type = MXP_SCAN_REPLY};
    struct mxp_answer answer;
    set_patience(&call, patience);
    atomic_fetch_add(&cluster->scans, 1);
    int rc = mxp_client_call(cluster->scan, arena, &call, &answer, err);
    atomic_fetch_sub(&cluster->scans, 1);
    if (rc < 0)
        return -1;
    ProtobufCMessage *reply =
        mxp_unpack(arena, &mxp__scan_reply__descriptor, answer.payload, err);
    if (reply == NULL)
        return mx_err_wrap(err, "%s", answer.endpoint);
    *out = (Mxp__ScanReply *)reply;
    return 0;
}

static void topology(void *user, uint64_t version)
{
    struct shim_cluster *cluster = user;
    shim_topology_hint(cluster->topology, version);
}

static uint64_t topology_held(void *user)
{
    struct shim_cluster *cluster = user;
    return shim_topology_version(cluster->topology);
}

static void load(void *user, struct shim_load *out)
{
    struct shim_cluster *cluster = user;
    out->is_known = shim_topology_version(cluster->topology) != 0;
    out->usable = mxp_client_usable(cluster->scan);
    out->in_flight = atomic_load(&cluster->scans);
    shim_topology_scanners(cluster->topology, &out->workers, &out->busy);
}

struct shim_backend shim_cluster_backend(struct shim_cluster *cluster)
{
    return (struct shim_backend){.user = cluster,
                                 .policy = policy,
                                 .scan = scan,
                                 .topology = topology,
                                 .topology_held = topology_held,
                                 .load = load};
}
