/* det_rules: rule files of a directory become symbols with their scores, and hit. */
#include "scan_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "scan_conf.h"

struct bed {
    char dir[64];
    const char *dirs[1];
    struct rules_settings settings;
    struct scan_env env;
    void *state;
};

static void put(const struct bed *bed, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", bed->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    strcpy(bed->dir, "/tmp/mxdrop-rules.XXXXXX");
    assert_non_null(mkdtemp(bed->dir));
    bed->dirs[0] = bed->dir;
    bed->settings = (struct rules_settings){
        .dirs = {bed->dirs, 1}, .overlay = "", .cache_dir = "", .max_size = 500000};
    bed->env = (struct scan_env){.settings = &bed->settings, .temp_dir = bed->dir};
    bed->state = mx_xalloc(det_rules.state_size);
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    char path[128];
    det_rules.stop(bed->state);
    snprintf(path, sizeof(path), "%s/test.cf", bed->dir);
    unlink(path);
    snprintf(path, sizeof(path), "%s/overlay.scores", bed->dir);
    unlink(path);
    rmdir(bed->dir);
    free(bed->state);
    free(bed);
    return 0;
}

static double score_of(const struct bed *bed, const char *name)
{
    const struct scan_symbol *symbols;
    size_t n = det_rules.more_symbols(bed->state, &symbols);
    for (size_t i = 0; i < n; i++)
        if (strcmp(symbols[i].name, name) == 0)
            return symbols[i].weight;
    fail_msg("%s is no symbol", name);
    return 0;
}

static void test_run_hits_and_scores(void **state)
{
    struct bed *bed = *state;
    struct scan_fixture f;
    static const char raw[] =
        GOOD_HEAD "\r\nBuy cheap pills now, see http://x.example/a\r\n";
    put(bed, "test.cf",
        "body     SITE_PILLS  /cheap pills/i\n"
        "score    SITE_PILLS  2.5\n"
        "describe SITE_PILLS  Pills\n"
        "header   __SITE_SUBJ Subject =~ /test/\n"
        "meta     SITE_BOTH   SITE_PILLS && __SITE_SUBJ\n"
        "score    SITE_BOTH   0.5\n"
        "body     SITE_NEVER  /does not occur/\n");
    assert_int_equal(det_rules.load(bed->state, &bed->env, NULL), 0);
    assert_int_equal(det_rules.start(bed->state, &bed->env, NULL), 0);
    assert_true(score_of(bed, "SITE_PILLS") == 2.5);
    assert_true(score_of(bed, "SITE_NEVER") == 1.0);
    fixture_parse(&f, raw, sizeof(raw) - 1);
    f.result.detector = "rules";
    assert_int_equal(det_rules.run(bed->state, &f.msg, &f.result, NULL), 0);
    assert_true(scan_has(&f.result, "SITE_PILLS"));
    assert_true(scan_has(&f.result, "SITE_BOTH"));
    assert_false(scan_has(&f.result, "SITE_NEVER"));
    assert_false(scan_has(&f.result, "__SITE_SUBJ"));
    fixture_free(&f);
}

static int64_t spent_on(const struct scan_fixture *f, const char *stage, const char *item)
{
    for (size_t i = 0; i < f->result.n_spent; i++)
        if (strcmp(f->result.spent[i].stage, stage) == 0 &&
            strcmp(f->result.spent[i].item, item) == 0)
            return f->result.spent[i].ns;
    return 0;
}

/* Each stage and each rule that took time; nothing of it unless it is asked for. */
static void test_run_tells_its_times(void **state)
{
    struct bed *bed = *state;
    struct scan_fixture f;
    static const char raw[] = GOOD_HEAD "\r\nBuy cheap pills now\r\n";
    put(bed, "test.cf",
        "body SITE_PILLS /cheap pills/i\nheader __SUBJ Subject =~ /test/\n"
        "body SITE_EVAL eval:check_for_uppercase('50', '75')\n"
        "meta SITE_BOTH SITE_PILLS && __SUBJ\n");
    assert_int_equal(det_rules.load(bed->state, &bed->env, NULL), 0);
    assert_int_equal(det_rules.start(bed->state, &bed->env, NULL), 0);
    fixture_parse(&f, raw, sizeof(raw) - 1);
    f.result.detector = "rules";
    assert_int_equal(det_rules.run(bed->state, &f.msg, &f.result, NULL), 0);
    assert_int_equal(f.result.n_spent, 0);
    f.result.is_profiled = true;
    assert_int_equal(det_rules.run(bed->state, &f.msg, &f.result, NULL), 0);
    static const char *const stages[] = {"form tree",  "form relays",  "form body",
                                         "match body", "match header", "evals"};
    for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++)
        if (spent_on(&f, stages[i], "") <= 0)
            fail_msg("no time for %s", stages[i]);
    assert_true(spent_on(&f, "rule", "SITE_PILLS") > 0);
    assert_true(spent_on(&f, "rule", "__SUBJ") > 0);
    assert_true(spent_on(&f, "rule", "SITE_EVAL") > 0);
    assert_true(spent_on(&f, "match rawbody", "") == 0);
    fixture_free(&f);
}

static double weight_in(const struct scan_fixture *f, const char *symbol)
{
    for (size_t i = 0; i < f->result.n_findings; i++)
        if (strcmp(f->result.findings[i].symbol, symbol) == 0)
            return f->result.findings[i].weight;
    return 0;
}

/* The score set is that of what is known of the message. */
static void test_run_with_and_without_bayes(void **state)
{
    struct bed *bed = *state;
    struct scan_fixture f;
    static const char raw[] = GOOD_HEAD "\r\nBuy cheap pills\r\n";
    put(bed, "test.cf",
        "body   SITE_PILLS  /cheap pills/\nscore SITE_PILLS 1 2 3 4\n"
        "body   SITE_LOCAL  /cheap pills/\nscore SITE_LOCAL 1 0 0 0\n"
        "body   SITE_BAYES  eval:check_bayes('0.99', '1.00')\n"
        "tflags SITE_BAYES  learn\nscore SITE_BAYES 0 0 3.8 3.5\n"
        "body   SITE_UNSURE eval:check_bayes('0.40', '0.60')\n"
        "tflags SITE_UNSURE learn\nscore SITE_UNSURE 0 0 2.0 0.8\n");
    assert_int_equal(det_rules.load(bed->state, &bed->env, NULL), 0);
    assert_int_equal(det_rules.start(bed->state, &bed->env, NULL), 0);
    assert_true(score_of(bed, "SITE_PILLS") == 1);
    assert_true(score_of(bed, "SITE_BAYES") == 3.8);
    fixture_parse(&f, raw, sizeof(raw) - 1);
    f.result.detector = "rules";
    assert_int_equal(det_rules.run(bed->state, &f.msg, &f.result, NULL), 0);
    assert_true(weight_in(&f, "SITE_PILLS") == 1);
    assert_true(scan_has(&f.result, "SITE_LOCAL"));
    assert_false(scan_has(&f.result, "SITE_BAYES"));
    assert_false(scan_has(&f.result, "SITE_UNSURE"));
    scan_result_init(&f.result, f.arena);
    f.result.detector = "rules";
    f.result.has_bayes = true;
    f.result.bayes = 0.995;
    assert_int_equal(det_rules.run(bed->state, &f.msg, &f.result, NULL), 0);
    assert_true(weight_in(&f, "SITE_PILLS") == 3);
    assert_false(scan_has(&f.result, "SITE_LOCAL"));
    assert_true(weight_in(&f, "SITE_BAYES") == 3.8);
    assert_false(scan_has(&f.result, "SITE_UNSURE"));
    fixture_free(&f);
}

/* A pattern that backtracks for ever: no hit, told by name, and no other rule suffers. */
static void test_run_limit_is_told(void **state)
{
    struct bed *bed = *state;
    struct scan_fixture f;
    static const char raw[] =
        GOOD_HEAD "\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa cheap\r\n";
    put(bed, "test.cf", "body SITE_DEAR /^(a+)+$/\nbody SITE_CHEAP /cheap/\n");
    assert_int_equal(det_rules.load(bed->state, &bed->env, NULL), 0);
    assert_int_equal(det_rules.start(bed->state, &bed->env, NULL), 0);
    fixture_parse(&f, raw, sizeof(raw) - 1);
    f.result.detector = "rules";
    assert_int_equal(det_rules.run(bed->state, &f.msg, &f.result, NULL), 0);
    assert_true(scan_has(&f.result, "SITE_CHEAP"));
    assert_false(scan_has(&f.result, "SITE_DEAR"));
    assert_true(scan_has(&f.result, "MX_RULES_LIMIT"));
    assert_int_equal(f.result.n_limited, 1);
    assert_true(mx_str_eq(f.result.limited, MX_STR("SITE_DEAR")));
    fixture_free(&f);
}

static void test_versions_name_the_set(void **state)
{
    struct bed *bed = *state;
    struct scan_versions versions = {0};
    put(bed, "test.cf", "body SITE_A /a/\n");
    assert_int_equal(det_rules.load(bed->state, &bed->env, NULL), 0);
    det_rules.versions(bed->state, &versions);
    assert_non_null(strstr(versions.rules, "1 rules, 1 files"));
}

/* A score that is no score: that rule is left out and counted, the others load. */
static void test_load_broken_score_costs_no_other(void **state)
{
    struct bed *bed = *state;
    struct scan_versions versions = {0};
    const struct scan_symbol *symbols;
    put(bed, "test.cf",
        "body SITE_ODD /odd/\nscore SITE_ODD 99999999\n"
        "body SITE_GOOD /good/\nscore SITE_GOOD 1.5\n");
    assert_int_equal(det_rules.load(bed->state, &bed->env, NULL), 0);
    assert_int_equal(det_rules.more_symbols(bed->state, &symbols), 1);
    assert_true(score_of(bed, "SITE_GOOD") == 1.5);
    det_rules.versions(bed->state, &versions);
    assert_non_null(strstr(versions.rules, "1 left out"));
}

/* Off as long as no file is named; then its scores are the last word. */
static void test_load_overlay_changes_scores(void **state)
{
    struct bed *bed = *state;
    struct scan_fixture f;
    char path[128];
    put(bed, "test.cf", "body SITE_A /cheap/\nscore SITE_A 1.5\nbody SITE_B /pills/\n");
    put(bed, "overlay.scores", "score SITE_A 0.25 9 9 9\n");
    assert_int_equal(det_rules.load(bed->state, &bed->env, NULL), 0);
    assert_true(score_of(bed, "SITE_A") == 1.5);
    det_rules.stop(bed->state);
    memset(bed->state, 0, det_rules.state_size);
    snprintf(path, sizeof(path), "%s/overlay.scores", bed->dir);
    bed->settings.overlay = path;
    assert_int_equal(det_rules.load(bed->state, &bed->env, NULL), 0);
    assert_int_equal(det_rules.start(bed->state, &bed->env, NULL), 0);
    assert_true(score_of(bed, "SITE_A") == 0.25);
    assert_true(score_of(bed, "SITE_B") == 1.0);
    static const char raw[] = GOOD_HEAD "\r\ncheap pills\r\n";
    fixture_parse(&f, raw, sizeof(raw) - 1);
    f.result.detector = "rules";
    assert_int_equal(det_rules.run(bed->state, &f.msg, &f.result, NULL), 0);
    assert_true(scan_has(&f.result, "SITE_A")); /* it hits as before */
    fixture_free(&f);
}

static void test_load_without_rules_fails(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    bed->dirs[0] = "/does/not/exist";
    assert_int_equal(det_rules.load(bed->state, &bed->env, &err), -1);
    assert_true(err.text[0] != '\0');
}

/* Symbols are known, and nothing was compiled: versions come with the patterns. */
static void test_check_compiles_nothing(void **state)
{
    struct bed *bed = *state;
    struct scan_versions versions = {0};
    put(bed, "test.cf", "body SITE_A /a/\nscore SITE_A 1.5\n");
    assert_int_equal(det_rules.check(bed->state, &bed->env, NULL), 0);
    assert_true(score_of(bed, "SITE_A") == 1.5);
    det_rules.versions(bed->state, &versions);
    assert_null(versions.rules);
}

static void test_check_tells_faults_of_settings(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    const char *nets[] = {"10.0.0.0/8", "ten"};
    put(bed, "test.cf", "body SITE_A /a/\n");
    bed->settings.trusted_networks = (struct mx_conf_strings){nets, 2};
    assert_int_equal(det_rules.check(bed->state, &bed->env, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
}

static void test_check_without_rules_is_no_fault_of_settings(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    bed->dirs[0] = "/does/not/exist";
    assert_int_equal(det_rules.check(bed->state, &bed->env, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_run_hits_and_scores),
        TEST(test_run_tells_its_times),
        TEST(test_run_with_and_without_bayes),
        TEST(test_run_limit_is_told),
        TEST(test_versions_name_the_set),
        TEST(test_load_broken_score_costs_no_other),
        TEST(test_load_overlay_changes_scores),
        TEST(test_load_without_rules_fails),
        TEST(test_check_compiles_nothing),
        TEST(test_check_tells_faults_of_settings),
        TEST(test_check_without_rules_is_no_fault_of_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
