/* Lists of recipients: sorted, alike. */
#include "eval_case.h"

static void test_sorted_recipients(void **state)
{
    static const struct eval_case cases[] = {
        {"sorted_recipients()",
         "To: a@x.org, b@x.org, c@x.org, d@x.org\n"
         "Cc: e@x.org, f@x.org, g@x.org\n\nb\n",
         1},
        {"sorted_recipients()",
         "To: b@x.org, a@x.org, c@x.org, d@x.org\n"
         "Cc: e@x.org, f@x.org, g@x.org\n\nb\n",
         0},
        {"sorted_recipients()", "To: a@x.org, b@x.org, c@x.org, d@x.org\n\nb\n", 0},
        /* the same address twice in a row is one */
        {"sorted_recipients()",
         "To: a@x.org, a@x.org, b@x.org, c@x.org, d@x.org\n"
         "Cc: e@x.org, f@x.org\n\nb\n",
         0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_similar_recipients(void **state)
{
    static const struct eval_case cases[] = {
        {"similar_recipients('0.65','undef')",
         "To: joe1@x.org, joe2@x.org, joe3@x.org, joe4@x.org, joe5@x.org\n\nb\n", 1},
        {"similar_recipients('0.65','undef')",
         "To: ann@x.org, bob@x.org, cid@x.org, dan@x.org, eve@x.org\n\nb\n", 0},
        {"similar_recipients('0.65','undef')",
         "To: ann@ab.org, bob@ac.org, cid@ad.org, dan@ae.org, eve@af.org\n\nb\n", 0},
        {"similar_recipients('0.65','undef')",
         "To: ann@abc.org, bob@abd.org, cid@abe.org, dan@abf.org, eve@abg.org\n\nb\n", 1},
        {"similar_recipients('0','0.1')", "To: ann@x.org\n\nb\n", 1},
        {"similar_recipients('0.65','undef')",
         "To: joe1@x.org\nBcc: joe2@x.org, joe3@x.org, joe4@x.org, joe5@x.org\n\nb\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted_recipients),
        cmocka_unit_test(test_similar_recipients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
