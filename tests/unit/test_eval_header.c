/* Header evals: senders, subjects, ids, bytes. */
#include "eval_case.h"

#define FROM_TO(from, envelope)                                                          \
    "Return-Path: <" envelope ">\nFrom: A <" from ">\nSubject: s\n\nbody\n"

static void test_check_equal_from_domains(void **state)
{
    static const struct eval_case cases[] = {
        {"check_equal_from_domains()", FROM_TO("a@example.org", "b@example.com"), 1},
        {"check_equal_from_domains()", FROM_TO("a@mail.example.org", "b@x.EXAMPLE.org"),
         0},
        {"check_equal_from_domains()", FROM_TO("a@example.org", ""), 0},
        {"check_equal_from_domains()", "From: a@example.org\n\nb\n", 0},
        {"check_for_matching_env_and_hdr_from()",
         FROM_TO("a@example.org", "A@Example.org"), 1},
        {"check_for_matching_env_and_hdr_from()", FROM_TO("a@example.org", "b@b.org"), 0},
        {"check_for_matching_env_and_hdr_from()", "Subject: s\n\nb\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_for_missing_to_header(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_missing_to_header()", "Subject: s\n\nb\n", 1},
        {"check_for_missing_to_header()", "To: a@example.org\n\nb\n", 0},
        {"check_for_missing_to_header()", "Apparently-To: a@example.org\n\nb\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_subject_is_all_caps(void **state)
{
    static const struct eval_case cases[] = {
        {"subject_is_all_caps()", "Subject: BUY THIS NOW 100 %\n\nb\n", 1},
        {"subject_is_all_caps()", "Subject: Re: FWD: BUY THIS NOW\n\nb\n", 1},
        {"subject_is_all_caps()", "Subject: BUY THIS now\n\nb\n", 0},
        {"subject_is_all_caps()", "Subject: BUYTHISNOWNOW\n\nb\n", 0},
        {"subject_is_all_caps()", "Subject: BUY NOW\n\nb\n", 0},
        {"subject_is_all_caps()", "Subject: 100 200 300 400\n\nb\n", 0},
        {"subject_is_all_caps()", "Subject: =?koi8-r?Q?BUY_THIS_NOW_OR_NEVER?=\n\nb\n",
         0},
        {"subject_is_all_caps()",
         "Subject: =?iso-8859-1?Q?BUY_THIS_NOW_OR_NEVER?=\n\nb\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

#define TO_SUBJECT(subject) "To: joe@example.org\nSubject: " subject "\n\nb\n"

static void test_check_for_to_in_subject(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_to_in_subject('address')", TO_SUBJECT("hi JOE@example.org!"), 1},
        {"check_for_to_in_subject('address')", TO_SUBJECT("hi xjoe@example.org"), 0},
        {"check_for_to_in_subject('user')", TO_SUBJECT("Re: Joe"), 1},
        {"check_for_to_in_subject('user')", TO_SUBJECT("fw: hello joe"), 1},
        {"check_for_to_in_subject('user')", TO_SUBJECT("joe, look at this"), 1},
        {"check_for_to_in_subject('user')", TO_SUBJECT("Joe, look at this"), 0},
        {"check_for_to_in_subject('user')", TO_SUBJECT("JOE"), 1},
        {"check_for_to_in_subject('user')", TO_SUBJECT(", joe!"), 1},
        {"check_for_to_in_subject('user')", TO_SUBJECT("joey, look"), 0},
        {"check_for_to_in_subject('user')", TO_SUBJECT("about joe, again"), 0},
        {"check_for_to_in_subject('user')", "Subject: joe\n\nb\n", 0},
        {"check_for_to_in_subject('host')", TO_SUBJECT("joe"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_illegal_chars(void **state)
{
    static const struct eval_case cases[] = {
        {"check_illegal_chars('Subject','0.00','2')", "Subject: a\xe4\xf6z\n\nb\n", 1},
        {"check_illegal_chars('Subject','0.00','2')", "Subject: a\xc3\xa4z\n\nb\n", 0},
        {"check_illegal_chars('Subject','0.00','1')", "Subject: 5 \xa3 off\n\nb\n", 0},
        {"check_illegal_chars('Subject','0.00','1')", "Subject: \xa3\xa3 off\n\nb\n", 1},
        {"check_illegal_chars('From','0.00','1')", "From: \xa3 off\n\nb\n", 1},
        {"check_illegal_chars('Subject','0.00','1')", "Subject: a\x01z\n\nb\n", 1},
        {"check_illegal_chars('Subject','0.50','1')", "Subject: abcdef\x01z\n\nb\n", 0},
        {"check_illegal_chars('Subject','0.00','0')", "From: a\n\nb\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_header_count_range(void **state)
{
    static const struct eval_case cases[] = {
        {"check_header_count_range('Subject','2','9')", "Subject: a\nsubject: b\n\nb\n",
         1},
        {"check_header_count_range('Subject','2','9')", "Subject: a\nSubject: a\n\nb\n",
         0},
        {"check_header_count_range('Subject','0','0')", "From: a\n\nb\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_unresolved_template(void **state)
{
    static const struct eval_case cases[] = {
        {"check_unresolved_template()", "X-Mailer: %NAME\n\nb\n", 1},
        {"check_unresolved_template()", "Subject: %NAME\n\nb\n", 0},
        {"check_unresolved_template()", "X-Mailer: 10% OFF\n\n%NAME\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

#define RATWARE_ID "Message-ID: <ABCDEFGHIJKLMNOPQRSTUVWXYZAB.joe@example.org>\n"

static void test_check_ratware(void **state)
{
    static const struct eval_case cases[] = {
        {"check_ratware_name_id()", RATWARE_ID "From: \"Joe\" <joe@example.org>\n\nb\n",
         1},
        {"check_ratware_name_id()", RATWARE_ID "From: Joe <joe@example.org>\n\nb\n", 0},
        {"check_ratware_name_id()",
         "Message-ID: <A.joe@example.org>\nFrom: \"Joe\" <joe@example.org>\n\nb\n", 0},
        {"check_ratware_envelope_from()",
         "Return-Path: <x-example.org.joe@spam.com>\nTo: joe@mail.example.org\n\nb\n", 1},
        {"check_ratware_envelope_from()",
         "Return-Path: <x-example.org.jim@spam.com>\nTo: joe@mail.example.org\n\nb\n", 0},
        {"check_ratware_envelope_from()",
         "Return-Path: <SRS0=x-example.org.joe@spam.com>\nTo: joe@example.org\n\nb\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_messageid_not_usable(void **state)
{
    static const struct eval_case cases[] = {
        {"check_messageid_not_usable()",
         "Received: from a by b; Wed, 1 Jan 2025 00:00:00 GMT\n"
         "List-Unsubscribe: <mailto:leave-a@example.org>\n\nb\n",
         1},
        {"check_messageid_not_usable()",
         "Received: from a by b (iPlanet Messaging Server 5.2)\n\nb\n", 1},
        {"check_messageid_not_usable()", "Received: from a by b\n\nb\n", 0},
        {"check_messageid_not_usable()", "Subject: s\n\nb\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_equal_from_domains),
        cmocka_unit_test(test_check_for_missing_to_header),
        cmocka_unit_test(test_subject_is_all_caps),
        cmocka_unit_test(test_check_for_to_in_subject),
        cmocka_unit_test(test_check_illegal_chars),
        cmocka_unit_test(test_check_header_count_range),
        cmocka_unit_test(test_check_unresolved_template),
        cmocka_unit_test(test_check_ratware),
        cmocka_unit_test(test_check_messageid_not_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
