/*
 * replay_run SCRIPT.rpl: runs one replay script; README.md describes the language. This
 * file reads the script, sets the world up (temporary directory, fake clock, store in
 * memory, log into a file) and does the commands that take a block of lines; the others
 * are in replay_steps.c.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_conf.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_log.h"
#include "mx_metric.h"
#include "policy_chain.h"
#include "policy_maps.h"
#include "policy_request.h"
#include "policyd_conf.h"
#include "replay.h"
#include "store_mem.h"

#define SCRIPT_MAX (1u << 20)
#define LOG_MAX 65536
#define START_MS 1700000000000 /* the clock of every script begins here */

static void remove_dir(const char *path)
{
    struct dirent *entry;
    DIR *dir = opendir(path);
    while (dir && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

void replay_fail(const struct replay *replay, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "%s:%u: ", replay->path, replay->line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\n");
    remove_dir(replay->dir);
    exit(1);
}

const char *replay_log(struct replay *replay)
{
    char *text = mx_arena_alloc(replay->arena, LOG_MAX + 1);
    ssize_t n = pread(replay->log_fd, text, LOG_MAX, replay->log_from);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

/* ---- blocks ------------------------------------------------------------------------ */

/* Lines up to "end"; ${indent} spaces are put before each, $DIR is filled in. */
static void take_block(struct replay *replay, struct mx_str *rest, const char *indent,
                       struct mx_buf *out)
{
    struct mx_str line;
    while (mx_str_next(rest, '\n', &line) == 0) {
        replay->line++;
        if (mx_str_eq(mx_str_trim(line), MX_STR("end")))
            return;
        mx_buf_str(out, indent);
        ptrdiff_t at;
        while ((at = mx_str_find(line, MX_STR("$DIR"))) >= 0) {
            mx_buf_add(out, line.p, (size_t)at);
            mx_buf_str(out, replay->dir);
            line = mx_str_sub(line, (size_t)at + 4, line.n);
        }
        mx_buf_add(out, line.p, line.n);
        mx_buf_str(out, "\n");
    }
    replay_fail(replay, "a block without 'end'");
}

static void write_file(struct replay *replay, const char *name, const struct mx_buf *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", replay->dir, name);
    FILE *f = fopen(path, "w");
    if (f == NULL || (text->n && fwrite(text->p, text->n, 1, f) != 1) || fclose(f) != 0)
        replay_fail(replay, "%s: cannot write", path);
}

static int load(struct replay *replay, struct mx_conf **out_conf,
                struct policy_chain **out_chain, struct mx_err *err)
{
    const struct mx_conf_section *sections[] = {replay->section, NULL};
    struct policy_chain_env env = {.clock = &replay->clock.clock,
                                   .log = replay->log,
                                   .metrics = replay->metrics,
                                   .health = replay->health,
                                   .files = replay->files,
                                   .store_timeout_ms = 50};
    struct mx_conf *conf;
    char path[128];
    snprintf(path, sizeof(path), "%s/conf.yaml", replay->dir);
    if (mx_conf_load(path, sections, mx_daemon_section_names, &conf, err) < 0)
        return -1;
    if (policy_chain_new(conf, &env, out_chain, err) < 0) {
        mx_conf_free(conf);
        return -1;
    }
    *out_conf = conf;
    return 0;
}

/* "config": section policyd; as in a daemon, a bad one leaves the old chain in use. */
static void do_config(struct replay *replay, struct mx_str arg, struct mx_str *rest)
{
    struct mx_buf text = {0};
    struct mx_err err;
    struct mx_conf *conf;
    struct policy_chain *chain;
    bool wants_failure = mx_str_starts(arg, MX_STR("fails"));
    mx_buf_str(&text, "policyd:\n  in_flight: 4096\n");
    take_block(replay, rest, "  ", &text);
    write_file(replay, "conf.yaml", &text);
    mx_buf_fini(&text);
    int result = load(replay, &conf, &chain, &err);
    if (wants_failure) {
        struct mx_str wanted = mx_str_trim(mx_str_sub(arg, 5, arg.n));
        if (result == 0 || mx_str_find(mx_str(err.text), wanted) < 0)
            replay_fail(replay, "expected a failure with '%.*s', got: %s",
                        MX_STR_FMT(wanted), result == 0 ? "success" : err.text);
        return;
    }
    if (result < 0)
        replay_fail(replay, "config: %s", err.text);
    policy_chain_unref(replay->chain);
    mx_conf_free(replay->conf);
    replay->chain = chain;
    replay->conf = conf;
}

static void do_file(struct replay *replay, struct mx_str arg, struct mx_str *rest)
{
    struct mx_buf text = {0};
    take_block(replay, rest, "", &text);
    write_file(replay, mx_str_cstr(replay->arena, arg), &text);
    mx_buf_fini(&text);
}

/* ---- the world ------------------------------------------------------------------------
 */

static void set_up(struct replay *replay, const char *path)
{
    *replay = (struct replay){.path = path};
    snprintf(replay->dir, sizeof(replay->dir), "/tmp/mxreplay.XXXXXX");
    if (mkdtemp(replay->dir) == NULL)
        replay_fail(replay, "mkdtemp failed");
    char log_path[128];
    snprintf(log_path, sizeof(log_path), "%s/log", replay->dir);
    replay->log_fd = open(log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    mx_clock_fake_init(&replay->clock, START_MS);
    replay->arena = mx_arena_new(POLICY_ARENA_MAX);
    replay->log = mx_log_new(replay->log_fd, MX_LOG_DEBUG, false, &replay->clock.clock);
    replay->metrics = mx_metrics_new();
    replay->health = mx_health_new();
    replay->section = policyd_conf_section_new();
    replay->files = policy_map_files_new();
    replay->store = store_mem_new(&replay->clock.clock);
}

static void tear_down(struct replay *replay)
{
    policy_chain_unref(replay->chain);
    mx_conf_free(replay->conf);
    store_free(replay->store);
    policy_map_files_free(replay->files);
    policyd_conf_section_free(replay->section);
    mx_health_free(replay->health);
    mx_metrics_free(replay->metrics);
    mx_log_free(replay->log);
    mx_arena_free(replay->arena);
    close(replay->log_fd);
    remove_dir(replay->dir);
}

static void run_script(struct replay *replay, struct mx_str text)
{
    struct mx_str line;
    while (mx_str_next(&text, '\n', &line) == 0) {
        replay->line++;
        line = mx_str_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        ptrdiff_t space = mx_str_chr(line, ' ');
        struct mx_str command = space < 0 ? line : mx_str_sub(line, 0, (size_t)space);
        struct mx_str arg = mx_str_trim(mx_str_sub(line, command.n, line.n));
        if (mx_str_eq(command, MX_STR("config")))
            do_config(replay, arg, &text);
        else if (mx_str_eq(command, MX_STR("file")))
            do_file(replay, arg, &text);
        else
            replay_step(replay, command, arg);
    }
}

int main(int argc, char **argv)
{
    static char script[SCRIPT_MAX];
    struct replay replay;
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (f == NULL) {
        fprintf(stderr, "usage: replay_run SCRIPT.rpl (which must exist)\n");
        return 2;
    }
    size_t n = fread(script, 1, sizeof(script), f);
    fclose(f);
    set_up(&replay, argv[1]);
    run_script(&replay, mx_str_of(script, n));
    if (replay.n_marks == 0 && replay.round_trips == 0 && replay.reply == NULL)
        replay_fail(&replay, "the script asked nothing");
    tear_down(&replay);
    return 0;
}
