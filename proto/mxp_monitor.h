/* What ZeroMQ tells of the connections of one socket. Used by mxp_link and mxp_server. */
#ifndef MXP_MONITOR_H
#define MXP_MONITOR_H

struct mx_err;
struct mxp_monitor;

enum mxp_monitor_kind {
    MXP_MONITOR_NOTHING,   /* no event for now */
    MXP_MONITOR_OTHER,     /* one that needs no action */
    MXP_MONITOR_ACCEPTED,  /* somebody connected to us; fd is set */
    MXP_MONITOR_UP,        /* handshake done: messages flow */
    MXP_MONITOR_LOST,      /* a connection that was there is gone; fd is set */
    MXP_MONITOR_REFUSED,   /* could not connect; ZeroMQ tries again by itself */
    MXP_MONITOR_DENIED,    /* keys do not match */
    MXP_MONITOR_GARBAGE,   /* the other side does not speak ZMTP as it should */
    MXP_MONITOR_EXHAUSTED, /* could not accept: no descriptors, no memory */
};

struct mxp_monitor_event {
    enum mxp_monitor_kind kind;
    int fd; /* of the connection, for comparison only; -1 */
    char address[128];
};

/**
 * mxp_monitor_open(context, socket, out, err):
 * Watch ${socket}, before it connects or binds.
 * Owner:  mxp_monitor_close, before the socket is closed.
 */
int mxp_monitor_open(void *context, void *socket, struct mxp_monitor **out,
                     struct mx_err *err);
void mxp_monitor_close(struct mxp_monitor *monitor);

/** mxp_monitor_fd(monitor): edge-triggered: read until MXP_MONITOR_NOTHING. */
int mxp_monitor_fd(const struct mxp_monitor *monitor);

/** mxp_monitor_next(monitor, out): the next event. */
enum mxp_monitor_kind mxp_monitor_next(struct mxp_monitor *monitor,
                                       struct mxp_monitor_event *out);

#endif
