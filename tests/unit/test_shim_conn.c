/* Connection and message state: what is kept, what is bounded, what is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "shim_fake.h"

static const struct shim_features all = {.has_space = true, .has_skip = true};

struct fixture {
    struct fake *fake;
    struct shim_conn *conn;
};

static struct fixture start(void)
{
    struct fake *fake = fake_new();
    return (struct fixture){
        fake, shim_conn_new(fake->shim.settings, &fake->shim.budget, &all, 0x123)};
}

static void stop(struct fixture *f)
{
    shim_conn_free(f->conn);
    assert_int_equal(f->fake->shim.budget.used, 0);
    fake_free(f->fake);
}

static void mail(struct fixture *f)
{
    struct mx_err err;
    char *argv[] = {(char[]){"<a@b>"}, (char[]){"BODY=8BITMIME"}, (char[]){"size=77"},
                    NULL};
    assert_int_equal(shim_conn_mail(f->conn, argv, &err), 0);
}

static int rcpt(struct fixture *f, const char *path)
{
    struct mx_err err;
    char text[4096];
    snprintf(text, sizeof(text), "%s", path);
    char *argv[] = {text, (char[]){"NOTIFY=NEVER"}, NULL};
    struct shim_rcpt *r = shim_conn_rcpt(f->conn, argv, &err);
    return r == NULL ? -1 : shim_conn_rcpt_keep(f->conn, r, &err);
}

static void test_conn_connect_keeps_only_real_names(void **state)
{
    struct fixture f = start();
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
    (void)state;
    shim_conn_connect(f.conn, "mx.example.com", (struct sockaddr *)&sa);
    assert_true(mx_str_eq(f.conn->client_name, MX_STR("mx.example.com")));
    assert_int_equal(f.conn->addr.family, 4);
    shim_conn_connect(f.conn, "[192.0.2.1]", NULL);
    assert_int_equal(f.conn->client_name.n, 0);
    assert_int_equal(f.conn->addr.family, 0);
    shim_conn_connect(f.conn, "Unknown", NULL);
    assert_int_equal(f.conn->client_name.n, 0);
    stop(&f);
}

static void test_conn_helo_many_times_is_bounded(void **state)
{
    struct fixture f = start();
    char *longest = mx_xalloc(100001);
    (void)state;
    memset(longest, 'h', 100000);
    shim_conn_macro(f.conn, "j", "mx");
    for (int i = 0; i < 1000; i++) {
        shim_conn_helo(f.conn, longest);
        shim_conn_macro(f.conn, "{cipher}", longest);
    }
    assert_int_equal(f.conn->helo.n, SHIM_WORD_MAX);
    assert_int_equal(f.conn->n_macros, 2);
    assert_true(mx_str_eq(f.conn->macros[0].value, MX_STR("mx")));
    free(longest);
    stop(&f);
}

static void test_conn_mail_reads_size_and_forgets_the_last(void **state)
{
    struct fixture f = start();
    struct mx_err err;
    (void)state;
    mail(&f);
    assert_int_equal(f.conn->msg.size_said, 77);
    assert_string_equal(f.conn->msg.id, "c000000000123.1");
    assert_int_equal(rcpt(&f, "<x@y>"), 0);
    assert_int_equal(shim_conn_body(f.conn, MX_STR("hello"), &err), 0);
    mail(&f);
    assert_string_equal(f.conn->msg.id, "c000000000123.2");
    assert_int_equal(f.conn->msg.n_rcpts, 0);
    assert_int_equal(f.conn->msg.spool.n, 0);
    assert_int_equal(f.fake->shim.budget.used, 0);
    stop(&f);
}

static void test_conn_mail_refused_when_budget_is_gone(void **state)
{
    struct fixture f = start();
    struct mx_err err;
    char *argv[] = {(char[]){"<>"}, NULL};
    (void)state;
    f.fake->shim.budget.max = 100;
    assert_int_equal(shim_conn_mail(f.conn, argv, &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    assert_false(f.conn->msg.is_open);
    stop(&f);
}

static void test_conn_rcpt_is_verbatim(void **state)
{
    struct fixture f = start();
    (void)state;
    mail(&f);
    assert_int_equal(rcpt(&f, "< \"Weird\\\" Name\"@Example.ORG >"), 0);
    assert_string_equal(f.conn->msg.rcpts[0].path.p,
                        "< \"Weird\\\" Name\"@Example.ORG >");
    assert_int_equal(f.conn->msg.rcpts[0].n_args, 1);
    stop(&f);
}

static void test_conn_rcpt_bounds(void **state)
{
    struct fixture f = start();
    struct mx_err err;
    char path[3000];
    (void)state;
    f.fake->tuned->max_recipients = 3;
    mail(&f);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rcpt(&f, "<x@y>"), 0);
    assert_int_equal(rcpt(&f, "<x@y>"), -1);
    mail(&f);
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    char *argv[] = {path, NULL};
    assert_null(shim_conn_rcpt(f.conn, argv, &err));
    assert_int_equal(err.code, MX_ERR_INPUT);
    stop(&f);
}

/* The arena of a message never reaches its cap, however much is put into it. */
static void test_conn_rcpt_and_header_never_reach_the_cap(void **state)
{
    struct fixture f = start();
    struct mx_err err;
    char path[1000], name[900];
    (void)state;
    f.fake->tuned->max_recipients = 10000;
    f.fake->tuned->max_headers = 100000;
    f.fake->tuned->max_header_bytes = 1 << 30;
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    mail(&f);
    int kept = 0;
    while (kept < 10000 && rcpt(&f, path) == 0)
        kept++;
    assert_in_range(kept, 100, 9999);
    mail(&f);
    memset(name, 'n', sizeof(name));
    int headers = 0;
    do
        snprintf(name, sizeof(name), "X-Mxdrop-%d-%0*d", headers++, 800, 0);
    while (shim_conn_header(f.conn, name, " x", &err) == 0);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_in_range(headers, 1000, 99999);
    stop(&f);
}

static void test_conn_rcpt_keep_refuses_too_much(void **state)
{
    struct fixture f = start();
    struct mx_err err;
    char *argv[] = {(char[]){"<x@y>"}, NULL};
    (void)state;
    mail(&f);
    struct shim_rcpt *r = shim_conn_rcpt(f.conn, argv, &err);
    char *mark = mx_xalloc(100001);
    memset(mark, 'm', 100000);
    r->marks = &mark;
    r->n_marks = 1;
    assert_int_equal(shim_conn_rcpt_keep(f.conn, r, &err), -1);
    assert_int_equal(f.conn->msg.n_rcpts, 0);
    free(mark);
    stop(&f);
}

static void test_conn_header_own_ones_are_counted_not_kept(void **state)
{
    struct fixture f = start();
    struct mx_err err;
    (void)state;
    mail(&f);
    assert_int_equal(shim_conn_header(f.conn, "x-mxdrop-score", " 1", &err), 0);
    assert_int_equal(shim_conn_header(f.conn, "To", "  b", &err), 0);
    assert_int_equal(shim_conn_header(f.conn, "X-MXDROP-Score", " 2", &err), 0);
    assert_int_equal(shim_conn_header(f.conn, "X-Mxdrop-Other", " 3", &err), 0);
    assert_int_equal(shim_conn_header(f.conn, "X-Mxdropper", " 4", &err), 0);
    assert_int_equal(f.conn->msg.n_forged, 2);
    assert_int_equal(f.conn->msg.forged[0].count, 2);
    assert_int_equal(f.conn->msg.forged[1].count, 1);
    assert_int_equal(shim_conn_header_count(&f.conn->msg, MX_STR("X-Mxdrop-SCORE")), 2);
    const char *expected = "To:  b\r\nX-Mxdropper: 4\r\n";
    assert_int_equal(f.conn->msg.spool.n, strlen(expected));
    assert_memory_equal(f.conn->msg.spool.memory, expected, strlen(expected));
    stop(&f);
}

static void test_conn_header_bounds(void **state)
{
    struct fixture f = start();
    struct mx_err err;
    (void)state;
    f.fake->tuned->max_headers = 2;
    mail(&f);
    assert_int_equal(shim_conn_header(f.conn, "A", "", &err), 0);
    assert_int_equal(shim_conn_header(f.conn, "A", "", &err), 0);
    assert_int_equal(shim_conn_header(f.conn, "A", "", &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    f.fake->tuned->max_header_bytes = 4096;
    mail(&f);
    char value[5000];
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    assert_int_equal(shim_conn_header(f.conn, "A", value, &err), -1);
    stop(&f);
}

static void test_conn_auth_is_utf8(void **state)
{
    struct fixture f = start();
    (void)state;
    mail(&f);
    shim_conn_auth(f.conn, "j\xe4rn", NULL);
    assert_string_equal(f.conn->msg.auth_user, "j?rn");
    assert_string_equal(f.conn->msg.auth_type, "");
    stop(&f);
}

static void test_conn_degraded_names_each_once(void **state)
{
    struct fixture f = start();
    (void)state;
    mail(&f);
    shim_conn_degraded(f.conn, "dnsbl");
    shim_conn_degraded(f.conn, "quota");
    shim_conn_degraded(f.conn, "dnsbl");
    assert_string_equal(f.conn->msg.degraded, "dnsbl,quota");
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conn_connect_keeps_only_real_names),
        cmocka_unit_test(test_conn_helo_many_times_is_bounded),
        cmocka_unit_test(test_conn_mail_reads_size_and_forgets_the_last),
        cmocka_unit_test(test_conn_mail_refused_when_budget_is_gone),
        cmocka_unit_test(test_conn_rcpt_is_verbatim),
        cmocka_unit_test(test_conn_rcpt_bounds),
        cmocka_unit_test(test_conn_rcpt_and_header_never_reach_the_cap),
        cmocka_unit_test(test_conn_rcpt_keep_refuses_too_much),
        cmocka_unit_test(test_conn_header_own_ones_are_counted_not_kept),
        cmocka_unit_test(test_conn_header_bounds),
        cmocka_unit_test(test_conn_auth_is_utf8),
        cmocka_unit_test(test_conn_degraded_names_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
