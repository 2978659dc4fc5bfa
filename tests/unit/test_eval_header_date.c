/* Dates against times of Received lines; ids that hold a time. */
#include "eval_case.h"

#define AT(day) day " Jan 2025 00:00:00 +0000"
#define RECEIVED(from, day) "Received: from " from " by b.org; Wed, " AT(day) "\n"
#define DATE(day) "Date: " AT(day) "\n\nb\n"

static void test_check_for_shifted_date(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_shifted_date('24','48')", RECEIVED("a.org", "1") DATE("2"), 1},
        {"check_for_shifted_date('3','24')", RECEIVED("a.org", "1") DATE("2"), 0},
        {"check_for_shifted_date('-48','-24')", RECEIVED("a.org", "4") DATE("2"), 1},
        {"check_for_shifted_date('96','undef')", RECEIVED("a.org", "1") DATE("9"), 1},
        {"check_for_shifted_date('undef','-96')", RECEIVED("a.org", "9") DATE("1"), 1},
        /* the nearest counts */
        {"check_for_shifted_date('24','48')",
         RECEIVED("a.org", "1") RECEIVED("c.org", "5") DATE("6"), 1},
        /* the oldest has no difference */
        {"check_for_shifted_date('96','undef')",
         RECEIVED("a.org", "1") RECEIVED("c.org", "6") DATE("6"), 1},
        {"check_for_shifted_date('96','undef')", DATE("6"), 0},
        {"check_for_shifted_date('24','48')",
         RECEIVED("a.org", "1") "Resent-Date: " AT("2") "\n" DATE("9"), 1},
        {"check_for_shifted_date('undef','undef')", "Subject: s\n\nb\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_for_shifted_date_fetchmail(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_shifted_date('24','48')",
         "Received: from localhost (localhost [127.0.0.1]) by c.org; Thu, " AT(
             "3") "\n"
                  "Received: from pop.c.org by localhost with POP3 (fetchmail-5.9.0);"
                  " Thu, " AT("3") "\n" RECEIVED("a.org", "1") DATE("2"),
         1},
        {"check_for_shifted_date('-48','-24')",
         "Received: from localhost (localhost [127.0.0.1]) by c.org; Thu, " AT(
             "4") "\n" DATE("2"),
         1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_received_within_months(void **state)
{
    static const char message[] = "Received: from a by b; Thu, 1 Aug 2024 00:00:00 GMT\n"
                                  "Date: Thu, 1 Aug 2024 00:00:00 GMT\n\nb\n";
    static const struct eval_case cases[] = {
        {"received_within_months('undef','6')", message, 1},
        {"received_within_months('5','6')", message, 1},
        {"received_within_months('6','undef')", message, 0},
        {"received_within_months('6','undef')", "Subject: s\n\nb\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

/* 1 Jan 2025 00:00:00 UTC is tick 0x01db5bdd (2^32 * 100 ns since 1601). */
#define OUTLOOK(ticks) "Message-ID: <0000" ticks "$01234567$89abcdef@host>\n"

static void test_check_outlook_message_id(void **state)
{
    static const struct eval_case cases[] = {
        {"check_outlook_message_id()", OUTLOOK("01db5bdd") DATE("1"), 0},
        {"check_outlook_message_id()", OUTLOOK("01db5bdd") DATE("3"), 1},
        {"check_outlook_message_id()",
         OUTLOOK("01db5bdd") RECEIVED("a.org", "1") DATE("3"), 0},
        {"check_outlook_message_id()", OUTLOOK("01db5bdd") "\nb\n", 1},
        {"check_outlook_message_id()", "Message-ID: <a@b.org>\n" DATE("3"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_for_shifted_date),
        cmocka_unit_test(test_check_for_shifted_date_fetchmail),
        cmocka_unit_test(test_received_within_months),
        cmocka_unit_test(test_check_outlook_message_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
