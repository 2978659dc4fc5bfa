/* The message buffer: exact bytes, bounds, budget, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_client.h"
/* To reach what a handed-out body holds. */
#include "shim_spool.c"

struct fixture {
    struct shim_budget budget;
    struct shim_spool spool;
};

static const struct shim_spool_limits small = {.memory = 64, .full = 1000, .head = 10};

static void start(struct fixture *f, const struct shim_spool_limits *limits, int64_t max)
{
    *f = (struct fixture){.budget.max = max};
    shim_spool_init(&f->spool, &f->budget, limits);
}

static void add(struct fixture *f, const char *text)
{
    struct mx_err err;
    assert_int_equal(shim_spool_add(&f->spool, mx_str(text), &err), 0);
}

/* What a spool holds, wherever. */
static void assert_holds(struct fixture *f, const char *expected, size_t n)
{
    assert_int_equal(f->spool.n, n);
    if (f->spool.fd < 0) {
        assert_memory_equal(f->spool.memory, expected, n);
        return;
    }
    char *got = mx_xalloc(n + 1);
    assert_int_equal(pread(f->spool.fd, got, n + 1, 0), n);
    assert_memory_equal(got, expected, n);
    free(got);
}

static void test_spool_header_folds_as_crlf(void **state)
{
    struct fixture f;
    struct mx_err err;
    (void)state;
    start(&f, &small, 1 << 20);
    assert_int_equal(
        shim_spool_header(&f.spool, MX_STR("A"), MX_STR("  x\n\ty\r\n z"), true, &err),
        0);
    assert_int_equal(shim_spool_header(&f.spool, MX_STR("B"), MX_STR(""), false, &err),
                     0);
    assert_int_equal(shim_spool_end_header(&f.spool, &err), 0);
    const char *expected = "A:  x\r\n\ty\r\n z\r\nB: \r\n\r\n";
    assert_holds(&f, expected, strlen(expected));
    assert_int_equal(f.spool.header_n, strlen(expected));
    shim_spool_fini(&f.spool);
    assert_int_equal(f.budget.used, 0);
}

static void test_spool_add_spills_and_keeps_every_byte(void **state)
{
    struct fixture f;
    char expected[500];
    (void)state;
    start(&f, &small, 1 << 20);
    for (size_t i = 0; i < sizeof(expected); i++) {
        struct mx_err err;
        expected[i] = (char)(i % 256); /* NUL and 8 bit too */
        assert_int_equal(shim_spool_add(&f.spool, mx_str_of(expected + i, 1), &err), 0);
    }
    assert_true(f.spool.fd >= 0);
    assert_holds(&f, expected, sizeof(expected));
    shim_spool_fini(&f.spool);
    assert_int_equal(f.budget.used, 0);
}

static void test_spool_add_cuts_oversized_to_its_head(void **state)
{
    struct fixture f;
    struct mx_err err;
    (void)state;
    start(&f, &small, 1 << 20);
    assert_int_equal(shim_spool_header(&f.spool, MX_STR("A"), MX_STR(" b"), true, &err),
                     0);
    assert_int_equal(shim_spool_end_header(&f.spool, &err), 0);
    char body[600];
    memset(body, 'x', sizeof(body));
    assert_int_equal(shim_spool_add(&f.spool, mx_str_of(body, sizeof(body)), &err), 0);
    assert_false(f.spool.is_truncated);
    int64_t used = f.budget.used;
    assert_int_equal(shim_spool_add(&f.spool, mx_str_of(body, sizeof(body)), &err), 0);
    assert_true(f.spool.is_truncated);
    assert_holds(&f, "A: b\r\n\r\nxxxxxxxxxx", 8 + 10);
    assert_int_equal(f.spool.total, 8 + 1200);
    assert_true(f.budget.used < used);
    shim_spool_fini(&f.spool);
    assert_int_equal(f.budget.used, 0);
}

static void test_spool_add_one_huge_chunk_still_has_its_head(void **state)
{
    struct fixture f;
    struct mx_err err;
    char body[2000];
    (void)state;
    start(&f, &small, 1 << 20);
    memset(body, 'y', sizeof(body));
    assert_int_equal(shim_spool_add(&f.spool, mx_str_of(body, sizeof(body)), &err), 0);
    assert_true(f.spool.is_truncated);
    assert_holds(&f, "yyyyyyyyyy", 10);
    shim_spool_fini(&f.spool);
}

static void test_spool_add_stops_at_the_budget(void **state)
{
    struct shim_spool_limits limits = {.memory = 1 << 20, .full = 1 << 24, .head = 10};
    struct fixture f;
    struct mx_err err;
    static char body[60000];
    (void)state;
    start(&f, &limits, 100000);
    assert_int_equal(shim_spool_add(&f.spool, mx_str_of(body, sizeof(body)), &err), 0);
    assert_int_equal(shim_spool_add(&f.spool, mx_str_of(body, sizeof(body)), &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    assert_int_equal(f.spool.n, sizeof(body));
    /* The last bytes of the budget are still good. */
    assert_int_equal(shim_spool_add(&f.spool, mx_str_of(body, 30000), &err), 0);
    assert_true(shim_budget_full(&f.budget));
    shim_spool_fini(&f.spool);
    assert_int_equal(f.budget.used, 0);
    assert_false(shim_budget_full(&f.budget));
}

static void test_spool_add_disk_gone_is_an_error(void **state)
{
    struct shim_spool_limits limits = {
        .memory = 4, .full = 1000, .head = 10, .dir = "/nonexistent/spool"};
    struct fixture f;
    struct mx_err err;
    (void)state;
    start(&f, &limits, 1 << 20);
    add(&f, "1234");
    assert_int_equal(shim_spool_add(&f.spool, MX_STR("5"), &err), -1);
    assert_int_equal(err.code, MX_ERR_SYSTEM);
    assert_holds(&f, "1234", 4);
    shim_spool_fini(&f.spool);
}

static void take_and_release(const struct shim_spool_limits *limits, const char *text)
{
    struct fixture f;
    struct mx_err err;
    struct mxp_body *body = NULL;
    start(&f, limits, 1 << 20);
    add(&f, text);
    assert_int_equal(shim_spool_take(&f.spool, &body, &err), 0);
    assert_int_equal(f.spool.n, 0);
    assert_int_equal(f.spool.total, strlen(text));
    shim_spool_fini(&f.spool);
    assert_true(f.budget.used > 0); /* the body still holds it */
    mxp_body_unref(body);
    assert_int_equal(f.budget.used, 0);
}

static void test_spool_take_gives_budget_back_with_the_body(void **state)
{
    struct shim_spool_limits disk = small;
    char text[200];
    (void)state;
    memset(text, 'z', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    take_and_release(&small, "in memory");
    take_and_release(&small, text);
    disk.dir = "/tmp";
    take_and_release(&disk, text);
}

static void test_spool_take_seals_and_maps_the_same_bytes(void **state)
{
    struct fixture f;
    struct mx_err err;
    char text[200];
    void *p = NULL;
    (void)state;
    memset(text, 'q', sizeof(text));
    start(&f, &small, 1 << 20);
    assert_int_equal(shim_spool_add(&f.spool, mx_str_of(text, sizeof(text)), &err), 0);
    assert_int_equal(map_file(&f.spool, &p, &err), 0);
    assert_memory_equal(p, text, sizeof(text));
    assert_int_equal(write(f.spool.fd, "x", 1), -1); /* sealed */
    munmap(p, sizeof(text));
    shim_spool_fini(&f.spool);
}

static void test_spool_take_nothing(void **state)
{
    struct fixture f;
    struct mx_err err;
    struct mxp_body *body = NULL;
    (void)state;
    start(&f, &small, 1 << 20);
    assert_int_equal(shim_spool_take(&f.spool, &body, &err), 0);
    mxp_body_unref(body);
    assert_int_equal(f.budget.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spool_header_folds_as_crlf),
        cmocka_unit_test(test_spool_add_spills_and_keeps_every_byte),
        cmocka_unit_test(test_spool_add_cuts_oversized_to_its_head),
        cmocka_unit_test(test_spool_add_one_huge_chunk_still_has_its_head),
        cmocka_unit_test(test_spool_add_stops_at_the_budget),
        cmocka_unit_test(test_spool_add_disk_gone_is_an_error),
        cmocka_unit_test(test_spool_take_gives_budget_back_with_the_body),
        cmocka_unit_test(test_spool_take_seals_and_maps_the_same_bytes),
        cmocka_unit_test(test_spool_take_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
