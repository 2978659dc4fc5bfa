/* text_envelope: which of many claims is the sender. */
#include "text_case.h"

#include "mx_err.h"
#include "text/text.h"

#define RECEIVED(sender)                                                                 \
    "Received: from a (b.example [192.0.2.1]) by c (Postfix) with SMTP id abc"           \
    " (envelope-from " sender ")\n"

static const struct {
    const char *head, *sender; /* NULL: unknown */
} cases[] = {
    {RECEIVED("<a@example.com>") "Return-Path: <b@example.com>\n", "a@example.com"},
    {RECEIVED("local") "Subject: x\n", NULL},
    {"Return-Path: <b@example.com>\n" RECEIVED("local"), "b@example.com"},
    {RECEIVED("local") "Return-Path: <b@example.com>\n", NULL}, /* came in with it */
    {"X-Envelope-From: c@example.com\nReturn-Path: <b@example.com>\n", "c@example.com"},
    {RECEIVED("local") "X-Envelope-From: c@example.com\n", NULL},
    {"Envelope-Sender: d@example.com\n", "d@example.com"},
    {"Return-Path: <b@example.com>\nX-Sender: x@example.com\n"
     "Received: from pop (fetchmail-5) with POP3\n",
     NULL},
    {"Subject: x\n", NULL},
};

static void test_envelope_sender_table(void **state)
{
    static const struct text_settings settings = {.trusted = {NULL, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct texts texts;
        struct mx_err err;
        const char *raw = mx_arena_printf(*state, "%s\nbody\n", cases[i].head);
        assert_int_equal(texts_form(*state, &settings, mx_str(raw), NULL, &texts, &err),
                         0);
        assert_int_equal(texts.envelope_from.p == NULL, cases[i].sender == NULL);
        if (cases[i].sender)
            assert_slice(*state, texts.envelope_from, cases[i].sender);
    }
}

/* The field that the site names, or none. */
static void test_envelope_sender_configured(void **state)
{
    static const struct text_settings settings = {
        .envelope_header = {"X-Site-Sender", sizeof("X-Site-Sender") - 1}};
    static const struct {
        const char *head, *sender;
    } wanted[] = {
        {"Return-Path: <b@example.com>\nX-Site-Sender: <s@example.com>\n",
         "s@example.com"},
        {"X-Site-Sender: <>\nReturn-Path: <b@example.com>\n", NULL},
        {"X-Site-Sender: nobody\nReturn-Path: <b@example.com>\n", NULL},
        {"Return-Path: <b@example.com>\n", NULL},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        struct texts texts;
        const char *raw = mx_arena_printf(*state, "%s\nbody\n", wanted[i].head);
        assert_int_equal(texts_form(*state, &settings, mx_str(raw), NULL, &texts, NULL),
                         0);
        assert_int_equal(texts.envelope_from.p == NULL, wanted[i].sender == NULL);
        if (wanted[i].sender)
            assert_slice(*state, texts.envelope_from, wanted[i].sender);
    }
}

static void test_envelope_sender_milter_knows(void **state)
{
    static const struct text_settings settings = {.trusted = {NULL, 0}};
    struct text_connection c = {.sender = MX_STR("real@example.com"), .is_known = true};
    struct texts texts;
    struct mx_str out;
    struct mx_err err;
    struct mx_str raw = MX_STR("X-Envelope-From: forged@example.com\n\nbody\n");
    assert_int_equal(texts_form(*state, &settings, raw, &c, &texts, &err), 0);
    assert_slice(*state, texts.envelope_from, "real@example.com");
    c.sender = MX_STR_NONE; /* the null sender is known, too */
    assert_int_equal(texts_form(*state, &settings, raw, &c, &texts, &err), 0);
    assert_true(text_header_get(*state, &texts, MX_STR("EnvelopeFrom"), &out));
    assert_int_equal(out.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelope_sender_configured),
        cmocka_unit_test(test_envelope_sender_table),
        cmocka_unit_test(test_envelope_sender_milter_knows),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
