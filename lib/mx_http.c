/*
 * /metrics and /healthz. libmicrohttpd runs one thread of its own that polls; a request
 * is answered from a text made for it. We bind the socket ourselves, so that a wrong
 * address or a taken port is told with its reason. No TLS, no authentication, nothing
 * that changes state: keep it on loopback or behind the site's own proxy.
 */
#include "mx_http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_metric.h"
#include "mx_net.h"
#include "mx_str.h"

#define CONNECTIONS_MAX 32 /* at a time: one scraper and some people */
#define IDLE_TIMEOUT_S 10
#define BACKLOG 16

struct mx_http {
    struct MHD_Daemon *daemon;
    struct mx_metrics *metrics;
    struct mx_health *health;
};

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              const char *type, const struct mx_buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_GET);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *user, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_n, void **state)
{
    struct mx_http *http = user;
    struct mx_buf body = {.max = 0};
    const char *type = "text/plain; charset=utf-8";
    unsigned status = MHD_HTTP_OK;
    (void)version, (void)upload, (void)upload_n, (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        mx_buf_str(&body, "GET only\n");
    } else if (strcmp(url, "/metrics") == 0) {
        type = "text/plain; version=0.0.4; charset=utf-8";
        mx_metrics_export(http->metrics, &body);
    } else if (strcmp(url, "/healthz") == 0) {
        type = "application/json";
        if (!mx_health_is_ready(http->health))
            status = MHD_HTTP_SERVICE_UNAVAILABLE;
        mx_health_format(http->health, &body);
        mx_buf_str(&body, "\n");
    } else {
        status = MHD_HTTP_NOT_FOUND;
        mx_buf_str(&body, "/metrics and /healthz are here\n");
    }
    enum MHD_Result result = answer(connection, status, type, &body);
    mx_buf_fini(&body);
    return result;
}

static int parse_listen(const char *listen, union address *out, socklen_t *out_n,
                        struct mx_err *err)
{
    struct mx_str text = mx_str(listen);
    struct mx_net net;
    int64_t port;
    ptrdiff_t colon = mx_str_rchr(text, ':');
    struct mx_str host = mx_str_sub(text, 0, colon < 0 ? 0 : (size_t)colon);
    /* "::1:9601" could be an address without a port: IPv6 takes brackets. */
    bool is_bare6 = mx_str_chr(host, ':') >= 0 && host.p[0] != '[';
    if (colon < 0 || is_bare6 || mx_str_chr(host, '/') >= 0 ||
        mx_net_parse(host, &net, NULL) < 0 ||
        mx_str_to_int(mx_str_sub(text, (size_t)colon + 1, text.n), 0, 65535, &port,
                      NULL) < 0)
        return mx_err_set(err, MX_ERR_INPUT,
                          "'%s' is not an address with a port: write 127.0.0.1:9601 or "
                          "[::1]:9601",
                          listen);
    memset(out, 0, sizeof(*out));
    if (net.family == 4) {
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons((uint16_t)port);
        memcpy(&out->in.sin_addr, net.addr, 4);
        *out_n = sizeof(out->in);
    } else {
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons((uint16_t)port);
        memcpy(&out->in6.sin6_addr, net.addr, 16);
        *out_n = sizeof(out->in6);
    }
    return 0;
}

static int open_socket(const char *listen_text, int *out_fd, struct mx_err *err)
{
    union address address;
    socklen_t n = 0;
    int on = 1;
    if (parse_listen(listen_text, &address, &n, err) < 0)
        return -1;
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return mx_err_errno(err, "%s: socket", listen_text);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, &address.any, n) < 0 || listen(fd, BACKLOG) < 0) {
        mx_err_errno(err, "cannot listen on %s", listen_text);
        close(fd);
        return -1;
    }
    *out_fd = fd;
    return 0;
}

int mx_http_start(const char *listen, struct mx_metrics *metrics,
                  struct mx_health *health, struct mx_http **out, struct mx_err *err)
{
    sigset_t all, before;
    int fd = -1;
    if (open_socket(listen, &fd, err) < 0)
        return -1;
    struct mx_http *http = mx_xalloc(sizeof(*http));
    http->metrics = metrics;
    http->health = health;
    /* The thread inherits the mask: signals are for the program's own threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    http->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, handle, http,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (http->daemon == NULL) {
        close(fd);
        free(http);
        return mx_err_set(err, MX_ERR_SYSTEM, "%s: libmicrohttpd cannot start", listen);
    }
    *out = http;
    return 0;
}

unsigned mx_http_port(const struct mx_http *http)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    union address address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t n = sizeof(address);
    if (info == NULL || getsockname(info->listen_fd, &address.any, &n) < 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET ? address.in.sin_port
                                                  : address.in6.sin6_port);
}

void mx_http_stop(struct mx_http *http)
{
    if (http == NULL)
        return;
    MHD_stop_daemon(http->daemon);
    free(http);
}
