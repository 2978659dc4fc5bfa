/* store_dovecot: usage from Dovecot's Redis over our own store, on two real servers. */
#include "store_dovecot.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_time.h"
#include "private_redis.h"
#include "store_mem.h"
#include "store_redis.h"
#include "uv_wait.h"

struct bed {
    struct private_redis redis;
    uv_loop_t loop;
    struct store_redis_settings settings;
    struct store *mem, *dovecot, *store;
    struct mx_arena *arena;
};

static bool is_up(void *user)
{
    return store_is_up(user);
}

static void on_done(struct store_batch *batch)
{
    (*(int *)batch->user)++;
}

static bool is_done(void *user)
{
    return *(int *)user > 0;
}

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    private_redis_init(&bed->redis);
    private_redis_start(&bed->redis);
    uv_loop_init(&bed->loop);
    struct store_redis_settings own = bed->redis.settings;
    own.dovecot = (struct store_dovecot_settings){
        .address = bed->redis.address, .username = "", .password = "", .prefix = "q:"};
    store_redis_dovecot(&own, &bed->settings);
    struct store_redis_options options = {.settings = &bed->settings,
                                          .clock = &mx_clock_real};
    assert_int_equal(store_redis_new(&bed->loop, &options, &bed->dovecot, NULL), 0);
    assert_true(uv_wait(&bed->loop, is_up, bed->dovecot));
    bed->mem = store_mem_new(&mx_clock_real);
    bed->store = store_dovecot_new(bed->mem, bed->dovecot, "q:");
    bed->arena = mx_arena_new(1 << 20);
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    store_free(bed->store);
    uv_run(&bed->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bed->loop), 0);
    private_redis_fini(&bed->redis);
    mx_arena_free(bed->arena);
    free(bed);
    return 0;
}

/* Two questions, of which the second one is about this mailbox's quota. */
static struct store_answer ask(struct bed *bed, const char *mailbox)
{
    struct store_question questions[2] = {
        {.kind = STORE_EPOCH}, {.kind = STORE_QUOTA, .mailbox = mx_str(mailbox)}};
    struct store_answer answers[2] = {{0}};
    int done = 0;
    struct store_batch batch = {.questions = questions,
                                .answers = answers,
                                .n = 2,
                                .timeout_ms = 1000,
                                .arena = bed->arena,
                                .done = on_done,
                                .user = &done};
    store_ask(bed->store, &batch);
    assert_true(uv_wait(&bed->loop, is_done, &done));
    assert_int_equal(done, 1);
    assert_true(answers[0].is_known);
    return answers[1];
}

static void test_ask_usage_is_dovecots(void **state)
{
    struct bed *bed = *state;
    struct store_mem_quota quota = {.limit = 1000, .used = 5};
    store_mem_quota(bed->mem, "u@d", &quota);
    private_redis_cmd(&bed->redis, "SET q:u@d/quota/storage 700");
    struct store_answer got = ask(bed, "u@d");
    assert_true(got.is_known && got.quota.has_limit && got.quota.has_used);
    assert_int_equal(got.quota.limit, 1000);
    assert_int_equal(got.quota.used, 700);
}

static void test_ask_missing_keeps_ours(void **state)
{
    struct bed *bed = *state;
    struct store_mem_quota quota = {.limit = 1000, .used = 5};
    store_mem_quota(bed->mem, "u@d", &quota);
    struct store_answer got = ask(bed, "u@d");
    assert_true(got.is_known && got.quota.has_used);
    assert_int_equal(got.quota.used, 5);
    got = ask(bed, "nobody@d");
    assert_true(got.is_known);
    assert_false(got.quota.has_used || got.quota.has_limit);
}

/* As Dovecot writes it: "/" and "\" are escaped where there is a "/", else nothing is. */
static void test_ask_username_is_escaped(void **state)
{
    struct bed *bed = *state;
    private_redis_cmd(&bed->redis, "SET 'q:a\\-b\\\\c/quota/storage' 7");
    private_redis_cmd(&bed->redis, "SET 'q:a\\c/quota/storage' 8");
    assert_int_equal(ask(bed, "a/b\\c").quota.used, 7);
    assert_int_equal(ask(bed, "a\\c").quota.used, 8);
}

static void test_ask_garbage_is_unknown(void **state)
{
    struct bed *bed = *state;
    private_redis_cmd(&bed->redis, "SET q:u@d/quota/storage lots");
    assert_false(ask(bed, "u@d").is_known);
    private_redis_cmd(&bed->redis, "DEL q:u@d/quota/storage");
    private_redis_cmd(&bed->redis, "LPUSH q:u@d/quota/storage 1");
    assert_false(ask(bed, "u@d").is_known);
}

/* Gone: quota is unknown, everything else is answered; back: used again by itself. */
static void test_ask_dovecot_gone_and_back(void **state)
{
    struct bed *bed = *state;
    struct store_mem_quota quota = {.limit = 1000, .used = 5};
    store_mem_quota(bed->mem, "u@d", &quota);
    private_redis_kill(&bed->redis);
    assert_false(ask(bed, "u@d").is_known);
    private_redis_start(&bed->redis);
    assert_true(uv_wait(&bed->loop, is_up, bed->dovecot));
    assert_true(ask(bed, "u@d").is_known);
}

/* It is not ours: we read, and leave no trace. */
static void test_connect_writes_nothing(void **state)
{
    struct bed *bed = *state;
    assert_int_equal(atoi(private_redis_cmd(&bed->redis, "DBSIZE")), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_settings_of_the_foreign_store(void **state)
{
    struct bed *bed = *state;
    struct store_redis_settings own = bed->redis.settings, foreign;
    own.dovecot = (struct store_dovecot_settings){.address = "unix:/d",
                                                  .username = "reader",
                                                  .password = "sesame",
                                                  .db = 7,
                                                  .prefix = ""};
    store_redis_dovecot(&own, &foreign);
    assert_string_equal(foreign.address, "unix:/d");
    assert_string_equal(foreign.username, "reader");
    assert_string_equal(foreign.password, "sesame");
    assert_int_equal(foreign.db, 7);
    assert_true(foreign.is_foreign);
    assert_int_equal(foreign.connect_timeout_ms, own.connect_timeout_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_settings_of_the_foreign_store), TEST(test_ask_usage_is_dovecots),
        TEST(test_ask_missing_keeps_ours),        TEST(test_ask_username_is_escaped),
        TEST(test_ask_garbage_is_unknown),        TEST(test_ask_dovecot_gone_and_back),
        TEST(test_connect_writes_nothing),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!private_redis_is_installed()) {
        printf("SKIP: redis-server and redis-cli are not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
