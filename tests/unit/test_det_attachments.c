/* det_attachments on whole messages: tricks are symbols, names are reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "file_type.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "scan_result.h"
#include "scan_table.h"

struct fixture {
    struct mx_arena *arena;
    void *state;
};

static int setup(void **state)
{
    struct fixture *f = mx_xalloc(sizeof(*f));
    struct mx_err err = {0};
    f->arena = mx_arena_new(16 << 20);
    f->state = mx_xalloc(det_attachments.state_size);
    struct scan_env env = {0};
    assert_int_equal(det_attachments.load(f->state, &env, &err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    det_attachments.stop(f->state);
    free(f->state);
    mx_arena_free(f->arena);
    free(f);
    return 0;
}

static void scan(struct fixture *f, const char *raw, struct scan_result *out)
{
    struct mx_err err = {0};
    struct message msg = {.deadline_ms = mx_mono_us() / 1000 + 10000};
    assert_int_equal(message_parse(f->arena, mx_str(raw), &msg, &err), 0);
    scan_result_init(out, f->arena);
    out->detector = "attachments";
    assert_int_equal(det_attachments.run(f->state, &msg, out, &err), 0);
}

#define HEAD "From: a@example.org\r\nMIME-Version: 1.0\r\n"
/* The headers of a Windows program, in base64. */
#define PROGRAM                                                                          \
    "TVqQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"           \
    "AAAAAAAAAAAAQAAAAFBFAABMAQEAAAAAAAAAAAAAAAAA4AACAQsBAAAAAAAAAAAAAAAA\r\n"           \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"           \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\r\n"

static void test_run_program_as_picture(void **state)
{
    struct scan_result result;
    scan(*state,
         HEAD "Content-Type: image/png; name=\"cat.png\"\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\n" PROGRAM,
         &result);
    assert_true(scan_has(&result, "MX_ATTACH_TYPE"));
    assert_int_equal(result.n_files, 1);
    assert_true(mx_str_eq(result.files[0].name, MX_STR("cat.png")));
    assert_true(file_type_is_program(result.files[0].type));
}

static void test_run_honest_program(void **state)
{
    struct scan_result result;
    scan(*state,
         HEAD "Content-Type: application/octet-stream; name=\"setup.exe\"\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\n" PROGRAM,
         &result);
    assert_false(scan_has(&result, "MX_ATTACH_TYPE"));
    assert_int_equal(result.n_files, 1);
}

static void test_run_direction_override(void **state)
{
    struct scan_result result;
    scan(*state,
         HEAD "Content-Type: application/octet-stream;"
              " name=\"=?utf-8?Q?ann=E2=80=AEfdp=2Eexe?=\"\r\n\r\nx\r\n",
         &result);
    assert_true(scan_has(&result, "MX_ATTACH_DIRECTION"));
}

static void test_run_names_differ(void **state)
{
    struct scan_result result;
    scan(*state,
         HEAD "Content-Type: application/octet-stream; name=\"a.txt\"\r\n"
              "Content-Disposition: attachment; filename=\"a.exe\"\r\n\r\nx\r\n",
         &result);
    assert_true(scan_has(&result, "MX_ATTACH_NAMES"));
    assert_int_equal(result.n_files, 2);
}

static void test_run_archive_members(void **state)
{
    /* A stored zip with one member, "in.exe", holding "MZ". */
    struct scan_result result;
    scan(
        *state,
        HEAD
        "Content-Type: application/zip; name=\"a.zip\"\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
        "UEsDBBQAAAAAAAAAIQBdm7CPAgAAAAIAAAAGAAAAaW4uZXhlTVpQSwECFAMUAAAAAAAAACEAXZuw\r\n"
        "jwIAAAACAAAABgAAAAAAAAAAAAAAgAEAAAAAaW4uZXhlUEsFBgAAAAABAAEANAAAACYAAAAAAA=="
        "\r\n",
        &result);
    assert_int_equal(result.n_files, 2);
    assert_true(mx_str_eq(result.files[1].name, MX_STR("in.exe")));
    assert_int_equal(result.files[1].depth, 1);
    assert_false(scan_has(&result, "MX_ARCHIVE_ENCRYPTED"));
}

/* A docx of two members: word/vbaProject.bin, and relations with a remote template. */
static void test_run_document(void **state)
{
    struct scan_result result;
    scan(
        *state,
        HEAD
        "Content-Type: application/octet-stream; name=\"a.docx\"\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
        "UEsDBBQAAAAAAAAAIQCDFtyMAQAAAAEAAAATAAAAd29yZC92YmFQcm9qZWN0LmJpbnhQSwMEFAAA\r\n"
        "AAAAAAAhAKhWyLJeAAAAXgAAABwAAAB3b3JkL19yZWxzL2RvY3VtZW50LnhtbC5yZWxzPFJlbGF0\r\n"
        "aW9uc2hpcHM+PFJlbGF0aW9uc2hpcCBUeXBlPSJhL2F0dGFjaGVkVGVtcGxhdGUiIFRhcmdldE1v\r\n"
        "ZGU9IkV4dGVybmFsIi8+PC9SZWxhdGlvbnNoaXBzPlBLAQIUAxQAAAAAAAAAIQCDFtyMAQAAAAEA\r\n"
        "AAATAAAAAAAAAAAAAACAAQAAAAB3b3JkL3ZiYVByb2plY3QuYmluUEsBAhQDFAAAAAAAAAAhAKhW\r\n"
        "yLJeAAAAXgAAABwAAAAAAAAAAAAAAIABMgAAAHdvcmQvX3JlbHMvZG9jdW1lbnQueG1sLnJlbHNQ\r\n"
        "SwUGAAAAAAIAAgCLAAAAygAAAAAA\r\n",
        &result);
    assert_true(scan_has(&result, "MX_DOC_MACROS"));
    assert_true(scan_has(&result, "MX_DOC_LINK"));
    assert_false(scan_has(&result, "MX_DOC_ENCRYPTED"));
    assert_false(scan_has(&result, "MX_DOC_OBJECT"));
}

static void test_run_rtf_with_object(void **state)
{
    struct scan_result result;
    scan(*state,
         HEAD "Content-Type: application/rtf; name=\"a.rtf\"\r\n\r\n"
              "{\\rtf1{\\object{\\*\\objdata 01050000}}}\r\n",
         &result);
    assert_true(scan_has(&result, "MX_DOC_OBJECT"));
}

static void test_run_text_is_no_file(void **state)
{
    struct scan_result result;
    scan(*state, HEAD "Content-Type: text/plain\r\n\r\nhello\r\n", &result);
    assert_int_equal(result.n_files, 0);
    assert_int_equal(result.n_findings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_run_program_as_picture, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_honest_program, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_direction_override, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_names_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_archive_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_document, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_rtf_with_object, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_text_is_no_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
