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
    assert_null(strchr(bed.text, '\x1b')); /* rule files do not reach the terminal raw */
    assert_int_equal(run(&bed, verb, other), -1);
    assert_non_null(strstr(bed.err.text, "no rule NONE"));
    bed_close(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_good_rules),
        cmocka_unit_test(test_check_faults),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
