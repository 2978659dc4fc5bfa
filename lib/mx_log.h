/*
 * Log lines: one event a line, "event key=value ...", to stderr (journald adds time and
 * name; with is_stamped we add the time ourselves). Thread-safe: a line is one write(2).
 */
#ifndef MX_LOG_H
#define MX_LOG_H

#include <stdbool.h>
#include <stdint.h>

struct mx_clock;

enum mx_log_level { MX_LOG_ERROR, MX_LOG_WARN, MX_LOG_INFO, MX_LOG_DEBUG };

struct mx_log;

/**
 * mx_log_new(fd, level, is_stamped, clock):
 * Lines above ${level} are dropped. With is_stamped lines begin with an RFC 3339 time,
 * else with the "<N>" priority that journald reads.
 * Owner:  ${fd} stays the caller's; ${clock} is borrowed; free with mx_log_free.
 */
struct mx_log *mx_log_new(int fd, enum mx_log_level level, bool is_stamped,
                          const struct mx_clock *clock);
void mx_log_free(struct mx_log *log);

/** mx_log_set_level(log, level): takes effect at once, on reload. */
void mx_log_set_level(struct mx_log *log, enum mx_log_level level);

/**
 * mx_log(log, level, event, fmt, ...):
 * Write one line; values from outside are passed through mx_str_esc by the caller; what
 * is left of control characters becomes '?'. NULL ${log}: nothing.
 */
void mx_log(struct mx_log *log, enum mx_log_level level, const char *event,
            const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* One line at once, then at most one a minute, which tells how many were held back.
   Zero it; one per kind of event (and peer). Safe to share between threads. */
struct mx_throttle {
    _Atomic int64_t next_ms;
    _Atomic uint64_t held;
};
#define MX_THROTTLE_MS 60000

/** mx_log_throttled: as mx_log with " held=N" behind where lines were held back. */
void mx_log_throttled(struct mx_log *log, struct mx_throttle *throttle,
                      enum mx_log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
