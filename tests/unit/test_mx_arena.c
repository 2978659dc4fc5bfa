/* The arena: zeroed, aligned, capped, reset. A cap that is passed ends a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mx_arena.h"

static void test_alloc_is_zeroed_and_aligned(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    (void)state;
    for (size_t size = 0; size < 300; size++) {
        unsigned char *p = mx_arena_alloc(arena, size);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    mx_arena_free(arena);
}

static void test_allocations_do_not_overlap(void **state)
{
    struct mx_arena *arena = mx_arena_new(4 << 20);
    unsigned char *p[64];
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        p[i] = mx_arena_alloc(arena, 100 * (i + 1));
        memset(p[i], (int)i, 100 * (i + 1));
    }
    for (unsigned i = 0; i < 64; i++)
        for (size_t j = 0; j < 100 * (i + 1); j++)
            assert_int_equal(p[i][j], i);
    mx_arena_free(arena);
}

static void test_left_can_be_allocated_at_once(void **state)
{
    struct mx_arena *arena = mx_arena_new(100003);
    (void)state;
    mx_arena_alloc(arena, 13);
    size_t left = mx_arena_left(arena);
    assert_in_range(left, 99900, 100003 - 13);
    mx_arena_alloc(arena, left);
    assert_int_equal(mx_arena_left(arena), 0);
    mx_arena_free(arena);
}

static void test_reset_gives_everything_back(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    size_t full = mx_arena_left(arena);
    (void)state;
    for (int round = 0; round < 3; round++) {
        char *p = mx_arena_alloc(arena, 500000);
        assert_int_equal(p[0], 0);
        p[0] = 1;
        assert_true(mx_arena_left(arena) < full);
        mx_arena_reset(arena);
        assert_int_equal(mx_arena_left(arena), full);
    }
    char *small = mx_arena_alloc(arena, 8);
    assert_int_equal(small[0], 0);
    mx_arena_free(arena);
    mx_arena_free(NULL);
}

static void test_dup_and_printf(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 16);
    (void)state;
    assert_string_equal(mx_arena_dup(arena, "abcdef", 3), "abc");
    assert_string_equal(mx_arena_dup(arena, NULL, 0), "");
    assert_string_equal(mx_arena_printf(arena, "%s=%d", "k", 5), "k=5");
    assert_string_equal(mx_arena_printf(arena, "%s", ""), "");
    mx_arena_free(arena);
}

static void pass_cap(void)
{
    mx_arena_alloc(mx_arena_new(1000), 1001);
}

static void overflow_array(void)
{
    volatile size_t count = SIZE_MAX / 2;
    mx_arena_array(mx_arena_new(SIZE_MAX), count, 3);
}

static void wrap_size(void)
{
    volatile size_t size = SIZE_MAX - 8;
    mx_arena_alloc(mx_arena_new(SIZE_MAX), size);
}

/* The signal that ends a child which runs ${fn}; 0 where it survives. */
static int death_of(void (*fn)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        if (freopen("/dev/null", "w", stderr) != NULL)
            fn();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_bounds_end_the_process(void **state)
{
    (void)state;
    assert_int_equal(death_of(pass_cap), SIGABRT);
    assert_int_equal(death_of(overflow_array), SIGABRT);
    assert_int_equal(death_of(wrap_size), SIGABRT);
}

static void test_heap_helpers(void **state)
{
    (void)state;
    char *p = mx_xalloc(10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(p[i], 0);
    p = mx_xrealloc(p, 1000);
    free(p);
    p = mx_xdup("text");
    assert_string_equal(p, "text");
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_is_zeroed_and_aligned),
        cmocka_unit_test(test_allocations_do_not_overlap),
        cmocka_unit_test(test_left_can_be_allocated_at_once),
        cmocka_unit_test(test_reset_gives_everything_back),
        cmocka_unit_test(test_dup_and_printf),
        cmocka_unit_test(test_bounds_end_the_process),
        cmocka_unit_test(test_heap_helpers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
