/*
 * The engine parent: loads the detectors once and forks workers, which share its memory
 * copy-on-write. The supervisor starts a new one by fork and exec for each reload, so a
 * reload is a new process with a fresh heap, and a library that leaks or breaks while it
 * loads cannot hurt the supervisor or the engine that serves.
 *
 * It does not log: what happens goes to the supervisor as records. It reaps its workers,
 * removes their temporary directories, and kills on request (it alone can do so without
 * a race, as a pid stays taken until its parent has reaped it). The supervisor
 * closes the channel when the last worker's socket is closed, or by dying: either way
 * nobody waits for a worker any more, so those that are left are killed, the temporary
 * directory goes, and the engine ends. If it dies itself, the kernel kills its workers.
 */
#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine_link.h"
#include "engine_trial.h"
#include "mx_arena.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "scan_chain.h"
#include "temp_tree.h"
#include "worker.h"

#define WORKERS_MAX 1024 /* of one engine at a time, those on their way out included */

struct child {
    pid_t pid; /* 0: free */
    uint32_t slot;
    bool is_trial; /* slot is the number of the trial */
};

struct engine {
    struct mx_conf *conf;
    const struct scan_conf *scan;
    struct scan_chain *chain;
    const char *node, *temp_dir;
    pid_t self;
    int signals;    /* signalfd: SIGCHLD */
    bool is_closed; /* the supervisor closed the channel */
    struct child children[WORKERS_MAX];
};

static void tell(const struct engine_msg *msg)
{
    /* A full channel means that the supervisor is gone or stuck; it will notice. */
    engine_msg_send(ENGINE_FD, msg, -1, NULL);
}

static int engine_load(struct engine *engine, const char *path, struct mx_err *err)
{
    const struct mx_conf_section *sections[] = {&scan_conf_section, NULL};
    if (mx_conf_load(path[0] ? path : NULL, sections, mx_daemon_section_names,
                     &engine->conf, err) < 0)
        return -1;
    engine->scan = mx_conf_get(engine->conf, "scand");
    if (scan_chain_new(engine->scan, &engine->chain, err) < 0)
        return -1;
    return scan_chain_load(engine->chain, err);
}

static void tell_ready(const struct engine *engine)
{
    struct engine_msg msg = {.word = ENGINE_READY};
    struct scan_versions versions = scan_chain_versions(engine->chain);
    struct mx_buf text = {.max = ENGINE_TEXT_MAX - 1};
    mx_buf_printf(&text, "%.200s\n%.200s\n",
                  versions.signatures ? versions.signatures : "",
                  versions.rules ? versions.rules : "");
    struct scan_fault fault;
    for (size_t i = 0; scan_chain_fault(engine->chain, i, &fault) == 0; i++)
        mx_buf_printf(&text, "%.32s: %.200s\n", fault.detector, fault.reason);
    memcpy(msg.text, text.p, text.n);
    mx_buf_fini(&text);
    tell(&msg);
}

static char *child_temp_dir(const struct engine *engine, const struct child *child)
{
    struct mx_buf path = {0};
    mx_buf_printf(&path, "%s/%c%u", engine->temp_dir, child->is_trial ? 't' : 'w',
                  child->slot);
    char *copy = mx_xdup(path.p);
    mx_buf_fini(&path);
    return copy;
}

/* What every child does first. Returns its temporary directory. */
static char *begin_child(struct engine *engine, const struct child *child)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != engine->self)
        _exit(1); /* the engine died before we could ask to die with it */
    prctl(PR_SET_NAME, child->is_trial ? "scand-trial" : "scand-worker", 0, 0, 0);
    close(engine->signals);
    char *temp_dir = child_temp_dir(engine, child);
    if (mkdir(temp_dir, 0700) < 0)
        _exit(1);
    return temp_dir;
}

/* In the child: becomes a worker, never returns. */
static void be_worker(struct engine *engine, const struct child *child, int fd)
{
    char *temp_dir = begin_child(engine, child);
    close(ENGINE_FD);
    struct worker_env env = {engine->chain, engine->scan, engine->node, temp_dir, fd};
    _exit(worker_run(&env));
}

/* In the child: tries the rules, tells what came out, ends. */
static void be_trial(struct engine *engine, const struct child *child,
                     const struct engine_msg *order, int fd)
{
    struct engine_trial trial = {engine->chain, engine->scan, begin_child(engine, child),
                                 order, fd};
    struct engine_msg out;
    alarm(ENGINE_TRIAL_S); /* nobody else looks after it; SIGALRM ends it */
    engine_trial_run(&trial, &out);
    _exit(engine_msg_send(ENGINE_FD, &out, -1, NULL) < 0);
}

static void spawn(struct engine *engine, const struct engine_msg *order, int fd)
{
    struct child child = {.slot = order->slot, .is_trial = order->word != ENGINE_SPAWN};
    size_t i = 0;
    while (i < WORKERS_MAX && engine->children[i].pid != 0)
        i++;
    child.pid = i < WORKERS_MAX ? fork() : -1;
    if (child.pid == 0 && child.is_trial)
        be_trial(engine, &child, order, fd);
    if (child.pid == 0)
        be_worker(engine, &child, fd);
    close(fd); /* no child: the supervisor sees its socket close */
    if (child.pid > 0)
        engine->children[i] = child;
    if (child.pid > 0 && !child.is_trial)
        tell(&(struct engine_msg){
            .word = ENGINE_BORN, .slot = child.slot, .pid = child.pid});
    if (child.pid < 0 && child.is_trial)
        tell(&(struct engine_msg){.word = ENGINE_TRIED,
                                  .slot = child.slot,
                                  .status = ENGINE_TRIED_NOT,
                                  .text = "no process for it"});
}

static void kill_child(const struct engine *engine, pid_t pid)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (pid > 0 && engine->children[i].pid == pid)
            kill(pid, SIGKILL);
}

static void tell_trial_gone(const struct child *child, int status)
{
    struct engine_msg msg = {
        .word = ENGINE_TRIED, .slot = child->slot, .status = ENGINE_TRIED_DIED};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(msg.text, sizeof(msg.text),
                 "it took longer than %d s: lower trial_messages", ENGINE_TRIAL_S);
    else
        snprintf(msg.text, sizeof(msg.text), "it died on a message of the sample");
    tell(&msg);
}

/* A trial that ended well has told so itself. */
static void tell_gone(const struct child *child, int status)
{
    if (!child->is_trial)
        tell(&(struct engine_msg){.word = ENGINE_GONE,
                                  .slot = child->slot,
                                  .pid = child->pid,
                                  .status = status});
    else if (status != 0)
        tell_trial_gone(child, status);
}

/* Reaps what has ended; returns how many children are left. */
static size_t reap(struct engine *engine)
{
    size_t left = 0;
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct child *child = &engine->children[i];
        int status = 0;
        if (child->pid == 0)
            continue;
        if (waitpid(child->pid, &status, WNOHANG) <= 0) {
            left++;
            continue;
        }
        char *temp_dir = child_temp_dir(engine, child);
        temp_tree_remove(temp_dir);
        free(temp_dir);
        tell_gone(child, status);
        child->pid = 0;
    }
    return left;
}

static void kill_all(const struct engine *engine)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (engine->children[i].pid != 0)
            kill(engine->children[i].pid, SIGKILL);
}

static void take_orders(struct engine *engine)
{
    struct engine_msg msg;
    struct mx_err err = {0};
    int fd = -1;
    while (engine_msg_recv(ENGINE_FD, &msg, &fd, &err) == 0) {
        bool is_spawn = msg.word == ENGINE_SPAWN || msg.word == ENGINE_MEASURE ||
                        msg.word == ENGINE_TRY;
        if (is_spawn && fd >= 0)
            spawn(engine, &msg, fd);
        else if (fd >= 0)
            close(fd);
        if (msg.word == ENGINE_KILL)
            kill_child(engine, msg.pid);
    }
    engine->is_closed = err.code != MX_ERR_TIMEOUT;
    if (engine->is_closed)
        kill_all(engine);
}

static void serve(struct engine *engine)
{
    struct pollfd fds[] = {{.fd = engine->signals, .events = POLLIN},
                           {.fd = ENGINE_FD, .events = POLLIN}};
    size_t left = 0;
    while (!engine->is_closed || left > 0) {
        fds[1].fd = engine->is_closed ? -1 : ENGINE_FD;
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        struct signalfd_siginfo info;
        while (fds[0].revents && read(engine->signals, &info, sizeof(info)) > 0)
            ; /* which child it was is for waitpid to say */
        if (fds[1].revents)
            take_orders(engine);
        left = reap(engine);
    }
}

/* SIGCHLD becomes readable. The others are meant for the supervisor alone, but a terminal
   sends them to all of us: they stay blocked, here and in the workers. */
static int take_signals(struct mx_err *err)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 ? fd : mx_err_errno(err, "signalfd");
}

int engine_main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "%s %s is started by mxdrop-scand itself\n", argv[0], ENGINE_ARG);
        return 2;
    }
    prctl(PR_SET_NAME, "scand-engine", 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    struct mx_err err = {0};
    struct engine *engine = mx_xalloc(sizeof(*engine));
    engine->node = argv[3];
    engine->temp_dir = argv[4];
    engine->self = getpid();
    engine->signals = take_signals(&err);
    int rc = engine->signals < 0 ? -1 : engine_load(engine, argv[2], &err);
    if (rc == 0) {
        tell_ready(engine);
        serve(engine);
    } else {
        struct engine_msg msg = {.word = ENGINE_FAILED};
        snprintf(msg.text, sizeof(msg.text), "%s", err.text);
        tell(&msg);
    }
    temp_tree_remove(engine->temp_dir);
    scan_chain_free(engine->chain);
    mx_conf_free(engine->conf);
    if (engine->signals >= 0)
        close(engine->signals);
    free(engine);
    return rc == 0 ? 0 : 1;
}
