/* Rule files: lines, conditions, definitions, what is said about rules, bounds. */
#include "rule_files.h"

#include "rules/rule_read.h"

static void test_line_comments_and_escapes(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "  body A /a\\#b/ # a comment \\# too\n"
                               "#body B /b/\n\n\tBODY\tC\t/c/\r\nbody D /d/");

    (void)state;
    assert_int_equal(set->n_rules, 3);
    assert_str(rule_named(set, "A")->pattern, "a#b");
    assert_str(rule_named(set, "C")->pattern, "c");
    assert_int_equal(rule_named(set, "D")->line, 5);
    assert_int_equal(set->n_problems_all, 0);
    rule_files_free(&files);
}

static void test_lang_only_of_the_locale(void **state)
{
    struct rule_files files = rule_files_new();

    (void)state;
    rule_files_add(&files, "a.cf",
                   "body A /a/\ndescribe A english\nlang de describe A deutsch\n"
                   "lang EN describe A English\n");
    assert_str(rule_named(rule_files_read(&files), "A")->description, "English");
    rule_set_free(files.set);
    files.options.locale = "de_AT";
    assert_str(rule_named(rule_files_read(&files), "A")->description, "deutsch");
    rule_files_free(&files);
}

static void test_conditions(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "ifplugin Mail::SpamAssassin::Plugin::DKIM\nbody A /no/\n"
                "else\nbody B /yes/\nif (version < 4)\nbody B /no/\nelse\n"
                "body C /yes/\nendif\nendif\n"
                "loadplugin Mail::SpamAssassin::Plugin::DKIM\n"
                "ifplugin Mail::SpamAssassin::Plugin::DKIM\nbody D /yes/\nendif\n");

    (void)state;
    assert_null(rule_named(set, "A"));
    assert_str(rule_named(set, "B")->pattern, "yes");
    assert_non_null(rule_named(set, "C"));
    assert_non_null(rule_named(set, "D"));
    assert_int_equal(set->n_problems_all, 0);
    rule_files_free(&files);
}

/* An open `if` ends with its file, and is told with its own line. */
static void test_condition_unclosed(void **state)
{
    struct rule_files files = rule_files_new();
    const struct rule_set *set;

    (void)state;
    rule_files_add(&files, "a.cf", "body A /a/\nif (version > 9)\nbody B /b/\n");
    rule_files_add(&files, "b.cf",
                   "body C /c/\nendif\nelse\nif nonsense\nbody D /d/\n"
                   "endif\n");
    set = rule_files_read(&files);
    assert_non_null(rule_named(set, "A"));
    assert_null(rule_named(set, "B"));
    assert_non_null(rule_named(set, "C"));
    assert_null(rule_named(set, "D"));
    assert_int_equal(set->n_problems, 4);
    assert_int_equal(set->problems[0].line, 2);
    assert_true(mx_str_iends(set->problems[0].file, MX_STR("/a.cf")));
    assert_int_equal(set->problems[3].line, 4);
    rule_files_free(&files);
}

static void test_files_pre_first_then_by_name(void **state)
{
    struct rule_files files = rule_files_new();
    const struct rule_set *set;

    (void)state;
    rule_files_add(&files, "z.pre", "loadplugin Mail::SpamAssassin::Plugin::DKIM\n");
    rule_files_add(&files, "b.cf", "body A /second/\n");
    rule_files_add(&files, "a.cf",
                   "ifplugin Mail::SpamAssassin::Plugin::DKIM\n"
                   "body A /first/\nbody B /b/\nendif\n");
    rule_files_add(&files, "ignored.txt", "body C /c/\n");
    rule_files_add(&files, ".hidden.cf", "body C /c/\n");
    set = rule_files_read(&files);
    assert_int_equal(set->n_files, 3);
    assert_str(rule_named(set, "A")->pattern, "second");
    assert_non_null(rule_named(set, "B"));
    assert_null(rule_named(set, "C"));
    rule_files_free(&files);
}

static void test_include_only_inside(void **state)
{
    struct rule_files files = rule_files_new();
    const struct rule_set *set;

    (void)state;
    rule_files_add(&files, "a.cf",
                   "include more.inc\ninclude /etc/passwd\n"
                   "include ../../etc/passwd\ninclude none.cf\n"
                   "if (version > 9)\ninclude more2.inc\nendif\n");
    rule_files_add(&files, "more.inc", "body A /a/\n");
    rule_files_add(&files, "more2.inc", "body B /b/\n");
    set = rule_files_read(&files);
    assert_non_null(rule_named(set, "A"));
    assert_true(mx_str_iends(rule_named(set, "A")->file, MX_STR("more.inc")));
    assert_null(rule_named(set, "B"));
    assert_int_equal(set->n_problems, 3);
    assert_int_equal(set->problems[2].line, 4);
    rule_files_free(&files);
}

static void test_include_through_a_link_stays_inside(void **state)
{
    struct rule_files files = rule_files_new();
    char link[160];
    const struct rule_set *set;

    (void)state;
    snprintf(link, sizeof(link), "%s/inner.inc", files.dir);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    rule_files_add(&files, "a.cf", "include inner.inc\n");
    set = rule_files_read(&files);
    assert_int_equal(set->n_problems, 1);
    assert_int_equal(set->n_files, 1);
    unlink(link);
    rule_files_free(&files);
}

static void test_include_of_itself_ends(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "include a.cf\ninclude a.cf\nbody A /a/\n");

    (void)state;
    assert_non_null(rule_named(set, "A"));
    assert_true(set->n_files <= RULE_FILES_MAX);
    assert_true(rule_problems(set, RULE_PROBLEM_LIMIT) > 0);
    rule_files_free(&files);
}

static void test_require_version_skips_the_file(void **state)
{
    struct rule_files files = rule_files_new();
    const struct rule_set *set;

    (void)state;
    rule_files_add(&files, "a.cf", "require_version 3.000\nbody A /a/\n");
    rule_files_add(&files, "b.cf", "require_version 4.000001\nbody B /b/\n");
    set = rule_files_read(&files);
    assert_null(rule_named(set, "A"));
    assert_non_null(rule_named(set, "B"));
    assert_int_equal(set->n_problems, 1);
    rule_files_free(&files);
}

/* ---- definitions ---- */

static void test_kinds(void **state)
{
    static const struct {
        const char *name;
        enum rule_kind kind;
        const char *selector, *pattern, *function;
    } cases[] = {
        {"H1", RULE_HEADER, "From:addr", "(?i)x", ""},
        {"H2", RULE_HEADER_EXISTS, "X-A", "", ""},
        {"H3", RULE_HEADER_EVAL, "", "", "f"},
        {"H4", RULE_RBL_EVAL, "", "", "check_rbl"},
        {"B1", RULE_BODY, "", "b", ""},
        {"B2", RULE_BODY_EVAL, "", "", "f"},
        {"RB1", RULE_RAWBODY, "", "r", ""},
        {"RB2", RULE_RAWBODY_EVAL, "", "", "f"},
        {"U1", RULE_URI, "", "u", ""},
        {"F1", RULE_FULL, "", "f", ""},
        {"F2", RULE_FULL_EVAL, "", "", "f"},
        {"MH", RULE_MIMEHEADER, "Content-Type", "m", ""},
        {"M1", RULE_META, "", "", ""},
        {"E1", RULE_EMPTY, "", "", ""},
        {"A1", RULE_EMPTY, "", "", "askdns"},
        {"UD", RULE_BODY_EVAL, "", "", "check_uri_detail"},
    };
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "header H1 From:addr =~ /x/i\nheader H2 exists:X-A\nheader H3 eval:f()\n"
                "header H4 eval:check_rbl('a', 'b.')\nbody B1 /b/\nbody B2 eval:f()\n"
                "rawbody RB1 /r/\nrawbody RB2 eval:f()\nuri U1 /u/\nfull F1 /f/\n"
                "full F2 eval:f()\nmimeheader MH Content-Type:raw !~ /m/\nmeta M1 B1\n"
                "reuse E1\naskdns A1 _X_.example A 1\nuri_detail UD domain =~ /x/\n");

    (void)state;
    assert_int_equal(set->n_rules, sizeof(cases) / sizeof(*cases));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct rule *rule = &set->rules[i];

        assert_str(rule->name, cases[i].name);
        assert_int_equal(rule->kind, cases[i].kind);
        assert_str(rule->selector, cases[i].selector);
        assert_str(rule->pattern, cases[i].pattern);
        assert_str(rule->function, cases[i].function);
    }
    assert_int_equal(rule_named(set, "MH")->flags, RULE_RAW | RULE_NEGATED);
    rule_files_free(&files);
}

static void test_header_forms(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "header A Subject=~/a/\nheader B X-B: !~ m{b}\n"
                               "header C From =~ /c/ [if-unset: none here]\n"
                               "header D To:addr:first =~ /[if-unset: x]/\n");

    (void)state;
    assert_str(rule_named(set, "A")->selector, "Subject");
    assert_str(rule_named(set, "B")->selector, "X-B");
    assert_true(rule_named(set, "B")->flags & RULE_NEGATED);
    assert_true(rule_named(set, "C")->has_if_unset);
    assert_str(rule_named(set, "C")->if_unset, "none here");
    assert_str(rule_named(set, "C")->pattern, "c");
    assert_false(rule_named(set, "D")->has_if_unset);
    assert_str(rule_named(set, "D")->selector, "To:addr:first");
    rule_files_free(&files);
}

static void test_broken_rules_are_told(void **state)
{
    static const char *const lines[] = {
        "body A",
        "body A noslash",
        "body 9A /a/",
        "body A-B /a/",
        "header A From",
        "header A From /a/",
        "header A From:nothing =~ /a/",
        "header A : =~ /a/",
        "header A exists:X Y",
        "header A eval:f",
        "mimeheader A X:addr =~ /a/",
        "uri A eval:f()",
        "score A",
        "score A x",
        "score A 1 2",
        "score A 1 2 3 4 5",
        "score A (1)",
        "priority A high",
        "tflags A maxhits=x",
        "replace_tag A",
        "nonsense A /a/",
        "meta",
        "\x01\x02\xff",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct rule_files files;
        char text[200];
        const struct rule_set *set;

        snprintf(text, sizeof(text), "body GOOD /g/\n%s\nbody BETTER /b/\n", lines[i]);
        set = rule_files_one(&files, text);
        if (set->n_problems != 1 || set->problems[0].line != 2)
            fail_msg("%s: %zu problems", lines[i], set->n_problems);
        assert_int_equal(set->n_rules, 2);
        rule_files_free(&files);
    }
}

/* A later definition replaces an earlier one; a broken one does not. */
static void test_redefinition(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "score A 3\nheader A From !~ /one/ [if-unset: x]\n"
                               "tflags A nice\nbody A /two/\nbody A /broken\n"
                               "body A /(/\n"
                               "reuse A\nreuse B\nbody B /b/\n");
    const struct rule *a = rule_named(set, "A");

    (void)state;
    assert_int_equal(a->kind, RULE_BODY);
    assert_str(a->pattern, "two");
    assert_int_equal(a->line, 4);
    assert_int_equal(a->flags, RULE_NICE);
    assert_false(a->has_if_unset);
    assert_true(a->scores[0] == 3);
    assert_int_equal(rule_named(set, "B")->kind, RULE_BODY);
    assert_int_equal(set->n_rules, 2);
    assert_int_equal(set->n_problems, 2);
    assert_int_equal(set->problems[1].line, 6);
    rule_files_free(&files);
}

/* ---- about rules ---- */

static void expect_scores(const struct rule_set *set, const char *name, double s0,
                          double s1, double s2, double s3)
{
    const double *scores = rule_named(set, name)->scores;

    if (scores[0] != s0 || scores[1] != s1 || scores[2] != s2 || scores[3] != s3)
        fail_msg("%s: %g %g %g %g", name, scores[0], scores[1], scores[2], scores[3]);
}

static void test_scores(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "score FIRST 1 2 3 4\nbody FIRST /a/\nbody ONE /a/\nscore ONE -2.5\n"
                "body NONE /a/\nbody T_NONE /a/\nbody NICE /a/\ntflags NICE nice\n"
                "body T_NICE /a/\ntflags T_NICE nice net\nbody REL /a/\n"
                "score REL 1 2 3 4\nscore REL (0.5)\nscore REL (0) (-1) (0) (1)\n"
                "score ONLY_SCORED 3\ndescribe ONLY_DESCRIBED x\n");

    (void)state;
    expect_scores(set, "FIRST", 1, 2, 3, 4);
    expect_scores(set, "ONE", -2.5, -2.5, -2.5, -2.5);
    expect_scores(set, "NONE", 1, 1, 1, 1);
    expect_scores(set, "T_NONE", 0.01, 0.01, 0.01, 0.01);
    expect_scores(set, "NICE", -1, -1, -1, -1);
    expect_scores(set, "T_NICE", -0.01, -0.01, -0.01, -0.01);
    expect_scores(set, "REL", 1.5, 1.5, 3.5, 5.5);
    assert_false(rule_named(set, "NONE")->has_score);
    assert_null(rule_named(set, "ONLY_SCORED"));
    assert_null(rule_named(set, "ONLY_DESCRIBED"));
    rule_files_free(&files);
}

static void test_tflags(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files,
        "body __A /a/\ntflags __A learn\ntflags __A multiple maxhits=7 strange\n");
    const struct rule *rule = rule_named(set, "__A");

    (void)state;
    assert_int_equal(rule->flags, RULE_SUBRULE | RULE_MULTIPLE);
    assert_int_equal(rule->max_hits, 7);
    rule_files_free(&files);
}

/* Net is passed on to metas, and what a meta reads must not run after it. */
static void test_net_and_priorities(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "body A /a/\nheader N eval:f()\ntflags N net\nmeta M N && A\n"
                "meta MM M\nmeta EARLY A\npriority EARLY -500\nmeta LATE MM\n"
                "priority LATE 500\nbody CAP /(?<NAME>x)/\n");

    (void)state;
    assert_true(rule_named(set, "MM")->flags & RULE_NET);
    assert_false(rule_named(set, "EARLY")->flags & RULE_NET);
    assert_int_equal(rule_named(set, "N")->priority, -100);
    assert_int_equal(rule_named(set, "A")->priority, -500);
    assert_int_equal(rule_named(set, "LATE")->priority, 500);
    assert_int_equal(rule_named(set, "CAP")->priority, -10000);
    rule_files_free(&files);
}

static void test_is_active(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "body ZERO /a/\nscore ZERO 0 1 0 1\nheader NET eval:f()\ntflags NET net\n"
                "body LEARN eval:f()\ntflags LEARN learn\nbody NET2 /a/\n"
                "tflags NET2 net\n");

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(rule_is_active(rule_named(set, "ZERO"), i), i == 1 || i == 3);
        assert_int_equal(rule_is_active(rule_named(set, "NET"), i), i == 1 || i == 3);
        assert_int_equal(rule_is_active(rule_named(set, "LEARN"), i), i >= 2);
        assert_true(rule_is_active(rule_named(set, "NET2"), i)); /* no eval function */
    }
    rule_files_free(&files);
}

static void test_replace_in_listed_rules(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "replace_rules A C D\nbody A /x<T>/i\nbody B /x<T>/\nreplace_tag T [tT]\n"
                "mimeheader C X =~ /<T>/\nreplace_tag LOOP <LOOP>\n");

    (void)state;
    assert_str(rule_named(set, "A")->pattern, "(?i)x[tT]");
    assert_str(rule_named(set, "B")->pattern, "x<T>");
    assert_str(rule_named(set, "C")->pattern, "<T>"); /* as the original has it */
    assert_null(rule_named(set, "D"));
    rule_files_free(&files);
}

static void test_settings(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "required_score 6.5\nreport x\nadd_header all X y\n"
                               "bayes_path /x\nbody A /a/\n");

    (void)state;
    assert_true(set->required_score == 6.5);
    assert_int_equal(set->n_ignored, 3);
    assert_int_equal(set->n_problems, 0);
    rule_files_free(&files);
}

static void test_what_cannot_run_is_told(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "header A eval:no_such_function()\n"
                               "header B eval:check_rbl('x', 'y.')\naskdns C x A 1\n"
                               "loadplugin My::Own /tmp/own.pm\n");

    (void)state;
    assert_int_equal(rule_problems(set, RULE_PROBLEM_UNKNOWN_EVAL), 1);
    assert_int_equal(rule_problems(set, RULE_PROBLEM_NEEDS_NETWORK), 2);
    assert_int_equal(rule_problems(set, RULE_PROBLEM_UNKNOWN_DIRECTIVE), 1);
    rule_files_free(&files);
}

static void test_overlay_comes_last(void **state)
{
    struct rule_files files = rule_files_new();
    char path[160];

    (void)state;
    rule_files_add(&files, "a.cf", "body A /a/\nscore A 1\n");
    rule_files_add(&files, "overlay.scores", "score A 4\n");
    snprintf(path, sizeof(path), "%s/overlay.scores", files.dir);
    files.options.overlay = path;
    assert_true(rule_named(rule_files_read(&files), "A")->scores[0] == 4);
    rule_files_free(&files);
}

static void test_digest(void **state)
{
    struct rule_files a, b, c;
    uint64_t one = rule_files_one(&a, "body A /a/\n")->digest;
    uint64_t same = rule_files_one(&b, "# remark\nbody A /a/\n")->digest;
    uint64_t other = rule_files_one(&c, "body A /b/\n")->digest;

    (void)state;
    assert_true(one == same);
    assert_true(one != other);
    rule_files_free(&a);
    rule_files_free(&b);
    rule_files_free(&c);
}

/* ---- bounds ---- */

static void test_set_read_fails_without_files(void **state)
{
    struct rule_files files = rule_files_new();
    const char *const missing[] = {"/nonexistent/rules", NULL};
    const char *const empty[] = {files.dir, NULL};
    struct rule_read_options options = {.dirs = missing};
    struct rule_set *set = NULL;
    struct mx_err err = {0};

    (void)state;
    assert_int_equal(rule_set_read(&options, &set, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent/rules"));
    options.dirs = empty;
    assert_int_equal(rule_set_read(&options, &set, &err), -1);
    assert_null(set);
    rule_files_free(&files);
}

static void test_too_many_rules(void **state)
{
    struct rule_files files = rule_files_new();
    struct mx_buf buf = {0};
    const struct rule_set *set;

    (void)state;
    for (size_t i = 0; i < RULE_RULES_MAX + 3; i++)
        mx_buf_printf(&buf, "body R%zu /x/\n", i);
    rule_files_add_bytes(&files, "a.cf", buf.p, buf.n);
    mx_buf_fini(&buf);
    set = rule_files_read(&files);
    assert_int_equal(set->n_rules, RULE_RULES_MAX);
    assert_int_equal(rule_problems(set, RULE_PROBLEM_LIMIT), 3);
    rule_files_free(&files);
}

static void test_too_long_lines_and_patterns(void **state)
{
    struct rule_files files = rule_files_new();
    struct mx_buf buf = {0};
    char *filler = mx_xalloc(RULE_LINE_BYTES_MAX + 1);
    const struct rule_set *set;

    (void)state;
    memset(filler, 'a', RULE_LINE_BYTES_MAX);
    mx_buf_printf(&buf, "body A /%s/\nbody B /", filler);
    mx_buf_add(&buf, filler, RULE_PATTERN_BYTES_MAX + 1);
    mx_buf_str(&buf, "/\nbody C /c/\n");
    rule_files_add_bytes(&files, "a.cf", buf.p, buf.n);
    mx_buf_fini(&buf);
    free(filler);
    set = rule_files_read(&files);
    assert_int_equal(set->n_rules, 1);
    assert_int_equal(rule_problems(set, RULE_PROBLEM_LIMIT), 2);
    rule_files_free(&files);
}

static void test_binary_garbage(void **state)
{
    struct rule_files files = rule_files_new();
    unsigned char *bytes = mx_xalloc(300000);
    uint32_t seed = 12345;

    (void)state;
    for (size_t i = 0; i < 300000; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (unsigned char)(seed >> 24);
    }
    rule_files_add_bytes(&files, "a.cf", bytes, 300000);
    free(bytes);
    assert_int_equal(rule_files_read(&files)->n_rules, 0);
    assert_true(files.set->n_problems > 100);
    rule_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_comments_and_escapes),
        cmocka_unit_test(test_lang_only_of_the_locale),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_condition_unclosed),
        cmocka_unit_test(test_files_pre_first_then_by_name),
        cmocka_unit_test(test_include_only_inside),
        cmocka_unit_test(test_include_through_a_link_stays_inside),
        cmocka_unit_test(test_include_of_itself_ends),
        cmocka_unit_test(test_require_version_skips_the_file),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_header_forms),
        cmocka_unit_test(test_broken_rules_are_told),
        cmocka_unit_test(test_redefinition),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_tflags),
        cmocka_unit_test(test_net_and_priorities),
        cmocka_unit_test(test_is_active),
        cmocka_unit_test(test_replace_in_listed_rules),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_what_cannot_run_is_told),
        cmocka_unit_test(test_overlay_comes_last),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_set_read_fails_without_files),
        cmocka_unit_test(test_too_many_rules),
        cmocka_unit_test(test_too_long_lines_and_patterns),
        cmocka_unit_test(test_binary_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
