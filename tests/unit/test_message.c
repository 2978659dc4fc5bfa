/* The parsed message: header fields, parts, contents, bounds. */
#include "scan_fixture.h"

#define PARSE(f, literal) fixture_parse(f, literal, sizeof(literal) - 1)

static void assert_str(struct mx_str got, const char *wanted)
{
    if (!mx_str_eq(got, mx_str(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", MX_STR_FMT(got), wanted);
}

static void test_parse_headers_are_raw(void **state)
{
    (void)state;
    struct scan_fixture f;
    PARSE(&f, "A: 1\r\nb :two\r\n\tfold\r\njunk\r\nA:3\r\n\r\nbody\r\n");
    assert_int_equal(f.msg.n_headers, 3);
    assert_str(f.msg.headers[0].value, " 1");
    assert_str(f.msg.headers[1].name, "b");
    assert_str(f.msg.headers[1].value, "two\r\n\tfold\r\njunk");
    assert_str(message_find(&f.msg, "a", 1)->value, "3");
    assert_null(message_find(&f.msg, "a", 2));
    assert_str(f.msg.body, "body\r\n");
    fixture_free(&f);
}

static void test_parse_header_edges(void **state)
{
    (void)state;
    struct scan_fixture f;
    PARSE(&f, " starts with a fold\nA: 1\n\nx");
    assert_int_equal(f.msg.n_headers, 2);
    assert_int_equal(f.msg.headers[0].name.n, 0);
    fixture_free(&f);
    PARSE(&f, "A: 1");
    assert_null(f.msg.body.p);
    assert_str(f.msg.headers[0].value, " 1");
    fixture_free(&f);
    PARSE(&f, "\r\nbody only");
    assert_int_equal(f.msg.n_headers, 0);
    assert_str(f.msg.body, "body only");
    fixture_free(&f);
}

/* GMime makes nothing of a message whose first line is no field; mail readers do. */
static void test_parse_junk_in_front_hides_nothing(void **state)
{
    (void)state;
    struct scan_fixture f;
    PARSE(&f, " fold\r\nContent-Type: text/html\r\n\r\nbody");
    assert_str(f.msg.parts[0].type, "text/html");
    assert_str(f.msg.parts[0].content, "body");
    assert_int_equal(f.msg.warned[MESSAGE_WARN_MALFORMED].count, 1);
    fixture_free(&f);
    PARSE(&f, "junk\r\nContent-Type: text/html\r\n\r\nbody");
    assert_str(f.msg.parts[0].type, "text/html");
    fixture_free(&f);
    PARSE(&f, "x");
    assert_str(f.msg.parts[0].content, "x");
    fixture_free(&f);
    PARSE(&f, "\r\nbody");
    assert_str(f.msg.parts[0].content, "body");
    fixture_free(&f);
}

static void test_parse_empty_has_one_part(void **state)
{
    (void)state;
    struct scan_fixture f;
    PARSE(&f, "");
    assert_int_equal(f.msg.n_parts, 1);
    assert_str(f.msg.parts[0].type, "text/plain");
    fixture_free(&f);
}

static void test_parse_parts(void **state)
{
    (void)state;
    struct scan_fixture f;
    PARSE(&f, "MIME-Version: 1.0\r\nContent-Type: Multipart/Mixed; boundary=b\r\n\r\n"
              "--b\r\nContent-Type: TEXT/HTML; charset=\"UTF-8\"\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db\r\n"
              "--b\r\nContent-Type: message/rfc822\r\n\r\n"
              "Subject: inner\r\n\r\ninner body\r\n"
              "--b\r\nContent-Type: application/zip\r\n"
              "Content-Disposition: ATTACHMENT; filename=\"=?utf-8?q?=C3=A4.zip?=\"\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n");
    static const struct {
        const char *type;
        unsigned depth;
        int parent;
        bool is_container;
    } wanted[] = {{"multipart/mixed", 0, -1, true},
                  {"text/html", 1, 0, false},
                  {"message/rfc822", 1, 0, true},
                  {"text/plain", 2, 2, false},
                  {"application/zip", 1, 0, false}};
    assert_int_equal(f.msg.n_parts, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_str(f.msg.parts[i].type, wanted[i].type);
        assert_int_equal(f.msg.parts[i].depth, wanted[i].depth);
        assert_int_equal(f.msg.parts[i].parent, wanted[i].parent);
        assert_int_equal(f.msg.parts[i].is_container, wanted[i].is_container);
    }
    assert_str(f.msg.parts[1].content, "a=b");
    assert_str(f.msg.parts[1].charset, "utf-8");
    assert_str(f.msg.parts[3].content, "inner body");
    assert_int_equal(f.msg.parts[4].content.n, 3);
    assert_memory_equal(f.msg.parts[4].content.p, "\0\1\2", 3);
    assert_str(f.msg.parts[4].name, "\xc3\xa4.zip");
    assert_str(f.msg.parts[4].disposition, "attachment");
    assert_int_equal(f.msg.parts[4].n_headers, 3);
    fixture_free(&f);
}

/* Parts that the MIME parser does not make, but lenient readers see. */
static void test_parse_hidden_parts(void **state)
{
    (void)state;
    struct scan_fixture f;
    PARSE(&f, "Content-Type: image/png; name=a.png\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\nQQ==\r\nQkM=\r\n");
    assert_int_equal(f.msg.n_parts, 2);
    assert_str(f.msg.parts[0].content, "A");
    assert_false(f.msg.parts[0].is_hidden);
    assert_str(f.msg.parts[1].content, "ABC");
    assert_str(f.msg.parts[1].name, "a.png");
    assert_true(f.msg.parts[1].is_hidden);
    assert_int_equal(f.msg.parts[1].parent, 0);
    fixture_free(&f);
    /* "Content-Type: text/html", an empty line, "x" */
    PARSE(&f, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
              "Q29udGVudC1UeXBlOiB0ZXh0L2h0bWwNCg0KeA==\r\n");
    assert_int_equal(f.msg.n_parts, 2);
    assert_true(f.msg.parts[0].is_hidden);
    assert_str(f.msg.parts[1].type, "text/html");
    assert_str(f.msg.parts[1].content, "x");
    assert_int_equal(f.msg.parts[1].depth, 1);
    fixture_free(&f);
    PARSE(&f, "Content-Transfer-Encoding: base64\r\n\r\nQQ==\r\n--\r\n");
    assert_int_equal(f.msg.n_parts, 1);
    fixture_free(&f);
}

static void test_parse_warnings_are_kept(void **state)
{
    (void)state;
    struct scan_fixture f;
    PARSE(&f, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx");
    assert_int_equal(f.msg.warned[MESSAGE_WARN_NO_END].count, 1);
    assert_int_equal(f.msg.warned[MESSAGE_WARN_NO_BOUNDARY].count, 0);
    fixture_free(&f);
}

/* A megabyte of what costs GMime most must stay cheap: the arena's cap is the proof. */
static void parse_repeated(const char *head, const char *line, size_t times,
                           unsigned expected_cut)
{
    struct scan_fixture f;
    struct mx_buf text = {0};
    mx_buf_str(&text, head);
    for (size_t i = 0; i < times; i++)
        mx_buf_str(&text, line);
    fixture_parse(&f, text.p, text.n);
    assert_true(f.msg.cuts & expected_cut);
    assert_true(f.msg.n_parts <= MESSAGE_PARTS_MAX);
    fixture_free(&f);
    mx_buf_fini(&text);
}

static void test_parse_hostile(void **state)
{
    (void)state;
    parse_repeated("Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\n", 200000,
                   MESSAGE_CUT_PARTS | MESSAGE_CUT_BOUNDARIES);
    parse_repeated("", "a:b\n", 300000, MESSAGE_CUT_HEADERS);
    parse_repeated("Content-Type: text/plain", ";\n a=b", 100000, MESSAGE_CUT_HEADERS);
    parse_repeated("", "Content-Type: message/rfc822\n\n", 5000, MESSAGE_CUT_DEPTH);
    parse_repeated("Content-Type: message/rfc822\n\n", "a:b\n", 300000,
                   MESSAGE_CUT_HEADERS);
}

static void test_parse_content_is_bounded_by_the_arena(void **state)
{
    (void)state;
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct mx_buf text = {0};
    struct message msg = {0};
    mx_buf_str(&text, "A: b\n\n");
    for (size_t i = 0; i < 40000; i++)
        mx_buf_str(&text, "0123456789012345678901234567890123456789\n");
    assert_int_equal(message_parse(arena, mx_str_of(text.p, text.n), &msg, NULL), 0);
    assert_true(msg.cuts & MESSAGE_CUT_CONTENT);
    assert_true(msg.parts[0].content.n > 0 && msg.parts[0].content.n < (1 << 20));
    mx_buf_fini(&text);
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_headers_are_raw),
        cmocka_unit_test(test_parse_header_edges),
        cmocka_unit_test(test_parse_junk_in_front_hides_nothing),
        cmocka_unit_test(test_parse_empty_has_one_part),
        cmocka_unit_test(test_parse_parts),
        cmocka_unit_test(test_parse_hidden_parts),
        cmocka_unit_test(test_parse_warnings_are_kept),
        cmocka_unit_test(test_parse_hostile),
        cmocka_unit_test(test_parse_content_is_bounded_by_the_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
