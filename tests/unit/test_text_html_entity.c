/* HTML character references. */
#include "text_case.h"

#include "text/text_html_entity.h"

struct entity_case {
    const char *in, *text, *attr;
    bool is_wide;
};

static void test_decode_in_text_and_attributes(void **state)
{
    static const struct entity_case cases[] = {
        {"a&amp;b", "a&b", "a&b", false},
        {"&ampfoo", "&foo", "&ampfoo", false},
        {"&eacute;&eacute", "\xc3\xa9\xc3\xa9", "\xc3\xa9\xc3\xa9", false},
        {"&Omega;", "\xce\xa9", "\xce\xa9", true},
        {"&Omega", "&Omega", "&Omega", false},
        {"&notit;", "\xc2\xacit;", "&notit;", false},
        {"&#65;&#x42&#X43;", "ABC", "ABC", false},
        {"&#8217;", "\xe2\x80\x99", "\xe2\x80\x99", true},
        {"&#0;&#x;&#;", "&#0;&#x;&#;", "&#0;&#x;&#;", false},
        {"&#1114112;", "&#1114112;", "&#1114112;", false},
        {"&#xfffe;", "&#xfffe;", "&#xfffe;", false},
        {"&#xfdd0;", "\xef\xbf\xbd", "\xef\xbf\xbd", true},
        {"& &; &unknown;", "& &; &unknown;", "& &; &unknown;", false},
        {"&", "&", "&", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool is_wide = false;
        struct mx_str in = mx_str(cases[i].in);
        assert_slice(*state, text_entities_decode(*state, in, true, &is_wide),
                     cases[i].text);
        is_wide = false;
        assert_slice(*state, text_entities_decode(*state, in, false, &is_wide),
                     cases[i].attr);
        assert_int_equal(is_wide, cases[i].is_wide);
    }
}

static void test_decode_joins_surrogates(void **state)
{
    bool is_wide = false;
    assert_slice(*state,
                 text_entities_decode(*state, MX_STR("&#xd83d;&#xde00;"), true, &is_wide),
                 "\xf0\x9f\x98\x80");
    assert_slice(
        *state, text_entities_decode(*state, MX_STR("&#xd83d;x&#xde00;"), true, &is_wide),
        "\xef\xbf\xbdx\xef\xbf\xbd");
}

static void test_decode_keeps_plain_text_in_place(void **state)
{
    bool is_wide = true;
    struct mx_str plain = MX_STR("nothing here");
    assert_ptr_equal(text_entities_decode(*state, plain, true, &is_wide).p, plain.p);
    assert_true(is_wide); /* only ever set */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode_in_text_and_attributes),
        cmocka_unit_test(test_decode_joins_surrogates),
        cmocka_unit_test(test_decode_keeps_plain_text_in_place),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
