/* Key names: exact forms, what cannot enter them, and the way back to the pool. */
#include "store_keys.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"

static void test_store_keys_list_plain_scope_is_readable(void **state)
{
    struct store_key key;
    (void)state;
    store_keys_list(&key, MX_STR("user+box@dom.example"));
    assert_string_equal(key.text, "mx:ls:{user+box@dom.example}");
    assert_int_equal(key.n, strlen(key.text));
}

static void test_store_keys_list_hostile_bytes_are_quoted(void **state)
{
    struct store_key key;
    (void)state;
    store_keys_list(&key, MX_STR("a}b{*?[\r\n\0%#@d"));
    assert_string_equal(key.text, "mx:ls:{a%7db%7b%2a%3f%5b%0d%0a%00%25%23@d}");
}

static void test_store_keys_list_empty_scope_keeps_a_hash_tag(void **state)
{
    struct store_key key;
    (void)state;
    store_keys_list(&key, MX_STR_NONE);
    assert_string_equal(key.text, "mx:ls:{%}");
}

static void test_store_keys_list_long_scope_is_hashed(void **state)
{
    struct store_key a, b;
    char text[1000];
    (void)state;
    memset(text, 'x', sizeof(text));
    store_keys_list(&a, mx_str_of(text, STORE_TAG_MAX));
    assert_int_equal(a.n, strlen("mx:ls:{}") + STORE_TAG_MAX);
    store_keys_list(&a, mx_str_of(text, STORE_TAG_MAX + 1));
    assert_int_equal(a.n, strlen("mx:ls:{#}") + STORE_HASH_HEX);
    store_keys_list(&b, mx_str_of(text, sizeof(text)));
    assert_string_not_equal(a.text, b.text);
}

/* BLAKE2b-128 of "": pinned, as keys must not change between releases. */
static void test_store_keys_tuple_hash_is_pinned(void **state)
{
    struct store_key key;
    (void)state;
    store_keys_tuple(&key, MX_STR("192.0.2.0/24"), MX_STR(""));
    assert_string_equal(key.text,
                        "mx:gl:{192.0.2.0/24}:t:cae66941d9efbd404e4d88758ea67670");
}

static void test_store_keys_of_one_script_share_the_tag(void **state)
{
    struct store_key tuple, pool;
    (void)state;
    store_keys_tuple(&tuple, MX_STR("a{b}c"), MX_STR("t"));
    store_keys_pool(&pool, MX_STR("a{b}c"));
    size_t n = (size_t)(strchr(pool.text, '}') - pool.text) + 1;
    assert_memory_equal(tuple.text, pool.text, n);
    assert_null(strchr(pool.text + n, '}'));
    store_keys_due(&tuple, "scand");
    store_keys_node(&pool, "scand");
    assert_string_equal(tuple.text, "mx:reg:{scand}:due");
    assert_string_equal(pool.text, "mx:reg:{scand}:node");
}

static void test_store_keys_glob_matches_nothing_but_its_pool(void **state)
{
    struct store_key key;
    (void)state;
    store_keys_tuples_glob(&key, MX_STR("*"));
    assert_string_equal(key.text, "mx:gl:{%2a}:t:*");
    store_keys_tuples_glob(&key, MX_STR_NONE);
    assert_string_equal(key.text, "mx:gl:{*}:t:*");
    store_keys_pools_glob(&key, MX_STR("p"));
    assert_string_equal(key.text, "mx:gl:{p}:*");
    store_keys_pools_glob(&key, MX_STR(""));
    assert_string_equal(key.text, "mx:gl:{*}:*");
}

static void test_store_keys_pool_of_round_trip(void **state)
{
    static const struct {
        const char *p;
        size_t n;
    } pools[] = {
        {"192.0.2.0/24", 12}, {"2001:db8::/64", 13}, {"a}{%#\0\xff", 7}, {"", 0}};
    struct mx_arena *arena = mx_arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
        struct store_key key;
        struct mx_str pool = mx_str_of(pools[i].p, pools[i].n), back = MX_STR("unset");
        struct mx_str text = store_keys_tuple(&key, pool, MX_STR("t"));
        assert_int_equal(store_keys_pool_of(arena, text, &back), 0);
        assert_true(mx_str_eq(back, pool));
        text = store_keys_pool(&key, pool);
        assert_int_equal(store_keys_pool_of(arena, text, &back), 0);
        assert_true(mx_str_eq(back, pool));
    }
    mx_arena_free(arena);
}

static void test_store_keys_pool_of_refuses_others(void **state)
{
    static const char *const keys[] = {"",          "mx:gl:{",      "mx:gl:{}:n",
                                       "mx:ls:{a}", "mx:gl:{%4}:n", "mx:gl:{%zz}:n",
                                       "mx:gl:{%",  "foreign"};
    struct mx_arena *arena = mx_arena_new(1 << 16);
    struct mx_str out = MX_STR("kept");
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_equal(store_keys_pool_of(arena, mx_str(keys[i]), &out), -1);
    assert_true(mx_str_eq(out, MX_STR("kept")));
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_keys_list_plain_scope_is_readable),
        cmocka_unit_test(test_store_keys_list_hostile_bytes_are_quoted),
        cmocka_unit_test(test_store_keys_list_empty_scope_keeps_a_hash_tag),
        cmocka_unit_test(test_store_keys_list_long_scope_is_hashed),
        cmocka_unit_test(test_store_keys_tuple_hash_is_pinned),
        cmocka_unit_test(test_store_keys_of_one_script_share_the_tag),
        cmocka_unit_test(test_store_keys_glob_matches_nothing_but_its_pool),
        cmocka_unit_test(test_store_keys_pool_of_round_trip),
        cmocka_unit_test(test_store_keys_pool_of_refuses_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
