/*
 * ZeroMQ's socket monitor: an in-process PAIR on which the library reports connections
 * made, lost and refused. The raw events are folded into the few kinds that we act on.
 *
 * The library's version 1 of an event is two frames: number and value in host order, then
 * the address. Both are written by the library in this process, so they are trusted in
 * form; a short frame is skipped all the same.
 */
#include "mxp_monitor.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "mx_arena.h"
#include "mx_err.h"

#define WATCHED                                                                          \
    (ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_ACCEPTED |           \
     ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |                           \
     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |        \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
#define EVENT_SIZE 6 /* octets: uint16 event, uint32 value */

struct mxp_monitor {
    void *watched, *pair;
    int fd;
};

static int attach(struct mxp_monitor *monitor, void *context, struct mx_err *err)
{
    char name[64];
    snprintf(name, sizeof(name), "inproc://monitor-%p", monitor->watched);
    if (zmq_socket_monitor(monitor->watched, name, WATCHED) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "socket monitor: %s",
                          zmq_strerror(zmq_errno()));
    monitor->pair = zmq_socket(context, ZMQ_PAIR);
    size_t size = sizeof(monitor->fd);
    int no_linger = 0;
    /* The library's thread blocks on a full monitor, and then closing it would too. */
    int no_limit = 0;
    if (monitor->pair == NULL ||
        zmq_setsockopt(monitor->pair, ZMQ_LINGER, &no_linger, sizeof(no_linger)) != 0 ||
        zmq_setsockopt(monitor->pair, ZMQ_RCVHWM, &no_limit, sizeof(no_limit)) != 0 ||
        zmq_connect(monitor->pair, name) != 0 ||
        zmq_getsockopt(monitor->pair, ZMQ_FD, &monitor->fd, &size) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "socket monitor: %s",
                          zmq_strerror(zmq_errno()));
    return 0;
}

int mxp_monitor_open(void *context, void *socket, struct mxp_monitor **out,
                     struct mx_err *err)
{
    struct mxp_monitor *monitor = mx_xalloc(sizeof(*monitor));
    monitor->watched = socket;
    if (attach(monitor, context, err) != 0) {
        mxp_monitor_close(monitor);
        return -1;
    }
    *out = monitor;
    return 0;
}

void mxp_monitor_close(struct mxp_monitor *monitor)
{
    if (monitor == NULL)
        return;
    zmq_socket_monitor(monitor->watched, NULL, 0);
    if (monitor->pair)
        zmq_close(monitor->pair);
    free(monitor);
}

int mxp_monitor_fd(const struct mxp_monitor *monitor)
{
    return monitor->fd;
}

static enum mxp_monitor_kind kind_of(unsigned event)
{
    switch (event) {
    case ZMQ_EVENT_ACCEPTED: return MXP_MONITOR_ACCEPTED;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return MXP_MONITOR_UP;
    case ZMQ_EVENT_DISCONNECTED: return MXP_MONITOR_LOST;
    case ZMQ_EVENT_CONNECT_RETRIED: return MXP_MONITOR_REFUSED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return MXP_MONITOR_DENIED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: return MXP_MONITOR_GARBAGE;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: return MXP_MONITOR_GARBAGE;
    case ZMQ_EVENT_ACCEPT_FAILED: return MXP_MONITOR_EXHAUSTED;
    default: return MXP_MONITOR_OTHER;
    }
}

static void read_event(zmq_msg_t *frame, struct mxp_monitor_event *out)
{
    uint16_t event = 0;
    uint32_t value = 0;
    const unsigned char *p = zmq_msg_data(frame);
    if (zmq_msg_size(frame) >= EVENT_SIZE) {
        memcpy(&event, p, sizeof(event));
        memcpy(&value, p + sizeof(event), sizeof(value));
    }
    out->kind = kind_of(event);
    /* The value of the other events is an error number. */
    if (out->kind == MXP_MONITOR_ACCEPTED || out->kind == MXP_MONITOR_LOST)
        out->fd = (int)value;
}

enum mxp_monitor_kind mxp_monitor_next(struct mxp_monitor *monitor,
                                       struct mxp_monitor_event *out)
{
    *out = (struct mxp_monitor_event){.kind = MXP_MONITOR_NOTHING, .fd = -1};
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, monitor->pair, ZMQ_DONTWAIT) >= 0) {
        read_event(&frame, out);
        while (zmq_msg_more(&frame)) {
            if (zmq_msg_recv(&frame, monitor->pair, ZMQ_DONTWAIT) < 0)
                break;
            snprintf(out->address, sizeof(out->address), "%.*s",
                     (int)zmq_msg_size(&frame), (const char *)zmq_msg_data(&frame));
        }
    }
    zmq_msg_close(&frame);
    return out->kind;
}
