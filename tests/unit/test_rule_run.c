/* Rules of a small file on small messages, with the prefilter and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "rules/rule_match_db.h"
#include "rules/rule_run.h"
#include "text/text.h"

static const char rules[] = "body WORDS /cheap watches/i\n"
                            "body NO_SUBJECT /special/\n"
                            "tflags NO_SUBJECT nosubject\n"
                            "body MANY /e/\n"
                            "tflags MANY multiple maxhits=3\n"
                            "score MANY 0.5\n"
                            "body LATIN /h\\xe4user/i\n"
                            "body TWICE /(\\w+) \\1 end/\n"
                            "full SLOW /\\n(?:a+)+[^b]*\\n\\n$/\n"
                            "header MISSING X-Absent =~ /^$/\n"
                            "header NOT_THERE X-Absent !~ /x/\n"
                            "header UNSET X-Absent =~ /^UNSET$/ [if-unset: UNSET]\n"
                            "header SUBJECT Subject =~ /special/\n"
                            "header EXISTS exists:Subject\n"
                            "header __TO To:addr =~ /(?<WHO>.+)/\n"
                            "body TO_IN_BODY /q=%{WHO}/\n"
                            "mimeheader PART Content-Type =~ /text\\/plain/\n"
                            "mimeheader MAIN Content-Type =~ /multipart|plain/\n"
                            "tflags MAIN range=1\n"
                            "mimeheader SUBS Content-Type =~ /text/\n"
                            "tflags SUBS range=2-\n"
                            "mimeheader FIRST_TWO Content-Type =~ /html/\n"
                            "tflags FIRST_TWO range=-2\n"
                            "mimeheader NO_THIRD Content-Type !~ /html/\n"
                            "tflags NO_THIRD range=3-3\n"
                            "mimeheader JOINED Content-Type =~ /plain[^;]*\\ntext.html/\n"
                            "tflags JOINED concat\n"
                            "mimeheader APART Content-Type =~ /plain[^;]*\\ntext.html/\n"
                            "util_rb_tld com\n"
                            "uri_detail DEAR raw !~ /^http:..(?:q|q)*[!?]/\n"
                            "full FULL /watches\\r?\\n/\n"
                            "body OFF /cheap/\n"
                            "score OFF 0\n"
                            "meta BOTH WORDS && MANY > 2 && !OFF\n";

struct fixture {
    char dir[64], path[128];
    struct rule_set *set;
    struct rule_runner *runner;
    struct rule_match_scratch *scratch;
    struct mx_arena *arena;
    struct rule_run_result hits;
};

static int open_rules(struct fixture *f, const struct rule_match_options *match)
{
    const char *dirs[] = {f->dir, NULL};
    struct rule_read_options options = {.dirs = dirs};
    f->arena = mx_arena_new(64u << 20);
    return rule_set_read(&options, &f->set, NULL) < 0 ||
                   rule_runner_new(f->set, match, &f->runner, NULL) < 0
               ? -1
               : rule_match_scratch_new(rule_runner_match(f->runner), &f->scratch, NULL);
}

static int setup(void **state, const struct rule_match_options *match)
{
    struct fixture *f = mx_xalloc(sizeof(*f));
    strcpy(f->dir, "/tmp/mxdrop-test-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        return -1;
    snprintf(f->path, sizeof(f->path), "%s/local.cf", f->dir);
    FILE *file = fopen(f->path, "w");
    if (file == NULL || fputs(rules, file) < 0 || fclose(file) != 0)
        return -1;
    *state = f;
    return open_rules(f, match);
}

static int setup_filtered(void **state)
{
    return setup(state, &(struct rule_match_options){.has_prefilter = true});
}

static int setup_judged(void **state)
{
    return setup(state, &(struct rule_match_options){.has_prefilter = false});
}

/* No CPU time for databases. */
static int setup_late(void **state)
{
    return setup(state,
                 &(struct rule_match_options){.has_prefilter = true, .compile_ms = -1});
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rule_match_scratch_free(f->scratch);
    rule_runner_free(f->runner);
    rule_set_free(f->set);
    mx_arena_free(f->arena);
    unlink(f->path);
    rmdir(f->dir);
    free(f);
    return 0;
}

static void run_raw(struct fixture *f, const char *raw)
{
    struct texts texts;
    struct text_connection nothing = {.is_known = false};
    assert_int_equal(
        texts_form(f->arena, &f->set->text, mx_str(raw), &nothing, &texts, NULL), 0);
    struct rule_run_input input = {.texts = &texts, .bayes = -1};
    rule_run(f->runner, f->scratch, f->arena, &input, &f->hits);
}

static void run(struct fixture *f, const char *subject, const char *body)
{
    mx_arena_reset(f->arena);
    run_raw(f, mx_arena_printf(f->arena,
                               "From: a@example.org\nTo: <me@example.net>\n"
                               "Subject: %s\nContent-Type: text/plain\n\n%s",
                               subject, body));
}

/* How often it hit; 0: not. */
static double hit(const struct fixture *f, const char *name)
{
    ptrdiff_t index = rule_set_find(f->set, mx_str(name));
    assert_true(index >= 0);
    for (size_t i = 0; i < f->hits.n_hits; i++)
        if (f->hits.hits[i].rule == (uint32_t)index)
            return f->hits.hits[i].count;
    return 0;
}

static void test_run_body(void **state)
{
    struct fixture *f = *state;
    run(f, "hello", "Cheap watches\n\na special eee\n\nH\xc4USER\n\nfoo foo end\n");
    assert_true(hit(f, "WORDS") == 1 && hit(f, "NO_SUBJECT") == 1);
    assert_true(hit(f, "MANY") == 3 && hit(f, "TWICE") == 1);
    assert_true(hit(f, "BOTH") == 1 && hit(f, "OFF") == 0 && hit(f, "FULL") == 1);
    run(f, "special", "nothing of it\n");
    assert_true(hit(f, "NO_SUBJECT") == 0 && hit(f, "WORDS") == 0);
    assert_true(hit(f, "BOTH") == 0 && hit(f, "TWICE") == 0);
}

/* Parts count from 1, the message itself. */
static void test_run_mimeheader_parts(void **state)
{
    struct fixture *f = *state;
    run_raw(f, "Content-Type: multipart/mixed; boundary=b\n\n"
               "--b\nContent-Type: text/plain\n\na\n"
               "--b\nContent-Type: text/html\n\n<p>a\n--b--\n");
    assert_true(hit(f, "MAIN") == 1 && hit(f, "SUBS") == 1);
    assert_true(hit(f, "FIRST_TWO") == 0 && hit(f, "NO_THIRD") == 0);
    assert_true(hit(f, "JOINED") == 1 && hit(f, "APART") == 0);
    run(f, "x", "one part\n");
    assert_true(hit(f, "MAIN") == 1 && hit(f, "SUBS") == 0);
    assert_true(hit(f, "NO_THIRD") == 1); /* nothing there that matches */
    assert_true(hit(f, "JOINED") == 0);
}

/* What was picked for one group is no memory behind it: groups may be many. */
static void test_run_forgets_picked_texts(void **state)
{
    struct fixture *f = *state;
    struct texts texts;
    struct text_connection nothing = {.is_known = false};
    struct mx_buf raw = {0};
    mx_buf_str(&raw, "Content-Type: text/plain; x=");
    for (size_t i = 0; i < 10000; i++)
        mx_buf_str(&raw, "0123456789\n ");
    mx_buf_str(&raw, "\n\nbody\n");
    struct mx_str mail = mx_str_of(raw.p, raw.n);
    assert_int_equal(texts_form(f->arena, &f->set->text, mail, &nothing, &texts, NULL),
                     0);
    struct rule_run_input input = {.texts = &texts, .bayes = -1};
    size_t left = mx_arena_left(f->arena);
    rule_run(f->runner, f->scratch, f->arena, &input, &f->hits);
    assert_true(hit(f, "MAIN") == 1);
    assert_in_range(left - mx_arena_left(f->arena), 1, raw.n / 2);
    mx_buf_fini(&raw);
}

/* Also a pattern of a function; "!~" does not turn it into a hit. */
static void test_run_limit_of_a_function(void **state)
{
    struct fixture *f = *state;
    run(f, "x", "see http://a.com/ there\n");
    assert_true(hit(f, "DEAR") == 1);
    assert_int_equal(f->hits.n_limited, 0);
    run(f, "x", "see http://qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq.com/ there\n");
    assert_true(hit(f, "DEAR") == 0);
    assert_int_equal(f->hits.n_limited, 1);
    assert_true(mx_str_eq(f->set->rules[f->hits.limited[0]].name, MX_STR("DEAR")));
}

static void test_run_scores_each_of_multiple(void **state)
{
    struct fixture *f = *state;
    run(f, "x", "eee\n");
    for (size_t i = 0; i < f->hits.n_hits; i++) {
        if (f->hits.hits[i].count == 3) {
            assert_int_equal(f->hits.hits[i].times, 3);
            assert_true(f->hits.hits[i].score == 1.5);
        }
    }
    assert_true(hit(f, "MANY") == 3);
}

static void test_run_headers(void **state)
{
    struct fixture *f = *state;
    run(f, "special", "x\n");
    assert_true(hit(f, "MISSING") == 1 && hit(f, "NOT_THERE") == 1);
    assert_true(hit(f, "UNSET") == 1 && hit(f, "EXISTS") == 1);
    assert_true(hit(f, "SUBJECT") == 1 && hit(f, "PART") == 1);
    run(f, "other", "x\n");
    assert_true(hit(f, "SUBJECT") == 0);
}

static void test_run_captures(void **state)
{
    struct fixture *f = *state;
    run(f, "x", "see q=me@example.net\n");
    assert_true(hit(f, "__TO") == 1 && hit(f, "TO_IN_BODY") == 1);
    run(f, "x", "see q=me@exampleXnet\n");
    assert_true(hit(f, "TO_IN_BODY") == 0);
}

static void test_run_limit_is_no_hit(void **state)
{
    struct fixture *f = *state;
    run(f, "x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n");
    assert_true(hit(f, "SLOW") == 0);
    assert_int_equal(f->hits.n_limited, 1);
    assert_true(mx_str_eq(f->set->rules[f->hits.limited[0]].name, MX_STR("SLOW")));
}

static void test_new_has_databases_if_there_is_time(void **state)
{
    struct fixture *f = *state;
    struct rule_match_summary late, sum;
    rule_match_summarise(rule_runner_match(f->runner), &late);
    assert_int_equal(late.db_bytes, 0);
    struct rule_match_options match = {.has_prefilter = true};
    struct rule_runner *other;
    assert_int_equal(rule_runner_new(f->set, &match, &other, NULL), 0);
    rule_match_summarise(rule_runner_match(other), &sum);
    assert_int_equal(sum.db_bytes > 0, rule_db_library() != NULL);
    rule_runner_free(other);
}

#define BOTH_WAYS(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, setup_filtered, teardown),                     \
        cmocka_unit_test_setup_teardown(test, setup_judged, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(test_run_body),
        BOTH_WAYS(test_run_scores_each_of_multiple),
        BOTH_WAYS(test_run_mimeheader_parts),
        BOTH_WAYS(test_run_forgets_picked_texts),
        BOTH_WAYS(test_run_headers),
        BOTH_WAYS(test_run_captures),
        BOTH_WAYS(test_run_limit_is_no_hit),
        BOTH_WAYS(test_run_limit_of_a_function),
        cmocka_unit_test_setup_teardown(test_run_body, setup_late, teardown),
        cmocka_unit_test_setup_teardown(test_new_has_databases_if_there_is_time,
                                        setup_late, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
