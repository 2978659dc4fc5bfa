/* Edits: exact, in order, and never weaker than asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shim_edit.h"
#include "shim_fake.h"

struct fixture {
    struct fake *fake;
    struct shim_conn *conn;
    unsigned failed;
};

static const struct shim_features all = {.has_space = true};

static void rcpt(struct fixture *f, const char *path)
{
    char text[64];
    snprintf(text, sizeof(text), "%s", path);
    char *argv[] = {text, NULL};
    struct shim_rcpt *r = shim_conn_rcpt(f->conn, argv, NULL);
    assert_int_equal(shim_conn_rcpt_keep(f->conn, r, NULL), 0);
}

static struct fixture start(void)
{
    struct fixture f = {.fake = fake_new()};
    char *argv[] = {(char[]){"<a@b>"}, NULL};
    f.conn = shim_conn_new(f.fake->shim.settings, &f.fake->shim.budget, &all, 1);
    assert_int_equal(shim_conn_mail(f.conn, argv, NULL), 0);
    rcpt(&f, "<One@y>");
    rcpt(&f, "<two@y>");
    return f;
}

static void stop(struct fixture *f)
{
    shim_conn_free(f->conn);
    fake_free(f->fake);
}

static int apply(struct fixture *f)
{
    struct mx_err err;
    return shim_edit_apply(f->conn, &f->fake->mta,
                           &f->fake->policy[MXP__STAGE__STAGE_CONTENT], &f->failed, &err);
}

static void header(struct fixture *f, const char *name)
{
    assert_int_equal(shim_conn_header(f->conn, name, " v", NULL), 0);
}

static void test_edit_forged_headers_go_from_the_last(void **state)
{
    struct fixture f = start();
    (void)state;
    header(&f, "X-Mxdrop-Score");
    header(&f, "Subject");
    header(&f, "x-mxdrop-score");
    assert_int_equal(apply(&f), 0);
    assert_int_equal(f.fake->n_edits, 2);
    assert_int_equal(f.fake->edits[0].index, 2);
    assert_int_equal(f.fake->edits[1].index, 1);
    assert_string_equal(f.fake->edits[1].value, "(none)");
    stop(&f);
}

static void test_edit_remove_header_all_and_one(void **state)
{
    struct fixture f = start();
    (void)state;
    header(&f, "X-Spam");
    header(&f, "X-Spam");
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_REMOVE_HEADER, "x-spam", "", 0);
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_REMOVE_HEADER, "Other", "", 3);
    assert_int_equal(apply(&f), 0);
    assert_int_equal(f.fake->n_edits, 3);
    assert_int_equal(f.fake->edits[0].index, 2);
    assert_true(fake_has_edit(f.fake, 'm', "Other", 3));
    stop(&f);
}

static void test_edit_headers_are_added_safely(void **state)
{
    struct fixture f = start();
    (void)state;
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_ADD_HEADER, "X-Mxdrop-A", "1\r\nEvil: 2", 0);
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_INSERT_HEADER, "X-B", "2", 1);
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_CHANGE_HEADER, "Subject", "new", 1);
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_ADD_HEADER, "Bad Name", "x", 0);
    assert_int_equal(apply(&f), 0);
    assert_string_equal(f.fake->edits[0].value, " 1Evil: 2");
    assert_true(fake_has_edit(f.fake, 'i', "X-B", 1));
    assert_true(fake_has_edit(f.fake, 'm', "Subject", 1));
    assert_int_equal(f.failed, 1);
    stop(&f);
}

static void test_edit_recipients_are_verbatim(void **state)
{
    struct fixture f = start();
    (void)state;
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_REMOVE_RCPT, "<One@y>", "", 0);
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_ADD_RCPT, "<one+Junk@y>", "NOTIFY=NEVER", 0);
    assert_int_equal(apply(&f), 0);
    assert_true(fake_has_edit(f.fake, '-', "<One@y>", 0));
    assert_true(fake_has_edit(f.fake, '+', "<one+Junk@y>", 0));
    stop(&f);
}

static void test_edit_unknown_recipient_must_not_be_accepted(void **state)
{
    struct fixture f = start();
    (void)state;
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_REMOVE_RCPT, "<one@y>", "",
               0); /* other case */
    assert_int_equal(apply(&f), -1);
    stop(&f);
}

static void test_edit_recipient_refused_by_the_mta_must_not_be_accepted(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->refuses = '-';
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_REMOVE_RCPT, "<two@y>", "", 0);
    assert_int_equal(apply(&f), -1);
    stop(&f);
}

static void test_edit_added_recipient_cannot_smuggle_a_command(void **state)
{
    struct fixture f = start();
    (void)state;
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_ADD_RCPT, "<x@y>\r\nDATA", "", 0);
    assert_int_equal(apply(&f), -1);
    assert_int_equal(f.fake->n_edits, 0);
    stop(&f);
}

static void test_edit_leaves_nobody(void **state)
{
    struct fixture f = start();
    Mxp__PolicyReply *reply = &f.fake->policy[MXP__STAGE__STAGE_CONTENT];
    (void)state;
    assert_false(shim_edit_leaves_nobody(&f.conn->msg, NULL));
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_REMOVE_RCPT, "<One@y>", "", 0);
    assert_false(shim_edit_leaves_nobody(&f.conn->msg, reply));
    f.conn->msg.rcpts[1].is_discarded = true;
    assert_true(shim_edit_leaves_nobody(&f.conn->msg, reply));
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_ADD_RCPT, "<q@y>", "", 0);
    assert_false(shim_edit_leaves_nobody(&f.conn->msg, reply));
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_forged_headers_go_from_the_last),
        cmocka_unit_test(test_edit_remove_header_all_and_one),
        cmocka_unit_test(test_edit_headers_are_added_safely),
        cmocka_unit_test(test_edit_recipients_are_verbatim),
        cmocka_unit_test(test_edit_unknown_recipient_must_not_be_accepted),
        cmocka_unit_test(test_edit_recipient_refused_by_the_mta_must_not_be_accepted),
        cmocka_unit_test(test_edit_added_recipient_cannot_smuggle_a_command),
        cmocka_unit_test(test_edit_leaves_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
