/* policy_outcome: one reply of several verdicts; nobody's mail is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_metric.h"
#include "policy_outcome.h"
#include "policy_verdict.h"

#define RCPTS 3

struct scene {
    struct mx_arena *arena;
    struct policy_req req;
    struct policy_scan scan;
    struct policy_rcpt rcpts[RCPTS];
    struct policy_result results[RCPTS];
    struct policy_check check;
    struct policy_outcome out;
};

static int setup(void **state)
{
    static const struct mx_str paths[RCPTS] = {MX_STR("<a@x>"), MX_STR("<b@x>"),
                                               MX_STR("<c@x>")};
    struct scene *s = mx_xalloc(sizeof(*s));
    s->arena = mx_arena_new(8 << 20);
    s->req = (struct policy_req){.stage = POLICY_AT_CONTENT,
                                 .arena = s->arena,
                                 .id = MX_STR("Q\r\n1"),
                                 .scan = &s->scan};
    s->check = (struct policy_check){.req = &s->req, .results = s->results};
    for (size_t i = 0; i < RCPTS; i++) {
        s->rcpts[i].path = paths[i];
        s->results[i].rcpt = &s->rcpts[i];
    }
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    mx_arena_free(s->arena);
    free(s);
    return 0;
}

/* One letter a recipient: C(ontinue) T(ag) F(older) Q H D(iscard) t(empfail) R(eject)
 * V(irus) N(ext). */
static void fold(struct scene *s, const char *letters)
{
    s->check.n_results = strlen(letters);
    for (size_t i = 0; i < s->check.n_results; i++) {
        struct policy_verdict *v = &s->results[i].verdict;
        *v = (struct policy_verdict){.reason = "r"};
        s->results[i].module = letters[i] == 'N' ? NULL : "some";
        switch (letters[i]) {
        case 'T': v->action = POLICY_TAG; break;
        case 'F':
            v->action = POLICY_FOLDER;
            v->folder = "+Junk";
            break;
        case 'Q': v->action = POLICY_QUARANTINE; break;
        case 'H': v->action = POLICY_HOLD; break;
        case 'D': v->action = POLICY_DISCARD; break;
        case 't': policy_verdict_tempfail(v, "4.7.1", MX_STR("later"), "r"); break;
        case 'R': policy_verdict_reject(v, "5.7.1", MX_STR("no"), "r"); break;
        case 'V':
            policy_verdict_reject(v, "5.7.1", MX_STR("virus"), "r");
            v->is_for_all = true;
            break;
        default: break;
        }
    }
    policy_outcome_fold(&s->check, &s->out);
}

static bool is_removed(const struct scene *s, size_t rcpt)
{
    for (size_t i = 0; i < s->out.n_edits; i++)
        if (s->out.edits[i].kind == POLICY_REMOVE_RCPT &&
            mx_str_eq(s->out.edits[i].name, s->rcpts[rcpt].path))
            return true;
    return false;
}

/* Some recipient is put on the envelope whose address has ${text}. */
static bool is_added(const struct scene *s, const char *text)
{
    for (size_t i = 0; i < s->out.n_edits; i++)
        if (s->out.edits[i].kind == POLICY_ADD_RCPT &&
            mx_str_find(s->out.edits[i].name, mx_str(text)) >= 0)
            return true;
    return false;
}

static struct mx_str header(const struct scene *s, const char *name)
{
    for (size_t i = 0; i < s->out.n_edits; i++)
        if (s->out.edits[i].kind == POLICY_ADD_HEADER &&
            mx_str_eq(s->out.edits[i].name, mx_str(name)))
            return s->out.edits[i].value;
    return MX_STR_NONE;
}

static void test_fold_table(void **state)
{
    static const struct {
        const char *letters;
        enum policy_action action;
        const char *copies; /* d(eliver) t(ag) f(older) r(efuse) x(discard) */
        size_t n_overruled;
    } cases[] = {
        {"N", POLICY_CONTINUE, "d", 0},   {"NNN", POLICY_CONTINUE, "ddd", 0},
        {"R", POLICY_REJECT, "r", 0},     {"RRR", POLICY_REJECT, "rrr", 0},
        {"RN", POLICY_TAG, "td", 1},      {"RCR", POLICY_TAG, "tdt", 2},
        {"TN", POLICY_TAG, "td", 0},      {"VN", POLICY_REJECT, "rr", 0},
        {"NVt", POLICY_REJECT, "rrr", 0}, {"Nt", POLICY_TEMPFAIL, "rr", 0},
        {"tR", POLICY_TEMPFAIL, "rr", 0}, {"DN", POLICY_CONTINUE, "xd", 0},
        {"DD", POLICY_DISCARD, "xx", 0},  {"DR", POLICY_REJECT, "rr", 0},
        {"DRN", POLICY_TAG, "xtd", 1},    {"H", POLICY_HOLD, "d", 0},
        {"HN", POLICY_HOLD, "dd", 0},     {"Q", POLICY_HOLD, "d", 0},
        {"QN", POLICY_TAG, "td", 1},      {"QD", POLICY_HOLD, "dd", 0},
        {"F", POLICY_FOLDER, "f", 0},     {"FN", POLICY_FOLDER, "fd", 0},
        {"FTR", POLICY_TAG, "ftt", 1},    {"FV", POLICY_REJECT, "rr", 0},
        {"Ft", POLICY_TEMPFAIL, "rr", 0}, {"FD", POLICY_FOLDER, "fx", 0},
    };
    struct scene *s = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fold(s, cases[i].letters);
        if (s->out.verdict.action != cases[i].action)
            fail_msg("%s: %s", cases[i].letters,
                     policy_action_name(s->out.verdict.action));
        assert_int_equal(s->out.n_overruled, cases[i].n_overruled);
        for (size_t k = 0; k < s->check.n_results; k++) {
            char got = "dtfrx"[s->out.copies[k]];
            if (got != cases[i].copies[k])
                fail_msg("%s: recipient %zu is %c", cases[i].letters, k, got);
        }
    }
}

/* Whatever verdicts: an accepted message loses only those who chose to discard. */
static void test_fold_loses_nothing(void **state)
{
    static const char letters[] = "NCTFQHDtRV";
    struct scene *s = *state;
    for (size_t n = 0; n < 10 * 10 * 10; n++) {
        const char text[] = {letters[n % 10], letters[n / 10 % 10], letters[n / 100],
                             '\0'};
        fold(s, text);
        bool is_accepted = s->out.verdict.action == POLICY_CONTINUE ||
                           s->out.verdict.action == POLICY_TAG ||
                           s->out.verdict.action == POLICY_FOLDER;
        if (s->out.verdict.code)
            assert_true(policy_verdict_is_sound(&s->out.verdict));
        for (size_t i = 0; i < RCPTS; i++) {
            if (is_removed(s, i))
                assert_true(is_accepted && (text[i] == 'D' || text[i] == 'F'));
            if (is_accepted && text[i] == 'F')
                assert_true(is_added(s, "Junk"));
            if (is_accepted && text[i] == 'D')
                assert_true(is_removed(s, i));
        }
        if (s->out.verdict.action == POLICY_DISCARD)
            assert_string_equal(text, "DDD");
        if (strchr(text, 'V'))
            assert_int_equal(s->out.verdict.action, POLICY_REJECT);
    }
}

static void test_folder_address(void **state)
{
    static const struct {
        const char *path, *rewritten, *wanted;
    } cases[] = {
        {"<a@x.example>", NULL, "<a+Junk@x.example>"},
        {"<a+list@x.example>", NULL, "<a+Junk@x.example>"},
        {"<\"a b\"@x.example>", NULL, "<\"a b+Junk\"@x.example>"},
        {"<\"+a\"@x.example>", NULL, "<\"+a+Junk\"@x.example>"},
        {"<\"a,<b,<c\"@x.example>", NULL, "<\"a,<b,<c+Junk\"@x.example>"},
        {"<a@x.example>", "<b@y.example>,<c+d@z.example>", "<c+Junk@z.example>"},
        {"<postmaster>", NULL, "<postmaster>"},
    };
    struct scene *s = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policy_rewrite rewrite = {.paths = mx_str(cases[i].rewritten)};
        s->rcpts[0].path = mx_str(cases[i].path);
        s->results[0].rewrite = cases[i].rewritten ? &rewrite : NULL;
        fold(s, "F");
        assert_true(is_removed(s, 0));
        if (!is_added(s, cases[i].wanted))
            fail_msg("%s: no %s", cases[i].path, cases[i].wanted);
    }
    s->results[0].rewrite = NULL;
    s->rcpts[0].is_bad = true;
    fold(s, "F");
    assert_int_equal(s->out.copies[0], POLICY_COPY_TAG);
}

/* The mark is one for all: who did not ask for it can see that it is not everybody's. */
static void test_mixed(void **state)
{
    struct scene *s = *state;
    fold(s, "TC");
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Mixed"), MX_STR("yes")));
    fold(s, "TT");
    assert_int_equal(header(s, "X-Mxdrop-Mixed").n, 0);
    fold(s, "FC");
    assert_int_equal(header(s, "X-Mxdrop-Mixed").n, 0);
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Status"), MX_STR("exempt")));
    fold(s, "FF");
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Status"), MX_STR("spam")));
}

static void test_headers(void **state)
{
    static const struct policy_finding findings[] = {
        {.symbol = MX_STR("FIRST"), .score = 1.25},
        {.symbol = MX_STR("A\nB"), .score = -3}};
    struct scene *s = *state;
    s->scan = (struct policy_scan){.findings = findings, .n_findings = 2, .score = -1.75};
    fold(s, "N");
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Id"), MX_STR("Q??1")));
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Status"), MX_STR("clean")));
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Score"), MX_STR("-1.75")));
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Symbols"), MX_STR("FIRST=1.25, A?B=-3")));
    fold(s, "TN");
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Status"), MX_STR("spam")));
    fold(s, "NC");
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Status"), MX_STR("exempt")));
    fold(s, "H");
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Status"), MX_STR("held")));
    fold(s, "R");
    assert_int_equal(s->out.n_edits, 0);
    s->req.scan = NULL;
    fold(s, "N");
    assert_true(mx_str_eq(header(s, "X-Mxdrop-Status"), MX_STR("unscanned")));
    assert_int_equal(header(s, "X-Mxdrop-Score").n, 0);
}

static void test_symbols_folded_and_bounded(void **state)
{
    static struct policy_finding findings[500];
    struct scene *s = *state;
    char name[300];
    memset(name, 'N', sizeof(name));
    for (size_t i = 0; i < 500; i++)
        findings[i] = (struct policy_finding){.symbol = mx_str_of(name, i < 3 ? 300 : 20),
                                              .score = 1e300};
    s->scan = (struct policy_scan){.findings = findings, .n_findings = 500, .score = 1};
    fold(s, "N");
    struct mx_str rest = header(s, "X-Mxdrop-Symbols"), line;
    assert_true(rest.n > 1000 && rest.n < 12000);
    assert_true(mx_str_find(rest, MX_STR("and 400 more")) > 0);
    while (mx_str_next(&rest, '\n', &line) == 0)
        assert_true(line.n <= 100);
}

static void test_count(void **state)
{
    struct scene *s = *state;
    struct mx_metrics *metrics = mx_metrics_new();
    struct policy_outcome_counters counters;
    policy_outcome_counters_init(&counters, metrics);
    fold(s, "RR");
    s->out.module = "spam";
    policy_outcome_count(&counters, &s->check, &s->out);
    assert_int_equal(mx_counter_get(counters.spam_scanned), 1);
    assert_int_equal(mx_counter_get(counters.spam_block), 2);
    fold(s, "TN");
    policy_outcome_count(&counters, &s->check, &s->out);
    assert_int_equal(mx_counter_get(counters.spam_realtag), 1);
    assert_int_equal(mx_counter_get(counters.virus), 0);
    fold(s, "FFN");
    s->results[1].verdict.is_spam_unlisted = true;
    policy_outcome_count(&counters, &s->check, &s->out);
    assert_int_equal(mx_counter_get(counters.spam_realdir), 2);
    assert_int_equal(mx_counter_get(counters.sa_spamnodnsbl), 1);
    mx_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fold_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fold_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folder_address, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mixed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_symbols_folded_and_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_count, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
