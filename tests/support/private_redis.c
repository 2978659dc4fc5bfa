/*
 * Starts redis-server as a child in its own process group and waits for it through its
 * socket. Everything is done through redis-cli, so that what a test checks does not
 * depend on the code under test.
 */
#include "private_redis.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "private_redis: %s: %s\n", what, strerror(errno));
    abort();
}

bool private_redis_is_installed(void)
{
    return system("command -v redis-server >/dev/null && "
                  "command -v redis-cli >/dev/null") == 0;
}

static int free_port(void)
{
    struct sockaddr_in sin = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sin, n) != 0 ||
        getsockname(fd, (struct sockaddr *)&sin, &n) != 0)
        give_up("free port");
    close(fd);
    return ntohs(sin.sin_port);
}

void private_redis_init(struct private_redis *redis)
{
    memset(redis, 0, sizeof(*redis));
    snprintf(redis->dir, sizeof(redis->dir), "/tmp/mxredis.XXXXXX");
    if (mkdtemp(redis->dir) == NULL)
        give_up("mkdtemp");
    redis->port = free_port();
    snprintf(redis->address, sizeof(redis->address), "unix:%s/s", redis->dir);
    snprintf(redis->tcp_address, sizeof(redis->tcp_address), "127.0.0.1:%d", redis->port);
    redis->settings = (struct store_redis_settings){
        .address = redis->address,
        .username = "",
        .password = redis->password,
        .timeout_ms = 2000,
        .connect_timeout_ms = 2000,
        .backoff_min_ms = 10,
        .backoff_max_ms = 50,
    };
}

static _Noreturn void become_redis(const struct private_redis *redis)
{
    char port[16], sock[96];
    snprintf(port, sizeof(port), "%d", redis->port);
    snprintf(sock, sizeof(sock), "%s/s", redis->dir);
    int log = open("/dev/null", O_WRONLY);
    dup2(log, 1);
    dup2(log, 2);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("redis-server", "redis-server", "--dir", redis->dir, "--unixsocket", sock,
           "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly",
           redis->is_kept ? "yes" : "no", "--appendfsync", "always", "--daemonize", "no",
           redis->password[0] ? "--requirepass" : NULL, redis->password, (char *)NULL);
    _exit(127);
}

static void wait_ready(struct private_redis *redis)
{
    for (int i = 0; i < 1000; i++) {
        if (strncmp(private_redis_cmd(redis, "PING"), "PONG", 4) == 0)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    give_up("redis-server does not answer");
}

void private_redis_start(struct private_redis *redis)
{
    redis->pid = fork();
    if (redis->pid < 0)
        give_up("fork");
    if (redis->pid == 0)
        become_redis(redis);
    wait_ready(redis);
}

void private_redis_kill(struct private_redis *redis)
{
    if (redis->pid <= 0)
        return;
    kill(redis->pid, SIGKILL);
    while (waitpid(redis->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    redis->pid = 0;
}

void private_redis_fini(struct private_redis *redis)
{
    char command[128];
    private_redis_kill(redis);
    snprintf(command, sizeof(command), "rm -rf %s", redis->dir);
    if (system(command) != 0)
        give_up("rm");
}

const char *private_redis_cmd(struct private_redis *redis, const char *fmt, ...)
{
    static char out[16384];
    char words[1024], command[1536];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof(words), fmt, args);
    va_end(args);
    snprintf(command, sizeof(command), "redis-cli %s%s -s %s/s %s 2>&1",
             redis->password[0] ? "--no-auth-warning -a " : "", redis->password,
             redis->dir, words);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        give_up("popen");
    size_t n = fread(out, 1, sizeof(out) - 1, pipe);
    out[n] = '\0';
    pclose(pipe);
    return out;
}

long private_redis_stat(struct private_redis *redis, const char *command,
                        const char *field)
{
    char name[64], part[32];
    snprintf(name, sizeof(name), "cmdstat_%s:", command);
    snprintf(part, sizeof(part), "%s=", field);
    const char *line = strstr(private_redis_cmd(redis, "INFO commandstats"), name);
    const char *value = line ? strstr(line, part) : NULL;
    return value ? strtol(value + strlen(part), NULL, 10) : 0;
}
