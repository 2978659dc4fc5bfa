/* The gate in front of the MIME parser: harmless mail passes in one piece. */
#include "scan_fixture.h"

#include "message_gate.h"

struct collected {
    struct mx_buf text;
    size_t pieces;
};

static void collect(void *user, struct mx_str piece)
{
    struct collected *out = user;
    mx_buf_add(&out->text, piece.p, piece.n);
    out->pieces++;
}

static unsigned gate(struct mx_str raw, struct collected *out)
{
    *out = (struct collected){0};
    return message_gate(raw, collect, out);
}

static void repeat(struct mx_buf *text, const char *line, size_t times)
{
    for (size_t i = 0; i < times; i++)
        mx_buf_str(text, line);
}

static void test_gate_good_mail_is_untouched(void **state)
{
    (void)state;
    static const char *const mails[] = {
        "A: b\r\n\r\nbody\r\n",
        "A: b",
        "",
        "\n",
        "--",
        "--\n--\n\n\n",
        "A: b\n\n--x\nC: d\n\nmessage/rfc822\n\nE: f\n\n--x--\n",
        "\r\n\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
        struct collected out;
        assert_int_equal(gate(mx_str(mails[i]), &out), 0);
        assert_true(out.pieces <= 1);
        assert_true(mx_str_eq(mx_str_of(out.text.p, out.text.n), mx_str(mails[i])));
        mx_buf_fini(&out.text);
    }
}

static void test_gate_text_is_no_header(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    struct collected out;
    mx_buf_str(&text, "A: b\n\nintroduction\n\n");
    repeat(&text, "key: value\n", 100000);
    assert_int_equal(gate(mx_str_of(text.p, text.n), &out), 0);
    assert_int_equal(out.text.n, text.n);
    mx_buf_fini(&out.text);
    mx_buf_fini(&text);
}

static void test_gate_long_field_is_shortened(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    struct collected out;
    mx_buf_str(&text, "A: b\nLong: ");
    repeat(&text, "x", 50000);
    mx_buf_str(&text, "\n");
    repeat(&text, "\tfold\n", 5000);
    mx_buf_str(&text, "C: d\n\nbody");
    assert_int_equal(gate(mx_str_of(text.p, text.n), &out), MESSAGE_CUT_HEADERS);
    assert_true(out.text.n < GATE_FIELD_MAX + GATE_TAIL_MAX + 100);
    assert_true(mx_str_starts(mx_str(out.text.p), MX_STR("A: b\nLong: xxx")));
    assert_true(mx_str_iends(mx_str(out.text.p), MX_STR("\tfold\n\tfold\nC: d\n\nbody")));
    mx_buf_fini(&out.text);
    mx_buf_fini(&text);
}

/* Cut where a line ends: what is left must still be one field. */
static void test_gate_long_field_of_folds(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    struct collected out;
    mx_buf_str(&text, "A:\n");
    repeat(&text, " 345678\n", 5000);
    mx_buf_str(&text, " end\nC: d\n\nbody");
    assert_int_equal(gate(mx_str_of(text.p, text.n), &out), MESSAGE_CUT_HEADERS);
    struct mx_str rest = mx_str_of(out.text.p, out.text.n), line;
    assert_int_equal(mx_str_next(&rest, '\n', &line), 0);
    while (mx_str_next(&rest, '\n', &line) == 0 && line.n > 0 && line.p[0] == ' ')
        ;
    assert_true(mx_str_eq(line, MX_STR("C: d")));
    assert_true(mx_str_find(mx_str_of(out.text.p, out.text.n), MX_STR(" end\nC")) > 0);
    mx_buf_fini(&out.text);
    mx_buf_fini(&text);
}

static void test_gate_many_fields_end_the_header(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    struct collected out;
    repeat(&text, "a: b\n", GATE_BLOCK_MAX + 10);
    mx_buf_str(&text, "\nbody");
    assert_int_equal(gate(mx_str_of(text.p, text.n), &out), MESSAGE_CUT_HEADERS);
    assert_int_equal(mx_str_find(mx_str(out.text.p), MX_STR("\n\r\n")),
                     GATE_BLOCK_MAX * 5 - 1);
    mx_buf_fini(&out.text);
    mx_buf_fini(&text);
}

static void test_gate_many_boundaries_end_the_message(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    struct collected out;
    mx_buf_str(&text, "A: b\n\n");
    repeat(&text, "--b\n\n", GATE_BOUNDARIES_MAX + 5);
    assert_int_equal(gate(mx_str_of(text.p, text.n), &out), MESSAGE_CUT_BOUNDARIES);
    assert_int_equal(out.text.n, 6 + GATE_BOUNDARIES_MAX * 5);
    mx_buf_fini(&out.text);
    mx_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gate_good_mail_is_untouched),
        cmocka_unit_test(test_gate_text_is_no_header),
        cmocka_unit_test(test_gate_long_field_is_shortened),
        cmocka_unit_test(test_gate_long_field_of_folds),
        cmocka_unit_test(test_gate_many_fields_end_the_header),
        cmocka_unit_test(test_gate_many_boundaries_end_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
