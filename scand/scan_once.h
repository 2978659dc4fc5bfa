/* One scan from request to reply, in the process that holds the chain. */
#ifndef SCAN_ONCE_H
#define SCAN_ONCE_H

#include "scan.pb-c.h"

#include "scan_chain.h"

#define SCAN_REPLY_PARTS_MAX 200 /* parts listed in a reply */

struct scan_once {
    const Mxp__ScanRequest *request;
    struct mx_str raw;   /* the message */
    int64_t deadline_ms; /* mx_mono_us() / 1000 */
    int64_t now_ms;      /* wall clock to scan by; 0: the request's, else the real one */
    const char *scanner; /* who we are, for the reply */
};

/**
 * scan_once_run(chain, conf, arena, once, out_result, out):
 * Parse, run the chain, score, encode. Whatever the message is, there is a reply.
 * Owner:  both outputs live in ${arena} and point into ${once}.
 */
void scan_once_run(struct scan_chain *chain, const struct scan_conf *conf,
                   struct mx_arena *arena, const struct scan_once *once,
                   struct scan_result *out_result, Mxp__ScanReply **out);

#endif
