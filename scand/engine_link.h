/* Between supervisor and engine parent: fixed records over a SOCK_SEQPACKET pair. */
#ifndef ENGINE_LINK_H
#define ENGINE_LINK_H

#include <stdint.h>

struct mx_err;

#define ENGINE_FD 3 /* the engine parent finds its end there */
#define ENGINE_TEXT_MAX 2048

enum engine_word {
    ENGINE_READY,   /* engine: loaded; text: signatures LF rules LF "detector: why" LF ...
                     */
    ENGINE_FAILED,  /* engine: could not load, exits; text: why */
    ENGINE_SPAWN,   /* supervisor: fork a worker for slot, its socket comes along */
    ENGINE_BORN,    /* engine: slot's worker is pid */
    ENGINE_KILL,    /* supervisor: SIGKILL to pid, if it is a worker that still runs */
    ENGINE_GONE,    /* engine: worker pid ended with wait status */
    ENGINE_MEASURE, /* supervisor: score a sample, write to the file that comes along */
    ENGINE_TRY,     /* supervisor: score it, compare with the scores of that file */
    ENGINE_TRIED,   /* engine: done; status: enum engine_tried; text: what came out */
};

/* The slot of MEASURE, TRY and TRIED is the number of the trial. */
enum engine_tried {
    ENGINE_TRIED_WELL,
    ENGINE_TRIED_BEYOND, /* a bound was passed; text says which */
    ENGINE_TRIED_NOT,    /* could not be done; text says why */
    ENGINE_TRIED_DIED,   /* the process of the trial ended before it was done */
};

struct engine_msg {
    uint32_t word; /* enum engine_word */
    uint32_t slot; /* a number for the worker, never used twice */
    int32_t pid;
    int32_t status;
    char text[ENGINE_TEXT_MAX]; /* ends in NUL */
};

/** engine_msg_send(fd, msg, pass, err): ${pass} is a descriptor to send along, or -1.
 * Does not wait. */
int engine_msg_send(int fd, const struct engine_msg *msg, int pass, struct mx_err *err);

/**
 * engine_msg_recv(fd, out, out_pass, err):
 * One record; ${out_pass} is a descriptor (the caller's) or -1. Does not wait.
 * Fails:  nothing there (MX_ERR_TIMEOUT), other side gone (MX_ERR_DOWN), not a record
 * (-1).
 */
int engine_msg_recv(int fd, struct engine_msg *out, int *out_pass, struct mx_err *err);

#endif
