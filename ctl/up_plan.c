/*
 * The plan: a pure function from options to a list of processes, so that a test can read
 * it. Everything that runs one of our daemons has an entry in the list of instances, as
 * it reads a configuration of its own.
 */
#include "up_plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "up_files.h"

/* Above services, below Linux' net.ipv4.ip_local_port_range (32768). */
#define PORT_LOW 12000
#define PORT_HIGH 31000
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* ---- ports ---- */

int up_plan_hold_port(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* as the daemons do */
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(fd, 1) == 0)
        return fd;
    close(fd);
    return -1;
}

static int random_port(void)
{
    uint16_t number = 0;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        number = (uint16_t)getpid();
    return PORT_LOW + number % (PORT_HIGH - PORT_LOW);
}

int up_plan_free_port(int first, int *out, int *out_fd, struct mx_err *err)
{
    if (first == 0)
        first = random_port();
    for (int port = first; port < first + 1000 && port <= 65535; port++) {
        int fd = up_plan_hold_port(port);

        if (fd < 0)
            continue;
        *out = port;
        if (out_fd)
            *out_fd = fd;
        else
            close(fd);
        return 0;
    }
    return mx_err_set(err, MX_ERR_SYSTEM, "no free port on 127.0.0.1 from %d on", first);
}

/* ---- the list ---- */

/* The next entry, with what all processes have. */
static struct up_process *add(struct mx_arena *arena, struct up_plan *plan,
                              const char *name, unsigned wave)
{
    struct up_process *process = &plan->processes[plan->n_processes++];

    process->name = name;
    process->wave = wave;
    process->log_path = mx_arena_printf(arena, "%s/log/%s.log", plan->dir, name);
    process->pid_path = mx_arena_printf(arena, "%s/pid/%s.pid", plan->dir, name);
    return process;
}

static const char *const *argv3(struct mx_arena *arena, const char *a, const char *b,
                                const char *c)
{
    const char **argv = mx_arena_array(arena, 4, sizeof(*argv));

    argv[0] = a;
    argv[1] = b;
    argv[2] = c;
    return argv;
}

struct daemon_kind {
    const char *section, *program;
    const char *scheme; /* in front of its socket's path */
    unsigned wave;
};

/* One of our daemons: ${file} is the name of its socket. */
static void add_daemon(struct mx_arena *arena, struct up_plan *plan, const char *name,
                       const char *file, const struct daemon_kind *kind)
{
    struct up_instance *instance = &plan->instances[plan->n_instances++];
    struct up_process *process = add(arena, plan, name, kind->wave);

    instance->name = name;
    instance->section = kind->section;
    instance->conf_path = mx_arena_printf(arena, "%s/conf/%s.yaml", plan->dir, name);
    instance->socket = mx_arena_printf(arena, "%s/%s", plan->dir, file);
    instance->endpoint = mx_arena_printf(arena, "%s%s", kind->scheme, instance->socket);
    process->argv = argv3(arena, kind->program, "-c", instance->conf_path);
    process->socket = instance->socket;
    process->is_notifying = true;
    process->takes_sighup = true;
}

static void add_daemons(struct mx_arena *arena, struct up_plan *plan,
                        const struct up_plan_input *input)
{
    const struct daemon_kind scand = {"scand", input->scand, "ipc://", UP_WAVE_SCAND};
    const struct daemon_kind policyd = {"policyd", input->policyd, "ipc://",
                                        UP_WAVE_POLICYD};
    const struct daemon_kind milter = {"milter", input->milter, "unix:", UP_WAVE_MILTER};

    for (unsigned i = 1; i <= input->scanners; i++)
        add_daemon(arena, plan, mx_arena_printf(arena, "scand-%u", i),
                   mx_arena_printf(arena, "scand-%u.sock", i), &scand);
    for (unsigned i = 1; i <= input->policyds; i++)
        add_daemon(arena, plan, mx_arena_printf(arena, "policyd-%u", i),
                   i == 1 ? "policyd.sock" : mx_arena_printf(arena, "policyd-%u.sock", i),
                   &policyd);
    add_daemon(arena, plan, "milter", "milter.sock", &milter);
}

static void add_postfix(struct mx_arena *arena, struct up_plan *plan,
                        const struct up_postfix *postfix)
{
    struct up_process *sink = add(arena, plan, "sink", UP_WAVE_SINK), *master;

    sink->argv = up_postfix_sink_argv(arena, postfix, plan->dir);
    sink->socket = mx_arena_printf(arena, "127.0.0.1:%d", postfix->sink_port);
    master = add(arena, plan, "postfix", UP_WAVE_POSTFIX);
    master->log_path = mx_arena_printf(arena, "%s/log/maillog", plan->dir);
    master->argv = up_postfix_argv(arena, postfix, plan->dir);
    master->socket = mx_arena_printf(arena, "127.0.0.1:%d", postfix->smtp_port);
    master->takes_sighup = true;
}

static int check_socket(const char *path, const char *dir, struct mx_err *err)
{
    size_t name = strlen(path) - strlen(dir);

    if (strlen(path) <= SOCKET_PATH_MAX)
        return 0;
    return mx_err_set(
        err, MX_ERR_LIMIT,
        "%s: a UNIX socket's path may have %zu bytes: use a --dir of at most "
        "%zu",
        path, SOCKET_PATH_MAX, SOCKET_PATH_MAX - name);
}

int up_plan_make(struct mx_arena *arena, const struct up_plan_input *input,
                 struct up_plan *out, struct mx_err *err)
{
    size_t daemons = input->policyds + input->scanners + 1;
    struct up_plan plan = {
        .dir = input->dir,
        .conf_path = mx_arena_printf(arena, "%s/mxdrop.yaml", input->dir),
        .redis_conf_path = mx_arena_printf(arena, "%s/redis.conf", input->dir),
        .redis_socket = mx_arena_printf(arena, "%s/redis.sock", input->dir),
        .processes = mx_arena_array(arena, daemons + 3, sizeof(*plan.processes)),
        .instances = mx_arena_array(arena, daemons, sizeof(*plan.instances))};
    struct up_process *redis = add(arena, &plan, "redis", UP_WAVE_REDIS);

    redis->argv = argv3(arena, input->redis_server, plan.redis_conf_path, NULL);
    redis->socket = plan.redis_socket;
    redis->is_redis = true;
    add_daemons(arena, &plan, input);
    if (input->postfix)
        add_postfix(arena, &plan, input->postfix);
    for (size_t i = 0; i < plan.n_processes; i++) {
        const char *socket_path = plan.processes[i].socket;

        if (socket_path[0] == '/' && check_socket(socket_path, input->dir, err) != 0)
            return -1;
    }
    *out = plan;
    return 0;
}

/* ---- per-instance configuration ---- */

/* ["ipc://...", ...]: every policyd of the plan. */
static const char *policyd_list(struct mx_arena *arena, const struct up_plan *plan)
{
    const char *list = "";

    for (size_t i = 0; i < plan->n_instances; i++) {
        const struct up_instance *instance = &plan->instances[i];

        if (strcmp(instance->section, "policyd") == 0)
            list = mx_arena_printf(arena, "%s%s%s", list, *list ? ", " : "",
                                   up_files_quote(arena, instance->endpoint));
    }
    return mx_arena_printf(arena, "[%s]", list);
}

const char *up_plan_conf(struct mx_arena *arena, const struct up_plan *plan,
                         const struct up_instance *instance, const char *text)
{
    bool is_milter = strcmp(instance->section, "milter") == 0;
    const char *metrics =
        mx_arena_printf(arena, "\"127.0.0.1:%d\"", instance->metrics_port);

    text = mx_arena_printf(arena,
                           "# Made from %s for %s at each start and SIGHUP of mxdropctl "
                           "up: edit that one.\n%s",
                           plan->conf_path, instance->name, text);
    text = up_files_override(arena, text,
                             mx_arena_printf(arena, "%s.%s", instance->section,
                                             is_milter ? "socket" : "endpoint"),
                             up_files_quote(arena, instance->endpoint));
    text = up_files_override(
        arena, text, mx_arena_printf(arena, "%s.metrics", instance->section), metrics);
    if (is_milter)
        text =
            up_files_override(arena, text, "milter.policyd", policyd_list(arena, plan));
    return text;
}
