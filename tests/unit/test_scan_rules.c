/* Rule files as people look at them; tests/data/rules is a site's. */
#include "rule_files.h"

#include "scan_rules.h"

static const char *const site[] = {MX_SOURCE_DIR "/tests/data/rules", NULL};

struct bed {
    struct mx_arena *arena;
    struct scan_rules *rules;
};

static void bed_open_with(struct bed *bed, const char *const *dirs, const char *overlay)
{
    struct mx_err err = {0};

    bed->arena = mx_arena_new(16u << 20);
    if (scan_rules_open(dirs, overlay, &bed->rules, &err))
        fail_msg("%s", err.text);
}

static void bed_open(struct bed *bed, const char *const *dirs)
{
    bed_open_with(bed, dirs, NULL);
}

static void bed_close(struct bed *bed)
{
    scan_rules_close(bed->rules);
    mx_arena_free(bed->arena);
}

static struct scan_rules_rule rule_of(struct bed *bed, const char *name)
{
    struct scan_rules_rule rule;

    if (!scan_rules_find(bed->rules, bed->arena, mx_str(name), &rule))
        fail_msg("no rule %s", name);
    return rule;
}

/* Every line of a site is taken; what lacks the network is no fault. */
static void test_open_site_without_faults(void **state)
{
    struct bed bed;
    struct scan_rules_problem problem;
    struct scan_rules_totals totals;
    size_t n = 0;

    (void)state;
    bed_open(&bed, site);
    for (; scan_rules_problem(bed.rules, n, &problem); n++) {
        if (problem.is_fault)
            fail_msg("%u: %.*s: %.*s", problem.line, MX_STR_FMT(problem.about),
                     MX_STR_FMT(problem.text));
    }
    scan_rules_totals(bed.rules, &totals);
    assert_int_equal(n, totals.n_problems);
    assert_int_equal(totals.n_files, 2);
    assert_int_equal(totals.n_rules, 29);
    assert_true(totals.required_score == 5.5);
    assert_int_equal(totals.n_ignored, 6);
    assert_false(scan_rules_find(bed.rules, bed.arena, MX_STR("SITE_WRONG"),
                                 &(struct scan_rules_rule){0}));
    bed_close(&bed);
}

static void test_find_definitions(void **state)
{
    static const struct {
        const char *name, *kind, *definition;
    } cases[] = {
        {"SITE_FROM", "header", "From =~ /(?i)\\bwinner\\b/"},
        {"SITE_UNSET", "header", "X-Site =~ /^none$/ [if-unset: none]"},
        {"SITE_EXISTS", "header exists", "exists:X-Site-Tag"},
        {"SITE_NEG", "header", "Subject !~ /(?i)re: \\{x\\}/"},
        {"SITE_RBL", "rbl eval", "eval:check_rbl('site', 'list.example.', '127.0.0.2')"},
        {"SITE_BODY", "body", "/(?i)cheap/fast #1/"},
        {"SITE_MIME", "mimeheader", "Content-Type:raw =~ /(?i)name=\\S+\\.scr/"},
        {"SITE_TAGS", "body", "/(?i)(?:v|\\\\\\/){1,2}i[a4\\@]{1,2}gr[a4\\@]{1,2}/"},
        {"SITE_NOTAG", "body", "/(?<!<)b<SX>/"},
        {"SITE_RIGHT", "body", "/always/"},
        {"SITE_META", "meta", "(SITE_FROM && !SITE_ADDR) || __SITE_MANY > 2"},
        {"SITE_REUSED", "empty", ""},
    };
    struct bed bed;

    (void)state;
    bed_open(&bed, site);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct scan_rules_rule rule = rule_of(&bed, cases[i].name);

        assert_string_equal(rule.kind, cases[i].kind);
        assert_string_equal(rule.definition, cases[i].definition);
    }
    bed_close(&bed);
}

static void test_find_about(void **state)
{
    struct bed bed;
    struct scan_rules_rule rule;

    (void)state;
    bed_open(&bed, site);
    rule = rule_of(&bed, "SITE_BODY");
    assert_true(rule.scores[0] == 1.25 && rule.scores[3] == 4.25);
    assert_string_equal(rule.flags, "nosubject");
    assert_string_equal(rule_of(&bed, "__SITE_MANY").flags, "multiple maxhits=5");
    assert_str(rule_of(&bed, "SITE_FROM").description, "Sender calls himself a winner");
    assert_true(rule_of(&bed, "SITE_ADDR").is_active);
    rule = rule_of(&bed, "SITE_RBL");
    assert_false(rule.is_active);
    assert_int_equal(rule.priority, -100);
    assert_false(rule.has_score);
    bed_close(&bed);
}

static void test_find_relations(void **state)
{
    struct bed bed;
    struct scan_rules_rule rule;

    (void)state;
    bed_open(&bed, site);
    rule = rule_of(&bed, "SITE_META");
    assert_int_equal(rule.n_reads, 3);
    assert_int_equal(rule.n_read_by, 1);
    assert_str(rule.read_by[0], "SITE_LATER");
    rule = rule_of(&bed, "SITE_BODY");
    assert_int_equal(rule.n_read_by, 2); /* a sum and a glob */
    bed_close(&bed);
}

/* A pattern that nothing compiles is told where it is written. */
static void test_problem_of_a_pattern(void **state)
{
    struct rule_files files = rule_files_new();
    const char *const dirs[] = {files.dir, NULL};
    struct scan_rules_problem problem;
    struct bed bed;

    (void)state;
    rule_files_add(&files, "a.cf", "body GOOD /a/\n\nbody BROKEN /a(b/\n");
    bed_open(&bed, dirs);
    assert_true(scan_rules_problem(bed.rules, 0, &problem));
    assert_string_equal(problem.kind, "pattern");
    assert_str(problem.about, "BROKEN");
    assert_int_equal(problem.line, 3);
    assert_true(problem.is_fault && problem.text.n > 0);
    assert_false(scan_rules_problem(bed.rules, 1, &problem));
    assert_string_equal(rule_of(&bed, "BROKEN").judge, "none: it does not compile");
    bed_close(&bed);
    rule_files_free(&files);
}

static void test_kinds_add_up(void **state)
{
    struct bed bed;
    struct scan_rules_totals totals;
    struct scan_rules_kind kind;
    size_t sum = 0;

    (void)state;
    bed_open(&bed, site);
    scan_rules_totals(bed.rules, &totals);
    for (size_t i = 0; scan_rules_kind(bed.rules, i, &kind); i++) {
        assert_true(kind.n_scored + kind.n_subrules <= kind.n);
        sum += kind.n;
    }
    assert_int_equal(sum, totals.n_rules);
    bed_close(&bed);
}

/* Debian's own rules, where they are installed: what the study counted. */
static const char *const stock[] = {"/usr/share/spamassassin", "/etc/spamassassin", NULL};

static void skip_without_stock(void)
{
    if (access("/usr/share/spamassassin/72_active.cf", R_OK) == 0 &&
        access("/etc/spamassassin/v401.pre", R_OK) == 0)
        return;
    print_message("skipped: SpamAssassin's rules are not installed\n");
    skip();
}

static void test_open_stock(void **state)
{
    static const struct {
        const char *name;
        size_t n;
    } counts[] = {
        {"empty", 32},        {"header", 693},    {"header exists", 76},
        {"body", 622},        {"rawbody", 58},    {"uri", 144},
        {"full", 4},          {"mimeheader", 61}, {"meta", 921},
        {"header eval", 104}, {"body eval", 145}, {"rawbody eval", 7},
        {"full eval", 13},    {"rbl eval", 66},
    };
    struct bed bed;
    struct scan_rules_kind kind;

    (void)state;
    skip_without_stock();
    bed_open(&bed, stock);
    for (size_t i = 0; scan_rules_kind(bed.rules, i, &kind); i++) {
        assert_string_equal(kind.name, counts[i].name);
        assert_int_equal(kind.n, counts[i].n);
    }
    bed_close(&bed);
}

static size_t count_problems(struct bed *bed)
{
    struct scan_rules_totals totals;

    scan_rules_totals(bed->rules, &totals);
    return totals.n_problems;
}

/* A rule that is there, active as before, on the same side of 0. */
static void expect_moved(struct bed *plain, struct bed *overlaid, const char *name)
{
    struct scan_rules_rule before = rule_of(plain, name), after = rule_of(overlaid, name);

    if (before.scores[0] == after.scores[0])
        fail_msg("%s has the score that it had", name);
    for (size_t i = 0; i < 4; i++) {
        if (before.scores[i] * after.scores[i] < 0 ||
            (before.scores[i] == 0) != (after.scores[i] == 0))
            fail_msg("%s: %g became %g", name, before.scores[i], after.scores[i]);
    }
    assert_string_equal(before.definition, after.definition);
}

/* The overlay that is installed with us changes scores of stock rules, and nothing else.
 */
static void test_open_shipped_overlay(void **state)
{
    static const char path[] = MX_SOURCE_DIR "/deploy/rules/overlay.cf";
    struct bed plain, overlaid;
    char line[256], name[128];
    size_t n = 0;

    (void)state;
    skip_without_stock();
    bed_open(&plain, stock);
    bed_open_with(&overlaid, stock, path);
    assert_int_equal(count_problems(&overlaid), count_problems(&plain));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "score %127s ", name), 1);
        expect_moved(&plain, &overlaid, name);
        n++;
    }
    fclose(file);
    assert_true(n > 0);
    bed_close(&overlaid);
    bed_close(&plain);
}

/* Each kind of rule says how it comes to its answer. */
static void test_find_says_how(void **state)
{
    static const struct {
        const char *name, *how;
    } cases[] = {
        {"BODY", "judged"},          {"LATER", "later"},
        {"META", "after the rules"}, {"EVAL", "function"},
        {"UNKNOWN", "not run: its"}, {"NET", "needs the network"},
        {"THERE", "presence"},       {"ZERO", "no pattern that runs"},
    };
    static const char text[] =
        "body BODY /a/\nheader FIRST Subject =~ /(?<X>a)/\n"
        "body LATER /%{X}/\nmeta META BODY\nbody EVAL eval:html_test('html')\n"
        "body UNKNOWN eval:no_such_function()\nheader NET eval:check_rbl('a', 'b.')\n"
        "header THERE exists:To\nbody ZERO /z/\nscore ZERO 0\n";
    struct rule_files files = rule_files_new();
    const char *dirs[] = {files.dir, NULL};
    struct bed bed;

    (void)state;
    rule_files_add(&files, "a.cf", text);
    bed_open(&bed, dirs);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct scan_rules_rule rule = rule_of(&bed, cases[i].name);

        if (!strstr(rule.how, cases[i].how))
            fail_msg("%s: %s", cases[i].name, rule.how);
    }
    bed_close(&bed);
    rule_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_says_how),
        cmocka_unit_test(test_open_site_without_faults),
        cmocka_unit_test(test_find_definitions),
        cmocka_unit_test(test_find_about),
        cmocka_unit_test(test_find_relations),
        cmocka_unit_test(test_problem_of_a_pattern),
        cmocka_unit_test(test_kinds_add_up),
        cmocka_unit_test(test_open_stock),
        cmocka_unit_test(test_open_shipped_overlay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
