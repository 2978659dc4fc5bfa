/*
 * mxdropctl up: a whole cluster on one machine, from an empty directory. Here is the
 * order of things: options, directory, ports, plan, files, start wave by wave, tell where
 * everything is, serve until told to stop, stop in reverse.
 *
 * A second start finds Redis' append-only file and the configuration of the first one. It
 * is a tool for trying, testing and demonstrating; a site runs the same programs from
 * systemd (deploy/systemd).
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_program.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "up_dir.h"
#include "up_files.h"
#include "up_plan.h"
#include "up_watch.h"

#define START_MS 120000 /* a scanner may have signatures to load */
#define STOP_MS 20000   /* draining; then SIGKILL */
#define SMTP_AUTO (-1)

extern const char up_template_mxdrop[];
extern const char up_template_redis[];
extern const char up_template_signature[];

struct up_options {
    struct ctl *ctl;
    const char *dir;
    int64_t policyds, scanners;
    int64_t smtp; /* port; 0: no Postfix; SMTP_AUTO */
    bool wants_restart;
    bool is_init; /* write the files and end */
};

struct up {
    const struct up_options *o;
    struct mx_arena *arena;
    const char *dir;
    int lock_fd;
    int64_t began_ms;
    int held[2]; /* listening descriptors of ports that are promised; -1 none */
    struct up_postfix postfix;
    bool has_postfix;
    struct up_plan plan;
    struct up_watch *watch;
};

/* ---- options ---- */

enum {
    OPT_DIR = 256,
    OPT_SCANNERS,
    OPT_POLICYDS,
    OPT_SMTP,
    OPT_RESTART,
    OPT_NO_RESTART,
    OPT_INIT
};

static const struct argp_option options[] = {
    {"dir", OPT_DIR, "DIR", 0,
     "Where everything is kept (default ./mxdrop-up); for Postfix "
     "every directory above it must be passable",
     1},
    {"scanners", OPT_SCANNERS, "N", 0, "How many mxdrop-scand (default 2)", 1},
    {"policyds", OPT_POLICYDS, "N", 0, "How many mxdrop-policyd (default 1)", 1},
    {"smtp", OPT_SMTP, "PORT", 0,
     "Where Postfix listens on 127.0.0.1 (default: a free "
     "port from 2525 on); 0: no Postfix",
     1},
    {"restart", OPT_RESTART, NULL, 0, "Start again what dies (default)", 1},
    {"no-restart", OPT_NO_RESTART, NULL, 0, "Leave it down until SIGUSR1", 1},
    {"init", OPT_INIT, NULL, 0, "Write the configuration and end, to edit it first", 1},
    {0},
};

static error_t take_number(struct argp_state *state, const char *arg, int64_t max,
                           int64_t *out)
{
    int64_t min = out == &((struct up_options *)state->input)->smtp ? 0 : 1;

    if (mx_str_to_int(mx_str(arg), min, max, out, NULL) != 0)
        argp_error(state, "%s: a number from %d to %d is wanted", arg, (int)min,
                   (int)max);
    return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct up_options *o = state->input;

    switch (key) {
    case OPT_DIR: o->dir = arg; return 0;
    case OPT_SCANNERS: return take_number(state, arg, UP_INSTANCES_MAX, &o->scanners);
    case OPT_POLICYDS: return take_number(state, arg, UP_INSTANCES_MAX, &o->policyds);
    case OPT_SMTP: return take_number(state, arg, 65535, &o->smtp);
    case OPT_RESTART: o->wants_restart = true; return 0;
    case OPT_NO_RESTART: o->wants_restart = false; return 0;
    case OPT_INIT: o->is_init = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .doc = "A whole cluster on this machine: Redis, policyd, scanners, milter, and a "
           "private "
           "Postfix where that is installed and we are root.\v"
           "Runs until Ctrl-C or SIGTERM and stops everything then. SIGHUP reloads "
           "mxdrop.yaml, SIGUSR1 starts what is down. DIR/up.json tells programs where "
           "everything listens, as soon as all is ready."};

/* ---- Postfix: whether and where ---- */

/* DIR is ours; one made by mktemp is closed even to pass. */
static void let_pass(const char *dir)
{
    struct stat st;

    if (geteuid() == 0 && stat(dir, &st) == 0 && !(st.st_mode & S_IXOTH) &&
        chmod(dir, (st.st_mode & 07777) | 0011) != 0)
        return; /* up_postfix_find says what follows from it */
}

/* Held until Postfix and the sink want them: preparing Postfix takes a second or two. */
static int choose_ports(struct up *up, struct mx_err *err)
{
    int port = (int)up->o->smtp;

    if (up->o->smtp == SMTP_AUTO) {
        if (up_plan_free_port(UP_SMTP_FIRST, &port, &up->held[0], err) != 0)
            return -1;
    } else if ((up->held[0] = up_plan_hold_port(port)) < 0) {
        return mx_err_set(err, MX_ERR_INPUT,
                          "port %d of 127.0.0.1 is in use: choose another with --smtp",
                          port);
    }
    up->postfix.smtp_port = port;
    return up_plan_free_port(0, &up->postfix.sink_port, &up->held[1], err);
}

static void release_ports(struct up *up)
{
    for (size_t i = 0; i < sizeof(up->held) / sizeof(up->held[0]); i++) {
        if (up->held[i] >= 0)
            close(up->held[i]);
        up->held[i] = -1;
    }
}

static int choose_postfix(struct up *up, struct mx_err *err)
{
    const char *why;

    if (up->o->smtp == 0)
        return 0;
    let_pass(up->dir);
    if (up_postfix_find(up->arena, up->dir, &up->postfix, &why)) {
        up->has_postfix = true;
        return choose_ports(up, err);
    }
    if (up->o->smtp != SMTP_AUTO)
        return mx_err_set(err, MX_ERR_INPUT, "no Postfix on port %d: %s",
                          (int)up->o->smtp, why);
    fprintf(up->o->ctl->info,
            "No Postfix here (%s): the SMTP part is skipped. Speak milter "
            "to unix:%s/milter.sock.\n",
            why, up->dir);
    return 0;
}

/* ---- plan and files ---- */

static int make_plan(struct up *up, struct mx_err *err)
{
    struct up_plan_input input = {.dir = up->dir,
                                  .policyds = (unsigned)up->o->policyds,
                                  .scanners = (unsigned)up->o->scanners,
                                  .postfix = up->has_postfix ? &up->postfix : NULL};
    int port = up->postfix.sink_port; /* each behind the last: none is given twice */

    if (ctl_program_find(up->arena, "redis-server", &input.redis_server, err) != 0 ||
        ctl_program_find(up->arena, "mxdrop-policyd", &input.policyd, err) != 0 ||
        ctl_program_find(up->arena, "mxdrop-scand", &input.scand, err) != 0 ||
        ctl_program_find(up->arena, "mxdrop-milter", &input.milter, err) != 0 ||
        up_plan_make(up->arena, &input, &up->plan, err) != 0)
        return -1;
    for (size_t i = 0; i < up->plan.n_instances; i++) {
        if (up_plan_free_port(port ? port + 1 : 0, &port, NULL, err) != 0)
            return -1;
        up->plan.instances[i].metrics_port = port;
    }
    return 0;
}

/* mxdrop.yaml, redis.conf, the test signature: whoever edited them keeps them. */
static int write_kept(struct up *up, struct mx_err *err)
{
    const struct up_var vars[] = {
        {"DIR", up->dir}, {"IS_ROOT", geteuid() == 0 ? "true" : "false"}, {0}};
    const char *conf, *redis;
    bool kept_conf, kept_redis, kept_signature;

    if (up_files_render(up->arena, up_template_mxdrop, vars, UP_QUOTED, &conf, err) !=
            0 ||
        up_files_render(up->arena, up_template_redis, vars, UP_QUOTED, &redis, err) !=
            0 ||
        up_files_keep(up->arena, up->plan.conf_path, conf, &kept_conf, err) != 0 ||
        up_files_keep(up->arena, up->plan.redis_conf_path, redis, &kept_redis, err) !=
            0 ||
        up_files_keep(
            up->arena,
            mx_arena_printf(up->arena, "%s/signatures/mxdrop-test.ndb", up->dir),
            up_template_signature, &kept_signature, err) != 0)
        return -1;
    if (kept_conf || kept_redis)
        fprintf(up->o->ctl->info, "%s%s%s of an earlier start: kept as %s.\n",
                kept_conf ? up->plan.conf_path : "",
                kept_conf && kept_redis ? " and " : "",
                kept_redis ? up->plan.redis_conf_path : "",
                kept_conf && kept_redis ? "they are" : "it is");
    return 0;
}

/* The copies that the processes run from. */
static int write_copies(struct up *up, struct mx_err *err)
{
    struct mx_arena *scratch = mx_arena_new((size_t)256 << 20);
    const char *text;
    int status = up_files_read(scratch, up->plan.conf_path, &text, err);

    for (size_t i = 0; status == 0 && i < up->plan.n_instances; i++) {
        const struct up_instance *instance = &up->plan.instances[i];

        status =
            up_files_write(scratch, instance->conf_path,
                           up_plan_conf(scratch, &up->plan, instance, text), 0640, err);
    }
    mx_arena_free(scratch);
    return status;
}

static void on_reload(void *user)
{
    struct up *up = user;
    struct mx_err err;

    if (write_copies(up, &err) != 0)
        fprintf(up->o->ctl->info, "mxdropctl: reload: %s\n", err.text);
}

/* ---- telling ---- */

static void print_json(struct up *up, struct mx_buf *out)
{
    struct mx_arena *arena = up->arena;
    const char *comma = "";

    mx_buf_printf(out, "{\"dir\":%s,\"pid\":%ld,\"config\":%s,\"redis\":%s,\"smtp\":%s,",
                  mx_str_json(arena, mx_str(up->dir)), (long)getpid(),
                  mx_str_json(arena, mx_str(up->plan.conf_path)),
                  mx_str_json(arena, mx_str(up->plan.redis_socket)),
                  up->has_postfix
                      ? mx_arena_printf(arena, "\"127.0.0.1:%d\"", up->postfix.smtp_port)
                      : "null");
    mx_buf_printf(
        out, "\"sink\":%s,\"processes\":{",
        up->has_postfix
            ? mx_str_json(arena, mx_str(mx_arena_printf(arena, "%s/sink", up->dir)))
            : "null");
    for (size_t i = 0; i < up->plan.n_instances; i++) {
        const struct up_instance *instance = &up->plan.instances[i];

        mx_buf_printf(out, "%s\"%s\":{\"endpoint\":%s,\"metrics\":\"127.0.0.1:%d\"}",
                      comma, instance->name,
                      mx_str_json(arena, mx_str(instance->endpoint)),
                      instance->metrics_port);
        comma = ",";
    }
    mx_buf_str(out, "}}\n");
}

static int write_json(struct up *up, struct mx_err *err)
{
    struct mx_buf text = {0};
    int status;

    print_json(up, &text);
    status = up_files_write(up->arena, mx_arena_printf(up->arena, "%s/up.json", up->dir),
                            text.p, 0644, err);
    mx_buf_fini(&text);
    return status;
}

static void print_endpoints(const struct up *up, double seconds)
{
    FILE *out = up->o->ctl->out;

    fprintf(out, "mxdrop is up in %s (%.1f s); Ctrl-C stops it.\n", up->dir, seconds);
    fprintf(out, "  %-10s %s\n", "config", up->plan.conf_path);
    fprintf(out, "  %-10s unix:%s\n", "redis", up->plan.redis_socket);
    for (size_t i = 0; i < up->plan.n_instances; i++) {
        const struct up_instance *instance = &up->plan.instances[i];

        fprintf(out, "  %-10s %s   http://127.0.0.1:%d/metrics\n", instance->name,
                instance->endpoint, instance->metrics_port);
    }
    if (up->has_postfix) {
        fprintf(out, "  %-10s 127.0.0.1:%d for demo.example; delivered mail: %s/sink\n",
                "smtp", up->postfix.smtp_port, up->dir);
        fprintf(out,
                "Try: swaks --server 127.0.0.1:%d --from me@sender.example --to "
                "you@demo.example\n",
                up->postfix.smtp_port);
    }
    fprintf(out, "Try: mxdropctl -c %s status\n", up->plan.conf_path);
    fflush(out);
}

/* ---- the run ---- */

static int prepare(struct up *up, struct mx_err *err)
{
    if (choose_postfix(up, err) != 0 || make_plan(up, err) != 0 ||
        write_kept(up, err) != 0 || write_copies(up, err) != 0)
        return -1;
    if (up->o->is_init)
        return 0;
    if (up_dir_end_earlier(up->arena, up->dir, err) != 0)
        return -1;
    return up->has_postfix ? up_postfix_prepare(up->arena, &up->postfix, up->dir, err)
                           : 0;
}

static int start_all(struct up *up, struct mx_err *err)
{
    for (unsigned wave = 0; wave < UP_WAVES; wave++) {
        if (wave == UP_WAVE_SINK)
            release_ports(up);
        if (up_watch_start(up->watch, wave, START_MS, err) != 0)
            return -1;
    }
    if (write_json(up, err) != 0)
        return -1;
    print_endpoints(up, (double)(mx_mono_ms(&mx_clock_real) - up->began_ms) / 1000);
    return 0;
}

/* Start, serve, stop. A signal while starting is a wish, not a failure. */
static int run(struct up *up, struct mx_err *err)
{
    struct ctl *ctl = up->o->ctl;
    struct up_watch_options watch = {.processes = up->plan.processes,
                                     .n = up->plan.n_processes,
                                     .clock = &mx_clock_real,
                                     .wants_restart = up->o->wants_restart,
                                     .info = ctl->info,
                                     .is_progress = ctl->is_progress,
                                     .on_reload = on_reload,
                                     .user = up};
    int guard = up_dir_guard(up->arena, up->dir, up->lock_fd, err), status;

    if (guard < 0)
        return -1;
    if (up_watch_open(&watch, &up->watch, err) != 0) {
        up_dir_unguard(guard);
        return -1;
    }
    status = start_all(up, err);
    if (status == 0)
        up_watch_serve(up->watch);
    else if (up_watch_was_told(up->watch))
        status = 0;
    if (ctl->is_progress)
        fprintf(ctl->info, "stopping\n");
    up_watch_stop(up->watch, STOP_MS);
    up_watch_close(up->watch);
    up_dir_unguard(guard);
    return status;
}

int cmd_up(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct up_options o = {.ctl = ctl,
                           .dir = "mxdrop-up",
                           .policyds = 1,
                           .scanners = 2,
                           .smtp = SMTP_AUTO,
                           .wants_restart = true};
    struct up up = {.o = &o,
                    .arena = ctl->arena,
                    .began_ms = mx_mono_ms(&mx_clock_real),
                    .held = {-1, -1}};
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (up_dir_open(ctl->arena, o.dir, &up.dir, &up.lock_fd, err) != 0)
        return mx_err_wrap(err, "up");
    status = prepare(&up, err);
    if (status == 0 && o.is_init)
        fprintf(ctl->out, "%s\n", up.plan.conf_path);
    else if (status == 0)
        status = run(&up, err);
    release_ports(&up);
    up_dir_close(ctl->arena, up.dir, up.lock_fd);
    return status == 0 ? 0 : mx_err_wrap(err, "up");
}
