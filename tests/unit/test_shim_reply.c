/* Replies: whatever comes in, what goes out fits the action and the protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "shim_reply.h"

static struct shim_reply format(struct mx_arena *arena, struct shim_verdict verdict)
{
    struct shim_reply reply;
    shim_reply_format(arena, &verdict, &reply);
    return reply;
}

static void test_reply_format_plain(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct shim_reply r = format(
        arena, (struct shim_verdict){SHIM_TEMPFAIL, 450, "4.7.1", MX_STR("later"), 0, 0});
    (void)state;
    assert_int_equal(r.status, SHIM_STATUS_TEMPFAIL);
    assert_string_equal(r.code, "450");
    assert_string_equal(r.enhanced, "4.7.1");
    assert_int_equal(r.n, 1);
    assert_string_equal(r.lines[0], "later");
    mx_arena_free(arena);
}

static void test_reply_format_class_follows_action(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct shim_reply r = format(
        arena, (struct shim_verdict){SHIM_REJECT, 250, "2.0.0", MX_STR("ok"), 0, 0});
    (void)state;
    assert_int_equal(r.status, SHIM_STATUS_REJECT);
    assert_string_equal(r.code, "550");
    assert_string_equal(r.enhanced, "5.7.1");
    r = format(arena,
               (struct shim_verdict){SHIM_TEMPFAIL, 550, "5.1.1", MX_STR("no"), 0, 0});
    assert_int_equal(r.status, SHIM_STATUS_TEMPFAIL);
    assert_string_equal(r.code, "451");
    assert_string_equal(r.enhanced, "4.3.0");
    r = format(arena,
               (struct shim_verdict){SHIM_REJECT, 554, "5.07.1", MX_STR("x"), 0, 0});
    assert_string_equal(r.enhanced, "5.7.1");
    mx_arena_free(arena);
}

static void test_reply_format_accepting_has_no_text(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct shim_reply r = format(
        arena, (struct shim_verdict){SHIM_CONTINUE, 550, "5.7.1", MX_STR("x"), 0, 0});
    (void)state;
    assert_int_equal(r.status, SHIM_STATUS_CONTINUE);
    assert_int_equal(r.n, 0);
    r = format(arena, (struct shim_verdict){.action = SHIM_DISCARD});
    assert_int_equal(r.status, SHIM_STATUS_DISCARD);
    mx_arena_free(arena);
}

static void test_reply_format_escapes(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct shim_verdict verdict = {.action = SHIM_REJECT,
                                   .text = MX_STR("100% \xc3\xa4\0\t\rx\nsecond\r\n")};
    struct shim_reply r = format(arena, verdict);
    (void)state;
    assert_int_equal(r.n, 2);
    assert_string_equal(r.lines[0], "100%% ?????x");
    assert_string_equal(r.lines[1], "second");
    mx_arena_free(arena);
}

static void test_reply_format_folds_at_a_space(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    char text[1200];
    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 7 == 6 ? ' ' : 'w';
    struct shim_verdict verdict = {.action = SHIM_REJECT,
                                   .text = mx_str_of(text, sizeof(text))};
    struct shim_reply r = format(arena, verdict);
    assert_int_equal(r.n, 3);
    assert_int_equal(strlen(r.lines[0]) % 7, 0); /* whole words */
    mx_arena_free(arena);
}

/* What libmilter and SMTP ask of every reply. */
static void assert_sendable(const struct shim_verdict *verdict,
                            const struct shim_reply *r)
{
    bool is_refusal = verdict->action == SHIM_TEMPFAIL || verdict->action == SHIM_REJECT;
    char class = verdict->action == SHIM_REJECT ? '5' : '4';
    assert_int_equal(r->n > 0, is_refusal);
    assert_true(r->n <= SHIM_REPLY_LINES);
    for (unsigned i = 0; i < r->n; i++) {
        size_t percents = 0;
        for (const char *p = r->lines[i]; *p; p++) {
            assert_true(*p >= ' ' && *p <= '~');
            percents += *p == '%';
        }
        assert_int_equal(percents % 2, 0);
        assert_true(strlen(r->lines[i]) <= SHIM_REPLY_RAW_MAX);
        assert_true(strlen(r->lines[i]) - percents / 2 + strlen(r->code) +
                        strlen(r->enhanced) + 2 <=
                    SHIM_REPLY_LINE_MAX);
        assert_int_equal(r->code[0], class);
        assert_int_equal(r->enhanced[0], class);
        assert_int_equal(strlen(r->code), 3);
    }
}

static void random_text(unsigned *seed, char *out, size_t n)
{
    static const char alphabet[] = "%%%abc \r\n\t\0\xff\x80~5.4";
    for (size_t i = 0; i < n; i++)
        out[i] = alphabet[(unsigned)rand_r(seed) % (sizeof(alphabet) - 1)];
}

/* Property: no code, enhanced code or text makes a verdict weaker or unsendable. */
static void test_reply_format_never_weakens(void **state)
{
    static const char *const enhanced[] = {NULL,  "",  "2.0.0",    "4.7.1",   "5.7.1",
                                           "5.7", "x", "4.1234.1", "5.1.1.1", "4..1"};
    static const enum shim_status expected[] = {[SHIM_CONTINUE] = SHIM_STATUS_CONTINUE,
                                                [SHIM_HOLD] = SHIM_STATUS_CONTINUE,
                                                [SHIM_DISCARD] = SHIM_STATUS_DISCARD,
                                                [SHIM_TEMPFAIL] = SHIM_STATUS_TEMPFAIL,
                                                [SHIM_REJECT] = SHIM_STATUS_REJECT};
    struct mx_arena *arena = mx_arena_new(64 << 20);
    char text[5000];
    unsigned seed = 7;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        size_t n = (unsigned)rand_r(&seed) % sizeof(text);
        random_text(&seed, text, n);
        struct shim_verdict verdict = {
            .action = (enum shim_action)((unsigned)rand_r(&seed) % 5),
            .code = (unsigned)rand_r(&seed) % 1200,
            .enhanced = enhanced[(unsigned)rand_r(&seed) % 10],
            .text = mx_str_of(text, n),
        };
        struct shim_reply r = format(arena, verdict);
        assert_int_equal(r.status, expected[verdict.action]);
        assert_sendable(&verdict, &r);
        mx_arena_reset(arena);
    }
    mx_arena_free(arena);
}

static void test_reply_stronger_orders_actions(void **state)
{
    struct shim_verdict v[] = {{.action = SHIM_CONTINUE},
                               {.action = SHIM_HOLD},
                               {.action = SHIM_DISCARD},
                               {.action = SHIM_TEMPFAIL},
                               {.action = SHIM_REJECT}};
    (void)state;
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++)
            assert_ptr_equal(shim_reply_stronger(&v[a], &v[b]), b > a ? &v[b] : &v[a]);
}

static void test_reply_header_name_refuses_syntax(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    (void)state;
    assert_string_equal(shim_reply_header_name(arena, MX_STR("X-Mxdrop-Score")),
                        "X-Mxdrop-Score");
    assert_null(shim_reply_header_name(arena, MX_STR("")));
    assert_null(shim_reply_header_name(arena, MX_STR("A B")));
    assert_null(shim_reply_header_name(arena, MX_STR("A:")));
    assert_null(shim_reply_header_name(arena, MX_STR("A\nB")));
    assert_null(shim_reply_header_name(arena, MX_STR("A\0B")));
    assert_null(shim_reply_header_name(arena, MX_STR("A\xe9")));
    mx_arena_free(arena);
}

static void test_reply_header_value_cannot_begin_a_line(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    (void)state;
    assert_string_equal(
        shim_reply_header_value(arena, MX_STR("a\r\nEvil: x\r\n\r\nbody\0!"), false),
        "aEvil: xbody!");
    assert_string_equal(shim_reply_header_value(arena, MX_STR("a\r\n\tb"), true),
                        " a\n\tb");
    assert_string_equal(shim_reply_header_value(arena, MX_STR(" a"), true), " a");
    mx_arena_free(arena);
}

static void test_reply_header_value_folds_long_lines(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    char text[5000];
    (void)state;
    memset(text, 'a', sizeof(text));
    const char *v = shim_reply_header_value(arena, mx_str_of(text, sizeof(text)), true);
    size_t letters = 0;
    for (const char *line = v; line;) {
        const char *end = strchr(line, '\n');
        size_t n = end ? (size_t)(end - line) : strlen(line);
        assert_true(n <= 998);
        letters += n - (line[0] == '\t' || line[0] == ' ');
        line = end ? end + 1 : NULL;
        assert_true(line == NULL || *line == '\t');
    }
    assert_int_equal(letters, sizeof(text));
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_format_plain),
        cmocka_unit_test(test_reply_format_class_follows_action),
        cmocka_unit_test(test_reply_format_accepting_has_no_text),
        cmocka_unit_test(test_reply_format_escapes),
        cmocka_unit_test(test_reply_format_folds_at_a_space),
        cmocka_unit_test(test_reply_format_never_weakens),
        cmocka_unit_test(test_reply_stronger_orders_actions),
        cmocka_unit_test(test_reply_header_name_refuses_syntax),
        cmocka_unit_test(test_reply_header_value_cannot_begin_a_line),
        cmocka_unit_test(test_reply_header_value_folds_long_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
