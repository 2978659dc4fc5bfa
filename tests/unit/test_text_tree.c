/* text_tree: MIME structure, whole and broken, and the limits on it. */
#include "text_case.h"

#include <stdlib.h>

#include "mx_err.h"
#include "text/text_tree.h"

static struct text_tree parse_slice(struct mx_arena *arena, struct mx_str raw)
{
    struct text_tree tree;
    struct mx_err err;
    assert_int_equal(text_tree_parse(arena, raw, &tree, &err), 0);
    return tree;
}

static struct text_tree parse(struct mx_arena *arena, const char *raw)
{
    return parse_slice(arena, mx_str(raw));
}

#define HEAD "Content-Type: multipart/mixed; boundary=b\n\n"

static void test_tree_parse_plain(void **state)
{
    struct text_tree tree =
        parse(*state, "From me Mon\nSubject: x\nX-Spam-Flag: YES\n\nHi\n");
    assert_int_equal(tree.n_parts, 1);
    assert_int_equal(tree.n_fields, 1); /* verdicts of others are left out */
    assert_slice(*state, tree.pristine_head, "Subject: x\nX-Spam-Flag: YES\n\n");
    assert_slice(*state, tree.pristine_body, "Hi\n");
    assert_slice(*state, tree.parts[0].type, "text/plain");
    assert_slice(*state, tree.parts[0].decoded, "Hi\n");
    assert_int_equal(tree.flags, 0);
}

static void test_tree_parse_from_with_space_is_no_mbox(void **state)
{
    struct text_tree tree = parse(*state, "From : a@b\nX: y\n\n");
    assert_int_equal(tree.n_fields, 2);
}

static void test_tree_parse_crlf(void **state)
{
    struct text_tree tree = parse(*state, "A: b\r\n\r\nx\r\ny\r\n");
    assert_slice(*state, tree.parts[0].raw, "x\ny\n");
    assert_slice(*state, tree.pristine_body, "x\r\ny\r\n");
}

static void test_tree_parse_empty(void **state)
{
    struct text_tree tree = parse(*state, "");
    assert_int_equal(tree.n_parts, 1);
    assert_int_equal(tree.n_fields, 0);
    assert_int_equal(tree.parts[0].raw.n, 0);
}

static void test_tree_parse_parts(void **state)
{
    struct text_tree tree =
        parse(*state, HEAD "preamble\n--b\nContent-Type: text/html\n\n<p>\n\n--b\n"
                           "Content-Transfer-Encoding: base64\n"
                           "Content-Disposition: x; filename=\"a.htm\"\n"
                           "Content-Type: application/x\n\neA0KeQ==\n--b--\n . \n");
    assert_int_equal(tree.n_parts, 3);
    assert_false(tree.parts[0].is_leaf);
    assert_slice(*state, tree.parts[1].raw, "<p>\n");
    assert_slice(*state, tree.parts[2].type, "text/html");
    assert_slice(*state, tree.parts[2].declared_type, "application/x");
    assert_slice(*state, tree.parts[2].decoded, "x\r\ny"); /* its type is no text */
    assert_int_equal(tree.parts[2].parent, 0);
    assert_int_equal(tree.flags, 0);
}

static const struct {
    const char *body;
    unsigned flags;
} odd[] = {
    {"--b\nX: y\n\nz\n--b--\nmore\n", TEXT_MIME_EPILOGUE_EXISTS},
    {"--b\nno header\n--b--\n",
     TEXT_MISSING_MIME_HEADERS | TEXT_MISSING_MIME_HEAD_BODY_SEPARATOR},
    {"--b\nX: y\nno header\n--b--\n", TEXT_MISSING_MIME_HEAD_BODY_SEPARATOR},
    {"--b\nX: y\n\n1\n--b\n\n2\n--b--\n", TEXT_MISSING_MIME_HEADERS},
    {"--b\nX: y\n\nunfinished", 0},
};

static void test_tree_parse_flags(void **state)
{
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        const char *raw = mx_arena_printf(*state, "%s%s", HEAD, odd[i].body);
        assert_int_equal(parse(*state, raw).flags, odd[i].flags);
    }
}

static void test_tree_parse_unfinished_part_has_last_line(void **state)
{
    struct text_tree tree = parse(*state, HEAD "--b\nX: y\n\none\ntwo");
    assert_slice(*state, tree.parts[1].raw, "one\ntwo");
}

static void test_tree_parse_without_boundary_is_text(void **state)
{
    struct text_tree tree = parse(*state, "Content-Type: multipart/mixed\n\nbody\n");
    assert_int_equal(tree.n_parts, 1);
    assert_slice(*state, tree.parts[0].type, "text/plain");
}

static void test_tree_parse_same_boundary_inside(void **state)
{
    struct text_tree tree = parse(
        *state, HEAD "--b\nContent-Type: multipart/x; boundary=b\n\n--b\nA: 1\n\nin\n"
                     "--b--\n--b\nA: 2\n\nout\n--b--\n");
    assert_int_equal(tree.n_parts, 4);
    assert_slice(*state, tree.parts[2].raw, "in");
    assert_int_equal(tree.parts[2].parent, 1);
    assert_slice(*state, tree.parts[3].raw, "out");
    assert_int_equal(tree.parts[3].parent, 0);
}

static void test_tree_parse_message_inside(void **state)
{
    struct text_tree tree = parse(
        *state, HEAD "--b\nContent-Type: message/rfc822\n\nSubject: in\n\nbody\n--b--\n");
    assert_int_equal(tree.n_parts, 3);
    assert_false(tree.parts[1].is_leaf);
    assert_int_equal(tree.parts[2].parent, 1);
    assert_slice(*state, tree.parts[2].decoded, "body");
    assert_slice(*state, text_part_field(&tree.parts[2], MX_STR("subject"))->value, "in");
}

static void test_tree_parse_digest(void **state)
{
    struct text_tree tree = parse(
        *state, "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\n"
                "x\n--b--\n");
    assert_slice(*state, tree.parts[1].declared_type, "message/rfc822");
    assert_int_equal(tree.n_parts, 3);
}

static void test_tree_parse_cuts_blank_lines(void **state)
{
    struct mx_buf buf = {.p = NULL};
    mx_buf_str(&buf, "A: b\n\nx\n");
    for (int i = 0; i < 100; i++)
        mx_buf_str(&buf, i == 0 ? "\t\n" : "\n");
    mx_buf_str(&buf, "y\n");
    struct text_tree tree = parse_slice(*state, mx_str_of(buf.p, buf.n));
    assert_int_equal(tree.parts[0].raw.n, 2 + 21 + 2);
    assert_true(mx_str_starts(tree.parts[0].raw, MX_STR("x\n\t\n\n")));
    mx_buf_fini(&buf);
}

static void test_tree_parse_breaks_long_lines(void **state)
{
    struct mx_buf buf = {.p = NULL};
    mx_buf_str(&buf, HEAD "--b\nA: b\n\n");
    for (int i = 0; i < TEXT_PART_LINE_MAX + 100; i++)
        mx_buf_str(&buf, "x");
    mx_buf_str(&buf, "\n--b--\n");
    struct text_tree tree = parse_slice(*state, mx_str_of(buf.p, buf.n));
    struct mx_str raw = tree.parts[1].raw;
    assert_int_equal(raw.n, TEXT_PART_LINE_MAX + 1 + 100);
    assert_int_equal(raw.p[TEXT_PART_LINE_MAX], '\n');
    mx_buf_fini(&buf);
}

static void test_tree_parse_nesting_ends(void **state)
{
    struct mx_buf buf = {.p = NULL};
    for (int i = 0; i < 100; i++)
        mx_buf_printf(&buf, "Content-Type: multipart/x; boundary=b%d\n\n--b%d\n", i, i);
    struct text_tree tree = parse_slice(*state, mx_str_of(buf.p, buf.n));
    assert_true(tree.n_parts <= TEXT_NESTING_MAX + 1);
    assert_int_equal(tree.parts[tree.n_parts - 1].depth, TEXT_NESTING_MAX);
    mx_buf_fini(&buf);
}

static void test_tree_parse_parts_end(void **state)
{
    struct mx_buf buf = {.p = NULL};
    mx_buf_str(&buf, HEAD);
    for (int i = 0; i < 3000; i++)
        mx_buf_str(&buf, "--b\nA: b\n\nx\n");
    struct text_tree tree = parse_slice(*state, mx_str_of(buf.p, buf.n));
    assert_int_equal(tree.n_parts, 1 + TEXT_CHILDREN_MAX);
    mx_buf_fini(&buf);
}

static void test_tree_parse_small_arena_fails(void **state)
{
    (void)state;
    struct mx_arena *small = mx_arena_new(2 << 20);
    struct text_tree tree;
    struct mx_err err;
    char *raw = mx_xalloc(1 << 20);
    memset(raw, 'x', 1 << 20);
    assert_int_equal(text_tree_parse(small, mx_str_of(raw, 1 << 20), &tree, &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    mx_arena_free(small);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_parse_plain),
        cmocka_unit_test(test_tree_parse_from_with_space_is_no_mbox),
        cmocka_unit_test(test_tree_parse_crlf),
        cmocka_unit_test(test_tree_parse_empty),
        cmocka_unit_test(test_tree_parse_parts),
        cmocka_unit_test(test_tree_parse_flags),
        cmocka_unit_test(test_tree_parse_unfinished_part_has_last_line),
        cmocka_unit_test(test_tree_parse_without_boundary_is_text),
        cmocka_unit_test(test_tree_parse_same_boundary_inside),
        cmocka_unit_test(test_tree_parse_message_inside),
        cmocka_unit_test(test_tree_parse_digest),
        cmocka_unit_test(test_tree_parse_cuts_blank_lines),
        cmocka_unit_test(test_tree_parse_breaks_long_lines),
        cmocka_unit_test(test_tree_parse_nesting_ends),
        cmocka_unit_test(test_tree_parse_parts_end),
        cmocka_unit_test(test_tree_parse_small_arena_fails),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
