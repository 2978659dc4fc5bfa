/* mxdropctl rules: what it prints and how it ends. */
#include "rule_files.h"

#include "ctl.h"

struct bed {
    struct rule_files files;
    struct ctl ctl;
    char *text;
    size_t n;
    struct mx_err err;
};

static void bed_open(struct bed *bed, const char *rules)
{
    *bed = (struct bed){.files = rule_files_new()};
    rule_files_add(&bed->files, "a.cf", rules);
    bed->ctl.arena = mx_arena_new(16u << 20);
    bed->ctl.out = open_memstream(&bed->text, &bed->n);
    assert_non_null(bed->ctl.out);
}

static void bed_close(struct bed *bed)
{
    fclose(bed->ctl.out);
    free(bed->text);
    mx_arena_free(bed->ctl.arena);
    rule_files_free(&bed->files);
}

/* Runs "rules VERB [NAME] DIR". */
static int run(struct bed *bed, char *verb, char *name)
{
    char program[] = "mxdropctl rules";
    char *argv[] = {program, verb, name ? name : bed->files.dir,
                    name ? bed->files.dir : NULL, NULL};
    int rc = cmd_rules(&bed->ctl, name ? 4 : 3, argv, &bed->err);

    fflush(bed->ctl.out);
    return rc;
}

static void says(const struct bed *bed, const char *text)
{
    if (!strstr(bed->text, text))
        fail_msg("\"%s\" is not in:\n%s", text, bed->text);
}

static void test_check_good_rules(void **state)
{
    struct bed bed;
    char verb[] = "check";

    (void)state;
    bed_open(&bed, "body A /a/\nbody __B /b/\nheader N eval:check_rbl('a', 'b.')\n");
    assert_int_equal(run(&bed, verb, NULL), 0);
    says(&bed, "3 rules");
    says(&bed, "0 faults, 1 rules idle");
    assert_null(strstr(bed.text, "check_rbl"));
    bed_close(&bed);
}

/* File and line of each fault, and exit 1. */
static void test_check_faults(void **state)
{
    struct bed bed;
    char verb[] = "check";

    (void)state;
    bed_open(&bed, "body A /a/\nbody B /b\nnonsense\nbody C /(/\n");
    assert_int_equal(run(&bed, verb, NULL), -1);
    says(&bed, "a.cf:2: B: syntax");
    says(&bed, "a.cf:3: nonsense: unknown directive");
    says(&bed, "a.cf:4: C: pattern");
    says(&bed, "3 faults");
    bed_close(&bed);
}

static void test_explain(void **state)
{
    struct bed bed;
    char verb[] = "explain", name[] = "A", other[] = "NONE";

    (void)state;
    bed_open(&bed, "body A /\x1b[31ma/i\nscore A 2\nmeta M A\n");
    assert_int_equal(run(&bed, verb, name), 0);
    says(&bed, "A: body");
    says(&bed, "a.cf:1");
    says(&bed, "2 2 2 2");
    says(&bed, "read by      M");
    says(&bed, "matched      no pattern that runs"); /* it does not compile */
    says(&bed, "cost         not measured");
    assert_null(strchr(bed.text, '\x1b')); /* rule files do not reach the terminal raw */
    assert_int_equal(run(&bed, verb, other), -1);
    assert_non_null(strstr(bed.err.text, "no rule NONE"));
    bed_close(&bed);
}

/* ---- diff ---- */

#define OLD "body A /a/\nscore A 1\nbody GONE /g/\nbody __S /zz/\nmeta M __S\n"

/* Two sets, a configuration without a cache, and one message. */
struct pair {
    struct bed bed;
    struct rule_files other;
    char conf[80], sample[80];
};

static void pair_open(struct pair *pair, const char *old, const char *new)
{
    bed_open(&pair->bed, old);
    pair->other = rule_files_new();
    rule_files_add(&pair->other, "a.cf", new);
    rule_files_add(&pair->other, "conf.yaml",
                   "scand:\n  detectors: [headers]\n  rules:\n    cache_dir: \"\"\n");
    rule_files_add(&pair->other, "m.eml",
                   "From: <a@example.org>\r\nDate: Mon, 1 Jun 2026 10:00:00 +0000\r\n"
                   "Message-ID: <1@example.org>\r\nSubject: test\r\n\r\nabc\r\n");
    snprintf(pair->conf, sizeof(pair->conf), "%s/conf.yaml", pair->other.dir);
    snprintf(pair->sample, sizeof(pair->sample), "%s/m.eml", pair->other.dir);
    pair->bed.ctl.info = stderr;
}

static void pair_close(struct pair *pair)
{
    rule_files_free(&pair->other);
    bed_close(&pair->bed);
}

/* Runs "rules -c CONF diff OLD NEW [OPTION [VALUE]]". */
static int diff(struct pair *pair, char *option, char *value)
{
    char program[] = "mxdropctl rules", verb[] = "diff", conf[] = "-c";
    char *argv[] = {program,         conf,   pair->conf, verb, pair->bed.files.dir,
                    pair->other.dir, option, value,      NULL};
    int rc = cmd_rules(&pair->bed.ctl,
                       option == NULL  ? 6
                       : value == NULL ? 7
                                       : 8,
                       argv, &pair->bed.err);

    fflush(pair->bed.ctl.out);
    return rc;
}

static void test_diff_of_rules(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair, OLD,
              "body A /a/\nscore A 2\nbody __S /zz/i\nmeta M __S\nbody NEW /n/\n"
              "nonsense\n");
    assert_int_equal(diff(&pair, NULL, NULL), 3);
    says(&pair.bed, "4 rules, then 4: 1 new, 1 gone, 2 changed; faults 0, then 1");
    says(&pair.bed, "~ A  1 -> 2");
    says(&pair.bed, "~ __S  sub-rule");
    says(&pair.bed, "+ body /(?i)zz/");
    says(&pair.bed, "+ NEW  1");
    says(&pair.bed, "- GONE  1");
    pair_close(&pair);
}

/* Runs "rules -c CONF diff OLD NEW". */
static int diff_of(struct pair *pair, char *old, char *new)
{
    char program[] = "mxdropctl rules", verb[] = "diff", conf[] = "-c";
    char *argv[] = {program, conf, pair->conf, verb, old, new, NULL};
    int rc = cmd_rules(&pair->bed.ctl, 6, argv, &pair->bed.err);

    fflush(pair->bed.ctl.out);
    return rc;
}

/* Directories are read in their order, so a later one redefines. */
static void test_diff_of_several_directories(void **state)
{
    struct pair pair;
    char both[200];

    (void)state;
    pair_open(&pair, OLD, "body A /later/\n");
    snprintf(both, sizeof(both), "%s:%s", pair.bed.files.dir, pair.other.dir);
    assert_int_equal(diff_of(&pair, pair.bed.files.dir, both), 3);
    says(&pair.bed, "4 rules, then 4: 0 new, 0 gone, 1 changed");
    says(&pair.bed, "+ body /later/");
    pair_close(&pair);
}

/* What replaces the current rules is read with their overlay. */
static void test_diff_with_current(void **state)
{
    struct pair pair;
    char current[] = "current", text[400];

    (void)state;
    pair_open(&pair, OLD, OLD "score M 3\n");
    rule_files_add(&pair.other, "overlay", "score A 7\n");
    snprintf(text, sizeof(text),
             "scand:\n  rules:\n    cache_dir: \"\"\n    dirs: [\"%s\"]\n"
             "    overlay: %s/overlay\n",
             pair.bed.files.dir, pair.other.dir);
    rule_files_add(&pair.other, "conf.yaml", text);
    assert_int_equal(diff_of(&pair, current, pair.other.dir), 3);
    says(&pair.bed, "0 new, 0 gone, 1 changed");
    says(&pair.bed, "~ M  1 -> 3");
    assert_int_equal(diff_of(&pair, current, pair.bed.files.dir), 0);
    pair_close(&pair);
}

/* Files, lines and descriptions are none of the rule. */
static void test_diff_of_same_rules(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair, OLD, "# other lines\ndescribe A is other\n" OLD);
    assert_int_equal(diff(&pair, NULL, NULL), 0);
    says(&pair.bed, "0 new, 0 gone, 0 changed");
    pair_close(&pair);
}

static void test_diff_shows_messages_that_cross(void **state)
{
    struct pair pair;
    char option[] = "--sample", json[] = "--json";

    (void)state;
    pair_open(&pair, OLD, OLD "score A 9\n");
    assert_int_equal(diff(&pair, option, pair.sample), 3);
    says(&pair.bed, "1 messages, required score 5: 1 moved, 1 are spam now, 0 no more");
    says(&pair.bed, "    1.00     9.00  SPAM ");
    says(&pair.bed, "m.eml  A +8");
    assert_int_equal(diff(&pair, json, NULL), 3);
    says(&pair.bed, "{\"rules\":[{\"name\":\"A\",\"old\":{\"definition\":\"body /a/\"");
    pair_close(&pair);
}

/* On a terminal: what is going on, and what was loaded. */
static void test_diff_tells_its_progress(void **state)
{
    struct pair pair;
    char option[] = "--sample", *text = NULL;
    size_t n;

    (void)state;
    pair_open(&pair, OLD, OLD);
    pair.bed.ctl.info = open_memstream(&text, &n);
    pair.bed.ctl.is_progress = true;
    assert_int_equal(diff(&pair, option, pair.sample), 0);
    assert_int_equal(fclose(pair.bed.ctl.info), 0);
    assert_non_null(strstr(text, "old: loading rules"));
    assert_non_null(strstr(text, "4 rules, 1 files"));
    assert_non_null(strstr(text, "new: 1 scored"));
    free(text);
    pair_close(&pair);
}

/* Scores that move without crossing are shown, and no reason to say no. */
static void test_diff_without_crossing(void **state)
{
    struct pair pair;
    char option[] = "--sample";

    (void)state;
    pair_open(&pair, OLD, OLD "score A 3\n");
    assert_int_equal(diff(&pair, option, pair.sample), 0);
    says(&pair.bed, "1 moved, 0 are spam now");
    pair_close(&pair);
}

static void test_diff_without_sample_there_fails(void **state)
{
    struct pair pair;
    char option[] = "--sample", nobody[] = "/nonexistent";

    (void)state;
    pair_open(&pair, OLD, OLD);
    assert_int_equal(diff(&pair, option, nobody), -1);
    assert_non_null(strstr(pair.bed.err.text, "/nonexistent"));
    pair_close(&pair);
}

/* Runs "rules -c CONF explain NAME DIR --sample MESSAGE". */
static int explain_cost(struct pair *pair, char *name)
{
    char program[] = "mxdropctl rules", verb[] = "explain", conf[] = "-c";
    char option[] = "--sample";
    char *argv[] = {program, conf,         pair->conf, verb, name, pair->bed.files.dir,
                    option,  pair->sample, NULL};
    int rc = cmd_rules(&pair->bed.ctl, 8, argv, &pair->bed.err);

    fflush(pair->bed.ctl.out);
    return rc;
}

static void test_explain_measures_cost(void **state)
{
    struct pair pair;
    char a[] = "A", meta[] = "M";

    (void)state;
    pair_open(&pair, "body A /a/\nmeta M A\n", "");
    assert_int_equal(explain_cost(&pair, a), 0);
    says(&pair.bed, " us a message, ");
    says(&pair.bed, "; in 1 of 1 messages");
    assert_int_equal(explain_cost(&pair, meta), 0);
    says(&pair.bed, "matched      after the rules that it reads");
    says(&pair.bed, "cost         nothing of its own in 1 messages");
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_good_rules),
        cmocka_unit_test(test_check_faults),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_measures_cost),
        cmocka_unit_test(test_diff_of_rules),
        cmocka_unit_test(test_diff_of_several_directories),
        cmocka_unit_test(test_diff_with_current),
        cmocka_unit_test(test_diff_of_same_rules),
        cmocka_unit_test(test_diff_shows_messages_that_cross),
        cmocka_unit_test(test_diff_tells_its_progress),
        cmocka_unit_test(test_diff_without_crossing),
        cmocka_unit_test(test_diff_without_sample_there_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
