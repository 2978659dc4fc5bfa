/*
 * Engine parents, as the supervisor sees them. At most one is loading and one serving;
 * others are on their way out. A reload starts a new one; when it is ready it takes over,
 * and the old one ends with its last worker. When it fails, or comes up with less than
 * the old one had (no signatures any more), or its rules do not pass their trial
 * (sup_trial), the old one stays and we say so.
 *
 * Each gets the settings as a file of its own in its temporary directory, written from
 * the snapshot that was checked: what somebody is just typing into the configuration
 * file cannot take a scanner down when an engine has to be started again.
 */
#include "supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine.h"
#include "engine_link.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "sup_plan.h"
#include "temp_tree.h"

/* To load and be tried: full signatures take over a minute on a slow disk, and each side
   of a trial has ENGINE_TRIAL_S. */
#define LOAD_MS (15 * 60 * 1000)

static void engine_free(struct sup_engine *engine)
{
    struct supervisor *sup = engine->sup;
    for (size_t i = 0; i < SUP_ENGINES_MAX; i++)
        if (sup->engines[i] == engine)
            sup->engines[i] = NULL;
    temp_tree_remove(engine->temp_dir);
    free(engine->temp_dir);
    mx_conf_free(engine->conf);
    free(engine);
}

static void on_closed(uv_handle_t *handle)
{
    struct sup_engine *engine = handle->data;
    if (--engine->handles == 0)
        engine_free(engine);
}

static void close_channel(struct sup_engine *engine)
{
    if (engine->fd < 0)
        return;
    uv_poll_stop(&engine->poll);
    uv_close((uv_handle_t *)&engine->poll, on_closed);
    close(engine->fd);
    engine->fd = -1;
}

void sup_engine_retire(struct sup_engine *engine)
{
    engine->state = ENGINE_RETIRING;
    if (engine->sup->serving == engine)
        engine->sup->serving = NULL;
    if (engine->workers == 0)
        close_channel(engine);
}

void sup_engine_worker_gone(struct sup_engine *engine)
{
    engine->workers--;
    if (engine->workers == 0 && engine->state == ENGINE_RETIRING)
        close_channel(engine);
}

static struct sup_engine *find_loading(const struct supervisor *sup)
{
    for (size_t i = 0; i < SUP_ENGINES_MAX; i++)
        if (sup->engines[i] != NULL && sup->engines[i]->state == ENGINE_LOADING)
            return sup->engines[i];
    return NULL;
}

static void count_failure(struct supervisor *sup)
{
    sup->engine_failures++;
    int64_t wait_ms = sup_backoff_ms(sup->engine_failures + 2); /* never at once */
    sup->engine_after_ms = mx_mono_ms(sup->clock) + wait_ms;
}

/* The settings that the new engine brings, where it brings any. */
static void take_settings(struct supervisor *sup, struct sup_engine *engine)
{
    if (engine->conf == NULL)
        return;
    const struct scan_conf *old = sup->conf, *new = mx_conf_get(engine->conf, "scand");
    if (strcmp(old->endpoint, new->endpoint) != 0 ||
        strcmp(old->public_key, new->public_key) != 0 ||
        strcmp(old->advertise, new->advertise) != 0 ||
        strcmp(old->node, new->node) != 0 || old->max_body != new->max_body)
        mx_log(sup->log, MX_LOG_WARN, "reload.partly",
               "keys=\"endpoint, advertise, public_key, node, max_body\" "
               "action=\"these change with a restart only\"");
    mx_conf_free(sup->own_conf);
    sup->own_conf = engine->conf;
    engine->conf = NULL;
    sup->conf = new;
    sup_status_resize(sup);
}

/* "signatures LF rules LF fault LF ..." */
static void read_ready(struct sup_engine *engine, const char *text)
{
    struct mx_str rest = mx_str(text), line;
    char *const fields[] = {engine->signatures, engine->rules};
    for (size_t i = 0; i < 2 && mx_str_next(&rest, '\n', &line) == 0; i++)
        snprintf(fields[i], SUP_TEXT_MAX, "%.*s", MX_STR_FMT(line));
    while (mx_str_next(&rest, '\n', &line) == 0) {
        if (line.n == 0)
            continue;
        size_t n = strlen(engine->faults);
        snprintf(engine->faults + n, sizeof(engine->faults) - n, "%s%.*s",
                 n > 0 ? "; " : "", MX_STR_FMT(line));
        engine->n_faults++;
    }
}

static bool is_worse(const struct sup_engine *engine, const struct sup_engine *serving)
{
    return serving != NULL && engine->n_faults > serving->n_faults;
}

void sup_engine_take(struct sup_engine *engine)
{
    struct supervisor *sup = engine->sup;
    struct sup_engine *old = sup->serving;
    take_settings(sup, engine);
    sup->engine_failures = 0;
    engine->state = ENGINE_SERVING;
    sup->serving = engine;
    mx_log(sup->log, engine->n_faults > 0 ? MX_LOG_ERROR : MX_LOG_INFO, "engine.ready",
           "generation=%u pid=%d ms=%lld signatures=\"%s\" rules=\"%s\" faults=\"%s\"",
           engine->generation, engine->process.pid,
           (long long)(mx_mono_ms(sup->clock) - engine->started_ms), engine->signatures,
           engine->rules, engine->faults);
    mx_counter_add(sup->metrics.reloads, old != NULL);
    if (old != NULL)
        sup_engine_retire(old);
    sup_status_gauges(sup);
    sup_workers_retire(sup);
    sup_workers_fill(sup);
}

static void on_ready(struct sup_engine *engine, const char *text)
{
    struct supervisor *sup = engine->sup;
    struct sup_engine *old = sup->serving;
    read_ready(engine, text);
    if (is_worse(engine, old)) {
        mx_counter_add(sup->metrics.reload_failures, 1);
        mx_log(sup->log, MX_LOG_ERROR, "reload.refused",
               "generation=%u faults=\"%s\" action=\"generation %u keeps serving\"",
               engine->generation, engine->faults, old->generation);
        sup_engine_retire(engine);
        return;
    }
    if (!sup_trial_begin(engine))
        sup_engine_take(engine);
}

static void on_failed(struct sup_engine *engine, const char *why)
{
    struct supervisor *sup = engine->sup;
    mx_counter_add(sup->metrics.reload_failures, 1);
    mx_log(sup->log, MX_LOG_ERROR, "engine.failed",
           "generation=%u reason=\"%s\" action=\"%s\"", engine->generation, why,
           sup->serving ? "the old one keeps serving" : "trying again");
    if (sup->serving == NULL)
        count_failure(sup);
    sup_engine_retire(engine);
}

static void on_record(struct sup_engine *engine, const struct engine_msg *msg)
{
    switch (msg->word) {
    case ENGINE_READY:
        if (engine->state == ENGINE_LOADING)
            on_ready(engine, msg->text);
        break;
    case ENGINE_FAILED:
        if (engine->state == ENGINE_LOADING)
            on_failed(engine, msg->text);
        break;
    case ENGINE_BORN: sup_worker_born(engine->sup, msg->slot, msg->pid); break;
    case ENGINE_GONE: sup_worker_status(engine->sup, msg->pid, msg->status); break;
    case ENGINE_TRIED: sup_trial_told(engine, msg); break;
    default: break;
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct sup_engine *engine = poll->data;
    struct engine_msg msg;
    struct mx_err err = {0};
    int pass = -1;
    while (engine->fd >= 0 && engine_msg_recv(engine->fd, &msg, &pass, &err) == 0) {
        if (pass >= 0)
            close(pass);                  /* an engine has nothing to pass */
        for (char *p = msg.text; *p; p++) /* it stands in quotes in the log */
            *p = *p == '"' ? '\'' : *p;
        on_record(engine, &msg);
    }
    if (engine->fd >= 0 && err.code != MX_ERR_TIMEOUT)
        close_channel(engine); /* its end is told by on_exit */
}

static void on_exit_process(uv_process_t *process, int64_t status, int signal)
{
    struct sup_engine *engine = process->data;
    struct supervisor *sup = engine->sup;
    engine->is_running = false;
    bool was_serving = engine->state == ENGINE_SERVING;
    if (engine->state == ENGINE_LOADING)
        on_failed(engine, "it died while loading");
    mx_log(sup->log, was_serving ? MX_LOG_ERROR : MX_LOG_INFO, "engine.ended",
           "generation=%u status=%lld signal=%d", engine->generation, (long long)status,
           signal);
    if (was_serving) {
        sup_engine_retire(engine);
        count_failure(sup);
    }
    sup_trial_lost(engine);
    sup_workers_drop(sup, engine); /* the kernel has killed them */
    close_channel(engine);
    uv_close((uv_handle_t *)process, on_closed);
}

static int write_settings(const struct mx_conf *conf, const char *path,
                          struct mx_err *err)
{
    struct mx_buf text = {0};
    mx_conf_dump(conf, false, &text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool is_written = file != NULL && fwrite(text.p, 1, text.n, file) == text.n;
    if (file != NULL && fclose(file) != 0)
        is_written = false;
    mx_buf_fini(&text);
    return is_written ? 0 : mx_err_errno(err, "%s", path);
}

static int run_process(struct sup_engine *engine, int channel, const char *settings,
                       struct mx_err *err)
{
    struct supervisor *sup = engine->sup;
    char program[] = "mxdrop-scand", word[] = ENGINE_ARG;
    char *args[] = {program,          word, (char *)(uintptr_t)settings, sup->node,
                    engine->temp_dir, NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = channel},
    };
    uv_process_options_t options = {
        .file = "/proc/self/exe", /* the program we are, even when it was replaced */
        .args = args,
        .stdio = stdio,
        .stdio_count = ENGINE_FD + 1,
        .exit_cb = on_exit_process,
    };
    int rc = uv_spawn(&sup->loop, &engine->process, &options);
    engine->process.data = engine;
    engine->handles++;
    if (rc == 0)
        return 0;
    uv_close((uv_handle_t *)&engine->process, on_closed);
    return mx_err_set(err, MX_ERR_SYSTEM, "starting an engine: %s", uv_strerror(rc));
}

static int launch(struct sup_engine *engine, struct mx_err *err)
{
    struct supervisor *sup = engine->sup;
    const struct mx_conf *conf = engine->conf    ? engine->conf
                                 : sup->own_conf ? sup->own_conf
                                                 : sup->env->conf;
    const struct scan_conf *scan = mx_conf_get(conf, "scand");
    engine->temp_dir = temp_tree_make(scan->temp_dir, err);
    if (engine->temp_dir == NULL)
        return -1;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return mx_err_errno(err, "socketpair");
    struct mx_buf path = {0};
    mx_buf_printf(&path, "%s/settings.yaml", engine->temp_dir);
    int rc = write_settings(conf, path.p, err);
    if (rc == 0)
        rc = run_process(engine, pair[1], path.p, err);
    mx_buf_fini(&path);
    close(pair[1]);
    if (rc < 0) {
        close(pair[0]);
        return -1;
    }
    engine->is_running = true;
    engine->fd = pair[0];
    uv_poll_init(&sup->loop, &engine->poll, engine->fd);
    engine->poll.data = engine;
    engine->handles++;
    uv_poll_start(&engine->poll, UV_READABLE | UV_DISCONNECT, on_readable);
    uint64_t fingerprint = 0; /* stays 0 while there is no directory */
    sup_watch_read(scan->clamav.signatures, &fingerprint, NULL);
    sup_watch_loaded(&sup->watch, fingerprint);
    return 0;
}

/* A place in the list, or NULL: too many on their way out. */
static struct sup_engine **free_place(struct supervisor *sup)
{
    for (size_t i = 0; i < SUP_ENGINES_MAX; i++)
        if (sup->engines[i] == NULL)
            return &sup->engines[i];
    return NULL;
}

void sup_engine_start(struct supervisor *sup, struct mx_conf *conf)
{
    struct sup_engine **place = free_place(sup);
    if (find_loading(sup) != NULL || place == NULL) {
        sup->is_reload_wanted = true;
        if (conf != NULL) {
            mx_conf_free(sup->wanted_conf);
            sup->wanted_conf = conf;
        }
        return;
    }
    struct mx_err err = {0};
    struct sup_engine *engine = mx_xalloc(sizeof(*engine));
    engine->sup = sup;
    engine->fd = -1;
    engine->conf = conf;
    engine->generation = ++sup->generation;
    engine->started_ms = mx_mono_ms(sup->clock);
    *place = engine;
    mx_log(sup->log, MX_LOG_INFO, "engine.loading", "generation=%u", engine->generation);
    if (launch(engine, &err) == 0)
        return;
    on_failed(engine, err.text);
    if (engine->handles == 0)
        engine_free(engine);
}

void sup_engine_kill(struct sup_engine *engine)
{
    mx_log(engine->sup->log, MX_LOG_ERROR, "engine.stuck", "generation=%u action=killed",
           engine->generation);
    if (engine->is_running)
        uv_process_kill(&engine->process, SIGKILL);
}

static void watch_signatures(struct supervisor *sup, int64_t now_ms)
{
    uint64_t fingerprint = 0;
    if (sup->conf->reload_interval_ms == 0 || now_ms < sup->watch_next_ms)
        return;
    sup->watch_next_ms = now_ms + sup->conf->reload_interval_ms;
    if (sup->serving == NULL ||
        sup_watch_read(sup->conf->clamav.signatures, &fingerprint, NULL) < 0)
        return; /* that it is missing is the engine's to say */
    if (sup_watch_changed(&sup->watch, fingerprint)) {
        mx_log(sup->log, MX_LOG_INFO, "reload.signatures", "dir=%s",
               sup->conf->clamav.signatures);
        sup_engine_start(sup, NULL);
    }
}

void sup_engines_tick(struct supervisor *sup)
{
    int64_t now_ms = mx_mono_ms(sup->clock);
    struct sup_engine *loading = find_loading(sup);
    if (loading != NULL && now_ms > loading->started_ms + LOAD_MS)
        sup_engine_kill(loading);
    if (loading == NULL && sup->is_reload_wanted && free_place(sup) != NULL) {
        struct mx_conf *conf = sup->wanted_conf;
        sup->is_reload_wanted = false;
        sup->wanted_conf = NULL;
        sup_engine_start(sup, conf);
    } else if (loading == NULL && sup->serving == NULL &&
               now_ms >= sup->engine_after_ms) {
        sup_engine_start(sup, NULL);
    }
    watch_signatures(sup, now_ms);
}

void sup_engines_stop(struct supervisor *sup)
{
    sup_trial_stop(sup);
    for (size_t i = 0; i < SUP_ENGINES_MAX; i++)
        if (sup->engines[i] != NULL)
            sup_engine_retire(sup->engines[i]);
}
