/* Commands and replies: every accessor against every type of reply. */
#include "redis_reply.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <hiredis/hiredis.h>

/* Parse one reply as hiredis does. */
static redisReply *reply_of(const char *text)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    redisReaderFeed(reader, text, strlen(text));
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    return reply;
}

static void test_redis_reply_int_of_each_type(void **state)
{
    static const struct {
        const char *text;
        int status;
        int64_t value;
    } rows[] = {
        {":42\r\n", 0, 42},      {"$3\r\n-17\r\n", 0, -17},
        {"$-1\r\n", 0, 0},       {"$0\r\n\r\n", -1, 0},
        {"$2\r\n4x\r\n", -1, 0}, {"$20\r\n99999999999999999999\r\n", -1, 0},
        {"+OK\r\n", -1, 0},      {"-ERR 5\r\n", -1, 0},
        {"*1\r\n:5\r\n", -1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        redisReply *reply = reply_of(rows[i].text);
        int64_t out = 7;
        assert_int_equal(redis_reply_int(reply, &out), rows[i].status);
        assert_int_equal(out, rows[i].status == 0 ? rows[i].value : 7);
        freeReplyObject(reply);
    }
    assert_int_equal(redis_reply_int(NULL, &(int64_t){0}), -1);
}

static void test_redis_reply_array_access_is_bounded(void **state)
{
    redisReply *reply = reply_of("*2\r\n$1\r\na\r\n$-1\r\n");
    redisReply *text = reply_of("+OK\r\n");
    (void)state;
    assert_int_equal(redis_reply_count(reply), 2);
    assert_true(mx_str_eq(redis_reply_str(redis_reply_at(reply, 0)), MX_STR("a")));
    assert_true(redis_reply_is_nil(redis_reply_at(reply, 1)));
    assert_null(redis_reply_at(reply, 2));
    assert_int_equal(redis_reply_count(text), 0);
    assert_null(redis_reply_at(text, 0));
    assert_int_equal(redis_reply_count(NULL), 0);
    assert_null(redis_reply_str(NULL).p);
    assert_null(redis_reply_str(reply).p);
    freeReplyObject(reply);
    freeReplyObject(text);
}

static void test_redis_reply_errors_by_meaning(void **state)
{
    static const struct {
        const char *text;
        bool is_down, is_refused, is_noscript;
    } rows[] = {
        {"-LOADING Redis is loading\r\n", true, false, false},
        {"-READONLY You can't write\r\n", true, false, false},
        {"-OOM command not allowed\r\n", true, false, false},
        {"-MISCONF Redis is configured\r\n", true, false, false},
        {"-NOAUTH Authentication required.\r\n", true, true, false},
        {"-NOPERM this user\r\n", true, true, false},
        {"-WRONGPASS invalid\r\n", false, true, false},
        {"-ERR invalid password\r\n", false, true, false},
        {"-ERR DB index is out of range\r\n", false, true, false},
        {"-NOSCRIPT No matching script.\r\n", false, false, true},
        {"-WRONGTYPE Operation\r\n", false, false, false},
        {"-LOADINGX\r\n", false, false, false},
        {"-BUSY\r\n", true, false, false},
        {"-BUSYGROUP exists\r\n", false, false, false},
        {"+LOADING\r\n", false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        redisReply *reply = reply_of(rows[i].text);
        assert_int_equal(redis_reply_is_down(reply), rows[i].is_down);
        assert_int_equal(redis_reply_is_refused(reply), rows[i].is_refused);
        assert_int_equal(redis_reply_is_noscript(reply), rows[i].is_noscript);
        freeReplyObject(reply);
    }
    assert_false(redis_reply_is_down(NULL));
}

static void assert_arg(const struct redis_args *args, size_t at, const char *want)
{
    assert_true(at < args->n);
    assert_true(mx_str_eq(args->v[at], mx_str(want)));
}

static void test_redis_args_script_whole_or_by_name(void **state)
{
    struct redis_script script = {.source = "return 1"};
    struct redis_args args;
    (void)state;
    redis_args_script(&args, &script, 2);
    assert_arg(&args, 0, "EVAL");
    assert_arg(&args, 1, "return 1");
    assert_arg(&args, 2, "2");
    memcpy(script.sha, "0123456789012345678901234567890123456789", REDIS_SHA_MAX);
    redis_args_script(&args, &script, 1);
    assert_arg(&args, 0, "EVALSHA");
    assert_arg(&args, 1, script.sha);
    assert_arg(&args, 2, "1");
    assert_int_equal(args.n, 3);
}

/* What goes over the wire is what hiredis would write. */
static void test_redis_args_encode_as_hiredis(void **state)
{
    static const char big[3000] = {'x', '\r', '\n'};
    const char *argv[] = {"HSET", "", "a\0b\r\n", big, "-9223372036854775808", "0"};
    const size_t lengths[] = {4, 0, 5, sizeof(big), 20, 1};
    struct redis_args args, again;
    char out[8192], tail[8192], *want = NULL;
    (void)state;
    redis_args_init(&args, argv[0]);
    redis_args_str(&args, MX_STR_NONE);
    redis_args_str(&args, mx_str_of(argv[2], lengths[2]));
    redis_args_str(&args, mx_str_of(big, sizeof(big)));
    redis_args_int(&args, INT64_MIN);
    redis_args_int(&args, 0);
    int n = redisFormatCommandArgv(&want, 6, argv, lengths);
    assert_int_equal(redis_args_encode(&args, out), n);
    assert_memory_equal(out, want, (size_t)n);
    assert_in_range(n, 1, redis_args_room(&args));
    redis_args_init(&again, "HSET");
    again.tail = mx_str_of(tail, redis_args_tail(&args, 1, tail));
    again.n_tail = args.n - 1;
    assert_in_range(n, 1, redis_args_room(&again));
    assert_int_equal(redis_args_encode(&again, out), n);
    assert_memory_equal(out, want, (size_t)n);
    redisFreeCommand(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redis_reply_int_of_each_type),
        cmocka_unit_test(test_redis_reply_array_access_is_bounded),
        cmocka_unit_test(test_redis_reply_errors_by_meaning),
        cmocka_unit_test(test_redis_args_script_whole_or_by_name),
        cmocka_unit_test(test_redis_args_encode_as_hiredis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
