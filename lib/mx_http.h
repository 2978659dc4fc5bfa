/* /metrics and /healthz on libmicrohttpd: one thread, GET only, loopback by default. */
#ifndef MX_HTTP_H
#define MX_HTTP_H

struct mx_err;
struct mx_health;
struct mx_http;
struct mx_metrics;

/**
 * mx_http_start(listen, metrics, health, out, err):
 * Serve on ${listen}, "127.0.0.1:9601" or "[::1]:9601" (port 0: any free one). /healthz
 * is 200 when ready (degraded or not), 503 when not.
 * Owner:  stop with mx_http_stop; ${metrics} and ${health} are borrowed until then.
 * Fails:  bad address, port in use (-1, the text names it).
 */
int mx_http_start(const char *listen, struct mx_metrics *metrics,
                  struct mx_health *health, struct mx_http **out, struct mx_err *err);
void mx_http_stop(struct mx_http *http);

/** mx_http_port(http): the port it listens on; 0 where the system does not tell. */
unsigned mx_http_port(const struct mx_http *http);

#endif
