/*
 * policy_worker: a thread that answers without a store, sheds, and drains. What it does
 * with a Redis is tests/integration.
 */
#include "policy_bed.h"

#include <pthread.h>
#include <sched.h>

#include "mxp_client.h"
#include "mxp_pack.h"
#include "policy.pb-c.h"
#include "policy_worker.h"
#include "store_redis.h"

struct scene {
    struct policy_bed bed;
    char dir[32], endpoint[64];
    struct mx_conf *redis_conf;
    struct store_redis_settings redis;
    struct policy_worker *worker;
    struct mxp_client *client;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool has_ended;
};

static void on_end(void *user)
{
    struct scene *s = user;
    pthread_mutex_lock(&s->lock);
    s->has_ended = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

/* A chain on the clock that the worker has. */
static struct policy_chain *make_chain(struct scene *s, const struct mx_conf *conf)
{
    struct policy_chain_env env = policy_bed_env(&s->bed);
    struct policy_chain *chain = NULL;
    struct mx_err err = {0};
    env.clock = &mx_clock_real;
    if (policy_chain_new(conf, &env, &chain, &err) < 0)
        fail_msg("%s", err.text);
    return chain;
}

static void start(struct scene *s, struct policy_worker_options *options)
{
    static const char *const no_keys[] = {NULL};
    struct mx_err err = {0};
    options->node = "policyd@test";
    options->endpoint = options->advertise = s->endpoint;
    options->allowed_keys = no_keys;
    options->redis = &s->redis;
    options->clock = &mx_clock_real;
    options->log = s->bed.log;
    options->metrics = s->bed.metrics;
    options->health = s->bed.health;
    options->on_end = on_end;
    options->user = s;
    if (policy_worker_start(options, make_chain(s, s->bed.conf), &s->worker, &err) < 0)
        fail_msg("%s", err.text);
    struct mxp_client_options client = {.name = "test"};
    struct mxp_endpoint endpoint = {s->endpoint, NULL};
    assert_int_equal(mxp_client_new(&client, &s->client, &err), 0);
    assert_int_equal(mxp_client_endpoints(s->client, &endpoint, 1, &err), 0);
}

/* The section's defaults, with a Redis that is not there. */
static void take_redis_defaults(struct scene *s)
{
    const struct mx_conf_section *sections[] = {&store_redis_section, NULL};
    struct mx_err err = {0};
    if (mx_conf_load(NULL, sections, mx_daemon_section_names, &s->redis_conf, &err) < 0)
        fail_msg("%s", err.text);
    s->redis = *(const struct store_redis_settings *)mx_conf_get(s->redis_conf, "redis");
    s->redis.address = "unix:/nowhere/redis.sock";
}

static int setup(void **state)
{
    struct scene *s = mx_xalloc(sizeof(*s));
    policy_bed_init(&s->bed, "  chain: {rcpt: [fq_rcpt, user_lists, greylist]}\n");
    snprintf(s->dir, sizeof(s->dir), "/tmp/mxworker.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->endpoint, sizeof(s->endpoint), "ipc://%s/w.sock", s->dir);
    take_redis_defaults(s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    mxp_client_free(s->client);
    policy_worker_drain(s->worker);
    pthread_mutex_lock(&s->lock);
    while (!s->has_ended)
        pthread_cond_wait(&s->wake, &s->lock);
    pthread_mutex_unlock(&s->lock);
    policy_worker_join(s->worker);
    char path[64];
    snprintf(path, sizeof(path), "%s/w.sock", s->dir);
    unlink(path);
    rmdir(s->dir);
    policy_bed_fini(&s->bed);
    mx_conf_free(s->redis_conf);
    free(s);
    return 0;
}

static int ask(struct scene *s, const char *rcpt, Mxp__PolicyReply **out,
               struct mx_err *err)
{
    Mxp__PolicyRequest request = MXP__POLICY_REQUEST__INIT;
    Mxp__Recipient recipient = MXP__RECIPIENT__INIT;
    request.stage = MXP__STAGE__STAGE_RCPT;
    request.client_addr = mxp_bytes(MX_STR("\xc0\x00\x02\x01"));
    request.sender = mxp_bytes(MX_STR("<a@s.example>"));
    recipient.path = mxp_bytes(mx_str(rcpt));
    request.rcpt = &recipient;
    struct mxp_call call = {.type = MXP_POLICY_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_POLICY_REPLY,
                            .deadline_ms = 5000};
    struct mxp_answer answer;
    if (mxp_client_call(s->client, s->bed.arena, &call, &answer, err) < 0)
        return -1;
    *out = (Mxp__PolicyReply *)mxp_unpack(s->bed.arena, &mxp__policy_reply__descriptor,
                                          answer.payload, err);
    return *out ? 0 : -1;
}

static void test_answers_without_a_store(void **state)
{
    struct scene *s = *state;
    struct policy_worker_options options = {.workers = 1, .in_flight_max = 10};
    Mxp__PolicyReply *reply;
    struct mx_err err = {0};
    start(s, &options);
    if (ask(s, "<u@example.net>", &reply, &err) < 0)
        fail_msg("%s\n%s", err.text, policy_bed_log(&s->bed));
    assert_int_equal(reply->action, MXP__ACTION__ACTION_CONTINUE);
    assert_int_equal(reply->n_degraded, 2);
    assert_int_equal(ask(s, "<u>", &reply, &err), 0);
    assert_string_equal(reply->module, "fq_rcpt");
    while (policy_worker_busy(s->worker) > 0) /* counted down behind the reply */
        sched_yield();
}

/* New chains are taken up between events. */
static void test_use_chain(void **state)
{
    struct scene *s = *state;
    struct policy_worker_options options = {.workers = 1, .in_flight_max = 10};
    struct mx_conf *conf;
    Mxp__PolicyReply *reply;
    struct mx_err err = {0};
    start(s, &options);
    assert_int_equal(
        policy_bed_conf(&s->bed, "  chain: {rcpt: [user_lists]}\n", &conf, &err), 0);
    policy_worker_use_chain(s->worker, make_chain(s, conf));
    do {
        assert_int_equal(ask(s, "<u>", &reply, &err), 0);
    } while (*reply->module); /* the request may have been faster than the order */
    assert_int_equal(reply->n_degraded, 1);
    mx_conf_free(s->bed.conf);
    s->bed.conf = conf;
}

static void test_start_endpoint_in_use(void **state)
{
    struct scene *s = *state;
    struct policy_worker_options options = {.workers = 1, .in_flight_max = 10};
    struct policy_worker *other = NULL;
    struct mx_err err = {0};
    start(s, &options);
    assert_int_equal(
        policy_worker_start(&options, make_chain(s, s->bed.conf), &other, &err), -1);
    assert_null(other);
    assert_non_null(strstr(err.text, "w.sock"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers_without_a_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_use_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_endpoint_in_use, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
