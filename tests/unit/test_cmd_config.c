/* cmd_config.c: taking the sections apart that daemons print. Includes the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../ctl/cmd_config.c"

static void test_next_block_of_docs(void **state)
{
    struct mx_str rest =
        MX_STR("## redis\n\nThe state.\n\n| key |\n\n## log\n\nLines.\n");
    struct block block;

    (void)state;
    assert_int_equal(next_block(&rest, &block), 0);
    assert_true(mx_str_eq(block.name, MX_STR("redis")));
    assert_true(mx_str_eq(block.text, MX_STR("## redis\n\nThe state.\n\n| key |\n\n")));
    assert_int_equal(next_block(&rest, &block), 0);
    assert_true(mx_str_eq(block.name, MX_STR("log")));
    assert_int_equal(next_block(&rest, &block), -1);
}

static void test_next_block_of_sample(void **state)
{
    struct mx_str rest = MX_STR(
        "# The state,\n# of all.\nredis:\n  # Where.\n  address: x\n\n# Lines.\nlog:\n");
    struct block block;

    (void)state;
    assert_int_equal(next_block(&rest, &block), 0);
    assert_true(mx_str_eq(block.name, MX_STR("redis")));
    assert_true(mx_str_starts(block.text, MX_STR("# The state,\n# of all.\nredis:\n")));
    assert_true(mx_str_iends(block.text, MX_STR("  address: x\n\n")));
    assert_int_equal(next_block(&rest, &block), 0);
    assert_true(mx_str_eq(block.name, MX_STR("log")));
}

static void test_find_block_takes_the_first(void **state)
{
    struct mx_buf texts[sizeof(daemons) / sizeof(daemons[0])] = {{0}};

    (void)state;
    mx_buf_str(&texts[0], "## policyd\n\np\n\n## log\n\none\n");
    mx_buf_str(&texts[1], "## scand\n\ns\n\n## log\n\ntwo\n");
    assert_true(mx_str_eq(find_block(texts, "log"), MX_STR("## log\n\none\n")));
    assert_true(mx_str_eq(find_block(texts, "scand"), MX_STR("## scand\n\ns\n\n")));
    assert_int_equal(find_block(texts, "milter").n, 0);
    for (size_t i = 0; daemons[i]; i++)
        mx_buf_fini(&texts[i]);
}

static void test_said_drops_the_name(void **state)
{
    struct mx_buf text = {0};

    (void)state;
    mx_buf_str(&text, "mxdrop-scand: f.yaml:2: unknown\n");
    assert_true(mx_str_eq(said(&text, "mxdrop-scand"), MX_STR("f.yaml:2: unknown")));
    assert_true(
        mx_str_eq(said(&text, "mxdrop-x"), MX_STR("mxdrop-scand: f.yaml:2: unknown")));
    mx_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_block_of_docs),
        cmocka_unit_test(test_next_block_of_sample),
        cmocka_unit_test(test_find_block_takes_the_first),
        cmocka_unit_test(test_said_drops_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
