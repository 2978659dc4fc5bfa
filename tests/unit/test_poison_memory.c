/* The memory for poison messages; siphash against the vectors of its authors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "poison_memory.c"

static const uint8_t key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The reference implementation's test vectors: input 00 01 02 ..., key 00 .. 0f. */
static void test_siphash_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        uint64_t hash;
    } vectors[] = {{0, 0x726fdb47dd0e0e31u},
                   {1, 0x74f839c593dc67fdu},
                   {7, 0xab0200f58b01d137u},
                   {8, 0x93f5f5799a932462u},
                   {15, 0xa129ca6149be45e5u}};
    struct poison_memory *memory = poison_memory_new(key);
    char data[16];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)i;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        assert_true(siphash(memory->key, mx_str_of(data, vectors[i].n)) ==
                    vectors[i].hash);
    poison_memory_free(memory);
}

static void test_has_until_it_expires(void **state)
{
    (void)state;
    struct poison_memory *memory = poison_memory_new(key);
    poison_memory_add(memory, MX_STR("bad"), 1000);
    assert_true(poison_memory_has(memory, MX_STR("bad"), 999));
    assert_false(poison_memory_has(memory, MX_STR("bat"), 999));
    assert_false(poison_memory_has(memory, MX_STR("bad!"), 999));
    assert_false(poison_memory_has(memory, MX_STR("bad"), 1000));
    poison_memory_free(memory);
}

static void test_add_forgets_the_oldest(void **state)
{
    (void)state;
    struct poison_memory *memory = poison_memory_new(key);
    poison_memory_add(memory, MX_STR("old"), 1000);
    for (int i = 0; i < POISON_MEMORY_MAX - 1; i++)
        poison_memory_add(memory, mx_str_of(&i, sizeof(i)), 1000);
    assert_true(poison_memory_has(memory, MX_STR("old"), 0));
    poison_memory_add(memory, MX_STR("new"), 1000);
    assert_false(poison_memory_has(memory, MX_STR("old"), 0));
    assert_true(poison_memory_has(memory, MX_STR("new"), 0));
    poison_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_vectors),
        cmocka_unit_test(test_has_until_it_expires),
        cmocka_unit_test(test_add_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
