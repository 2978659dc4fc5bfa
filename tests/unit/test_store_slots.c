/* store_slots: what is kept, what is displaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "store_slots.h"

static int setup(void **state)
{
    *state = mx_xalloc(sizeof(struct store_slots));
    return 0;
}

static int teardown(void **state)
{
    store_slots_fini(*state);
    free(*state);
    return 0;
}

static void put(struct store_slots *slots, const char *key, int64_t first, int64_t second)
{
    int64_t value[2] = {first, second};
    store_slots_put(slots, mx_str(key), value, 77);
}

static void test_store_slots_put_get_forget(void **state)
{
    struct store_slots *slots = *state;
    assert_null(store_slots_get(slots, MX_STR("a")));
    put(slots, "a", 1, 2);
    put(slots, "", 5, 6);
    put(slots, "a", 3, 4);
    const struct store_slot *slot = store_slots_get(slots, MX_STR("a"));
    assert_non_null(slot);
    assert_int_equal(slot->value[0], 3);
    assert_int_equal(slot->value[1], 4);
    assert_int_equal(slot->seen_ms, 77);
    assert_int_equal(store_slots_get(slots, MX_STR(""))->value[1], 6);
    store_slots_forget(slots, MX_STR("b"));
    store_slots_forget(slots, MX_STR("a"));
    assert_null(store_slots_get(slots, MX_STR("a")));
}

/* Another key in the same slot never answers for it. */
static void test_store_slots_newer_displaces(void **state)
{
    struct store_slots *slots = *state;
    char key[16];
    unsigned kept = 0;
    for (unsigned i = 0; i < 2 * STORE_SLOTS; i++) {
        snprintf(key, sizeof(key), "key %u", i);
        put(slots, key, i, 0);
    }
    for (unsigned i = 0; i < 2 * STORE_SLOTS; i++) {
        snprintf(key, sizeof(key), "key %u", i);
        const struct store_slot *slot = store_slots_get(slots, mx_str(key));
        kept += slot != NULL;
        assert_true(slot == NULL || slot->value[0] == i);
    }
    assert_in_range(kept, STORE_SLOTS / 2, STORE_SLOTS);
}

static void test_store_slots_long_keys_are_not_kept(void **state)
{
    struct store_slots *slots = *state;
    char key[STORE_SLOTS_KEY_MAX + 2];
    memset(key, 'k', sizeof(key));
    key[STORE_SLOTS_KEY_MAX + 1] = '\0';
    put(slots, key, 1, 1);
    assert_null(store_slots_get(slots, mx_str(key)));
    put(slots, key + 1, 1, 1);
    assert_non_null(store_slots_get(slots, mx_str(key + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_slots_put_get_forget, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store_slots_newer_displaces, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_store_slots_long_keys_are_not_kept, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
