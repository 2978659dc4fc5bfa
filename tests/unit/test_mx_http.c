/* /metrics and /healthz over a real socket on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mx_err.h"
#include "mx_health.h"
#include "mx_http.h"
#include "mx_metric.h"

struct fixture {
    struct mx_metrics *metrics;
    struct mx_health *health;
    struct mx_http *http;
    char reply[4096];
};

static void start(struct fixture *f, const char *listen)
{
    struct mx_err err;
    f->metrics = mx_metrics_new();
    f->health = mx_health_new();
    f->http = NULL;
    if (mx_http_start(listen, f->metrics, f->health, &f->http, &err) < 0)
        fail_msg("%s", err.text);
    assert_in_range(mx_http_port(f->http), 1, 65535);
}

static void stop(struct fixture *f)
{
    mx_http_stop(f->http);
    mx_health_free(f->health);
    mx_metrics_free(f->metrics);
}

static const char *ask(struct fixture *f, const char *method, const char *path)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)mx_http_port(f->http)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char request[256];
    size_t n = 0;
    ssize_t got;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    int size =
        snprintf(request, sizeof(request),
                 "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, path);
    assert_int_equal(write(fd, request, (size_t)size), size);
    while ((got = read(fd, f->reply + n, sizeof(f->reply) - 1 - n)) > 0)
        n += (size_t)got;
    f->reply[n] = '\0';
    close(fd);
    return f->reply;
}

static void test_metrics(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "127.0.0.1:0");
    mx_counter_add(mx_metrics_counter(f.metrics, "a_total", NULL, "A."), 3);
    const char *reply = ask(&f, "GET", "/metrics");
    assert_memory_equal(reply, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(reply, "text/plain; version=0.0.4"));
    assert_non_null(strstr(reply, "\na_total 3\n"));
    stop(&f);
}

static void test_healthz_follows_ready(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "127.0.0.1:0");
    assert_memory_equal(ask(&f, "GET", "/healthz"), "HTTP/1.1 503 ", 13);
    mx_health_ready(f.health, true);
    mx_health_degraded(f.health, "dnsbl", "late");
    const char *reply = ask(&f, "GET", "/healthz");
    assert_memory_equal(reply, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(
        reply, "{\"live\":true,\"ready\":true,\"degraded\":{\"dnsbl\":\"late\"}}"));
    stop(&f);
}

static void test_nothing_else(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, "127.0.0.1:0");
    assert_memory_equal(ask(&f, "GET", "/"), "HTTP/1.1 404 ", 13);
    assert_memory_equal(ask(&f, "GET", "/metrics/x"), "HTTP/1.1 404 ", 13);
    assert_memory_equal(ask(&f, "POST", "/metrics"), "HTTP/1.1 405 ", 13);
    assert_memory_equal(ask(&f, "DELETE", "/healthz"), "HTTP/1.1 405 ", 13);
    stop(&f);
}

static void test_port_in_use_is_named(void **state)
{
    struct fixture f;
    struct mx_http *second = NULL;
    struct mx_err err;
    char listen[64];
    (void)state;
    start(&f, "127.0.0.1:0");
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", mx_http_port(f.http));
    assert_int_equal(mx_http_start(listen, f.metrics, f.health, &second, &err), -1);
    assert_null(second);
    assert_non_null(strstr(err.text, listen));
    assert_non_null(strstr(err.text, "in use"));
    stop(&f);
}

static void test_bad_addresses_are_refused(void **state)
{
    static const char *const wrong[] = {"",       "9601",          "127.0.0.1",
                                        "::1:80", "127.0.0.1:x",   "127.0.0.1:65536",
                                        "a:80",   "10.0.0.0/8:80", "127.0.0.1:"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct mx_http *http = NULL;
        struct mx_err err;
        assert_int_equal(mx_http_start(wrong[i], NULL, NULL, &http, &err), -1);
        assert_int_equal(err.code, MX_ERR_INPUT);
        assert_null(http);
    }
    mx_http_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_healthz_follows_ready),
        cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_port_in_use_is_named),
        cmocka_unit_test(test_bad_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
