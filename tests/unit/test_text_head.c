/* text_head: where a header ends, and what its fields say. */
#include "text_case.h"

#include <stdlib.h>

#include "text/text_head.h"

struct head {
    struct text_fields fields;
    unsigned flags;
    size_t length;
};

static struct head parse(struct mx_arena *arena, const char *raw, bool has_crlf)
{
    struct head head = {.flags = 0};
    head.length =
        text_head_parse(arena, mx_str(raw), has_crlf, &head.fields, &head.flags);
    return head;
}

static void test_head_parse_plain(void **state)
{
    struct head head = parse(*state, "A: 1\nB : 2\n\t3\nC:\n\nbody\n", false);
    assert_int_equal(head.length, 18);
    assert_int_equal(head.fields.n, 3);
    assert_int_equal(head.flags, 0);
    assert_slice(*state, head.fields.v[1].name, "B");
    assert_slice(*state, head.fields.v[1].raw, " 2\n\t3");
    assert_slice(*state, head.fields.v[1].value, "2 3");
    assert_slice(*state, head.fields.v[2].value, "");
    free(head.fields.v);
}

static void test_head_parse_crlf(void **state)
{
    struct head head = parse(*state, "A: 1\r\n 2\r\n\r\nbody", true);
    assert_int_equal(head.length, 12);
    assert_slice(*state, head.fields.v[0].raw, " 1\n 2");
    assert_slice(*state, head.fields.v[0].value, "1 2");
    free(head.fields.v);
}

static void test_head_parse_ends_without_empty_line(void **state)
{
    struct head dashes = parse(*state, "A: 1\n--x\nB: 2\n\n", false);
    struct head end = parse(*state, "A: 1\n", false);
    assert_int_equal(dashes.length, 5);
    assert_int_equal(dashes.fields.n, 1);
    assert_int_equal(dashes.flags, TEXT_MISSING_HEAD_BODY_SEPARATOR);
    assert_int_equal(end.length, 5);
    assert_int_equal(end.flags, TEXT_MISSING_HEAD_BODY_SEPARATOR);
    free(dashes.fields.v);
    free(end.fields.v);
}

/* Three lines that are no fields are passed over, with the fourth the body begins. */
static void test_head_parse_fourth_bad_line(void **state)
{
    struct head head = parse(*state, "A: 1\nx\ny\nz\nB: 2\nw\nC: 3\n\n", false);
    assert_int_equal(head.length, 16);
    assert_int_equal(head.fields.n, 2);
    assert_int_equal(head.flags, TEXT_MISSING_HEAD_BODY_SEPARATOR);
    free(head.fields.v);
}

static void test_head_parse_cuts_long_values(void **state)
{
    char *raw = mx_arena_alloc(*state, 20000);
    memset(raw, 'x', 19000);
    memcpy(raw, "A: ", 3);
    memcpy(raw + 19000, "\n\n", 3);
    struct head head = parse(*state, raw, false);
    assert_int_equal(head.fields.v[0].raw.n, TEXT_FIELD_VALUE_MAX);
    assert_int_equal(head.flags, TEXT_TRUNCATED_HEADER);
    free(head.fields.v);
}

static void test_fields_add_decodes_by_name(void **state)
{
    struct text_fields fields = {.v = NULL};
    size_t n;
    text_fields_add(*state, &fields, MX_STR("Subject"), MX_STR(" =?utf-8?q?a?="));
    text_fields_add(*state, &fields, MX_STR("Message-ID"), MX_STR(" =?utf-8?q?a?="));
    text_fields_add(*state, &fields, MX_STR("LIST-x"), MX_STR(" =?utf-8?q?a?="));
    const struct text_field *kept = text_fields_keep(*state, &fields, &n);
    assert_int_equal(n, 3);
    assert_slice(*state, kept[0].value, "a");
    assert_slice(*state, kept[1].value, "=?utf-8?q?a?=");
    assert_slice(*state, kept[2].value, "=?utf-8?q?a?=");
    assert_ptr_equal(text_head_last(kept, n, MX_STR("subject")), &kept[0]);
    assert_null(text_head_last(kept, n, MX_STR("From")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_parse_plain),
        cmocka_unit_test(test_head_parse_crlf),
        cmocka_unit_test(test_head_parse_ends_without_empty_line),
        cmocka_unit_test(test_head_parse_fourth_bad_line),
        cmocka_unit_test(test_head_parse_cuts_long_values),
        cmocka_unit_test(test_fields_add_decodes_by_name),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
