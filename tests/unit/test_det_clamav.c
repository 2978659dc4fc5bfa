/* Detector "clamav": how verdicts of libclamav become findings. */
#include "scan_fixture.h"

#include "scan_conf.h"

#define EICAR                                                                            \
    "X5O!P%@AP[4\\PZX54(P^)7CC)7}$"                                                      \
    "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

struct clamav {
    void *state;
    struct clamav_settings settings;
    struct scan_env env;
};

static void set_up(struct clamav *t)
{
    t->settings =
        (struct clamav_settings){.signatures = MX_SOURCE_DIR "/tests/signatures",
                                 .max_scan_size = 1 << 20,
                                 .max_file_size = 1 << 20,
                                 .max_recursion = 5,
                                 .max_files = 5000,
                                 .max_html_size = 64 << 10,
                                 .max_scan_time_ms = 8000,
                                 .heuristics = true};
    t->env = (struct scan_env){&t->settings, "/tmp"};
    t->state = mx_xalloc(det_clamav.state_size);
    assert_int_equal(det_clamav.load(t->state, &t->env, NULL), 0);
    assert_int_equal(det_clamav.start(t->state, &t->env, NULL), 0);
}

static void tear_down(struct clamav *t)
{
    det_clamav.stop(t->state);
    free(t->state);
}

static void expect(struct clamav *t, struct mx_str mail, const char *symbols,
                   size_t viruses)
{
    struct scan_fixture f;
    fixture_parse(&f, mail.p, mail.n);
    assert_int_equal(det_clamav.run(t->state, &f.msg, &f.result, NULL), 0);
    assert_string_equal(fixture_symbols(&f), symbols);
    assert_int_equal(f.result.n_viruses, viruses);
    assert_int_equal(f.result.is_final, viruses > 0);
    fixture_free(&f);
}

static void test_run_virus_is_final(void **state)
{
    (void)state;
    struct clamav t;
    set_up(&t);
    expect(&t, MX_STR(GOOD_HEAD "\r\nharmless\r\n"), "", 0);
    expect(&t, MX_STR(GOOD_HEAD "\r\n" EICAR "\r\n"), "VIRUS", 1);
    expect(&t, MX_STR(""), "", 0);
    tear_down(&t);
}

/* EICAR in base64 behind a header in which libclamav sees no mail. */
static void test_run_unpacks_what_does_not_look_like_mail(void **state)
{
    (void)state;
    struct clamav t;
    set_up(&t);
    expect(
        &t,
        MX_STR("x-a: b\r\ncontent-type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n"
               "content-transfer-encoding: base64\r\n\r\n"
               "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJV\r\n"
               "Uy1URVNULUZJTEUhJEgrSCo=\r\n--b1--\r\n"),
        "VIRUS", 1);
    tear_down(&t);
}

/* What only lenient readers decode is scanned as they see it. */
static void test_run_scans_what_is_hidden(void **state)
{
    (void)state;
    struct clamav t;
    set_up(&t);
    expect(&t,
           MX_STR(GOOD_HEAD "Content-Type: application/octet-stream\r\n"
                            "Content-Transfer-Encoding: base64\r\n\r\n"
                            "WDVPIVAlQEFQWw==\r\n"
                            "NFxQWlg1NChQXik3Q0MpN30kRUlDQVItU1RBTkRBUkQtQU5USVZJUlVT"
                            "LVRFU1QtRklMRSEkSCtIKg==\r\n"),
           "VIRUS", 1);
    /* A message of that encoding with EICAR, all in base64 once more. */
    expect(&t,
           MX_STR(GOOD_HEAD
                  "Content-Type: message/rfc822\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\n"
                  "Q29udGVudC1UcmFuc2Zlci1FbmNvZGluZzogYmFzZTY0DQoNCldEVlBJVkFs"
                  "UUVGUVd6UmNVRnBZTlRRb1VGNHBOME5ES1RkOUpFVkpRMEZTTFZOVVFVNUVR"
                  "VkpFTFVGT1ZFbFdTVkpWDQpVeTFVUlZOVUxVWkpURVVoSkVnclNDbz0NCg==\r\n"),
           "VIRUS", 1);
    tear_down(&t);
}

static void many_parts(struct mx_buf *out, size_t before, size_t behind)
{
    mx_buf_str(out, GOOD_HEAD "MIME-Version: 1.0\r\n"
                              "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (size_t i = 0; i < before; i++)
        mx_buf_str(out, "--b\r\n\r\nx\r\n");
    mx_buf_str(out, "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                    "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFO"
                    "VElWSVJVUy1URVNULUZJTEUhJEgrSCo=\r\n");
    for (size_t i = 0; i < behind; i++)
        mx_buf_str(out, "--b\r\n\r\nx\r\n");
}

/* libclamav takes longer than a worker may for 10,000 parts: it does not get them. */
static void test_run_many_parts(void **state)
{
    static const struct {
        size_t before, behind;
        const char *symbols;
        size_t viruses;
    } cases[] = {
        {3, 10, "VIRUS", 1},
        {3, 3000, "VIRUS MX_CLAMAV_LIMITS", 1},
        {3000, 3, "MX_CLAMAV_LIMITS", 0},
    };
    (void)state;
    struct clamav t;
    set_up(&t);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mx_buf mail = {0};
        many_parts(&mail, cases[i].before, cases[i].behind);
        expect(&t, mx_str_of(mail.p, mail.n), cases[i].symbols, cases[i].viruses);
        mx_buf_fini(&mail);
    }
    tear_down(&t);
}

/* Encryption is what policy may mind, no virus, and the chain goes on. */
static void test_run_encrypted_pdf(void **state)
{
    (void)state;
    struct clamav t;
    set_up(&t);
    expect(&t,
           MX_STR(GOOD_HEAD
                  "Content-Type: application/pdf; name=a.pdf\r\n\r\n"
                  "%PDF-1.4\r\n"
                  "1 0 obj\r\n"
                  "<< /Type /Catalog /Pages 2 0 R >>\r\n"
                  "endobj\r\n"
                  "2 0 obj\r\n"
                  "<< /Type /Pages /Kids [] /Count 0 >>\r\n"
                  "endobj\r\n"
                  "5 0 obj\r\n"
                  "<< /Filter /Standard /V 1 /R 2 /O (01234567890123456789012345678901) "
                  "/U (01234567890123456789012345678901) /P -4 >>\r\n"
                  "endobj\r\n"
                  "xref\r\n"
                  "0 1\r\n"
                  "0000000000 65535 f \r\n"
                  "trailer\r\n"
                  "<< /Root 1 0 R /Encrypt 5 0 R /ID [<00112233445566778899aabbccddeeff> "
                  "<00112233445566778899aabbccddeeff>] /Size 6 >>\r\n"
                  "startxref\r\n"
                  "9\r\n"
                  "%%EOF\r\n"),
           "MX_DOC_ENCRYPTED", 0);
    tear_down(&t);
}

/* Normalising HTML cannot be interrupted: above the limit it is left out, and said. */
static void test_run_large_html(void **state)
{
    (void)state;
    struct clamav t;
    set_up(&t);
    static const char head[] = GOOD_HEAD "Content-Type: text/html\r\n\r\n";
    size_t n = 70000;
    char *mail = mx_xalloc(n);
    memset(mail, 'x', n);
    memcpy(mail, head, sizeof(head) - 1);
    expect(&t, mx_str_of(mail, n), "MX_CLAMAV_LIMITS", 0);
    expect(&t, mx_str_of(mail, 60000), "", 0);
    free(mail);
    tear_down(&t);
}

static void test_run_over_the_limit_is_a_finding(void **state)
{
    (void)state;
    struct clamav t;
    set_up(&t);
    size_t n = 3 << 20;
    char *big = mx_xalloc(n);
    memset(big, 'x', n);
    memcpy(big, "From: a\r\n\r\n", 11);
    expect(&t, mx_str_of(big, n), "MX_CLAMAV_LIMITS", 0);
    free(big);
    tear_down(&t);
}

static void test_stop_takes_a_state_that_was_never_loaded(void **state)
{
    (void)state;
    void *empty = mx_xalloc(det_clamav.state_size);
    det_clamav.stop(empty);
    free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_virus_is_final),
        cmocka_unit_test(test_run_unpacks_what_does_not_look_like_mail),
        cmocka_unit_test(test_run_scans_what_is_hidden),
        cmocka_unit_test(test_run_encrypted_pdf),
        cmocka_unit_test(test_run_many_parts),
        cmocka_unit_test(test_run_large_html),
        cmocka_unit_test(test_run_over_the_limit_is_a_finding),
        cmocka_unit_test(test_stop_takes_a_state_that_was_never_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
