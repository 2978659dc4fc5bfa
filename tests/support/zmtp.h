/* ZMTP 3.0 by hand over a connected socket (ZeroMQ RFC 23): NULL mechanism, short frames.
 */
#ifndef ZMTP_H
#define ZMTP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cmocka.h>

static inline void zmtp_put(int fd, const void *p, size_t n)
{
    assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static inline void zmtp_take(int fd, void *p, size_t n)
{
    if (n > 0) /* recv of nothing waits all the same */
        assert_int_equal(recv(fd, p, n, MSG_WAITALL), n);
}

/* Greeting and READY both ways; ${type} is "DEALER" or "ROUTER", of six octets. */
static inline void zmtp_shake(int fd, const char *type)
{
    uint8_t greeting[64] = {0xff, [9] = 0x7f, [10] = 3, 0, 'N', 'U', 'L', 'L'};
    static const uint8_t ready[] = "\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06";
    uint8_t theirs[64], head[2], body[255];
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    zmtp_put(fd, greeting, sizeof(greeting));
    zmtp_take(fd, theirs, sizeof(theirs));
    zmtp_put(fd, ready, sizeof(ready) - 1);
    zmtp_put(fd, type, 6);
    zmtp_take(fd, head, sizeof(head));
    assert_int_equal(head[0], 4); /* a short command: their READY */
    zmtp_take(fd, body, head[1]);
}

static inline void zmtp_put_frame(int fd, const void *p, uint8_t n, bool more)
{
    uint8_t head[2] = {more, n};
    zmtp_put(fd, head, sizeof(head));
    zmtp_put(fd, p, n);
}

/* Returns the length of the frame. Heartbeats (commands) are skipped. */
static inline uint8_t zmtp_take_frame(int fd, uint8_t body[static 255], bool *more)
{
    uint8_t head[2];
    do {
        zmtp_take(fd, head, sizeof(head));
        zmtp_take(fd, body, head[1]);
    } while (head[0] & 4);
    assert_int_equal(head[0] & ~1, 0); /* short */
    *more = head[0] & 1;
    return head[1];
}

#endif
