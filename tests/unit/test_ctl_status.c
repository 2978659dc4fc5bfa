/* ctl_status: states, sums over processes, what is a problem, hostile texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_status.h"
#include "mx_arena.h"

struct scene {
    struct mx_arena *arena;
    struct store_info info;
    Mxp__Node nodes[3]; /* policyd, scand, milter */
    Mxp__StatusReply replies[2];
    Mxp__Counter counter;
    Mxp__Counter *counters[1];
    Mxp__Degraded degraded;
    Mxp__Degraded *degradeds[1];
    char *reasons[1];
    struct ctl_status_node list[3];
    struct ctl_status status;
};

static char *copy(struct mx_arena *arena, const char *text)
{
    return mx_arena_dup(arena, text, strlen(text));
}

static void build(struct scene *s)
{
    static const char *const roles[] = {"policyd", "scand", "milter"};
    memset(s, 0, sizeof(*s));
    s->arena = mx_arena_new(1 << 20);
    mxp__counter__init(&s->counter);
    s->counter.name = copy(s->arena, "reject_tempquota");
    s->counter.value = 7;
    s->counters[0] = &s->counter;
    mxp__degraded__init(&s->degraded);
    s->degraded.check = copy(s->arena, "greylist");
    s->degraded.reason = copy(s->arena, "store \x1b[31mdown");
    s->degradeds[0] = &s->degraded;
    s->reasons[0] = copy(s->arena, "policyd: nobody answers");
    for (int i = 0; i < 3; i++) {
        mxp__node__init(&s->nodes[i]);
        s->nodes[i].id = copy(s->arena, roles[i]);
        s->list[i] = (struct ctl_status_node){.role = roles[i], .node = &s->nodes[i]};
    }
    for (int i = 0; i < 2; i++) {
        mxp__status_reply__init(&s->replies[i]);
        s->replies[i].is_ready = true;
        s->list[i].reply = &s->replies[i];
    }
    s->replies[0].counters = s->counters;
    s->replies[0].n_counters = 1;
    s->list[0].has_counters = true;
    s->status = (struct ctl_status){
        .arena = s->arena, .redis = &s->info, .nodes = s->list, .n = 3};
}

static char *text_of(const struct ctl_status *status, bool is_json)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    if (is_json)
        ctl_status_json(status, out);
    else
        ctl_status_text(status, false, out);
    fclose(out);
    return text;
}

static void has(const struct ctl_status *status, bool is_json, const char *words)
{
    char *text = text_of(status, is_json);
    if (strstr(text, words) == NULL)
        fail_msg("no '%s' in:\n%s", words, text);
    free(text);
}

static void test_status_sound(void **state)
{
    struct scene s;
    (void)state;
    build(&s);
    assert_string_equal(ctl_status_problem(&s.status, true), "");
    has(&s.status, false, "policyd  ready");
    has(&s.status, false, "milter   ready");
    has(&s.status, false, "reject_tempquota   7\n");
    has(&s.status, false, "reject_permquota   0\n");
    has(&s.status, true, "\"reject_tempquota\":7,\"reject_permquota\":0}");
    mx_arena_free(s.arena);
}

/* Another worker of the same process says the same: counted once. */
static void test_status_counters_once_a_process(void **state)
{
    struct scene s;
    (void)state;
    build(&s);
    s.replies[1].counters = s.counters;
    s.replies[1].n_counters = 1;
    has(&s.status, true, "\"reject_tempquota\":7");
    s.list[1].has_counters = true;
    has(&s.status, true, "\"reject_tempquota\":14");
    mx_arena_free(s.arena);
}

static void test_status_degraded(void **state)
{
    struct scene s;
    (void)state;
    build(&s);
    s.replies[0].degraded = s.degradeds;
    s.replies[0].n_degraded = 1;
    s.nodes[2].degraded = s.reasons;
    s.nodes[2].n_degraded = 1;
    assert_string_equal(ctl_status_problem(&s.status, false), "");
    assert_string_equal(ctl_status_problem(&s.status, true), "a check is degraded");
    has(&s.status, false, "policyd  degraded");
    has(&s.status, false, "degraded: greylist: store \\x1b[31mdown");
    has(&s.status, false, "degraded: policyd: nobody answers");
    has(&s.status, true, "\"degraded\":{\"policyd\":\"nobody answers\"}");
    mx_arena_free(s.arena);
}

static void test_status_problems(void **state)
{
    struct scene s;
    (void)state;
    build(&s);
    s.list[1].reply = NULL;
    s.list[1].error = "no answer in time";
    assert_string_equal(ctl_status_problem(&s.status, false), "no answer from a node");
    has(&s.status, false, "no answer in time");
    s.list[1].reply = &s.replies[1];
    s.list[1].error = NULL;
    s.replies[1].is_ready = false;
    assert_string_equal(ctl_status_problem(&s.status, false), "a node is not ready");
    strcpy(s.info.version, "7.0\x1b[31m");
    has(&s.status, false, "version 7.0\\x1b[31m");
    s.status.redis = NULL;
    s.status.redis_error = "connection refused";
    s.status.n = 0;
    assert_string_equal(ctl_status_problem(&s.status, false),
                        "Redis is down, no policyd is known, no scanner is known");
    has(&s.status, false, "redis    down      connection refused");
    has(&s.status, true, "\"redis\":{\"state\":\"down\"");
    mx_arena_free(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_sound),
        cmocka_unit_test(test_status_counters_once_a_process),
        cmocka_unit_test(test_status_degraded),
        cmocka_unit_test(test_status_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
