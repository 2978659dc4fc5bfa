/*
 * One child. It gets a session and process group of its own, so that Ctrl-C reaches only
 * us and we stop things in order; and a death signal, so that kill -9 of us takes it
 * along. Whether it serves is told by two events that need no guessing: READY=1 as it
 * would tell systemd, and a connection to its socket that is accepted.
 *
 * No waiting happens here; up_watch.c owns the loop.
 */
#include "up_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mx_err.h"

#define PING_MS 100 /* a Redis that needs longer is asked again */

/* ---- the child's side, between fork and exec ---- */

static void inherit_nothing(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid(); /* and with it a process group; Postfix insists on a session */
    umask(022);
}

/* ${fds} are the log and the pipe for errno, which a successful exec closes. */
static _Noreturn void become(const struct up_process *process, const char *notify,
                             const int fds[2], pid_t parent)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), failure;
    int log_fd = fds[0], report_fd = fds[1];

    inherit_nothing();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it died before the signal was armed */
        _exit(127);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    unsetenv("NOTIFY_SOCKET");
    if (process->is_notifying && notify)
        setenv("NOTIFY_SOCKET", notify, 1);
    if (null_fd >= 0 && dup2(null_fd, 0) == 0 && dup2(log_fd, 1) == 1 &&
        dup2(log_fd, 2) == 2)
        execv(process->argv[0], (char *const *)(uintptr_t)process->argv);
    failure = errno;
    if (write(report_fd, &failure, sizeof(failure)) < 0)
        _exit(126);
    _exit(127);
}

/* ---- our side ---- */

static int write_pid(const struct up_process *process, struct mx_err *err)
{
    FILE *file = fopen(process->pid_path, "we");
    int n;

    if (!file)
        return mx_err_errno(err, "%s", process->pid_path);
    n = fprintf(file, "%ld\n", (long)process->pid);
    if (fclose(file) != 0 || n < 0)
        return mx_err_errno(err, "%s", process->pid_path);
    return 0;
}

/* Wait for exec: the pipe closes, or carries the reason. */
static int await_exec(const struct up_process *process, int fd, struct mx_err *err)
{
    int failure;
    ssize_t n;

    do
        n = read(fd, &failure, sizeof(failure));
    while (n < 0 && errno == EINTR);
    if (n != sizeof(failure))
        return 0;
    errno = failure;
    return mx_err_errno(err, "%s: running %s", process->name, process->argv[0]);
}

int up_process_spawn(struct up_process *process, const char *notify, int64_t now_ms,
                     struct mx_err *err)
{
    pid_t self = getpid();
    int report[2] = {-1, -1}, status = -1;
    int log_fd = open(process->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (log_fd < 0)
        return mx_err_errno(err, "%s", process->log_path);
    if (pipe2(report, O_CLOEXEC) != 0) {
        mx_err_errno(err, "pipe");
        goto done;
    }
    process->pid = fork();
    if (process->pid == 0)
        become(process, notify, (const int[]){log_fd, report[1]}, self);
    if (process->pid < 0) {
        process->pid = 0;
        mx_err_errno(err, "fork");
        goto done;
    }
    close(report[1]);
    report[1] = -1;
    process->state = UP_STARTING;
    process->has_notified = false;
    process->status[0] = '\0';
    process->started_ms = now_ms;
    process->restart_ms = 0;
    status = await_exec(process, report[0], err);
    if (status == 0)
        status = write_pid(process, err);
done:
    close(log_fd);
    if (report[0] >= 0)
        close(report[0]);
    if (report[1] >= 0)
        close(report[1]);
    return status;
}

/* "127.0.0.1:PORT" or a path. Returns its length; 0: cannot be an address. */
static socklen_t socket_address(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    struct sockaddr_un *un = (struct sockaddr_un *)out;
    struct mx_str s = mx_str(text);
    int64_t port;

    memset(out, 0, sizeof(*out));
    if (text[0] == '/') {
        if (s.n >= sizeof(un->sun_path))
            return 0;
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, text, s.n);
        return sizeof(*un);
    }
    if (!mx_str_starts(s, MX_STR("127.0.0.1:")) ||
        mx_str_to_int(mx_str_sub(s, 10, s.n), 1, 65535, &port, NULL) != 0)
        return 0;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons((uint16_t)port);
    return sizeof(*in);
}

/* The connection is there: at once on a UNIX socket, loopback TCP may need a moment. */
static bool is_connected(int fd, const struct sockaddr_storage *address, socklen_t n)
{
    struct sockaddr_storage peer;
    socklen_t peer_n = sizeof(peer);

    if (connect(fd, (const struct sockaddr *)address, n) == 0)
        return true;
    return errno == EINPROGRESS &&
           getpeername(fd, (struct sockaddr *)&peer, &peer_n) == 0;
}

/* PING is answered, be it with the wish for a password; "-LOADING" is no yes. */
static bool answers_ping(int fd)
{
    static const char ping[] = "PING\r\n";
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char reply[16];
    ssize_t n;

    if (send(fd, ping, sizeof(ping) - 1, MSG_NOSIGNAL) != sizeof(ping) - 1 ||
        poll(&wait, 1, PING_MS) != 1)
        return false;
    n = recv(fd, reply, sizeof(reply), 0);
    if (n <= 0)
        return false;
    return mx_str_starts(mx_str_of(reply, (size_t)n), MX_STR("+PONG")) ||
           mx_str_starts(mx_str_of(reply, (size_t)n), MX_STR("-NOAUTH"));
}

static bool serves(const struct up_process *process)
{
    struct sockaddr_storage address;
    socklen_t n = socket_address(process->socket, &address);
    bool is_serving;
    int fd;

    if (n == 0)
        return false;
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    is_serving =
        is_connected(fd, &address, n) && (!process->is_redis || answers_ping(fd));
    close(fd);
    return is_serving;
}

bool up_process_probe(struct up_process *process)
{
    if (process->state != UP_STARTING)
        return false;
    if (process->is_notifying ? !process->has_notified : !serves(process))
        return false;
    process->state = UP_READY;
    return true;
}

void up_process_notify(struct up_process *process, struct mx_str message)
{
    struct mx_str line;

    while (mx_str_next(&message, '\n', &line) == 0) {
        if (mx_str_eq(line, MX_STR("READY=1")))
            process->has_notified = true;
        if (mx_str_starts(line, MX_STR("STATUS=")))
            snprintf(process->status, sizeof(process->status), "%.*s",
                     MX_STR_FMT(mx_str_sub(line, 7, UP_STATUS_MAX - 1)));
    }
}

unsigned up_process_backoff(unsigned backoff_ms, int64_t ran_ms)
{
    if (backoff_ms == 0 || ran_ms >= UP_STEADY_MS)
        return UP_BACKOFF_MIN_MS;
    return backoff_ms * 2 < UP_BACKOFF_MAX_MS ? backoff_ms * 2 : UP_BACKOFF_MAX_MS;
}

void up_process_ended(struct up_process *process, int64_t now_ms, bool wants_restart)
{
    unlink(process->pid_path); /* best effort: the next start writes it anew */
    process->pid = 0;
    process->state = UP_DOWN;
    process->restart_ms = 0;
    if (!wants_restart)
        return;
    process->backoff_ms =
        up_process_backoff(process->backoff_ms, now_ms - process->started_ms);
    process->restart_ms = now_ms + process->backoff_ms;
}

void up_process_signal(const struct up_process *process, int signal)
{
    if (process->pid > 0)
        kill(process->pid, signal);
}

void up_process_kill(const struct up_process *process)
{
    if (process->pid > 0)
        kill(-process->pid, SIGKILL);
}
