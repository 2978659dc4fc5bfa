/*
 * libmilter owns its listening socket and tells nobody of it; it stops listening only by
 * stopping everything: after smfi_stop its worker pool serves no session any more, not
 * even one in the middle of a message. To drain, the descriptor it listens on is
 * therefore exchanged under it for a socket that has no name; libmilter waits there for
 * connections that never come, and goes on with the sessions it has.
 *
 * libmilter also removes whatever socket it finds at its path, alive or not, so that is
 * looked after here as well.
 */
#include "shim_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mx_err.h"
#include "mx_str.h"

#define SCAN_FDS 4096 /* descriptors looked at for libmilter's */

static int unix_prepare(struct shim_socket *sock, struct mx_err *err)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(sock->path) >= sizeof(sa.sun_path))
        return mx_err_set(err, MX_ERR_INPUT,
                          "%s: longer than the %zu bytes of a socket path", sock->path,
                          sizeof(sa.sun_path) - 1);
    if (lstat(sock->path, &st) < 0)
        return errno == ENOENT ? 0 : mx_err_errno(err, "%s", sock->path);
    if (!S_ISSOCK(st.st_mode))
        return mx_err_set(err, MX_ERR_INPUT, "%s: exists and is no socket: remove it",
                          sock->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return mx_err_errno(err, "socket");
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", sock->path);
    int rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
    int why = errno;
    close(fd);
    if (rc == 0 || why != ECONNREFUSED)
        return mx_err_set(err, MX_ERR_SYSTEM, "%s: in use: another filter listens there",
                          sock->path);
    if (unlink(sock->path) < 0)
        return mx_err_errno(err, "stale socket %s", sock->path);
    return 0;
}

/* Can we bind there? Only bind itself knows; libmilter would tell nobody why it failed.
 */
static int try_bind(const struct addrinfo *info, struct mx_err *err)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return mx_err_errno(err, "socket");
    int rc = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (rc == 0)
        rc = bind(fd, info->ai_addr, info->ai_addrlen);
    if (rc < 0)
        mx_err_errno(err, "bind");
    close(fd);
    return rc;
}

static int inet_prepare(struct shim_socket *sock, struct mx_err *err)
{
    bool is_v6 = strncmp(sock->text, "inet6:", 6) == 0;
    struct mx_str rest = mx_str(strchr(sock->text, ':') + 1), port = MX_STR_NONE;
    char port_text[8], host[256];
    mx_str_next(&rest, '@', &port);
    int64_t number;
    if (mx_str_to_int(port, 1, 65535, &number, NULL) < 0)
        return mx_err_set(err, MX_ERR_INPUT, "%s: no port: write inet:PORT@HOST",
                          sock->text);
    snprintf(port_text, sizeof(port_text), "%lld", (long long)number);
    if (rest.n > 2 && rest.p[0] == '[' && rest.p[rest.n - 1] == ']')
        rest = mx_str_sub(rest, 1, rest.n - 2);
    snprintf(host, sizeof(host), "%.*s", MX_STR_FMT(rest));
    struct addrinfo hints = {.ai_family = is_v6 ? AF_INET6 : AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    struct addrinfo *info = NULL;
    int rc = getaddrinfo(rest.n > 0 ? host : NULL, port_text, &hints, &info);
    if (rc != 0)
        return mx_err_set(err, MX_ERR_INPUT, "%s: %s", sock->text, gai_strerror(rc));
    rc = try_bind(info, err);
    freeaddrinfo(info);
    return rc < 0 ? mx_err_wrap(err, "%s", sock->text) : 0;
}

int shim_socket_prepare(const char *address, struct shim_socket *out, struct mx_err *err)
{
    struct mx_str text = mx_str(address);
    bool is_bare = *address == '/';
    bool is_unix = is_bare || mx_str_starts(text, MX_STR("unix:")) ||
                   mx_str_starts(text, MX_STR("local:"));
    bool is_inet =
        mx_str_starts(text, MX_STR("inet:")) || mx_str_starts(text, MX_STR("inet6:"));
    if (!is_unix && !is_inet)
        return mx_err_set(err, MX_ERR_INPUT,
                          "\"%s\" is no address: write unix:PATH, "
                          "inet:PORT@HOST or inet6:PORT@HOST",
                          address);
    *out = (struct shim_socket){.fd = -1};
    snprintf(out->text, sizeof(out->text), "%s%s", is_bare ? "unix:" : "", address);
    if (!is_unix)
        return inet_prepare(out, err);
    out->path = strchr(out->text, ':') + 1;
    return unix_prepare(out, err);
}

static bool is_ours(const struct shim_socket *sock, int fd)
{
    int is_listening = 0;
    socklen_t n = sizeof(is_listening);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &n) < 0 || !is_listening)
        return false;
    struct sockaddr_storage sa = {0};
    n = sizeof(sa);
    if (getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
        return false;
    if (sock->path)
        return sa.ss_family == AF_UNIX &&
               strcmp(((struct sockaddr_un *)&sa)->sun_path, sock->path) == 0;
    struct mx_str rest = mx_str(strchr(sock->text, ':') + 1), port;
    int64_t number;
    if (mx_str_next(&rest, '@', &port) < 0 ||
        mx_str_to_int(port, 1, 65535, &number, NULL) < 0)
        return false;
    in_port_t bound = sa.ss_family == AF_INET6  ? ((struct sockaddr_in6 *)&sa)->sin6_port
                      : sa.ss_family == AF_INET ? ((struct sockaddr_in *)&sa)->sin_port
                                                : 0;
    return ntohs(bound) == number;
}

int shim_socket_adopt(struct shim_socket *sock, mode_t mode, struct mx_err *err)
{
    for (int fd = 3; fd < SCAN_FDS && sock->fd < 0; fd++)
        if (is_ours(sock, fd))
            sock->fd = fd;
    if (sock->path == NULL)
        return 0;
    struct stat st;
    if (chmod(sock->path, mode) < 0 || stat(sock->path, &st) < 0)
        return mx_err_errno(err, "%s", sock->path);
    sock->dev = st.st_dev;
    sock->ino = st.st_ino;
    return 0;
}

static void remove_file(const struct shim_socket *sock)
{
    struct stat st;
    if (sock->path && stat(sock->path, &st) == 0 && st.st_dev == sock->dev &&
        st.st_ino == sock->ino)
        unlink(sock->path);
}

void shim_socket_deafen(struct shim_socket *sock)
{
    remove_file(sock);
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX}; /* the kernel finds a name */
    int deaf = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int old = sock->fd >= 0 ? dup(sock->fd) : -1;
    if (deaf >= 0 && old >= 0 &&
        bind(deaf, (struct sockaddr *)&nowhere, sizeof(nowhere.sun_family)) == 0 &&
        listen(deaf, 0) == 0 && dup2(deaf, sock->fd) >= 0)
        shutdown(old, SHUT_RDWR); /* wakes libmilter, which finds the other one */
    if (deaf >= 0)
        close(deaf);
    if (old >= 0)
        close(old);
    sock->fd = -1;
}
