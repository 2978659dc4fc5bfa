/* Addresses at free mail providers: of senders, headers, answers, bodies. */
#include "eval_case.h"

#define LISTS                                                                            \
    "freemail_domains free.org other.org yahoo.*\nfreemail_welcomelist good@free.org\n"
#define FROM "From: Joe <joe@free.org>\n"

static void test_check_freemail_from(void **state)
{
    static const struct eval_case cases[] = {
        {"check_freemail_from()", FROM "\nb\n", 1},
        {"check_freemail_from()", "From: JOE@Yahoo.FR\n\nb\n", 1},
        {"check_freemail_from()", "From: joe@yahoo.co.uk\n\nb\n", 0},
        {"check_freemail_from()", "From: joe@own.org\n\nb\n", 0},
        {"check_freemail_from()", "From: good@free.org\n\nb\n", 0},
        {"check_freemail_from()", "From: support@free.org\n\nb\n", 0},
        {"check_freemail_from()", "Return-Path: <joe@free.org>\nFrom: a@own.org\n\nb\n",
         1},
        {"check_freemail_from('[0-9]@')", FROM "\nb\n", 0},
        {"check_freemail_from('[0-9]@')", "From: joe7@free.org\n\nb\n", 1},
        {"check_freemail_from()", "Subject: s\n\nb\n", 0},
    };
    static const struct eval_case off[] = {{"check_freemail_from()", FROM "\nb\n", 0}};

    (void)state;
    eval_case_run(LISTS, EVAL_CASES(cases));
    eval_case_run("", EVAL_CASES(off));
}

static void test_check_freemail_header(void **state)
{
    static const struct eval_case cases[] = {
        {"check_freemail_header('Reply-To')", "Reply-To: a@free.org\n\nb\n", 1},
        {"check_freemail_header('Reply-To:addr')", "Reply-To: a@free.org\n\nb\n", 1},
        {"check_freemail_header('Reply-To')", "Reply-To: a@own.org, b@free.org\n\nb\n",
         1},
        {"check_freemail_header('Reply-To')", FROM "\nb\n", 0},
        {"check_freemail_header('Reply-To', '[0-9]@')", "Reply-To: a7@free.org\n\nb\n",
         1},
        {"check_freemail_header('Reply-To', '[0-9]@')", "Reply-To: a@free.org\n\nb\n", 0},
    };

    (void)state;
    eval_case_run(LISTS, EVAL_CASES(cases));
}

static void test_check_freemail_replyto_headers(void **state)
{
    static const struct eval_case cases[] = {
        {"check_freemail_replyto('replyto')", FROM "Reply-To: jim@other.org\n\nb\n", 1},
        {"check_freemail_replyto('replyto')", FROM "Reply-To: Joe@free.org\n\nb\n", 0},
        {"check_freemail_replyto('replyto')", FROM "Reply-To: jim@own.org\n\nb\n", 0},
        {"check_freemail_replyto('replyto')",
         "Return-Path: <noreply@free.org>\n" FROM "Reply-To: jim@other.org\n\nb\n", 0},
        {"check_freemail_replyto('wrong')", FROM "Reply-To: jim@other.org\n\nb\n", 0},
    };

    (void)state;
    eval_case_run(LISTS, EVAL_CASES(cases));
}

static void test_check_freemail_replyto_body(void **state)
{
    static const struct eval_case cases[] = {
        {"check_freemail_replyto('reply')", FROM "\nwrite to jim@other.org now\n", 1},
        {"check_freemail_replyto('replyto')", FROM "\nwrite to jim@other.org now\n", 0},
        {"check_freemail_replyto('replyto')",
         "From: a@own.org\nReply-To: joe@free.org\n\nwrite to jim@other.org now\n", 1},
        {"check_freemail_replyto('reply')", FROM "\nwrite to joe@free.org now\n", 0},
        {"check_freemail_replyto('reply')", FROM "\nJim <jim@other.org> said\n", 0},
        {"check_freemail_replyto('reply')", FROM "\njim@other.org wrote:\n", 0},
        {"check_freemail_replyto('reply')", FROM "\nhttp://x.org/?a=jim@other.org b\n",
         0},
        {"check_freemail_replyto('reply')",
         FROM "\njim@other.orgx, jim@other.nosuchtld\n", 0},
        /* too many are a list */
        {"check_freemail_replyto('reply')",
         FROM "\na@x.org b@x.org c@x.org jim@other.org e@x.org\n", 0},
        {"check_freemail_replyto('reply')",
         FROM "\na@other.org b@other.org c@other.org\n", 0},
    };

    (void)state;
    eval_case_run(LISTS, EVAL_CASES(cases));
}

static void test_check_freemail_body(void **state)
{
    static const struct eval_case cases[] = {
        {"check_freemail_body()", "Subject: s\n\nwrite to jim@other.org now\n", 1},
        {"check_freemail_body('[0-9]@')", "Subject: s\n\nwrite to jim@other.org now\n",
         0},
        {"check_freemail_body()", "Subject: s\n\nwrite to jim@own.org now\n", 0},
        {"check_freemail_body()",
         "Content-Type: text/html\n\n<a href=\"mailto:jim@other.org\">mail me</a>\n", 1},
    };

    (void)state;
    eval_case_run(LISTS, EVAL_CASES(cases));
}

static void test_freemail_import(void **state)
{
    static const struct eval_case cases[] = {{"check_freemail_from()", FROM "\nb\n", 0}};

    (void)state;
    eval_case_run(LISTS "welcomelist_auth *@free.org\n"
                        "freemail_import_welcomelist_auth 1\n",
                  EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_freemail_from),
        cmocka_unit_test(test_check_freemail_header),
        cmocka_unit_test(test_check_freemail_replyto_headers),
        cmocka_unit_test(test_check_freemail_replyto_body),
        cmocka_unit_test(test_check_freemail_body),
        cmocka_unit_test(test_freemail_import),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
