/*
 * The socket between supervisor and worker: records, a passed descriptor, an inbox.
 *
 * Requests fit into the socket's buffer as the mail travels in a memory file, so the
 * supervisor never waits for a worker that does not read. Replies may be larger than the
 * buffer: the worker waits, the supervisor collects.
 */
#include "worker_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"

#define REQUEST_MAGIC 0x4d585251u /* "MXRQ" */
#define REPLY_MAGIC 0x4d585250u   /* "MXRP" */

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

int worker_request_send(int fd, const struct worker_request *request, int file,
                        struct mx_err *err)
{
    struct worker_request copy = *request;
    copy.magic = REQUEST_MAGIC;
    struct iovec io = {.iov_base = &copy, .iov_len = sizeof(copy)};
    union control control = {0};
    struct msghdr msg = {.msg_iov = &io,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &file, sizeof(int));
    ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n != (ssize_t)sizeof(copy))
        return mx_err_errno(err, "sending to the worker");
    return 0;
}

static int passed_file(struct msghdr *msg)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(msg);
    int file = -1;
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&file, CMSG_DATA(head), sizeof(int));
    return file;
}

int worker_request_recv(int fd, struct worker_request *out, int *out_file,
                        struct mx_err *err)
{
    struct worker_request request;
    struct iovec io = {.iov_base = &request, .iov_len = sizeof(request)};
    union control control = {0};
    struct msghdr msg = {.msg_iov = &io,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t n;
    do {
        n = recvmsg(fd, &msg, MSG_WAITALL | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return mx_err_errno(err, "reading from the supervisor");
    int file = passed_file(&msg);
    if (n != (ssize_t)sizeof(request) || request.magic != REQUEST_MAGIC || file < 0) {
        if (file >= 0)
            close(file);
        return mx_err_set(err, n == 0 ? MX_ERR_DOWN : MX_ERR_INPUT,
                          n == 0 ? "the supervisor closed" : "not a request");
    }
    *out = request;
    *out_file = file;
    return 0;
}

static int send_all(int fd, const char *p, size_t n, struct mx_err *err)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return mx_err_errno(err, "sending to the supervisor");
        p += sent;
        n -= (size_t)sent;
    }
    return 0;
}

int worker_reply_send(int fd, const struct worker_reply *reply, struct mx_str faults,
                      struct mx_str payload, struct mx_err *err)
{
    struct worker_reply head = *reply;
    head.magic = REPLY_MAGIC;
    faults = mx_str_sub(faults, 0, WORKER_FAULTS_MAX);
    head.faults_n = (uint32_t)faults.n;
    head.payload_n = (uint32_t)payload.n;
    if (payload.n > WORKER_PAYLOAD_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "reply of %zu octets", payload.n);
    if (send_all(fd, (const char *)&head, sizeof(head), err) < 0 ||
        send_all(fd, faults.p, faults.n, err) < 0 ||
        send_all(fd, payload.p, payload.n, err) < 0)
        return -1;
    return 0;
}

/* The sizes that a record announces, or -1: not one that a sound worker sends. */
static int check_record(const struct worker_reply *reply, size_t *out_total)
{
    if (reply->magic != REPLY_MAGIC || reply->payload_n > WORKER_PAYLOAD_MAX ||
        reply->faults_n > WORKER_FAULTS_MAX || reply->n_costs > WORKER_COSTS_MAX ||
        (reply->seq == 0 && reply->payload_n + reply->faults_n > 0))
        return -1;
    *out_total = sizeof(*reply) + reply->faults_n + reply->payload_n;
    return 0;
}

int worker_inbox_feed(struct worker_inbox *inbox, struct mx_str bytes, struct mx_err *err)
{
    if (bytes.n >
        sizeof(struct worker_reply) + WORKER_FAULTS_MAX + WORKER_PAYLOAD_MAX - inbox->n)
        return mx_err_set(err, MX_ERR_LIMIT, "the worker sends too much");
    if (inbox->n + bytes.n > inbox->room) {
        inbox->room = (inbox->n + bytes.n) * 2;
        inbox->p = mx_xrealloc(inbox->p, inbox->room);
    }
    if (bytes.n > 0)
        memcpy(inbox->p + inbox->n, bytes.p, bytes.n);
    inbox->n += bytes.n;
    struct worker_reply reply;
    size_t total = 0;
    if (inbox->n < sizeof(reply))
        return 0;
    memcpy(&reply, inbox->p, sizeof(reply));
    if (check_record(&reply, &total) < 0 || inbox->n > total)
        return mx_err_set(err, MX_ERR_INPUT, "the worker sends no reply of ours");
    return 0;
}

int worker_inbox_take(struct worker_inbox *inbox, struct worker_reply *out,
                      struct mx_str *out_faults, struct mx_str *out_payload)
{
    struct worker_reply reply;
    size_t total = 0;
    if (inbox->n < sizeof(reply))
        return -1;
    memcpy(&reply, inbox->p, sizeof(reply));
    if (check_record(&reply, &total) < 0 || inbox->n < total)
        return -1;
    *out_faults = mx_str_of(inbox->p + sizeof(reply), reply.faults_n);
    *out_payload = mx_str_of(inbox->p + sizeof(reply) + reply.faults_n, reply.payload_n);
    *out = reply;
    inbox->n = 0;
    return 0;
}

void worker_inbox_fini(struct worker_inbox *inbox)
{
    free(inbox->p);
    *inbox = (struct worker_inbox){0};
}
