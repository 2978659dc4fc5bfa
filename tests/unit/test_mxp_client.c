/* The client against real servers on ipc:// in a private directory. */
#include "echo_server.h"

#include <signal.h>
#include <sys/wait.h>

#include "mx_arena.h"
#include "mxp_client.h"
#include "mxp_pack.h"

struct fixture {
    char dir[64];
    char ipc[3][128];
    struct echo_server echo[3];
    struct mxp_client *client;
    struct mx_arena *arena;
    atomic_uint ups, downs, versions;
};

static void on_event(void *user, const struct mxp_client_event *event)
{
    struct fixture *f = user;
    if (strcmp(event->state, "up") == 0)
        atomic_fetch_add(&f->ups, 1);
    else if (strcmp(event->state, "down") == 0)
        atomic_fetch_add(&f->downs, 1);
    else if (strcmp(event->state, "version") == 0)
        atomic_fetch_add(&f->versions, 1);
}

static void new_client(struct fixture *f, struct mxp_client_options options)
{
    struct mx_err err;
    options.name = "test";
    options.on_event = on_event;
    options.user = f;
    if (mxp_client_new(&options, &f->client, &err) != 0)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/mxp-client-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    for (int i = 0; i < 3; i++)
        snprintf(f->ipc[i], sizeof(f->ipc[i]), "ipc://%s/%d.sock", f->dir, i);
    f->arena = mx_arena_new(32 << 20);
    new_client(f, (struct mxp_client_options){
                      .breaker_failures = 3, .probe_min_ms = 50, .probe_max_ms = 200});
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mxp_client_free(f->client);
    for (int i = 0; i < 3; i++)
        unlink(f->ipc[i] + strlen("ipc://"));
    assert_int_equal(rmdir(f->dir), 0);
    mx_arena_free(f->arena);
    free(f);
    return 0;
}

static void use(struct fixture *f, size_t n)
{
    struct mx_err err;
    struct mxp_endpoint list[3] = {
        {.address = f->ipc[0]}, {.address = f->ipc[1]}, {.address = f->ipc[2]}};
    if (mxp_client_endpoints(f->client, list, n, &err) != 0)
        fail_msg("%s", err.text);
}

/* One status call; ${name} (of 16 bytes) takes who answered. */
static int ask(struct fixture *f, unsigned deadline_ms, unsigned attempt_ms, char *name,
               struct mx_err *err)
{
    Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    struct mxp_call call = {.type = MXP_STATUS_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_STATUS_REPLY,
                            .deadline_ms = deadline_ms,
                            .attempt_ms = attempt_ms};
    struct mxp_answer answer;
    struct mx_arena *arena = mx_arena_new(1 << 20);
    int rc = mxp_client_call(f->client, arena, &call, &answer, err);
    if (rc == 0) {
        const Mxp__StatusReply *reply = (const Mxp__StatusReply *)mxp_unpack(
            arena, &mxp__status_reply__descriptor, answer.payload, NULL);
        assert_non_null(reply);
        if (name)
            snprintf(name, 16, "%s", reply->program);
        rc = (int)answer.attempts;
    }
    mx_arena_free(arena);
    return rc;
}

static void test_call_answers(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    char name[16] = "";
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    use(f, 1);
    assert_int_equal(ask(f, 5000, 0, name, &err), 1);
    assert_string_equal(name, "a");
    assert_int_equal(mxp_client_usable(f->client), 1);
    echo_stop(&f->echo[0]);
}

static void test_call_without_endpoints_is_down_at_once(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    int64_t before = mx_mono_ms(&mx_clock_real);
    assert_int_equal(ask(f, 60000, 0, NULL, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    assert_in_range(mx_mono_ms(&mx_clock_real) - before, 0, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_call_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call_without_endpoints_is_down_at_once,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
