/* Bounces of what our own relays sent. */
#include "eval_case.h"

static const char bounce[] = "Subject: failed\n\nYour mail:\n\n"
                             "Received: from a.org by relay1.own.org\n"
                             "\twith ESMTP id x\nSubject: s\n";
static const char other[] = "Subject: failed\n\nYour mail:\n\n"
                            "Received: from a.org by b.org with ESMTP id x\n";

static void test_bounce_relays(void **state)
{
    static const struct eval_case cases[] = {
        {"have_any_bounce_relays()", other, 1},
        {"check_welcomelist_bounce_relays()", bounce, 1},
        {"check_whitelist_bounce_relays()", other, 0},
        {"check_welcomelist_bounce_relays()", "Subject: s\n\nrelay1.own.org is up\n", 0},
    };
    static const struct eval_case none[] = {
        {"have_any_bounce_relays()", bounce, 0},
        {"check_welcomelist_bounce_relays()", bounce, 0},
    };

    (void)state;
    eval_case_run("welcomelist_bounce_relays relay?.own.org\n", EVAL_CASES(cases));
    eval_case_run("", EVAL_CASES(none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bounce_relays)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
