/* policy_table: every module is complete and its name is one word. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "policy_table.h"

static void test_modules_are_complete(void **state)
{
    (void)state;
    size_t n = 0;
    for (; policy_table[n]; n++) {
        const struct policy_module *m = policy_table[n];
        for (const char *p = m->name; *p; p++)
            assert_true(islower((unsigned char)*p) || *p == '_');
        assert_non_null(m->doc);
        assert_non_null(m->decide);
        assert_true(m->stages != 0 && m->stages < 32);
        assert_true(m->keys == NULL || m->settings_size > 0);
        assert_true(m->on_fail == POLICY_NEXT || m->on_fail == POLICY_FAIL);
    }
    assert_true(n >= 6 && n <= POLICY_TABLE_MAX);
}

static void test_find(void **state)
{
    size_t index = 99;
    (void)state;
    assert_null(policy_table_find("greylis", &index));
    assert_int_equal(index, 99);
    for (size_t i = 0; policy_table[i]; i++) {
        assert_ptr_equal(policy_table_find(policy_table[i]->name, &index),
                         policy_table[i]);
        assert_int_equal(index, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modules_are_complete),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
