/* The engine in this process, as mxdropctl scan --local uses it. */
#include "scan_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "scan_conf.h"
#include "scan_local.h"
#include "scan_rules.h"
#include "temp_tree.h"

struct local {
    char *dir;
    struct mx_conf *conf;
    struct scan_local *local;
    struct mx_arena *arena;
};

static void set_up(struct local *t, const char *signatures)
{
    char path[256];
    t->dir = temp_tree_make("/tmp", NULL);
    snprintf(path, sizeof(path), "%s/c.yaml", t->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "scand:\n  temp_dir: %s\n  clamav:\n    signatures: %s\n", t->dir,
            signatures);
    fclose(file);
    const struct mx_conf_section *sections[] = {&scan_conf_section, NULL};
    const char *foreign[] = {NULL};
    struct mx_err err = {0};
    if (mx_conf_load(path, sections, foreign, &t->conf, &err) < 0 ||
        scan_local_open(t->conf, NULL, &t->local, &err) < 0)
        fail_msg("%s", err.text);
    t->arena = mx_arena_new(scan_local_arena_size(1 << 20));
}

static void tear_down(struct local *t)
{
    scan_local_close(t->local);
    mx_conf_free(t->conf);
    mx_arena_free(t->arena);
    temp_tree_remove(t->dir);
    free(t->dir);
}

static void test_run_finds(void **state)
{
    (void)state;
    struct local t = {0};
    set_up(&t, MX_SOURCE_DIR "/tests/signatures");
    Mxp__ScanReply *reply = NULL;
    struct scan_local_input input = {
        .message = MX_STR("To: x\r\n\r\nX5O!P%@AP[4\\PZX54(P^)7CC)7}$"
                          "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n")};
    assert_null(scan_local_fault(t.local, 0));
    scan_local_run(t.local, t.arena, &input, &reply);
    assert_int_equal(reply->n_viruses, 1);
    assert_int_equal(reply->n_findings, 5); /* 4 missing fields and the virus */
    assert_float_equal(reply->score, 1001.9, 1e-6);
    assert_float_equal(reply->required, 5, 1e-9);
    assert_int_equal(reply->n_parts, 1);
    assert_int_equal(reply->n_costs, 0);
    tear_down(&t);
}

static double score_with(struct local *t, const char *overlay)
{
    struct scan_local_options options = {.overlay = overlay};
    struct scan_local_input input = {.message = MX_STR("A: b\r\n\r\ncheap pills\r\n")};
    Mxp__ScanReply *reply = NULL;
    double score = -1;
    scan_local_close(t->local);
    assert_int_equal(scan_local_open(t->conf, &options, &t->local, NULL), 0);
    scan_local_run(t->local, t->arena, &input, &reply);
    for (size_t i = 0; i < reply->n_findings; i++)
        if (strcmp(reply->findings[i]->symbol, "SITE_PILLS") == 0)
            score = reply->findings[i]->score;
    return score;
}

static void put_file(const struct local *t, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", t->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The overlay is off by default; whoever compares rules turns it off. */
static void test_run_overlay_only_as_configured(void **state)
{
    (void)state;
    struct local t = {0};
    char conf[512], path[256];
    const struct mx_conf_section *sections[] = {&scan_conf_section, NULL};
    const char *foreign[] = {NULL};
    set_up(&t, MX_SOURCE_DIR "/tests/signatures");
    const struct scan_conf *defaults = mx_conf_get(t.conf, "scand");
    assert_string_equal(defaults->rules.overlay, "");
    put_file(&t, "site.cf", "body SITE_PILLS /pills/\nscore SITE_PILLS 1.5\n");
    put_file(&t, "overlay.scores", "score SITE_PILLS 2.5\n");
    snprintf(conf, sizeof(conf),
             "scand:\n  temp_dir: %s\n  detectors: [rules]\n  rules:\n    dirs: [%s]\n"
             "    cache_dir: \"\"\n    overlay: %s/overlay.scores\n",
             t.dir, t.dir, t.dir);
    put_file(&t, "c.yaml", conf);
    snprintf(path, sizeof(path), "%s/c.yaml", t.dir);
    scan_local_close(t.local);
    t.local = NULL;
    mx_conf_free(t.conf);
    assert_int_equal(mx_conf_load(path, sections, foreign, &t.conf, NULL), 0);
    assert_float_equal(score_with(&t, NULL), 2.5, 1e-9);
    assert_float_equal(score_with(&t, ""), 1.5, 1e-9);
    tear_down(&t);
}

static void test_run_takes_the_request(void **state)
{
    (void)state;
    struct local t = {0};
    set_up(&t, MX_SOURCE_DIR "/tests/signatures");
    char only_mime[] = "mime";
    char *only[] = {only_mime};
    Mxp__ScanRequest request;
    mxp__scan_request__init(&request);
    request.only = only;
    request.n_only = 1;
    request.profile = true;
    Mxp__ScanReply *reply = NULL;
    struct scan_local_input input = {.message = MX_STR("A: b\r\n\r\nx"),
                                     .request = &request};
    scan_local_run(t.local, t.arena, &input, &reply);
    assert_int_equal(reply->n_findings, 0);
    assert_int_equal(reply->n_costs, 1);
    assert_string_equal(reply->costs[0]->detector, "mime");
    tear_down(&t);
}

static void test_fault_says_why(void **state)
{
    (void)state;
    struct local t = {0};
    set_up(&t, "/nonexistent");
    assert_non_null(strstr(scan_local_fault(t.local, 0), "clamav: "));
    assert_non_null(strstr(scan_local_fault(t.local, 0), "/nonexistent"));
    assert_null(scan_local_fault(t.local, 1));
    Mxp__ScanReply *reply = NULL;
    struct scan_local_input input = {.message = MX_STR("x")};
    scan_local_run(t.local, t.arena, &input, &reply);
    assert_int_equal(reply->n_degraded, 1);
    assert_string_equal(reply->degraded[0], "clamav");
    tear_down(&t);
}

static void test_open_too_many_directories(void **state)
{
    (void)state;
    struct local t = {0};
    const char *dirs[SCAN_RULES_DIRS_MAX + 2] = {NULL};
    const struct scan_local_options options = {.dirs = dirs};
    struct mx_err err = {0};
    set_up(&t, MX_SOURCE_DIR "/tests/signatures");
    scan_local_close(t.local);
    t.local = NULL;
    for (size_t i = 0; i <= SCAN_RULES_DIRS_MAX; i++)
        dirs[i] = t.dir;
    assert_int_equal(scan_local_open(t.conf, &options, &t.local, &err), -1);
    assert_non_null(strstr(err.text, "64 directories"));
    tear_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_finds),
        cmocka_unit_test(test_run_overlay_only_as_configured),
        cmocka_unit_test(test_open_too_many_directories),
        cmocka_unit_test(test_run_takes_the_request),
        cmocka_unit_test(test_fault_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
