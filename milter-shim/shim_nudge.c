/*
 * libmilter's worker pool loses wake-ups: a new session is promised to an idle worker
 * that another session may already have been promised to; the second one then waits until
 * some worker runs out of commands, which under load can be seconds. Whatever makes the
 * pool hand out one more piece of work also makes a worker look for forgotten sessions.
 *
 * So the shim keeps connections to its own socket and, while there are sessions, sends a
 * packet on one of them every few milliseconds: an abort outside of any message, which
 * libmilter reads and ignores without calling back or answering. So one forgotten session
 * is found every NUDGE_MS; bench/milter_load --probe --empty shows what it is worth:
 * without it single sessions waited for the whole length of a run.
 *
 * Left out: anything for a libmilter without the pool; there the packets do nothing.
 */
#include "shim_nudge.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"

#define NUDGE_MS 5 /* one forgotten session is found so often */
#define IDLE_MS 20 /* between two looks while there is no session */

#define NUDGES 4 /* connections by turns: a nudge can be forgotten, too */

struct shim_nudge {
    const char *address;
    const _Atomic unsigned *sessions;
    int fds[NUDGES];
    unsigned turn;
    pthread_t thread;
    pthread_mutex_t lock; /* of must_stop */
    pthread_cond_t wake;
    bool must_stop;
};

static int dial_unix(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* "PORT@HOST": an empty host listens everywhere, so also on loopback. */
static int dial_inet(const char *text, int family)
{
    struct mx_str host = mx_str(text), port = MX_STR_NONE;
    char host_text[256], port_text[8];
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *info = NULL;
    mx_str_next(&host, '@', &port);
    if (host.n > 2 && host.p[0] == '[')
        host = mx_str_sub(host, 1, host.n - 2);
    snprintf(host_text, sizeof(host_text), "%.*s", MX_STR_FMT(host));
    snprintf(port_text, sizeof(port_text), "%.*s", MX_STR_FMT(port));
    if (getaddrinfo(host.n > 0 ? host_text : NULL, port_text, &hints, &info) != 0)
        return -1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (connect(fd, info->ai_addr, info->ai_addrlen) < 0 ||
                    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(info);
    return fd;
}

static int dial(const char *address)
{
    const char *rest = strchr(address, ':') + 1;
    if (strncmp(address, "inet6:", 6) == 0)
        return dial_inet(rest, AF_INET6);
    return strncmp(address, "inet:", 5) == 0 ? dial_inet(rest, AF_INET) : dial_unix(rest);
}

static void send_nudge(struct shim_nudge *nudge)
{
    static const char packet[] = {0, 0, 0, 1, 'A'};
    int *fd = &nudge->fds[nudge->turn++ % NUDGES];
    if (*fd < 0)
        *fd = dial(nudge->address);
    if (*fd < 0 || send(*fd, packet, sizeof(packet), MSG_NOSIGNAL) == sizeof(packet))
        return;
    /* A full buffer can hold half a packet: begin again. libmilter closes idle ones. */
    close(*fd);
    *fd = -1;
}

static void *run(void *user)
{
    struct shim_nudge *nudge = user;
    pthread_mutex_lock(&nudge->lock);
    while (!nudge->must_stop) {
        bool is_busy = atomic_load(nudge->sessions) > 0;
        struct timespec due;
        if (is_busy)
            send_nudge(nudge);
        clock_gettime(CLOCK_MONOTONIC, &due);
        due.tv_nsec += (is_busy ? NUDGE_MS : IDLE_MS) * 1000000L;
        due.tv_sec += due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&nudge->wake, &nudge->lock, &due);
    }
    pthread_mutex_unlock(&nudge->lock);
    return NULL;
}

int shim_nudge_start(const char *address, const _Atomic unsigned *sessions,
                     struct shim_nudge **out, struct mx_err *err)
{
    struct shim_nudge *nudge = mx_xalloc(sizeof(*nudge));
    pthread_condattr_t attr;
    nudge->address = address;
    nudge->sessions = sessions;
    for (int i = 0; i < NUDGES; i++)
        nudge->fds[i] = -1;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&nudge->lock, NULL);
    pthread_cond_init(&nudge->wake, &attr);
    pthread_condattr_destroy(&attr);
    errno = pthread_create(&nudge->thread, NULL, run, nudge);
    if (errno == 0) {
        *out = nudge;
        return 0;
    }
    mx_err_errno(err, "nudge thread");
    pthread_cond_destroy(&nudge->wake);
    pthread_mutex_destroy(&nudge->lock);
    free(nudge);
    return -1;
}

void shim_nudge_stop(struct shim_nudge *nudge)
{
    if (nudge == NULL)
        return;
    pthread_mutex_lock(&nudge->lock);
    nudge->must_stop = true;
    pthread_cond_signal(&nudge->wake);
    pthread_mutex_unlock(&nudge->lock);
    pthread_join(nudge->thread, NULL);
    for (int i = 0; i < NUDGES; i++)
        if (nudge->fds[i] >= 0)
            close(nudge->fds[i]);
    pthread_cond_destroy(&nudge->wake);
    pthread_mutex_destroy(&nudge->lock);
    free(nudge);
}
