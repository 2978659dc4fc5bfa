/*
 * The address of a server and the greeting. Greeting with a write rather than PING: a
 * replica, a full memory or a broken disk answers PING happily, then refuses each
 * effect, and the store would flap between up and down.
 */
#include "redis_address.h"

#include <stdbool.h>
#include <string.h>

#include "mx_err.h"
#include "mx_str.h"
#include "redis_reply.h"
#include "store_keys.h"
#include "store_redis.h"

#define DEFAULT_PORT 6379

static int refuse(const char *text, const char *why, struct mx_err *err)
{
    return mx_err_set(err, MX_ERR_INPUT,
                      "Redis address '%.300s': %s; write unix:/path or host:port", text,
                      why);
}

static int parse_unix(const char *text, struct mx_str path, struct redis_address *out,
                      struct mx_err *err)
{
    struct redis_address address = {.port = 0};
    if (path.n == 0)
        return refuse(text, "no path", err);
    if (path.n >= sizeof(address.path))
        return refuse(text, "path too long for a UNIX socket", err);
    memcpy(address.path, path.p, path.n);
    *out = address;
    return 0;
}

/* Cut "host" and "port" apart; an IPv6 address with a port needs its brackets. */
static int split_port(struct mx_str text, struct mx_str *host, struct mx_str *port)
{
    *port = MX_STR_NONE;
    *host = text;
    if (text.n > 0 && text.p[0] == '[') {
        ptrdiff_t end = mx_str_chr(text, ']');
        if (end < 0)
            return -1;
        *host = mx_str_sub(text, 1, (size_t)end - 1);
        struct mx_str rest = mx_str_sub(text, (size_t)end + 1, text.n);
        if (rest.n > 0 && rest.p[0] != ':')
            return -1;
        *port = mx_str_sub(rest, 1, rest.n);
        return rest.n == 1 ? -1 : 0;
    }
    ptrdiff_t colon = mx_str_rchr(text, ':');
    if (colon < 0 || mx_str_chr(text, ':') != colon)
        return 0;
    *host = mx_str_sub(text, 0, (size_t)colon);
    *port = mx_str_sub(text, (size_t)colon + 1, text.n);
    return port->n == 0 ? -1 : 0;
}

int redis_address_parse(const char *text, struct redis_address *out, struct mx_err *err)
{
    struct redis_address address = {.port = DEFAULT_PORT};
    struct mx_str all = mx_str(text), host, port;
    int64_t number = DEFAULT_PORT;
    if (mx_str_starts(all, MX_STR("unix:")))
        return parse_unix(text, mx_str_sub(all, 5, all.n), out, err);
    if (all.n > 0 && all.p[0] == '/')
        return parse_unix(text, all, out, err);
    if (split_port(all, &host, &port) != 0 || host.n == 0)
        return refuse(text, "no host", err);
    if (host.n >= sizeof(address.host))
        return refuse(text, "host too long", err);
    if (port.n > 0 && mx_str_to_int(port, 1, UINT16_MAX, &number, NULL) != 0)
        return refuse(text, "bad port", err);
    memcpy(address.host, host.p, host.n);
    address.port = (uint16_t)number;
    *out = address;
    return 0;
}

static bool is_set(const char *text)
{
    return text && text[0] != '\0';
}

int redis_hello_step(const struct store_redis_settings *settings, enum redis_hello step,
                     struct redis_args *out)
{
    switch (step) {
    case REDIS_HELLO_AUTH:
        if (!is_set(settings->password))
            return -1;
        redis_args_init(out, "AUTH");
        if (is_set(settings->username))
            redis_args_text(out, settings->username);
        redis_args_text(out, settings->password);
        return 0;
    case REDIS_HELLO_SELECT:
        if (settings->db == 0)
            return -1;
        redis_args_init(out, "SELECT");
        redis_args_int(out, settings->db);
        return 0;
    case REDIS_HELLO_PROBE:
        if (settings->is_foreign) {
            redis_args_init(out, "PING");
            return 0;
        }
        redis_args_init(out, "SET");
        redis_args_text(out, STORE_PROBE_KEY);
        redis_args_text(out, "1");
        redis_args_text(out, "PX");
        redis_args_int(out, REDIS_PROBE_TTL_MS);
        return 0;
    }
    return -1;
}
