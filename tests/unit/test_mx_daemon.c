/* The daemon skeleton: a small daemon in a child process, its output and its messages
   to the service manager. Waits are blocking reads, ended by the child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mx_daemon.h"
#include "mx_err.h"

struct own {
    const char *metrics;
    int64_t workers;
};

static const struct mx_conf_key own_keys[] = {
    {.name = "metrics", .type = MX_CONF_STRING, .offset = offsetof(struct own, metrics)},
    {.name = "workers",
     .type = MX_CONF_INT,
     .offset = offsetof(struct own, workers),
     .min = 1,
     .max = 8,
     .def = "2"},
    {.type = MX_CONF_END},
};
static const struct mx_conf_section own_section = {"policyd", "Its own.",
                                                   sizeof(struct own), own_keys};
static const struct mx_conf_section *const own_sections[] = {&own_section, NULL};

/* Seven workers are what a deeper check would refuse. */
static int check_running(const struct mx_conf *conf, struct mx_err *err)
{
    const struct own *own = mx_conf_get(conf, "policyd");
    if (own->workers == 7)
        return mx_err_set(err, MX_ERR_INPUT, "%s: seven is too many",
                          mx_conf_where(conf, "policyd.workers"));
    return 0;
}

/* Six are what only a check with time would. */
static int check(const struct mx_conf *conf, struct mx_err *err)
{
    const struct own *own = mx_conf_get(conf, "policyd");
    if (own->workers == 6)
        return mx_err_set(err, MX_ERR_INPUT, "six is even");
    return check_running(conf, err);
}

static int run(struct mx_daemon_env *env, struct mx_err *err)
{
    struct mx_conf *conf = NULL, *next = NULL;
    const struct own *own = mx_conf_get(env->conf, "policyd");
    struct pollfd wait = {.fd = env->signal_fd, .events = POLLIN};
    if (own->workers == 8)
        return mx_err_set(err, MX_ERR_DOWN, "no redis");
    mx_daemon_ready(env, "workers %d\nREADY=0", (int)own->workers);
    for (;;) {
        poll(&wait, 1, -1);
        enum mx_daemon_event event = mx_daemon_signal(env, &next);
        if (event == MX_DAEMON_STOP)
            break;
        if (event == MX_DAEMON_RELOAD) {
            mx_conf_free(conf);
            conf = next;
            own = mx_conf_get(conf, "policyd");
            mx_daemon_status(env, "now %d", (int)own->workers);
        }
    }
    mx_conf_free(conf);
    return 0;
}

static const char *features(void)
{
    return "protocol 1";
}

static const struct mx_daemon daemon_under_test = {
    .name = "mxdrop-test",
    .doc = "Is a test.",
    .sections = own_sections,
    .features = features,
    .check = check,
    .check_running = check_running,
    .run = run,
};

/* A private directory with the configuration and the service manager's socket. */
struct fixture {
    char dir[64], conf[96], socket[96];
    int notify_fd;
    pid_t pid;
    int out[2];        /* the child's stdout and stderr */
    char text[65536];  /* what it wrote */
    char message[512]; /* what it told the service manager last */
};

static void write_conf(struct fixture *f, const char *text)
{
    FILE *file = fopen(f->conf, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(f->dir, "/tmp/mxdrop-daemon.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->conf, sizeof(f->conf), "%s/mxdrop.yaml", f->dir);
    snprintf(f->socket, sizeof(f->socket), "%s/notify", f->dir);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);
    f->notify_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(f->notify_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close(f->notify_fd);
    unlink(f->socket);
    unlink(f->conf);
    rmdir(f->dir);
    free(f);
    return 0;
}

static void spawn(struct fixture *f, char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    assert_int_equal(pipe(f->out), 0);
    f->pid = fork();
    if (f->pid == 0) {
        dup2(f->out[1], STDOUT_FILENO);
        dup2(f->out[1], STDERR_FILENO);
        close(f->out[0]);
        close(f->out[1]);
        setenv("NOTIFY_SOCKET", f->socket, 1);
        unsetenv("JOURNAL_STREAM");
        int status = mx_daemon_main(&daemon_under_test, argc, argv);
        fflush(stdout);
        _exit(status);
    }
    close(f->out[1]);
}

/* Read all that the child writes until it ends; its exit code. */
static int finish(struct fixture *f)
{
    size_t n = 0;
    ssize_t got;
    int status = 0;
    while ((got = read(f->out[0], f->text + n, sizeof(f->text) - 1 - n)) > 0)
        n += (size_t)got;
    f->text[n] = '\0';
    close(f->out[0]);
    waitpid(f->pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_once(struct fixture *f, const char *option, const char *value)
{
    char name[] = "test", first[64], second[96];
    char *argv[] = {name, first, second, NULL};
    snprintf(first, sizeof(first), "%s", option ? option : "");
    snprintf(second, sizeof(second), "%s", value ? value : "");
    if (value == NULL)
        argv[2] = NULL;
    if (option == NULL)
        argv[1] = NULL;
    spawn(f, argv);
    return finish(f);
}

static void serve(struct fixture *f)
{
    char name[] = "test", option[] = "-c";
    char *argv[] = {name, option, f->conf, NULL};
    spawn(f, argv);
}

static const char *next_message(struct fixture *f)
{
    struct pollfd wait = {.fd = f->notify_fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    ssize_t n = recv(f->notify_fd, f->message, sizeof(f->message) - 1, 0);
    assert_true(n > 0);
    f->message[n] = '\0';
    return f->message;
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' does not say '%s'", text, part);
}

static void test_help_and_version(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_once(f, "-h", NULL), 0);
    assert_says(f->text, "Is a test.");
    assert_says(f->text, "--config-sample");
    assert_int_equal(run_once(f, "--help", NULL), 0);
    assert_says(f->text, "Is a test.");
    assert_int_equal(run_once(f, "-V", NULL), 0);
    assert_string_equal(f->text, "mxdrop-test " MX_VERSION "\nprotocol 1\n");
}

static void test_usage_errors_exit_2(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_once(f, "--nonsense", NULL), 2);
    assert_int_equal(run_once(f, "argument", NULL), 2);
    assert_says(f->text, "'argument': no arguments are taken");
    assert_int_equal(run_once(f, "-c", NULL), 2);
}

static void test_docs_and_sample_cover_log(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_once(f, "--config-docs", NULL), 0);
    assert_says(f->text, "## policyd");
    assert_says(f->text, "| `level` | word | error, warn, info or debug | `info` |");
    assert_int_equal(run_once(f, "--config-sample", NULL), 0);
    write_conf(f, f->text);
    assert_int_equal(run_once(f, "-nc", f->conf), 0);
    assert_says(f->text, "all settings are defaults");
}

static void test_missing_file_says_the_way_out(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_once(f, "-c", "/nowhere/x.yaml"), 1);
    assert_says(f->text, "mxdrop-test: configuration /nowhere/x.yaml does not exist");
    assert_says(f->text, "'mxdrop-test --config-sample'");
}

static void test_check(void **state)
{
    struct fixture *f = *state;
    char expected[128];
    write_conf(f, "policyd: {workers: 3}\nscand: {whatever: 1}\n");
    assert_int_equal(run_once(f, "-tc", f->conf), 0);
    snprintf(expected, sizeof(expected), "%s: ok\n", f->conf);
    assert_string_equal(f->text, expected);
    assert_int_equal(run_once(f, "-nc", f->conf), 0);
    assert_string_equal(f->text, "policyd:\n  workers: 3\n");
    write_conf(f, "policyd: {workers: 7}\n");
    assert_int_equal(run_once(f, "-tc", f->conf), 1);
    assert_says(f->text, "mxdrop.yaml:1: seven is too many\n");
    write_conf(f, "policyd: {workers: 9}\n");
    assert_int_equal(run_once(f, "-tc", f->conf), 1);
    assert_says(f->text, "mxdrop.yaml:1:20: policyd.workers: 9 is out of range");
}

/* What takes time is left out while the daemon has other work. */
static void test_reload_has_a_check_of_its_own(void **state)
{
    struct fixture *f = *state;
    write_conf(f, "policyd: {workers: 6}\n");
    assert_int_equal(run_once(f, "-tc", f->conf), 1);
    assert_says(f->text, "six is even");
    write_conf(f, "policyd: {workers: 3}\n");
    serve(f);
    next_message(f);
    write_conf(f, "policyd: {workers: 6}\n");
    kill(f->pid, SIGHUP);
    next_message(f); /* RELOADING */
    assert_string_equal(next_message(f), "READY=1");
    assert_string_equal(next_message(f), "STATUS=now 6");
    kill(f->pid, SIGTERM);
    assert_int_equal(finish(f), 0);
    while (strcmp(next_message(f), "STOPPING=1") != 0)
        ;
}

static void test_run_that_fails_exits_1(void **state)
{
    struct fixture *f = *state;
    write_conf(f, "policyd: {workers: 8}\n");
    assert_int_equal(run_once(f, "-c", f->conf), 1);
    assert_says(f->text, "mxdrop-test: no redis\n");
}

static void test_metrics_address_is_a_start_error(void **state)
{
    struct fixture *f = *state;
    write_conf(f, "policyd:\n  metrics: 192.0.2.1:1\n");
    assert_int_equal(run_once(f, "-c", f->conf), 1);
    assert_says(f->text, "mxdrop.yaml:2: policyd.metrics: cannot listen on 192.0.2.1:1");
}

static void test_ready_reload_stop(void **state)
{
    struct fixture *f = *state;
    write_conf(f, "policyd: {workers: 3, metrics: '127.0.0.1:0'}\nlog: {level: warn}\n");
    serve(f);
    assert_string_equal(next_message(f), "READY=1\nSTATUS=workers 3 READY=0");
    write_conf(f, "policyd: {workers: 4}\nlog: {level: info}\n");
    kill(f->pid, SIGHUP);
    assert_memory_equal(next_message(f), "RELOADING=1\nMONOTONIC_USEC=", 27);
    assert_string_equal(next_message(f), "READY=1");
    assert_string_equal(next_message(f), "STATUS=now 4");
    kill(f->pid, SIGTERM);
    assert_memory_equal(next_message(f), "STOPPING=1", 10);
    assert_int_equal(finish(f), 0);
    assert_null(strstr(f->text, "daemon.start")); /* below the first level */
    assert_says(f->text, "info daemon.reload result=ok");
    assert_says(f->text, "info daemon.stop signal=SIGTERM");
    next_message(f); /* STOPPING after run */
}

/* "auto" asks who reads; the others are told. */
static void test_timestamps_as_set(void **state)
{
    static const struct {
        const char *word;
        bool is_stamped;
    } cases[] = {{"\"on\"", true}, {"\"off\"", false}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[100];
        snprintf(text, sizeof(text), "policyd: {workers: 3}\nlog: {timestamps: %s}\n",
                 cases[i].word);
        write_conf(f, text);
        serve(f);
        next_message(f);
        kill(f->pid, SIGTERM);
        assert_int_equal(finish(f), 0);
        assert_int_equal(f->text[0] >= '0' && f->text[0] <= '9', cases[i].is_stamped);
        while (strncmp(next_message(f), "STOPPING=1", 10) != 0)
            ;
        next_message(f); /* STOPPING after run */
    }
}

static void test_broken_reload_keeps_the_old(void **state)
{
    struct fixture *f = *state;
    write_conf(f, "policyd: {workers: 3}\n");
    serve(f);
    next_message(f);
    write_conf(f, "policyd: {workers: \"x\"}\n");
    kill(f->pid, SIGHUP);
    next_message(f);
    assert_says(next_message(f), "READY=1\nSTATUS=reload failed");
    write_conf(f, "policyd: {workers: 7}\n");
    kill(f->pid, SIGHUP);
    next_message(f);
    assert_says(next_message(f), "STATUS=reload failed");
    kill(f->pid, SIGINT);
    assert_memory_equal(next_message(f), "STOPPING=1", 10);
    assert_int_equal(finish(f), 0);
    assert_says(f->text, "error daemon.reload result=failed settings=unchanged error=\"");
    assert_says(f->text, "mxdrop.yaml:1:20: policyd.workers: 'x' is not a number");
    assert_says(f->text, "seven is too many");
    next_message(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_help_and_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_usage_errors_exit_2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_docs_and_sample_cover_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_file_says_the_way_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload_has_a_check_of_its_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_run_that_fails_exits_1, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metrics_address_is_a_start_error, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ready_reload_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timestamps_as_set, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_reload_keeps_the_old, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
