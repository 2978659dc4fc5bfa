/*
 * Records between supervisor and engine parent. SOCK_SEQPACKET keeps them whole; both
 * ends are the same program. Neither side ever waits for the other here.
 */
#include "engine_link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mx_err.h"

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

int engine_msg_send(int fd, const struct engine_msg *msg, int pass, struct mx_err *err)
{
    struct engine_msg copy = *msg;
    struct iovec io = {.iov_base = &copy, .iov_len = sizeof(copy)};
    union control control = {0};
    struct msghdr head = {.msg_iov = &io, .msg_iovlen = 1};
    if (pass >= 0) {
        head.msg_control = control.bytes;
        head.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&head);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &pass, sizeof(int));
    }
    if (sendmsg(fd, &head, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(copy))
        return mx_err_errno(err, "engine channel");
    return 0;
}

int engine_msg_recv(int fd, struct engine_msg *out, int *out_pass, struct mx_err *err)
{
    struct engine_msg msg;
    struct iovec io = {.iov_base = &msg, .iov_len = sizeof(msg)};
    union control control = {0};
    struct msghdr head = {.msg_iov = &io,
                          .msg_iovlen = 1,
                          .msg_control = control.bytes,
                          .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(fd, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return mx_err_set(err, MX_ERR_TIMEOUT, "nothing there");
    if (n < 0)
        return mx_err_errno(err, "engine channel");
    if (n == 0)
        return mx_err_set(err, MX_ERR_DOWN, "engine channel closed");
    int pass = -1;
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&head);
    if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
        cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&pass, CMSG_DATA(cmsg), sizeof(int));
    if (n != (ssize_t)sizeof(msg)) {
        if (pass >= 0)
            close(pass);
        return mx_err_set(err, MX_ERR_INPUT, "engine channel: %zd octets", n);
    }
    msg.text[sizeof(msg.text) - 1] = '\0';
    *out = msg;
    *out_pass = pass;
    return 0;
}
