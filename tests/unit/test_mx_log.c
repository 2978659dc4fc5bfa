/* Log lines, read back through a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "mx_log.h"
#include "mx_time.h"

struct fixture {
    int pipe[2];
    struct mx_clock_fake fake;
    char text[8192];
};

static void open_fixture(struct fixture *f)
{
    assert_int_equal(pipe(f->pipe), 0);
    mx_clock_fake_init(&f->fake, 1700000000123);
}

/* What was written so far; "" where it was nothing. */
static const char *written(struct fixture *f)
{
    assert_int_equal(write(f->pipe[1], "$", 1), 1); /* so that reading never waits */
    ssize_t n = read(f->pipe[0], f->text, sizeof(f->text) - 1);
    assert_true(n > 0);
    f->text[n - 1] = '\0';
    return f->text;
}

static void close_fixture(struct fixture *f)
{
    close(f->pipe[0]);
    close(f->pipe[1]);
}

static void test_line_for_the_journal(void **state)
{
    struct fixture f;
    (void)state;
    open_fixture(&f);
    struct mx_log *log = mx_log_new(f.pipe[1], MX_LOG_DEBUG, false, &f.fake.clock);
    mx_log(log, MX_LOG_ERROR, "a.b", "k=%d", 1);
    mx_log(log, MX_LOG_DEBUG, "c.d", "%s", "");
    assert_string_equal(written(&f), "<3>a.b k=1\n<7>c.d \n");
    mx_log_free(log);
    close_fixture(&f);
}

static void test_line_with_time(void **state)
{
    struct fixture f;
    (void)state;
    open_fixture(&f);
    struct mx_log *log = mx_log_new(f.pipe[1], MX_LOG_INFO, true, &f.fake.clock);
    mx_log(log, MX_LOG_WARN, "a.b", "k=1");
    assert_string_equal(written(&f), "2023-11-14T22:13:20.123Z warn a.b k=1\n");
    mx_log_free(log);
    close_fixture(&f);
}

static void test_level_drops_and_changes(void **state)
{
    struct fixture f;
    (void)state;
    open_fixture(&f);
    struct mx_log *log = mx_log_new(f.pipe[1], MX_LOG_WARN, false, &f.fake.clock);
    mx_log(log, MX_LOG_INFO, "quiet", "x=1");
    assert_string_equal(written(&f), "");
    mx_log_set_level(log, MX_LOG_INFO);
    mx_log(log, MX_LOG_INFO, "loud", "x=1");
    assert_string_equal(written(&f), "<6>loud x=1\n");
    mx_log(NULL, MX_LOG_ERROR, "nobody", "x=1");
    mx_log_free(log);
    mx_log_free(NULL);
    close_fixture(&f);
}

static void test_controls_cannot_forge_a_line(void **state)
{
    struct fixture f;
    (void)state;
    open_fixture(&f);
    struct mx_log *log = mx_log_new(f.pipe[1], MX_LOG_INFO, false, &f.fake.clock);
    mx_log(log, MX_LOG_INFO, "a", "v=%s", "x\n<3>forged\x1b[0m\x7f");
    assert_string_equal(written(&f), "<6>a v=x?<3>forged?[0m?\n");
    mx_log_free(log);
    close_fixture(&f);
}

static void test_long_line_is_one_write(void **state)
{
    struct fixture f;
    char value[9000];
    (void)state;
    open_fixture(&f);
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    struct mx_log *log = mx_log_new(f.pipe[1], MX_LOG_INFO, false, &f.fake.clock);
    mx_log(log, MX_LOG_INFO, "a", "v=%s", value);
    const char *line = written(&f);
    assert_in_range(strlen(line), 4000, 4096);
    assert_int_equal(line[strlen(line) - 1], '\n');
    mx_log_free(log);
    close_fixture(&f);
}

static void test_throttle_counts_what_it_holds(void **state)
{
    struct fixture f;
    struct mx_throttle throttle = {0, 0};
    (void)state;
    open_fixture(&f);
    struct mx_log *log = mx_log_new(f.pipe[1], MX_LOG_WARN, false, &f.fake.clock);
    for (int i = 0; i < 5; i++)
        mx_log_throttled(log, &throttle, MX_LOG_WARN, "w", "i=%d", i);
    assert_string_equal(written(&f), "<4>w i=0\n");
    f.fake.now_ms += MX_THROTTLE_MS - 1;
    mx_log_throttled(log, &throttle, MX_LOG_WARN, "w", "i=%d", 5);
    assert_string_equal(written(&f), "");
    f.fake.now_ms += 1;
    mx_log_throttled(log, &throttle, MX_LOG_WARN, "w", "i=%d", 6);
    assert_string_equal(written(&f), "<4>w i=6 held=5\n");
    f.fake.now_ms += MX_THROTTLE_MS;
    mx_log_throttled(log, &throttle, MX_LOG_INFO, "w", "below the level");
    mx_log_throttled(log, &throttle, MX_LOG_WARN, "w", "i=%d", 7);
    assert_string_equal(written(&f), "<4>w i=7\n");
    mx_log_free(log);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_for_the_journal),
        cmocka_unit_test(test_line_with_time),
        cmocka_unit_test(test_level_drops_and_changes),
        cmocka_unit_test(test_controls_cannot_forge_a_line),
        cmocka_unit_test(test_long_line_is_one_write),
        cmocka_unit_test(test_throttle_counts_what_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
