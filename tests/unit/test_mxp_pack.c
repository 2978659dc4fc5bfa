/* Packing and unpacking on an arena, above all what must not be unpacked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin.pb-c.h"
#include "mx_err.h"
#include "mxp_pack.h"
#include "scan.pb-c.h"

#define ARENA_MAX 65536

static struct mx_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = mx_arena_new(ARENA_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mx_arena_free(arena);
    return 0;
}

static void test_pack_unpack_round_trip(void **state)
{
    (void)state;
    Mxp__Degraded in = MXP__DEGRADED__INIT;
    char check[] = "redis", reason[] = "";
    in.check = check;
    in.reason = reason;
    struct mx_str bytes = mxp_pack(arena, &in.base);
    const Mxp__Degraded *out =
        (const Mxp__Degraded *)mxp_unpack(arena, &mxp__degraded__descriptor, bytes, NULL);
    assert_non_null(out);
    assert_string_equal(out->check, "redis");
    assert_string_equal(out->reason, "");
}

static void test_unpack_empty_is_all_defaults(void **state)
{
    (void)state;
    const Mxp__ScanReply *out = (const Mxp__ScanReply *)mxp_unpack(
        arena, &mxp__scan_reply__descriptor, MX_STR_NONE, NULL);
    assert_non_null(out);
    assert_int_equal(out->n_findings, 0);
    assert_string_equal(out->scanner, "");
}

static void test_unpack_skips_unknown_fields(void **state)
{
    (void)state;
    /* field 1 = 5, field 100 (varint) = 1, field 101 = "xyz" */
    const struct mx_str bytes = MX_STR("\x08\x05\xa0\x06\x01\xaa\x06\x03xyz");
    const Mxp__ErrorReply *out = (const Mxp__ErrorReply *)mxp_unpack(
        arena, &mxp__error_reply__descriptor, bytes, NULL);
    assert_non_null(out);
    assert_int_equal(out->code, 5);
}

static void test_unpack_garbage(void **state)
{
    (void)state;
    struct mx_err err = {0};
    const struct mx_str bad[] = {
        MX_STR("\x12\x7f"
               "abc"), /* longer than there is */
        MX_STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        MX_STR("\x0b\x0b\x0b"), /* groups */
        MX_STR("\x12"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(mxp_unpack(arena, &mxp__error_reply__descriptor, bad[i], &err));
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
}

/* Two octets become a struct each: 8 KiB that want half a megabyte. */
static void test_unpack_bomb_leaves_half_of_the_arena(void **state)
{
    (void)state;
    struct mx_err err = {0};
    size_t n = 8192;
    char *bytes = malloc(n);
    for (size_t i = 0; i < n; i += 2)
        memcpy(bytes + i, "\x0a\x00", 2);
    assert_null(
        mxp_unpack(arena, &mxp__scan_reply__descriptor, mx_str_of(bytes, n), &err));
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_true(mx_arena_left(arena) >= ARENA_MAX / 2 - 64);
    free(bytes);
}

static void test_unpack_too_large_for_the_arena(void **state)
{
    (void)state;
    struct mx_err err = {0};
    char *bytes = calloc(1, ARENA_MAX);
    assert_null(mxp_unpack(arena, &mxp__scan_reply__descriptor,
                           mx_str_of(bytes, ARENA_MAX), &err));
    assert_int_equal(err.code, MX_ERR_LIMIT);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pack_unpack_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpack_empty_is_all_defaults, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_unpack_skips_unknown_fields, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_unpack_garbage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpack_bomb_leaves_half_of_the_arena, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_unpack_too_large_for_the_arena, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
