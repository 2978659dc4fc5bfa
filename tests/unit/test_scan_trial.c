/* scan_trial.c: a sample through a chain, and its scores as a file. */
#include "scan_fixture.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan_chain.h"
#include "scan_trial.h"
#include "temp_tree.h"

struct bed {
    char *dir;
    struct scan_conf conf;
    const char *names[2];
    struct scan_chain *chain;
    struct scan_sample sample;
};

static void put(const struct bed *bed, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", bed->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    bed->dir = temp_tree_make("/tmp", NULL);
    bed->names[0] = "headers";
    bed->names[1] = "clamav"; /* its signatures are not there: the trial does without */
    bed->conf = (struct scan_conf){
        .detectors = {bed->names, 2},
        .max_body = 1 << 20,
        .scan_timeout_ms = 60000,
        .required_score = 5,
        .clamav.signatures = "/nonexistent",
        .rules = {.trial_sample = bed->dir, .trial_messages = 100},
    };
    assert_int_equal(scan_chain_new(&bed->conf, &bed->chain, NULL), 0);
    assert_int_equal(scan_chain_load(bed->chain, NULL), 0);
    scan_chain_start(bed->chain, "/tmp");
    bed->sample.arena = mx_arena_new(16u << 20);
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    scan_chain_free(bed->chain);
    mx_arena_free(bed->sample.arena);
    temp_tree_remove(bed->dir);
    free(bed->dir);
    free(bed);
    return 0;
}

static int run(struct bed *bed, struct mx_err *err)
{
    return scan_trial_run(bed->chain, &bed->conf, &bed->sample, err);
}

static void test_run_scores_in_order_of_names(void **state)
{
    struct bed *bed = *state;
    put(bed, "b.eml", GOOD_HEAD "\r\nx");
    put(bed, "a.eml", "To: x\r\n\r\nx");
    assert_int_equal(run(bed, NULL), 0);
    assert_int_equal(bed->sample.n, 2);
    assert_non_null(strstr(bed->sample.messages[0].name, "/a.eml"));
    assert_float_equal(bed->sample.messages[0].score, 1.9, 1e-6);
    assert_int_equal(bed->sample.messages[0].n_hits, 4); /* fields that are missing */
    assert_float_equal(bed->sample.messages[1].score, 0, 1e-6);
}

static void test_run_takes_so_many(void **state)
{
    struct bed *bed = *state;
    bed->conf.rules.trial_messages = 1;
    put(bed, "a.eml", "x");
    put(bed, "b.eml", "x");
    assert_int_equal(run(bed, NULL), 0);
    assert_int_equal(bed->sample.n, 1);
}

static void test_run_without_messages_fails(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    assert_int_equal(run(bed, &err), -1);
    assert_non_null(strstr(err.text, "no message"));
    bed->conf.rules.trial_sample = "/nonexistent";
    assert_int_equal(run(bed, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent"));
}

static void test_write_and_read(void **state)
{
    struct bed *bed = *state;
    struct scan_sample copy = {.arena = bed->sample.arena};
    int fd = memfd_create("test", MFD_CLOEXEC);
    put(bed, "a.eml", "To: x\r\n\r\nx");
    put(bed, "b\xff.eml", GOOD_HEAD "\r\nx");
    assert_int_equal(run(bed, NULL), 0);
    assert_int_equal(scan_trial_write(&bed->sample, fd, NULL), 0);
    assert_int_equal(scan_trial_read(fd, &copy, NULL), 0);
    assert_int_equal(copy.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct scan_sample_message *a = &bed->sample.messages[i];
        const struct scan_sample_message *b = &copy.messages[i];
        assert_string_equal(a->name, b->name);
        assert_true(a->score == b->score);
        assert_int_equal(a->n_hits, b->n_hits);
        for (size_t k = 0; k < a->n_hits; k++)
            assert_string_equal(a->hits[k].symbol, b->hits[k].symbol);
    }
    close(fd);
}

/* Cut anywhere but between two messages, it is broken and not a shorter one. */
static void test_read_cut_file(void **state)
{
    struct bed *bed = *state;
    int fd = memfd_create("test", MFD_CLOEXEC);
    put(bed, "a.eml", "To: x\r\n\r\nx");
    assert_int_equal(run(bed, NULL), 0);
    assert_int_equal(scan_trial_write(&bed->sample, fd, NULL), 0);
    for (off_t n = lseek(fd, 0, SEEK_END); --n > 0;) {
        struct scan_sample copy = {.arena = bed->sample.arena};
        assert_int_equal(ftruncate(fd, n), 0);
        assert_int_equal(scan_trial_read(fd, &copy, NULL), -1);
    }
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_run_scores_in_order_of_names),
        TEST(test_run_takes_so_many),
        TEST(test_run_without_messages_fails),
        TEST(test_write_and_read),
        TEST(test_read_cut_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
