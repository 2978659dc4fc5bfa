/* What tools do, on a private Redis; the daemons' store reads what tools wrote. */
#include "store_admin.h"
#include "store_keys.h"

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
#include "mx_err.h"
#include "mx_time.h"
#include "private_redis.h"
#include "store_redis.h"
#include "uv_wait.h"

struct bed {
    struct private_redis redis;
    struct store_admin *admin;
    char text[8192]; /* what callbacks saw, a line each */
    int n;
};

static void note_entry(void *user, struct mx_str pattern, enum store_listing listing,
                       int64_t since_ms)
{
    struct bed *bed = user;
    size_t n = strlen(bed->text);
    assert_true(since_ms > 1500000000000 || since_ms == 5);
    snprintf(bed->text + n, sizeof(bed->text) - n, "%s %.*s\n",
             listing == STORE_ALLOWED ? "allow" : "deny", MX_STR_FMT(pattern));
    bed->n++;
}

static void note_grey(void *user, const struct store_grey_entry *entry)
{
    struct bed *bed = user;
    size_t n = strlen(bed->text);
    assert_true(entry->ttl_ms > 0 && entry->ttl_ms <= 60000);
    snprintf(bed->text + n, sizeof(bed->text) - n, "%.*s|%.*s|%d|%d|%d|%d\n",
             MX_STR_FMT(entry->pool), MX_STR_FMT(entry->tuple), (int)entry->first_ms,
             (int)entry->last_ms, (int)entry->passes, (int)entry->pool_passes);
    bed->n++;
}

static int set(struct bed *bed, const char *scope, const char *pattern,
               enum store_listing listing)
{
    return store_admin_list_set(bed->admin, mx_str(scope), mx_str(pattern), listing,
                                NULL);
}

static const char *list_of(struct bed *bed, const char *scope)
{
    struct mx_err err;
    bed->text[0] = '\0';
    bed->n = 0;
    if (store_admin_list_each(bed->admin, mx_str(scope), note_entry, bed, &err) != 0)
        fail_msg("%s", err.text);
    return bed->text;
}

static const char *grey_of(struct bed *bed, const char *pool, size_t max)
{
    struct mx_err err;
    bed->text[0] = '\0';
    bed->n = 0;
    if (store_admin_grey_each(bed->admin, mx_str(pool), max, note_grey, bed, &err) != 0)
        fail_msg("%s", err.text);
    return bed->text;
}

static bool is_up(void *user)
{
    return store_is_up(user);
}

static void on_done(struct store_batch *batch)
{
    *(bool *)batch->user = true;
}

static bool is_true(void *user)
{
    return *(bool *)user;
}

/* Send effects through the daemons' store, and wait until Redis has them. */
static struct store_answer through_store(struct bed *bed, const struct store_effect *told,
                                         size_t n, const struct store_question *question)
{
    uv_loop_t loop;
    struct store *store = NULL;
    bool is_done = false;
    struct store_answer answer = {0};
    struct store_redis_options options = {.settings = &bed->redis.settings,
                                          .clock = &mx_clock_real};
    struct store_batch batch = {.questions = question,
                                .answers = &answer,
                                .n = 1,
                                .timeout_ms = 2000,
                                .done = on_done,
                                .user = &is_done};
    uv_loop_init(&loop);
    assert_int_equal(store_redis_new(&loop, &options, &store, NULL), 0);
    assert_true(uv_wait(&loop, is_up, store));
    store_tell(store, told, n);
    store_ask(store, &batch);
    assert_true(uv_wait(&loop, is_true, &is_done));
    store_free(store);
    assert_int_equal(uv_wait_close(&loop), 0);
    assert_true(answer.is_known);
    return answer;
}

static void test_store_admin_list_set_each_remove(void **state)
{
    struct bed *bed = *state;
    assert_string_equal(list_of(bed, "User@Dom.example"), "");
    assert_int_equal(set(bed, "User@Dom.example", "Spam.example", STORE_DENIED), 0);
    assert_int_equal(set(bed, "user@dom.example", "192.0.2.7/24", STORE_ALLOWED), 0);
    assert_int_equal(set(bed, "user@dom.example", ".spam.example", STORE_DENIED), 0);
    assert_string_equal(list_of(bed, "user@dom.example"),
                        "deny .spam.example\nallow 192.0.2.0/24\ndeny spam.example\n");
    assert_int_equal(set(bed, "user@dom.example", "SPAM.example", STORE_ALLOWED), 0);
    assert_int_equal(set(bed, "user@dom.example", ".spam.example", STORE_NOT_LISTED), 0);
    assert_int_equal(set(bed, "user@dom.example", "none.example", STORE_NOT_LISTED), 0);
    assert_string_equal(list_of(bed, "user@dom.example"),
                        "allow 192.0.2.0/24\nallow spam.example\n");
    assert_string_equal(list_of(bed, "@dom.example"), "");
}

static void test_store_admin_list_set_refuses(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    assert_int_equal(store_admin_list_set(bed->admin, MX_STR("nobody"),
                                          MX_STR("a.example"), STORE_DENIED, &err),
                     -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_int_equal(store_admin_list_set(bed->admin, MX_STR("system"), MX_STR("10/7"),
                                          STORE_DENIED, &err),
                     -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_string_equal(private_redis_cmd(&bed->redis, "KEYS 'mx:ls:*'"), "\n");
}

/* What is set is what the daemons match. */
static void test_store_admin_list_is_what_the_store_reads(void **state)
{
    struct bed *bed = *state;
    struct mx_str patterns[] = {MX_STR("x@spam.example"), MX_STR("spam.example"),
                                MX_STR(".spam.example")};
    struct store_question question = {.kind = STORE_LIST_MATCH,
                                      .list = {MX_STR("system"), patterns, 3}};
    assert_int_equal(set(bed, "SYSTEM", ".Spam.example", STORE_DENIED), 0);
    struct store_answer answer = through_store(bed, NULL, 0, &question);
    assert_int_equal(answer.list.listing, STORE_DENIED);
    assert_int_equal(answer.list.pattern, 2);
}

static void test_store_admin_list_of_many_is_complete_and_sorted(void **state)
{
    struct bed *bed = *state;
    private_redis_cmd(
        &bed->redis,
        "EVAL 'for i = 1, 3000 do redis.call(\"HSET\", KEYS[1], "
        "string.format(\"d%%05d\", i), \"d 5\") end "
        "redis.call(\"HSET\", KEYS[1], \"alien\", \"?\")' 1 'mx:ls:{system}'");
    list_of(bed, "system");
    assert_int_equal(bed->n, 3000);
    assert_memory_equal(bed->text, "deny d00001\ndeny d00002\n", 24);
}

static void test_store_admin_grey_each_and_clear(void **state)
{
    struct bed *bed = *state;
    static char big[1000];
    memset(big, 'x', sizeof(big));
    struct store_grey_query one = {MX_STR("192.0.2.0/24"), MX_STR("a@b c@d")};
    struct store_grey_query two = {MX_STR("p{2}"), mx_str_of(big, sizeof(big))};
    struct store_effect told[] = {
        {.kind = STORE_GREY_FIRST, .grey = one, .now_ms = 10, .ttl_ms = 60000},
        {.kind = STORE_GREY_PASS, .grey = one, .now_ms = 20, .ttl_ms = 60000},
        {.kind = STORE_GREY_FIRST, .grey = two, .now_ms = 30, .ttl_ms = 60000},
    };
    struct store_question epoch = {.kind = STORE_EPOCH};
    int64_t cleared = -1;
    through_store(bed, told, 3, &epoch);
    private_redis_cmd(&bed->redis, "SET 'mx:gl:{x}:t:foreign' text");
    assert_string_equal(grey_of(bed, "192.0.2.0/24", 10),
                        "192.0.2.0/24|a@b c@d|10|20|1|1\n");
    grey_of(bed, "p{2}", 10);
    assert_int_equal(bed->n, 1);
    assert_int_equal(strlen(bed->text),
                     strlen("p{2}||30|30|0|0\n") + STORE_TUPLE_TEXT_MAX);
    grey_of(bed, "", 10);
    assert_int_equal(bed->n, 2);
    grey_of(bed, "", 1);
    assert_int_equal(bed->n, 1);
    assert_string_equal(grey_of(bed, "nobody", 10), "");
    assert_int_equal(
        store_admin_grey_clear(bed->admin, MX_STR("192.0.2.0/24"), &cleared, NULL), 0);
    assert_int_equal(cleared, 1);
    assert_string_equal(private_redis_cmd(&bed->redis, "KEYS 'mx:gl:{192*'"), "\n");
    assert_int_equal(store_admin_grey_clear(bed->admin, MX_STR(""), &cleared, NULL), 0);
    assert_int_equal(cleared, 2);
    assert_string_equal(private_redis_cmd(&bed->redis, "KEYS 'mx:gl:*'"), "\n");
}

static void test_store_admin_grey_walks_many_pages(void **state)
{
    struct bed *bed = *state;
    int64_t cleared = 0;
    private_redis_cmd(
        &bed->redis,
        "EVAL 'for i = 1, 2000 do local k = \"mx:gl:{p}:t:\" .. i "
        "redis.call(\"HSET\", k, \"f\", 5, \"l\", 5, \"n\", 0, \"t\", \"-\") "
        "redis.call(\"PEXPIRE\", k, 60000) end' 0");
    grey_of(bed, "p", 100000);
    assert_in_range(bed->n, 2000, 2100);
    assert_int_equal(store_admin_grey_clear(bed->admin, MX_STR("p"), &cleared, NULL), 0);
    assert_int_equal(cleared, 2000);
}

static void test_store_admin_info(void **state)
{
    struct bed *bed = *state;
    struct store_info info;
    assert_int_equal(store_admin_info(bed->admin, &info, NULL), 0);
    assert_string_equal(info.role, "master");
    assert_true(info.version[0] >= '1' && info.version[0] <= '9');
    assert_string_equal(info.persistence, "no append-only file");
    assert_true(info.used_memory > 100000);
    assert_int_equal(info.since_ms, 0);
    private_redis_cmd(&bed->redis, "SET 'mx:{epoch}' 1700000000000");
    assert_int_equal(store_admin_info(bed->admin, &info, NULL), 0);
    assert_true(info.since_ms == 1700000000000);
    assert_int_equal(info.keys, 2); /* the epoch and the probe */
}

/* A server that goes away is an error, not an empty answer. */
static void test_store_admin_redis_gone(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    struct store_info info;
    int64_t cleared = -1;
    private_redis_kill(&bed->redis);
    assert_int_equal(store_admin_info(bed->admin, &info, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    assert_int_equal(
        store_admin_list_each(bed->admin, MX_STR("system"), note_entry, bed, &err), -1);
    assert_int_equal(
        store_admin_grey_each(bed->admin, MX_STR(""), 1, note_grey, bed, &err), -1);
    assert_int_equal(store_admin_grey_clear(bed->admin, MX_STR(""), &cleared, &err), -1);
    assert_int_equal(cleared, -1);
    assert_int_equal(set(bed, "system", "a.example", STORE_DENIED), -1);
}

/* Set what is said, leave the rest; what policyd would see is what is shown. */
static void test_store_admin_quota_set_and_get(void **state)
{
    struct bed *bed = *state;
    struct store_quota_change change = {.limit = 1000, .used = -1, .active_ms = -1};
    struct store_answer got;
    struct mx_str mailbox = MX_STR("U@Example.org");
    assert_int_equal(store_admin_quota_get(bed->admin, mailbox, &got, NULL), 0);
    assert_false(got.quota.has_limit || got.quota.has_used);
    assert_int_equal(store_admin_quota_set(bed->admin, mailbox, &change, NULL), 0);
    change = (struct store_quota_change){.limit = -1, .used = 7, .active_ms = 5};
    assert_int_equal(store_admin_quota_set(bed->admin, mailbox, &change, NULL), 0);
    mailbox = MX_STR("u@example.org");
    assert_int_equal(store_admin_quota_get(bed->admin, mailbox, &got, NULL), 0);
    assert_true(got.quota.has_limit && got.quota.has_used);
    assert_int_equal(got.quota.limit, 1000);
    assert_int_equal(got.quota.used, 7);
    assert_int_equal(got.quota.active_ms, 5);
}

static void test_store_admin_quota_wants_a_mailbox(void **state)
{
    struct bed *bed = *state;
    struct store_quota_change change = {.limit = 1, .used = -1, .active_ms = -1};
    static const char *const bad[] = {"", "system", "@example.org", "no address"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct mx_err err = {0};
        assert_int_equal(store_admin_quota_set(bed->admin, mx_str(bad[i]), &change, &err),
                         -1);
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
    assert_int_equal(atoi(private_redis_cmd(&bed->redis, "EXISTS mx:qt:{system}")), 0);
}

static void note_scope(void *user, struct mx_str scope, const struct store_prefs *prefs)
{
    unsigned *seen = user;
    bool is_user = mx_str_eq(scope, MX_STR("u@example.org"));
    bool is_bad = mx_str_eq(scope, MX_STR("@bad.example"));
    assert_true(is_user || is_bad);
    assert_int_equal(prefs == NULL, is_bad);
    *seen |= is_user ? 1 : 2;
}

static void test_store_admin_prefs(void **state)
{
    struct bed *bed = *state;
    struct store_prefs set = {.has = 1u << STORE_PREF_TAG_SCORE, .tag_score = 3}, got;
    struct mx_str scope = MX_STR("U@Example.org");
    struct mx_err err = {0};
    unsigned seen = 0;
    assert_int_equal(store_admin_prefs_set(bed->admin, scope, &set, 0, &err), 0);
    assert_int_equal(
        store_admin_prefs_get(bed->admin, MX_STR("u@example.org"), &got, &err), 0);
    assert_int_equal(got.has, set.has);
    set = (struct store_prefs){.has = 1u << STORE_PREF_REFUSE_SCORE, .refuse_score = 2};
    assert_int_equal(store_admin_prefs_set(bed->admin, scope, &set, 0, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_int_equal(
        store_admin_prefs_set(bed->admin, scope, &set, 1u << STORE_PREF_TAG_SCORE, &err),
        0);
    assert_int_equal(store_admin_prefs_get(bed->admin, scope, &got, &err), 0);
    assert_int_equal(got.has, 1u << STORE_PREF_REFUSE_SCORE);
    private_redis_cmd(&bed->redis, "HSET 'mx:pr:{@bad.example}' greylist maybe");
    assert_int_equal(
        store_admin_prefs_get(bed->admin, MX_STR("@bad.example"), &got, &err), -1);
    assert_int_equal(store_admin_prefs_each(bed->admin, 10, note_scope, &seen, &err), 0);
    assert_int_equal(seen, 3);
    /* A tool can mend it. */
    set = (struct store_prefs){0};
    assert_int_equal(store_admin_prefs_set(bed->admin, MX_STR("@bad.example"), &set,
                                           1u << STORE_PREF_GREYLIST, &err),
                     0);
    assert_int_equal(
        store_admin_prefs_get(bed->admin, MX_STR("@bad.example"), &got, &err), 0);
    assert_int_equal(store_admin_prefs_set(bed->admin, MX_STR("nobody"), &set, 0, &err),
                     -1);
}

static void note_rate(void *user, struct mx_str name, int64_t tat_us)
{
    int64_t *found = user;
    assert_true(mx_str_eq(name, MX_STR("client messages 2/3600000 192.0.2.1")));
    *found = tat_us;
}

static void test_store_admin_rate_each(void **state)
{
    struct bed *bed = *state;
    struct store_key key;
    int64_t found = 0;
    store_keys_rate(&key, MX_STR("client messages 2/3600000 192.0.2.1"));
    private_redis_cmd(&bed->redis, "SET '%s' 1700000000000000", key.text);
    private_redis_cmd(&bed->redis, "SET 'mx:rl:{foreign' 1");
    assert_int_equal(store_admin_rate_each(bed->admin, 10, note_rate, &found, NULL), 0);
    assert_int_equal(found, 1700000000000000);
    found = 0;
    assert_int_equal(store_admin_rate_each(bed->admin, 0, note_rate, &found, NULL), 0);
    assert_int_equal(found, 0);
}

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    private_redis_init(&bed->redis);
    private_redis_start(&bed->redis);
    *state = bed;
    return store_admin_open(&bed->redis.settings, &bed->admin, NULL);
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    store_admin_close(bed->admin);
    private_redis_fini(&bed->redis);
    free(bed);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_admin_list_set_each_remove),
        TEST(test_store_admin_list_set_refuses),
        TEST(test_store_admin_list_is_what_the_store_reads),
        TEST(test_store_admin_list_of_many_is_complete_and_sorted),
        TEST(test_store_admin_grey_each_and_clear),
        TEST(test_store_admin_grey_walks_many_pages),
        TEST(test_store_admin_quota_set_and_get),
        TEST(test_store_admin_quota_wants_a_mailbox),
        TEST(test_store_admin_prefs),
        TEST(test_store_admin_rate_each),
        TEST(test_store_admin_info),
        TEST(test_store_admin_redis_gone),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!private_redis_is_installed()) {
        printf("SKIP: redis-server and redis-cli are not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
