/*
 * Addresses of servers: ipc:// on one host, where the file's mode is the protection, and
 * tcp:// with CURVE keys. Plain tcp:// is for loopback only. ZeroMQ's other transports
 * are refused, as nobody thought about their protection.
 */
#include "mxp_address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mx_conf.h"
#include "mx_err.h"
#include "mx_net.h"
#include "mx_str.h"
#include "mxp_client.h"

static const struct mx_str IPC = {"ipc://", 6};
static const struct mx_str TCP = {"tcp://", 6};

const char *mxp_address_path(const char *address)
{
    return mx_str_starts(mx_str(address), IPC) ? address + IPC.n : NULL;
}

static bool is_loopback(struct mx_str host)
{
    static const struct mx_net loop4 = {.family = 4, .bits = 8, .addr = {127}};
    static const struct mx_net loop6 = {.family = 6, .bits = 128, .addr = {[15] = 1}};
    struct mx_net addr;
    if (mx_str_ieq(host, MX_STR("localhost")))
        return true;
    return mx_net_parse(host, &addr, NULL) == 0 &&
           (mx_net_contains(&loop4, &addr) || mx_net_contains(&loop6, &addr));
}

static int check_tcp(const char *address, bool has_keys, struct mx_err *err)
{
    struct mx_str rest = mx_str_sub(mx_str(address), TCP.n, SIZE_MAX);
    ptrdiff_t colon = mx_str_rchr(rest, ':');
    if (colon <= 0 || (size_t)colon + 1 == rest.n)
        return mx_err_set(err, MX_ERR_INPUT, "%s: should be tcp://HOST:PORT", address);
    if (!has_keys && !is_loopback(mx_str_sub(rest, 0, (size_t)colon)))
        return mx_err_set(err, MX_ERR_INPUT,
                          "%s: tcp to other hosts needs keys on both sides (make them "
                          "with: mxdropctl keygen)",
                          address);
    return 0;
}

int mxp_address_check(const char *address, bool has_keys, struct mx_err *err)
{
    size_t n = strlen(address);
    if (n >= MXP_ADDRESS_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "address of %zu bytes, at most %d fit", n,
                          MXP_ADDRESS_MAX - 1);
    if (mx_str_starts(mx_str(address), TCP))
        return check_tcp(address, has_keys, err);
    const char *path = mxp_address_path(address);
    if (path == NULL)
        return mx_err_set(err, MX_ERR_INPUT, "%s: should begin with ipc:/// or tcp://",
                          address);
    if (path[0] != '/' || strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return mx_err_set(err, MX_ERR_INPUT,
                          "%s: needs an absolute path of at most %zu bytes", address,
                          sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    return 0;
}

static int at_key(const struct mx_conf *conf, const char *section, const char *key,
                  struct mx_err *err)
{
    char dotted[64];
    snprintf(dotted, sizeof(dotted), "%s.%s", section, key);
    return mx_err_wrap(err, "%s: %s", mx_conf_where(conf, dotted), dotted);
}

static int check_key(const struct mx_conf *conf, const char *section, const char *name,
                     const char *key, struct mx_err *err)
{
    size_t n = strlen(key);
    if (n == MXP_KEY_MAX - 1)
        return 0;
    if (n == 0)
        mx_err_set(err, MX_ERR_INPUT, "public_key and secret_key go together");
    else
        mx_err_set(err, MX_ERR_INPUT,
                   "%zu characters: a key has %d, as mxdropctl keygen prints it", n,
                   MXP_KEY_MAX - 1);
    return at_key(conf, section, name, err);
}

int mxp_address_check_server(const struct mx_conf *conf, const char *section,
                             const char *address, const struct mxp_keys *keys,
                             struct mx_err *err)
{
    bool has_keys = keys->public_key[0] != '\0' || keys->secret_key[0] != '\0';
    if (has_keys && (check_key(conf, section, "public_key", keys->public_key, err) < 0 ||
                     check_key(conf, section, "secret_key", keys->secret_key, err) < 0))
        return -1;
    if (mxp_address_check(address, has_keys, err) < 0)
        return at_key(conf, section, "endpoint", err);
    return 0;
}

int mxp_address_clear(const char *path, struct mx_err *err)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return mx_err_errno(err, "socket");
    int rc = connect(fd, (const struct sockaddr *)&name, sizeof(name));
    int why = rc == 0 ? 0 : errno;
    close(fd);
    if (why == ENOENT)
        return 0;
    if (why == 0 || why == EAGAIN || why == EINPROGRESS)
        return mx_err_set(err, MX_ERR_SYSTEM, "in use by another process");
    errno = why;
    if (why != ECONNREFUSED)
        return mx_err_errno(err, "looking who listens");
    struct stat st;
    if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return mx_err_set(err, MX_ERR_INPUT, "is a file, but not a socket");
    if (unlink(path) != 0)
        return mx_err_errno(err, "removing a stale socket");
    return 0;
}
