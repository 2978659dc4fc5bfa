/* Configuration: values, places in errors, bounds, dump, documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_conf.h"
#include "mx_err.h"

struct grey {
    int64_t delay, expire;
    int mode;
};

struct policyd {
    bool is_on;
    int64_t workers, memory;
    double weight;
    const char *listen, *password, *secret_key, *secret_file;
    struct mx_conf_strings chain;
    struct grey grey;
};

#define KEY(field, kind, ...)                                                            \
    {                                                                                    \
        .name = #field, .type = kind, .offset = offsetof(struct THIS, field),            \
        __VA_ARGS__                                                                      \
    }

static const char *const modes[] = {"on", "warn", "off", NULL};

#define THIS grey
static const struct mx_conf_key grey_keys[] = {
    KEY(delay, MX_CONF_DURATION, .min = 1000, .max = 3600000, .def = "5m",
        .doc = "How long a first try waits."),
    KEY(expire, MX_CONF_DURATION, .def = "36d"),
    KEY(mode, MX_CONF_ENUM, .words = modes, .def = "warn"),
    {.type = MX_CONF_END},
};
#undef THIS
#define THIS policyd
static const struct mx_conf_key policyd_keys[] = {
    KEY(is_on, MX_CONF_BOOL, .def = "true"),
    KEY(workers, MX_CONF_INT, .min = 1, .max = 64, .def = "2", .doc = "Threads | loops."),
    KEY(memory, MX_CONF_SIZE, .min = 1024, .max = 1 << 30, .def = "64MiB"),
    KEY(weight, MX_CONF_DOUBLE, .min = -5, .max = 5, .def = "0.1"),
    KEY(listen, MX_CONF_STRING, .max = 20, .def = "127.0.0.1:1"),
    KEY(password, MX_CONF_STRING),
    KEY(secret_key, MX_CONF_STRING),
    KEY(secret_file, MX_CONF_STRING),
    KEY(chain, MX_CONF_STRINGS, .max = 3, .def = "access, greylist"),
    KEY(grey, MX_CONF_GROUP, .sub = grey_keys, .doc = "Greylisting."),
    {.type = MX_CONF_END},
};
#undef THIS

static const struct mx_conf_section policyd = {"policyd", "Decisions.",
                                               sizeof(struct policyd), policyd_keys};
static const struct mx_conf_section empty_section = {
    "log", "Lines.", 1, &(const struct mx_conf_key){.type = MX_CONF_END}};
static const struct mx_conf_section *const sections[] = {&policyd, &empty_section, NULL};
static const char *const foreign[] = {"redis", "policyd", "scand", NULL};

/* A file that is gone when the test is. */
struct file {
    char path[64];
};

static void write_file(struct file *file, const char *text, size_t n)
{
    strcpy(file->path, "/tmp/mxdrop-conf.XXXXXX");
    int fd = mkstemp(file->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static int load(const char *text, struct mx_conf **out, struct mx_err *err)
{
    struct file file;
    write_file(&file, text, strlen(text));
    int status = mx_conf_load(file.path, sections, foreign, out, err);
    unlink(file.path);
    return status;
}

static void test_defaults_without_file(void **state)
{
    struct mx_conf *conf = NULL;
    struct mx_err err;
    (void)state;
    if (mx_conf_load(NULL, sections, foreign, &conf, &err) < 0)
        fail_msg("%s", err.text);
    const struct policyd *p = mx_conf_get(conf, "policyd");
    assert_true(p->is_on);
    assert_int_equal(p->workers, 2);
    assert_int_equal(p->memory, 64 << 20);
    assert_true(p->weight > 0.09 && p->weight < 0.11);
    assert_string_equal(p->listen, "127.0.0.1:1");
    assert_string_equal(p->password, "");
    assert_int_equal(p->chain.n, 2);
    assert_string_equal(p->chain.v[1], "greylist");
    assert_int_equal(p->grey.delay, 300000);
    assert_int_equal(p->grey.mode, 1);
    assert_string_equal(mx_conf_where(conf, "policyd.workers"), "defaults");
    mx_conf_free(conf);
    mx_conf_free(NULL);
}

static void test_values_from_file(void **state)
{
    struct mx_conf *conf = NULL;
    struct mx_err err;
    (void)state;
    if (load("# comment\n"
             "redis: {anything: [1, {goes: here}]}\n"
             "policyd:\n"
             "  is_on: No\n"
             "  workers: 64\n"
             "  memory: 1KiB\n"
             "  weight: -2.5e0\n"
             "  listen: \"[::1]:2\"\n"
             "  chain:\n"
             "    - a\n"
             "    - 'b c'\n"
             "  grey:\n"
             "    mode: off\n"
             "    delay: 1m30s\n"
             "log:\n",
             &conf, &err) < 0)
        fail_msg("%s", err.text);
    const struct policyd *p = mx_conf_get(conf, "policyd");
    assert_false(p->is_on);
    assert_int_equal(p->workers, 64);
    assert_int_equal(p->memory, 1024);
    assert_true(p->weight < -2.4 && p->weight > -2.6);
    assert_string_equal(p->listen, "[::1]:2");
    assert_int_equal(p->chain.n, 2);
    assert_string_equal(p->chain.v[1], "b c");
    assert_int_equal(p->grey.mode, 2);
    assert_int_equal(p->grey.delay, 90000);
    assert_int_equal(p->grey.expire, 36ll * 86400000);
    assert_non_null(strstr(mx_conf_where(conf, "policyd.grey.mode"), ":13"));
    assert_null(strstr(mx_conf_where(conf, "policyd.grey.expire"), ":"));
    mx_conf_free(conf);
}

static void test_empty_forms(void **state)
{
    static const char *const texts[] = {"",   "# only this\n",       "policyd:\n",
                                        "{}", "policyd: {grey: }\n", "---\n...\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct mx_conf *conf = NULL;
        struct mx_err err;
        if (load(texts[i], &conf, &err) < 0)
            fail_msg("%s", err.text);
        const struct policyd *p = mx_conf_get(conf, "policyd");
        assert_int_equal(p->workers, 2);
        mx_conf_free(conf);
    }
}

static void test_empty_list_is_not_the_default(void **state)
{
    struct mx_conf *conf = NULL;
    (void)state;
    assert_int_equal(load("policyd: {chain: []}", &conf, NULL), 0);
    const struct policyd *p = mx_conf_get(conf, "policyd");
    assert_int_equal(p->chain.n, 0);
    mx_conf_free(conf);
}

static void test_errors_name_place_and_remedy(void **state)
{
    static const char *const cases[][2] = {
        {"policyd:\n  grey:\n    dealy: 5m\n",
         ":3:5: policyd.grey.dealy: unknown key; known here: delay, expire, mode"},
        {"policy:\n  x: 1\n",
         ":1:1: policy: unknown section; known here: policyd, log, redis, scand"},
        {"policyd:\n  memory: 64MB\n", ":2:11: policyd.memory: '64MB' is not a size: "
                                       "write a number with B, KiB, MiB or "
                                       "GiB"},
        {"policyd:\n  memory: 2GiB\n",
         ":2:11: policyd.memory: 2GiB is out of range: write 1KiB to 1GiB"},
        {"policyd:\n  workers: 5x\n", ":2:12: policyd.workers: '5x' is not a number"},
        {"policyd:\n  workers: 65\n",
         ":2:12: policyd.workers: 65 is out of range: write 1 to 64"},
        {"policyd:\n  weight: nan\n", ":2:11: policyd.weight: 'nan' is not a number"},
        {"policyd:\n  weight: 6\n",
         ":2:11: policyd.weight: 6 is out of range: write -5 to 5"},
        {"policyd: {is_on: maybe}",
         ":1:18: policyd.is_on: 'maybe' is neither true nor false"},
        {"policyd: {grey: {mode: of}}",
         ":1:24: policyd.grey.mode: 'of' is not known: write on, warn or off"},
        {"policyd: {grey: {delay: 5}}",
         ":1:25: policyd.grey.delay: '5' is not a duration"},
        {"policyd: {grey: 5}", ":1:17: policyd.grey: keys are wanted here: delay"},
        {"policyd: {chain: a}", ":1:18: policyd.chain: a list is wanted"},
        {"policyd: {chain: [a, [b]]}",
         ":1:22: policyd.chain: one value is wanted, not a list"},
        {"policyd: {chain: [a, b, c, d]}",
         ":1:18: policyd.chain: 4 entries are too many: at most 3"},
        {"policyd: {workers: {a: 1}}",
         ":1:20: policyd.workers: one value is wanted, not keys of its own"},
        {"policyd: {listen: ~}", ":1:19: policyd.listen: null is no value"},
        {"policyd: {listen: \"a\\0b\"}", ":1:19: policyd.listen: a NUL byte"},
        {"policyd: {listen: 123456789012345678901}",
         ":1:19: policyd.listen: 21 bytes are too long: at most 20"},
        {"policyd:\n  workers: 1\n  workers: 1\n",
         ":3:3: policyd.workers: stands twice, first in line 2"},
        {"redis: 1\nredis: 2\n", ":2:1: redis: stands twice, first in line 1"},
        {"redis: &a 1\nscand: *a\n", ":1:8: anchors and aliases are not supported"},
        {"redis: [[[[[[[[1]]]]]]]]\n", ":1:15: nested deeper than 8 levels"},
        {"a: 1\n---\nb: 1\n", ":2:1: a second document begins"},
        {"policyd:\n\tworkers: 1\n", ":2:1: not YAML: "},
        {"policyd: {workers: 1\n", ":2:1: not YAML: "},
        {"policyd:\n  a\xff: 1\n", ":2:4: not YAML: "},
        {"? [a]\n: b\n", ":1:3: a key must be one word"},
        {"- a\n", ":1:1: keys are wanted here: policyd"},
        {"hello", ":1:1: keys are wanted here: policyd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mx_conf *conf = NULL;
        struct mx_err err = {.text = ""};
        if (load(cases[i][0], &conf, &err) == 0)
            fail_msg("accepted: %s", cases[i][0]);
        assert_null(conf);
        assert_memory_equal(err.text, "/tmp/mxdrop-conf.", 17);
        const char *text = strchr(err.text, ':');
        if (text == NULL || strncmp(text, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("'%s' does not begin '%s'", text ? text : err.text, cases[i][1]);
    }
}

static void test_file_errors(void **state)
{
    struct mx_conf *conf = NULL;
    struct mx_err err;
    (void)state;
    assert_int_equal(mx_conf_load("/nowhere/x.yaml", sections, foreign, &conf, &err), -1);
    assert_string_equal(err.text, "/nowhere/x.yaml: No such file or directory");
    assert_int_equal(mx_conf_load("/tmp", sections, foreign, &conf, &err), -1);
    assert_null(conf);
}

/* ${times} times ${piece} in a file; what loading it says. */
static void load_repeated(const char *piece, size_t times, struct mx_err *err)
{
    struct mx_conf *conf = NULL;
    struct file file;
    size_t n = strlen(piece);
    char *text = malloc(n * times);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * n, piece, n);
    write_file(&file, text, n * times);
    free(text);
    assert_int_equal(mx_conf_load(file.path, sections, foreign, &conf, err), -1);
    unlink(file.path);
}

static void test_bounds_of_the_file(void **state)
{
    struct mx_err err;
    (void)state;
    load_repeated("# padding of a comment\n", 50000, &err);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    assert_non_null(strstr(err.text, "larger than 1048576 bytes"));
    load_repeated("- a\n", 20001, &err);
    assert_non_null(strstr(err.text, "more than 20000 keys and values"));
    load_repeated("[", 900000, &err); /* quadratic in libyaml, were it not stopped */
    assert_non_null(strstr(err.text, "nested deeper"));
}

static void test_broken_default_is_told(void **state)
{
    static const struct mx_conf_key keys[] = {
        {.name = "wait", .type = MX_CONF_DURATION, .def = "5"}, {.type = MX_CONF_END}};
    static const struct mx_conf_section broken = {"scand", "", sizeof(int64_t), keys};
    static const struct mx_conf_section *const all[] = {&broken, NULL};
    struct mx_conf *conf = NULL;
    struct mx_err err;
    (void)state;
    assert_int_equal(mx_conf_load(NULL, all, NULL, &conf, &err), -1);
    assert_non_null(strstr(err.text, "default of scand.wait: '5' is not a duration"));
}

static void test_dump_hides_secrets_and_defaults(void **state)
{
    struct mx_conf *conf = NULL;
    struct mx_buf out = {.max = 0};
    (void)state;
    assert_int_equal(
        load("policyd: {password: hush, secret_key: hush, secret_file: /x, workers: 2, "
             "listen: 'off', grey: {delay: 10m}}",
             &conf, NULL),
        0);
    mx_conf_dump(conf, true, &out);
    assert_string_equal(out.p, "policyd:\n"
                               "  listen: \"off\"\n"
                               "  password: \"(hidden)\"\n"
                               "  secret_key: \"(hidden)\"\n"
                               "  secret_file: /x\n"
                               "  grey:\n"
                               "    delay: 10m\n");
    mx_buf_fini(&out);
    mx_conf_dump(conf, false, &out);
    assert_null(strstr(out.p, "hush"));
    assert_non_null(strstr(out.p, "  chain: [access, greylist]\n"));
    mx_buf_fini(&out);
    mx_conf_free(conf);
}

static void test_sample_loads_and_changes_nothing(void **state)
{
    struct mx_conf *conf = NULL;
    struct mx_buf sample = {.max = 0}, changed = {.max = 0};
    struct mx_err err;
    (void)state;
    mx_conf_sample(sections, &sample);
    assert_non_null(strstr(sample.p, "    # How long a first try waits. (duration: 1s to "
                                     "1h)\n    delay: 5m\n"));
    if (load(sample.p, &conf, &err) < 0)
        fail_msg("%s", err.text);
    mx_conf_dump(conf, true, &changed);
    assert_int_equal(changed.n, 0);
    mx_conf_free(conf);
    mx_buf_fini(&sample);
    mx_buf_fini(&changed);
}

static void test_docs_have_a_row_for_each_key(void **state)
{
    struct mx_buf out = {.max = 0};
    (void)state;
    mx_conf_docs(sections, &out);
    assert_memory_equal(out.p, "## policyd\n\nDecisions.\n", 23);
    assert_non_null(strstr(
        out.p, "| `workers` | whole number | 1 to 64 | `2` | Threads \\| loops. |\n"));
    assert_non_null(strstr(out.p,
                           "| `grey.delay` | duration | 1s to 1h | `5m` | How long "
                           "a first try waits. |\n"));
    assert_non_null(strstr(out.p, "\n## log\n"));
    mx_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_without_file),
        cmocka_unit_test(test_values_from_file),
        cmocka_unit_test(test_empty_forms),
        cmocka_unit_test(test_empty_list_is_not_the_default),
        cmocka_unit_test(test_errors_name_place_and_remedy),
        cmocka_unit_test(test_file_errors),
        cmocka_unit_test(test_bounds_of_the_file),
        cmocka_unit_test(test_broken_default_is_told),
        cmocka_unit_test(test_dump_hides_secrets_and_defaults),
        cmocka_unit_test(test_sample_loads_and_changes_nothing),
        cmocka_unit_test(test_docs_have_a_row_for_each_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
