/* mod_change_recipient and mod_change_recipient_end: aliases, loops, bounds, rewriting.
 */
#include "module_bed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mod_change_recipient.c"

struct aliases {
    char path[64];
    const char *maps[1];
    struct change_settings settings;
    struct policy_map_files *files;
    struct policy_maps *view;
    struct module_bed bed;
};

static void open_aliases(struct aliases *a, const char *text, bool is_rewriting)
{
    strcpy(a->path, "address:/tmp/mxdrop-aliases.XXXXXX");
    int fd = mkstemp(a->path + strlen("address:"));
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    a->maps[0] = a->path;
    a->settings = (struct change_settings){{a->maps, 1}, is_rewriting};
    a->files = policy_map_files_new();
    a->view = policy_maps_new(a->files);
    module_bed_init(&a->bed, &mod_change_recipient, &a->settings, a->view);
}

static void close_aliases(struct aliases *a)
{
    module_bed_fini(&a->bed);
    policy_maps_free(a->view);
    policy_map_files_free(a->files);
    unlink(a->path + strlen("address:"));
}

static enum policy_step run(struct aliases *a, const char *path)
{
    module_bed_rcpt(&a->bed, path);
    return module_bed_run(&a->bed, POLICY_AT_RCPT, false);
}

static void expect_mailboxes(struct aliases *a, const char *path, const char *want)
{
    char got[1024] = "";
    assert_int_equal(run(a, path), POLICY_NEXT);
    const struct policy_rewrite *rewrite = a->bed.verdict.rewrite;
    for (size_t i = 0; rewrite && i < rewrite->n_mailboxes; i++) {
        strcat(got, i ? " " : "");
        strncat(got, rewrite->mailboxes[i].p, rewrite->mailboxes[i].n);
    }
    assert_string_equal(got, want);
}

static void test_decide_aliases(void **state)
{
    struct aliases a;
    (void)state;
    open_aliases(&a,
                 "info@a.example   one@a.example\n"
                 "team@a.example   one@a.example, two@a.example, ONE@a.example\n"
                 "all@a.example    team@a.example, three@b.example\n"
                 "old.example      post@a.example\n"
                 "keep@a.example   keep@a.example, copy@a.example\n",
                 false);
    expect_mailboxes(&a, "<info@a.example>", "one@a.example");
    expect_mailboxes(&a, "<INFO@A.example>", "one@a.example");
    expect_mailboxes(&a, "<team@a.example>", "one@a.example two@a.example");
    expect_mailboxes(&a, "<all@a.example>",
                     "one@a.example two@a.example three@b.example");
    expect_mailboxes(&a, "<any@old.example>", "post@a.example");
    expect_mailboxes(&a, "<keep@a.example>", "keep@a.example copy@a.example");
    expect_mailboxes(&a, "<other@a.example>", "");
    assert_null(a.bed.verdict.rewrite);
    close_aliases(&a);
}

static void test_decide_loops_end(void **state)
{
    struct aliases a;
    (void)state;
    open_aliases(&a, "a@x.example b@x.example\nb@x.example a@x.example, c@x.example\n",
                 false);
    expect_mailboxes(&a, "<a@x.example>", "c@x.example");
    close_aliases(&a);
    open_aliases(&a, "a@x.example b@x.example\nb@x.example a@x.example\n", false);
    assert_int_equal(run(&a, "<a@x.example>"), POLICY_DONE);
    assert_int_equal(a.bed.verdict.action, POLICY_TEMPFAIL);
    close_aliases(&a);
}

static void test_decide_too_deep_and_too_many(void **state)
{
    struct aliases a;
    struct mx_buf text = {0};
    (void)state;
    for (int i = 0; i < DEPTH_MAX + 3; i++)
        mx_buf_printf(&text, "d%d@x.example d%d@x.example\n", i, i + 1);
    /* A result has its own bound, so a hundred mailboxes take several levels. */
    mx_buf_str(&text, "many@x.example g0@x.example");
    for (int g = 1; g < 10; g++)
        mx_buf_printf(&text, ",g%d@x.example", g);
    for (int g = 0; g < 10; g++) {
        mx_buf_printf(&text, "\ng%d@x.example m%d0@x.example", g, g);
        for (int i = 1; i < 10; i++)
            mx_buf_printf(&text, ",m%d%d@x.example", g, i);
    }
    mx_buf_str(&text, "\n");
    open_aliases(&a, text.p, false);
    assert_int_equal(run(&a, "<d0@x.example>"), POLICY_DONE);
    assert_string_equal(a.bed.verdict.reason, "alias-loop");
    expect_mailboxes(&a, "<d5@x.example>", "d13@x.example");
    assert_int_equal(run(&a, "<many@x.example>"), POLICY_DONE);
    assert_string_equal(a.bed.verdict.reason, "alias-loop");
    close_aliases(&a);
    mx_buf_fini(&text);
}

static void test_decide_rewrite_paths(void **state)
{
    struct aliases a;
    (void)state;
    open_aliases(&a, "team@a.example one@a.example, two@a.example\n", true);
    assert_int_equal(run(&a, "<team@a.example>"), POLICY_NEXT);
    assert_true(mx_str_eq(a.bed.verdict.rewrite->paths,
                          MX_STR("<one@a.example>,<two@a.example>")));
    close_aliases(&a);
    open_aliases(&a, "team@a.example one@a.example\n", false);
    assert_int_equal(run(&a, "<team@a.example>"), POLICY_NEXT);
    assert_int_equal(a.bed.verdict.rewrite->paths.n, 0);
    close_aliases(&a);
}

static void test_start_bad_maps(void **state)
{
    static const char *const bad[] = {"/etc/aliases", "cidr:/etc/aliases",
                                      "address:", "address:/does/not/exist"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *maps[] = {bad[i]};
        struct change_settings settings = {{maps, 1}, false};
        struct policy_map_files *files = policy_map_files_new();
        struct policy_maps *view = policy_maps_new(files);
        struct policy_env env = {.settings = &settings, .maps = view};
        struct change_recipient self = {0};
        struct mx_err err = {0};
        assert_int_equal(mod_change_recipient.start(&self, &env, &err), -1);
        assert_non_null(strstr(err.text, "maps"));
        policy_maps_free(view);
        policy_map_files_free(files);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_aliases),
        cmocka_unit_test(test_decide_loops_end),
        cmocka_unit_test(test_decide_too_deep_and_too_many),
        cmocka_unit_test(test_decide_rewrite_paths),
        cmocka_unit_test(test_start_bad_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
