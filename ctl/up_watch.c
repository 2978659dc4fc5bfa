/*
 * A small service manager: one poll loop over a signalfd and a notification socket, and a
 * list of children in waves. Waves start in order and stop in reverse, so that nobody
 * ever asks something that is not there yet or any more.
 *
 * Readiness comes as events (sd_notify); only the question whether a socket accepts is
 * asked again and again, every PROBE_MS, for programs that cannot notify (Redis,
 * Postfix). A dead child's group is killed before it is reaped, while its number is still
 * ours.
 */
#include "up_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"

#define PROBE_MS 20       /* between two looks whether sockets accept */
#define NOTIFY_MAX 2048   /* bytes of one notification */
#define LAST_LINE_MAX 400 /* bytes of a log that an error quotes */

struct up_watch {
    struct up_watch_options o;
    int signal_fd, notify_fd;
    char notify[sizeof(((struct sockaddr_un *)0)->sun_path) + 1]; /* NOTIFY_SOCKET */
    sigset_t old_mask;
    unsigned stops;          /* SIGTERM and SIGINT so far */
    bool is_stopping;        /* deaths are expected */
    struct up_process *dead; /* first one that died while starting */
    int dead_status;
};

/* ---- opening ---- */

static int take_signals(struct up_watch *watch, struct mx_err *err)
{
    sigset_t mine;

    sigemptyset(&mine);
    sigaddset(&mine, SIGCHLD);
    sigaddset(&mine, SIGTERM);
    sigaddset(&mine, SIGINT);
    sigaddset(&mine, SIGHUP);
    sigaddset(&mine, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mine, &watch->old_mask);
    watch->signal_fd = signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
    if (watch->signal_fd < 0)
        return mx_err_errno(err, "signalfd");
    return 0;
}

/* An abstract socket whose name the kernel chooses: no file, no permissions to get wrong;
   who sends is known by the credentials that the kernel adds. */
static int listen_for_notes(struct up_watch *watch, struct mx_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t n = sizeof(sa_family_t);
    int on = 1;

    watch->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (watch->notify_fd < 0 ||
        bind(watch->notify_fd, (struct sockaddr *)&address, n) != 0 ||
        setsockopt(watch->notify_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0)
        return mx_err_errno(err, "notification socket");
    n = sizeof(address);
    if (getsockname(watch->notify_fd, (struct sockaddr *)&address, &n) != 0)
        return mx_err_errno(err, "notification socket");
    n -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
    snprintf(watch->notify, sizeof(watch->notify), "@%.*s", (int)n - 1,
             address.sun_path + 1);
    return 0;
}

int up_watch_open(const struct up_watch_options *options, struct up_watch **out,
                  struct mx_err *err)
{
    struct up_watch *watch = mx_xalloc(sizeof(*watch));

    watch->o = *options;
    watch->signal_fd = watch->notify_fd = -1;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (take_signals(watch, err) != 0 || listen_for_notes(watch, err) != 0) {
        up_watch_close(watch);
        return -1;
    }
    *out = watch;
    return 0;
}

void up_watch_close(struct up_watch *watch)
{
    if (!watch)
        return;
    if (watch->signal_fd >= 0)
        close(watch->signal_fd);
    if (watch->notify_fd >= 0)
        close(watch->notify_fd);
    sigprocmask(SIG_SETMASK, &watch->old_mask, NULL);
    free(watch);
}

/* ---- what happens ---- */

static int64_t now_ms(const struct up_watch *watch)
{
    return mx_mono_ms(watch->o.clock);
}

static struct up_process *find_pid(struct up_watch *watch, pid_t pid)
{
    for (size_t i = 0; pid > 0 && i < watch->o.n; i++) {
        if (watch->o.processes[i].pid == pid)
            return &watch->o.processes[i];
    }
    return NULL;
}

static void tell_death(const struct up_watch *watch, const struct up_process *process,
                       int status)
{
    char how[64], next[64] = "";

    if (WIFSIGNALED(status))
        snprintf(how, sizeof(how), "killed by signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof(how), "exit %d", WEXITSTATUS(status));
    if (process->restart_ms)
        snprintf(next, sizeof(next), "; starts again in %u ms", process->backoff_ms);
    fprintf(watch->o.info, "%s died (%s)%s; see %s\n", process->name, how, next,
            process->log_path);
}

static void reap_one(struct up_watch *watch, pid_t pid)
{
    struct up_process *process = find_pid(watch, pid);
    bool was_starting = process && process->state == UP_STARTING;
    int status = 0;

    if (process)
        up_process_kill(process); /* what it left behind, while its number is ours */
    if (waitpid(pid, &status, 0) != pid || !process)
        return;
    up_process_ended(process, now_ms(watch),
                     !watch->is_stopping && watch->o.wants_restart);
    if (watch->is_stopping)
        return;
    if (was_starting && !watch->dead) {
        watch->dead = process;
        watch->dead_status = status;
    }
    tell_death(watch, process, status);
}

static void reap(struct up_watch *watch)
{
    siginfo_t info = {0};

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
        reap_one(watch, info.si_pid);
        info.si_pid = 0;
    }
}

static void pass_reload(struct up_watch *watch)
{
    if (watch->o.on_reload)
        watch->o.on_reload(watch->o.user);
    for (size_t i = 0; i < watch->o.n; i++) {
        if (watch->o.processes[i].takes_sighup)
            up_process_signal(&watch->o.processes[i], SIGHUP);
    }
}

/* SIGUSR1: whatever is down, and will be or would not be started again, now. It may come
   ahead of the SIGCHLD of a child that ended before. */
static void start_now(struct up_watch *watch)
{
    reap(watch);
    for (size_t i = 0; i < watch->o.n; i++) {
        struct up_process *process = &watch->o.processes[i];

        if (process->state == UP_DOWN && !watch->is_stopping)
            process->restart_ms = now_ms(watch);
    }
}

static void take_signal(struct up_watch *watch, unsigned signal)
{
    switch (signal) {
    case SIGTERM:
    case SIGINT: watch->stops++; break;
    case SIGCHLD: reap(watch); break;
    case SIGHUP: pass_reload(watch); break;
    case SIGUSR1: start_now(watch); break;
    default: break;
    }
}

/* The sender by its credentials: a child, or one of its group (scand's inner ones). */
static struct up_process *sender_of(struct up_watch *watch, struct msghdr *header)
{
    struct cmsghdr *part;
    struct ucred who;
    struct up_process *process;

    for (part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS)
            continue;
        memcpy(&who, CMSG_DATA(part), sizeof(who));
        process = find_pid(watch, who.pid);
        return process ? process : find_pid(watch, getpgid(who.pid));
    }
    return NULL;
}

/* Returns false when there was nothing to read. */
static bool take_note(struct up_watch *watch)
{
    char text[NOTIFY_MAX];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec io = {text, sizeof(text)};
    struct msghdr header = {.msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(watch->notify_fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    struct up_process *process;

    if (n < 0)
        return false;
    process = sender_of(watch, &header);
    if (process)
        up_process_notify(process, mx_str_of(text, (size_t)n));
    return true;
}

/* ---- the loop ---- */

static void spawn(struct up_watch *watch, struct up_process *process)
{
    struct mx_err err;

    if (up_process_spawn(process, watch->notify, now_ms(watch), &err) != 0)
        fprintf(watch->o.info, "%s\n", err.text); /* its end arrives as SIGCHLD */
    if (process->pid == 0)
        up_process_ended(process, now_ms(watch), watch->o.wants_restart);
}

static void start_due(struct up_watch *watch)
{
    for (size_t i = 0; i < watch->o.n; i++) {
        struct up_process *process = &watch->o.processes[i];

        if (process->restart_ms && process->restart_ms <= now_ms(watch))
            spawn(watch, process);
    }
}

static void probe_all(struct up_watch *watch)
{
    for (size_t i = 0; i < watch->o.n; i++) {
        struct up_process *process = &watch->o.processes[i];

        if (up_process_probe(process) && (watch->o.is_progress || process->backoff_ms))
            fprintf(watch->o.info, "  %-10s ready  %.2f s\n", process->name,
                    (double)(now_ms(watch) - process->started_ms) / 1000);
    }
}

/* How long nothing will happen by itself; -1: until an event. */
static int idle_ms(const struct up_watch *watch)
{
    int64_t wait = -1, now = now_ms(watch);

    for (size_t i = 0; i < watch->o.n; i++) {
        const struct up_process *process = &watch->o.processes[i];
        int64_t due = process->restart_ms - now;

        if (process->state == UP_STARTING)
            return PROBE_MS;
        if (process->restart_ms && (wait < 0 || due < wait))
            wait = due > 0 ? due : 0;
    }
    return (int)wait;
}

/* Wait for events, at most ${at_most_ms} (-1: no bound), and take them. */
static void turn(struct up_watch *watch, int at_most_ms)
{
    struct pollfd fds[2] = {{.fd = watch->signal_fd, .events = POLLIN},
                            {.fd = watch->notify_fd, .events = POLLIN}};
    struct signalfd_siginfo info;
    int wait_ms = idle_ms(watch);

    if (at_most_ms >= 0 && (wait_ms < 0 || wait_ms > at_most_ms))
        wait_ms = at_most_ms;
    poll(fds, 2, wait_ms);
    while (take_note(watch)) /* first: a note counts even if its sender died since */
        ;
    while (read(watch->signal_fd, &info, sizeof(info)) == sizeof(info))
        take_signal(watch, info.ssi_signo);
    if (!watch->is_stopping)
        start_due(watch);
    probe_all(watch);
}

/* ---- starting ---- */

/* The last non-empty line of a log, for an error text. */
static void last_line(const char *path, char out[static LAST_LINE_MAX])
{
    FILE *file = fopen(path, "re");
    char tail[LAST_LINE_MAX];
    struct mx_str rest;
    ptrdiff_t at;
    size_t n;

    out[0] = '\0';
    if (!file)
        return;
    if (fseek(file, -(long)sizeof(tail), SEEK_END) != 0)
        rewind(file); /* shorter than that */
    n = fread(tail, 1, sizeof(tail), file);
    fclose(file);
    rest = mx_str_trim(mx_str_of(tail, n));
    at = mx_str_rchr(rest, '\n');
    rest = mx_str_sub(rest, (size_t)(at + 1), rest.n);
    snprintf(out, LAST_LINE_MAX, "%.*s", MX_STR_FMT(rest));
}

static int fail_dead(struct up_watch *watch, struct mx_err *err)
{
    const struct up_process *process = watch->dead;
    char line[LAST_LINE_MAX];

    last_line(process->log_path, line);
    return mx_err_set(err, MX_ERR_DOWN, "%s did not start: %s (all of it: %s)",
                      process->name, *line ? line : "it said nothing", process->log_path);
}

static const struct up_process *first_unready(const struct up_watch *watch, unsigned wave)
{
    for (size_t i = 0; i < watch->o.n; i++) {
        const struct up_process *process = &watch->o.processes[i];

        if (process->wave == wave && process->state != UP_READY)
            return process;
    }
    return NULL;
}

static int spawn_wave(struct up_watch *watch, unsigned wave, struct mx_err *err)
{
    for (size_t i = 0; i < watch->o.n; i++) {
        struct up_process *process = &watch->o.processes[i];

        if (process->wave == wave &&
            up_process_spawn(process, watch->notify, now_ms(watch), err) != 0)
            return -1;
    }
    return 0;
}

int up_watch_start(struct up_watch *watch, unsigned wave, int64_t timeout_ms,
                   struct mx_err *err)
{
    int64_t until = now_ms(watch) + timeout_ms;
    const struct up_process *process;

    if (spawn_wave(watch, wave, err) != 0)
        return -1;
    while ((process = first_unready(watch, wave))) {
        if (watch->dead)
            return fail_dead(watch, err);
        if (watch->stops)
            return mx_err_set(err, MX_ERR_DOWN, "told to stop");
        if (now_ms(watch) >= until)
            return mx_err_set(err, MX_ERR_TIMEOUT,
                              "%s is not ready after %lld s (%s): see %s", process->name,
                              (long long)timeout_ms / 1000,
                              *process->status ? process->status : "it says nothing",
                              process->log_path);
        turn(watch, PROBE_MS);
    }
    return 0;
}

/* ---- serving and stopping ---- */

void up_watch_serve(struct up_watch *watch)
{
    while (!watch->stops)
        turn(watch, -1);
}

static bool runs(const struct up_watch *watch, unsigned wave)
{
    for (size_t i = 0; i < watch->o.n; i++) {
        if (watch->o.processes[i].wave == wave && watch->o.processes[i].pid)
            return true;
    }
    return false;
}

static void signal_wave(const struct up_watch *watch, unsigned wave, int signal)
{
    for (size_t i = 0; i < watch->o.n; i++) {
        const struct up_process *process = &watch->o.processes[i];

        if (process->wave != wave)
            continue;
        if (signal == SIGKILL)
            up_process_kill(process);
        else
            up_process_signal(process, signal);
    }
}

static void stop_wave(struct up_watch *watch, unsigned wave, int64_t grace_ms)
{
    int64_t until = now_ms(watch) + grace_ms;
    bool is_killed = false;

    signal_wave(watch, wave, SIGTERM);
    while (runs(watch, wave)) {
        if (!is_killed && (now_ms(watch) >= until || watch->stops > 1)) {
            fprintf(watch->o.info, "what has not stopped by now is killed\n");
            signal_wave(watch, wave, SIGKILL);
            is_killed = true;
        }
        turn(watch, PROBE_MS);
    }
}

void up_watch_stop(struct up_watch *watch, int64_t grace_ms)
{
    unsigned last = 0;

    watch->is_stopping = true;
    for (size_t i = 0; i < watch->o.n; i++)
        last = watch->o.processes[i].wave > last ? watch->o.processes[i].wave : last;
    for (unsigned wave = last + 1; wave-- > 0;)
        stop_wave(watch, wave, grace_ms);
}

bool up_watch_was_told(const struct up_watch *watch)
{
    return watch->stops > 0;
}
