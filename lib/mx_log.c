/*
 * Log lines. Each is put together in a buffer on the stack and written with one write(2)
 * of at most PIPE_BUF bytes, so lines of several threads or processes never mix and no
 * lock is held. What cannot be written (a full pipe, a closed journal) is lost: logging
 * never stops mail. No files, no rotation, no syslog: the service manager does these.
 */
#include "mx_log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_time.h"

#define LINE_MAX_BYTES 4096 /* PIPE_BUF on Linux: such a write is not split, pipe(7) */

struct mx_log {
    int fd;
    bool is_stamped;
    _Atomic int level;
    const struct mx_clock *clock;
};

struct line {
    char text[LINE_MAX_BYTES];
    size_t n; /* bytes used; one is kept for the line end */
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const int level_priorities[] = {3, 4, 6, 7}; /* sd-daemon(3) */

struct mx_log *mx_log_new(int fd, enum mx_log_level level, bool is_stamped,
                          const struct mx_clock *clock)
{
    struct mx_log *log = mx_xalloc(sizeof(*log));
    log->fd = fd;
    log->is_stamped = is_stamped;
    log->clock = clock;
    atomic_init(&log->level, (int)level);
    return log;
}

void mx_log_free(struct mx_log *log)
{
    free(log);
}

void mx_log_set_level(struct mx_log *log, enum mx_log_level level)
{
    atomic_store(&log->level, (int)level);
}

static bool is_wanted(struct mx_log *log, enum mx_log_level level)
{
    return log && (int)level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

__attribute__((format(printf, 2, 0))) static void
line_vprintf(struct line *line, const char *fmt, va_list args)
{
    size_t room = sizeof(line->text) - 1 - line->n;
    int n = vsnprintf(line->text + line->n, room, fmt, args);
    if (n > 0)
        line->n += (size_t)n < room ? (size_t)n : room - 1;
}

__attribute__((format(printf, 2, 3))) static void line_printf(struct line *line,
                                                              const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    line_vprintf(line, fmt, args);
    va_end(args);
}

/* "<6>" for journald, or "2026-01-31T12:00:00.000Z info " (RFC 3339). */
static void line_begin(struct line *line, const struct mx_log *log,
                       enum mx_log_level level)
{
    char when[32];
    struct tm utc;
    line->n = 0;
    if (!log->is_stamped) {
        line_printf(line, "<%d>", level_priorities[level]);
        return;
    }
    int64_t now_ms = mx_wall_ms(log->clock);
    time_t now_s = (time_t)(now_ms / 1000);
    gmtime_r(&now_s, &utc);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
    line_printf(line, "%s.%03dZ %s ", when, (int)(now_ms % 1000), level_names[level]);
}

static void line_write(struct line *line, const struct mx_log *log)
{
    for (size_t i = 0; i < line->n; i++)
        if ((unsigned char)line->text[i] < 0x20 || line->text[i] == 0x7f)
            line->text[i] = '?';
    line->text[line->n++] = '\n';
    int saved = errno;
    while (write(log->fd, line->text, line->n) < 0 && errno == EINTR)
        ;
    errno = saved;
}

__attribute__((format(printf, 4, 0))) static void
log_event(struct mx_log *log, enum mx_log_level level, const char *event, const char *fmt,
          va_list args, uint64_t held)
{
    struct line line;
    line_begin(&line, log, level);
    line_printf(&line, "%s%s", event, fmt[0] ? " " : "");
    line_vprintf(&line, fmt, args);
    if (held > 0)
        line_printf(&line, " held=%llu", (unsigned long long)held);
    line_write(&line, log);
}

void mx_log(struct mx_log *log, enum mx_log_level level, const char *event,
            const char *fmt, ...)
{
    if (!is_wanted(log, level))
        return;
    va_list args;
    va_start(args, fmt);
    log_event(log, level, event, fmt, args, 0);
    va_end(args);
}

/* This caller's turn to write; false: counted as held back. */
static bool throttle_pass(struct mx_throttle *throttle, int64_t now_ms)
{
    int64_t next_ms = atomic_load(&throttle->next_ms);
    if (now_ms >= next_ms && atomic_compare_exchange_strong(&throttle->next_ms, &next_ms,
                                                            now_ms + MX_THROTTLE_MS))
        return true;
    atomic_fetch_add(&throttle->held, 1);
    return false;
}

void mx_log_throttled(struct mx_log *log, struct mx_throttle *throttle,
                      enum mx_log_level level, const char *event, const char *fmt, ...)
{
    if (!is_wanted(log, level) || !throttle_pass(throttle, mx_mono_ms(log->clock)))
        return;
    uint64_t held = atomic_exchange(&throttle->held, 0);
    va_list args;
    va_start(args, fmt);
    log_event(log, level, event, fmt, args, held);
    va_end(args);
}
