/* The sandbox of a worker, in one call. */
#ifndef WORKER_CONFINE_H
#define WORKER_CONFINE_H

struct mx_err;
struct scan_conf;

/**
 * worker_confine(conf, err):
 * Give up what a worker does not need, for good: new privileges, core dumps, being
 * traced, new processes, more memory, larger files and more descriptors than a scan
 * takes. Fails:  the kernel refuses one of it (-1): such a worker must not scan.
 */
int worker_confine(const struct scan_conf *conf, struct mx_err *err);

#endif
