/* Base64 behind padding: pieces, odd ends, what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "message_base64.h"
#include "mx_arena.h"

static void test_goes_on_table(void **state)
{
    static const struct {
        struct mx_str text;
        bool goes_on;
    } cases[] = {
        {MX_STR(""), false},         {MX_STR("QUJD"), false},
        {MX_STR("QUI=\r\n"), false}, {MX_STR("QQ==\r\n--\r\n"), false},
        {MX_STR("QQ==\r\nQ"), true}, {MX_STR("=Q"), true},
        {MX_STR("QQ=\0=!+"), true},  {MX_STR("=="), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(message_base64_goes_on(cases[i].text), cases[i].goes_on);
}

static void test_decode_table(void **state)
{
    static const struct {
        struct mx_str text, decoded;
    } cases[] = {
        {MX_STR("QUJD"), MX_STR("ABC")},
        {MX_STR("QQ==\r\nQkM="), MX_STR("ABC")},
        {MX_STR("QUI=Qw=="), MX_STR("ABC")},
        {MX_STR("QUI"), MX_STR("AB")},            /* padding left out */
        {MX_STR("Q!U J*D"), MX_STR("ABC")},       /* not of the alphabet */
        {MX_STR("QUJDQ=QUJD"), MX_STR("ABCABC")}, /* six bits are no octet */
        {MX_STR("====QQ======Qg=="), MX_STR("AB")},
        {MX_STR(""), MX_STR("")},
        {MX_STR("="), MX_STR("")},
    };
    struct mx_arena *arena = mx_arena_new(1 << 20);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mx_str decoded = message_base64_decode(arena, cases[i].text);
        if (!mx_str_eq(decoded, cases[i].decoded))
            fail_msg("%zu: \"%.*s\"", i, MX_STR_FMT(decoded));
    }
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on_table),
        cmocka_unit_test(test_decode_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
