/* text_header: selectors and modifiers on one message. */
#include "text_case.h"

#include "mx_err.h"
#include "text/text.h"
#include "text/text_head.h"

static const char message[] =
    "Return-Path: <bounce@list.example>\n"
    "Received: from mx (mx [10.0.0.1]) by in (Postfix) with SMTP id abc1\n"
    "From: =?utf-8?Q?Ann_=C3=84?= <ann@www.example.co.uk>,\n"
    " 'Bob' <bob@example.org>\n"
    "Received: from out (out [192.0.2.1]) by mx (Postfix) with SMTP id abc2\n"
    "To: a@x.example\n"
    "Subject: =?utf-8?Q?one?=\n\ttwo\n"
    "to:  b@y.example\n"
    "Cc: C <c@z.example>\n"
    "Message-ID: <1@host.example.com>\n"
    "X-Host: see [192.0.2.7], not 1.2.3.4.5\n"
    "Empty:\n"
    "\nbody\n";

static struct mx_str tld_words[] = {{"com", 3}, {"org", 3}, {"uk", 2}};
static struct mx_str two_words[] = {{"co.uk", 5}};
static const struct text_list tlds = {tld_words, 3}, two_level = {two_words, 1},
                              three_level = {NULL, 0};

static void form(struct mx_arena *arena, const char *raw, struct texts *out)
{
    static const struct text_settings settings = {
        .lists = {.tlds = &tlds, .two_level = &two_level, .three_level = &three_level}};
    struct mx_err err;
    assert_int_equal(texts_form(arena, &settings, mx_str(raw), NULL, out, &err), 0);
}

static const struct {
    const char *selector, *value; /* NULL: not there */
} selectors[] = {
    {"Subject", "one two\n"},
    {"subject", "one two\n"},
    {"Subject:raw", " =?utf-8?Q?one?=\n\ttwo\n"},
    {"To", "a@x.example\nb@y.example\n"},
    {"To:first", "a@x.example\n"},
    {"To:last", "b@y.example\n"},
    {"To:raw", " a@x.example\n  b@y.example\n"},
    {"ToCc", "a@x.example\nb@y.example\nC <c@z.example>\n"},
    {"ToCc:addr", "a@x.example\nb@y.example\nc@z.example"},
    {"From:addr", "ann@www.example.co.uk\nbob@example.org"},
    {"From:name", "Ann \xc3\x84\nBob"},
    {"From:name:raw", "=?utf-8?Q?Ann_=C3=84?= \n'Bob' "},
    {"From:addr:host", "www.example.co.uk\nexample.org"},
    {"From:addr:domain", "example.co.uk\nexample.org"},
    {"From:first:addr:domain", "example.co.uk\nexample.org"},
    {"Message-ID:host", "host.example.com"},
    {"Message-ID:domain", "example.com"},
    {"MESSAGEID", "<1@host.example.com>\n"},
    {"X-Host:ip", "192.0.2.7"},
    {"X-Host:revip", "7.2.0.192"},
    {"Empty", "\n"},
    {"Empty:addr", NULL},
    {"Nothing", NULL},
    {"", NULL},
    {":addr", NULL},
    {"Subject:unknown", "one two\n"},
    {"EnvelopeFrom", "bounce@list.example"},
    {"X-Spam-Relays-Internal",
     "[ ip=10.0.0.1 rdns=mx helo=mx by=in ident= envfrom= intl=1 id=abc1 auth= msa=0 ]"},
    {"X-Spam-Relays-External", "[ ip=192.0.2.1 rdns=out helo=out by=mx ident= envfrom= "
                               "intl=0 id=abc2 auth= msa=0 ]"},
    {"ALL-EXTERNAL",
     "Received: from out (out [192.0.2.1]) by mx (Postfix) with SMTP id abc2\n"
     "To: a@x.example\nSubject: one two\nto: b@y.example\nCc: C <c@z.example>\n"
     "Message-ID: <1@host.example.com>\nX-Host: see [192.0.2.7], not 1.2.3.4.5\n"
     "Empty: \n"},
    {"ALL-TRUSTED:raw",
     "Return-Path: <bounce@list.example>\n"
     "Received: from mx (mx [10.0.0.1]) by in (Postfix) with SMTP id abc1\n"
     "From: =?utf-8?Q?Ann_=C3=84?= <ann@www.example.co.uk>,\n 'Bob' <bob@example.org>\n"
     "Received: from out (out [192.0.2.1]) by mx (Postfix) with SMTP id abc2\n"},
};

static void test_header_get_table(void **state)
{
    struct texts texts;
    form(*state, message, &texts);
    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        struct mx_str out;
        bool is_there =
            text_header_get(*state, &texts, mx_str(selectors[i].selector), &out);
        assert_int_equal(is_there, selectors[i].value != NULL);
        assert_slice(*state, out, selectors[i].value ? selectors[i].value : "");
    }
}

static void test_header_get_all(void **state)
{
    struct texts texts;
    struct mx_str out;
    form(*state, "A: 1\nnot a field\n x\nB:\n\t2\n\nbody", &texts);
    assert_true(text_header_get(*state, &texts, MX_STR("ALL"), &out));
    assert_slice(*state, out, "A: 1\nB: 2\n");
    assert_true(text_header_get(*state, &texts, MX_STR("ALL:raw"), &out));
    assert_slice(*state, out, "A: 1\nnot a field\n x\nB:\n\t2\n");
    form(*state, "", &texts);
    assert_false(text_header_get(*state, &texts, MX_STR("ALL"), &out));
}

/* Past the limit, names that came first keep all their fields. */
static void test_header_get_all_is_cut(void **state)
{
    struct mx_buf buf = {.p = NULL};
    struct texts texts;
    struct mx_str out;
    mx_buf_str(&buf, "First: a\nBig: ");
    for (int i = 0; i < 7000; i++)
        mx_buf_str(&buf, "x");
    for (int i = 0; i < 20; i++)
        mx_buf_printf(&buf, "\nN%d: %.*s", i, 7000, buf.p + 14);
    mx_buf_str(&buf, "\nfirst: b\n\n");
    form(*state, buf.p, &texts);
    assert_true(text_header_get(*state, &texts, MX_STR("ALL"), &out));
    assert_true(out.n <= TEXT_HEAD_MAX);
    assert_true(mx_str_starts(out, MX_STR("First: a\nBig: ")));
    assert_true(mx_str_iends(out, MX_STR("\nfirst: b\n")));
    mx_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_get_table),
        cmocka_unit_test(test_header_get_all),
        cmocka_unit_test(test_header_get_all_is_cut),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
