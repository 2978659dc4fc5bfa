/* The Redis store without a Redis: its settings, and what it says while it is down. With
   one: test_store_agree.c, test_redis_link.c. */
#include "store_redis.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mx_conf.h"
#include "mx_err.h"
#include "mx_time.h"
#include "uv_wait.h"

static void test_store_redis_section_defaults(void **state)
{
    const struct mx_conf_section *const sections[] = {&store_redis_section, NULL};
    const char *const foreign[] = {NULL};
    struct mx_conf *conf = NULL;
    struct mx_err err;
    (void)state;
    if (mx_conf_load(NULL, sections, foreign, &conf, &err) != 0)
        fail_msg("%s", err.text);
    const struct store_redis_settings *settings = mx_conf_get(conf, "redis");
    assert_string_equal(settings->address, "127.0.0.1:6379");
    assert_string_equal(settings->username, "");
    assert_string_equal(settings->password, "");
    assert_int_equal(settings->db, 0);
    assert_int_equal(settings->timeout_ms, 50);
    assert_int_equal(settings->connect_timeout_ms, 2000);
    assert_int_equal(settings->backoff_min_ms, 100);
    assert_int_equal(settings->backoff_max_ms, 5000);
    mx_conf_free(conf);
}

static void on_done(struct store_batch *batch)
{
    ++*(int *)batch->user;
}

static void test_store_redis_down_answers_at_once(void **state)
{
    const struct store_redis_settings settings = {.address = "unix:/nonexistent/s",
                                                  .username = "",
                                                  .password = "",
                                                  .timeout_ms = 50,
                                                  .connect_timeout_ms = 100,
                                                  .backoff_min_ms = 1,
                                                  .backoff_max_ms = 2};
    struct store_redis_options options = {.settings = &settings, .clock = &mx_clock_real};
    struct store_question questions[] = {{.kind = STORE_EPOCH}, {.kind = STORE_EPOCH}};
    struct store_answer answers[2] = {0};
    struct store_effect effect = {.kind = STORE_EPOCH_SET, .now_ms = 1};
    int n_done = 0;
    struct store_batch batch = {.questions = questions,
                                .answers = answers,
                                .n = 2,
                                .timeout_ms = 50,
                                .done = on_done,
                                .user = &n_done};
    struct store *store = NULL;
    struct store_stats stats;
    uv_loop_t loop;
    (void)state;
    uv_loop_init(&loop);
    assert_int_equal(store_redis_new(&loop, &options, &store, NULL), 0);
    store_ask(store, &batch);
    store_tell(store, &effect, 1);
    assert_int_equal(n_done, 1);
    assert_string_equal(batch.fault, "store down");
    assert_false(answers[0].is_known || answers[1].is_known);
    store_stats(store, &stats);
    assert_int_equal(stats.unknown, 2);
    assert_int_equal(stats.lost, 1);
    assert_int_equal(stats.round_trips, 0);
    assert_false(store_is_up(store));
    store_free(store);
    assert_int_equal(uv_wait_close(&loop), 0);
}

static void test_store_redis_new_refuses_bad_address(void **state)
{
    struct store_redis_settings settings = {.address = "redis:no", .password = ""};
    struct store_redis_options options = {.settings = &settings, .clock = &mx_clock_real};
    struct store *store = NULL;
    struct mx_err err = {0};
    uv_loop_t loop;
    (void)state;
    uv_loop_init(&loop);
    assert_int_equal(store_redis_new(&loop, &options, &store, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_non_null(strstr(err.text, "redis:no"));
    assert_null(store);
    assert_int_equal(uv_wait_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_redis_section_defaults),
        cmocka_unit_test(test_store_redis_down_answers_at_once),
        cmocka_unit_test(test_store_redis_new_refuses_bad_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
