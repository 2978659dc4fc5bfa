/* Admission: which new sessions are turned away while the scanners cannot keep up. */
#ifndef SHIM_ADMIT_H
#define SHIM_ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_net;
struct shim_conf;

/* What is known of the scanners. Zeroed: nothing yet, everybody is let in. */
struct shim_load {
    bool is_known;      /* a list of scanners has arrived */
    size_t usable;      /* scanners that a call would go to now */
    unsigned workers;   /* announced by those that do not drain */
    unsigned busy;      /* of these, as announced: some seconds old */
    unsigned in_flight; /* scans that this process waits for, now */
};

enum shim_admission {
    SHIM_ADMITTED,
    SHIM_SHED_BUSY, /* more work is waiting than the limit for this client allows */
    SHIM_SHED_DOWN, /* no scanner works, and scand_down_early is set */
};

#define SHIM_KNOWN_SLOTS 16384u

/* Shared by all sessions of a process; zeroed at start; no lock. */
struct shim_admit {
    _Atomic uint64_t known[SHIM_KNOWN_SLOTS]; /* tag of a network << 24 | minute */
    _Atomic int64_t let_in_ms;                /* the last one let in to find out */
};

/** shim_admit_state(conf, load): how a client that is not known would fare now. */
enum shim_admission shim_admit_state(const struct shim_conf *conf,
                                     const struct shim_load *load);

/**
 * shim_admit_judge(admit, conf, load, addr, now_ms):
 * May this client begin a session? ${now_ms} is monotonic. Beyond shed_load scans in
 * flight per worker clients that are not known are turned away, beyond shed_load_all all
 * but those of this host; with scand_down_early everybody while no scanner works, except
 * for one session a second, whose message finds out whether one works again.
 */
enum shim_admission shim_admit_judge(struct shim_admit *admit,
                                     const struct shim_conf *conf,
                                     const struct shim_load *load,
                                     const struct mx_net *addr, int64_t now_ms);

/** shim_admit_learn(admit, addr, now_ms): a message of this client was accepted. */
void shim_admit_learn(struct shim_admit *admit, const struct mx_net *addr,
                      int64_t now_ms);

/** shim_admit_knows(admit, addr, now_ms): a message of its network (/24, /64) was
 * accepted in the last week, as far as a table of fixed size remembers. */
bool shim_admit_knows(const struct shim_admit *admit, const struct mx_net *addr,
                      int64_t now_ms);

#endif
