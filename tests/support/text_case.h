/* What the tests of scand/text share: an arena as state, slices compared as strings. */
#ifndef TEXT_CASE_H
#define TEXT_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_str.h"

static inline int text_case_setup(void **state)
{
    *state = mx_arena_new((size_t)64 << 20);
    return 0;
}

static inline int text_case_teardown(void **state)
{
    mx_arena_free(*state);
    return 0;
}

/* ${got} is "${want}", shown as text where not. */
#define assert_slice(arena, got, want) assert_string_equal(mx_str_dup(arena, got).p, want)

#endif
