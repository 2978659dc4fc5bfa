/* Clocks, deadlines, and the texts of durations and sizes. */
#ifndef MX_TIME_H
#define MX_TIME_H

#include <stdint.h>

#include "mx_str.h"

/* A clock is passed in, so that a test can own time. */
struct mx_clock {
    int64_t (*mono_ms)(const struct mx_clock *clock); /* never goes back */
    int64_t (*wall_ms)(const struct mx_clock *clock); /* since 1970, UTC */
    void *state;                                      /* of a fake clock */
};

/** mx_clock_real: the system's clocks. */
extern const struct mx_clock mx_clock_real;

struct mx_clock_fake {
    struct mx_clock clock; /* pass &fake->clock around */
    int64_t now_ms;        /* both readings; set by the test */
};

/** mx_clock_fake_init(fake, now_ms): a clock that stands still at ${now_ms}. */
void mx_clock_fake_init(struct mx_clock_fake *fake, int64_t now_ms);

static inline int64_t mx_mono_ms(const struct mx_clock *clock)
{
    return clock->mono_ms(clock);
}

static inline int64_t mx_wall_ms(const struct mx_clock *clock)
{
    return clock->wall_ms(clock);
}

/** mx_mono_us(): real monotonic microseconds, for cost metrics only. */
int64_t mx_mono_us(void);

/** mx_cpu_ns(): CPU time of the calling thread, to see where it goes. */
int64_t mx_cpu_ns(void);

/**
 * mx_duration_parse(text, out_ms, err):
 * A number with its unit: ms s m h d w ("90s", "1h30m"). A bare 0 is fine, a bare other
 * number is an error: a duration always says its unit.
 * Units:  ${out_ms} is milliseconds.
 * Fails:  syntax or over 10 years (-1).
 */
int mx_duration_parse(struct mx_str text, int64_t *out_ms, struct mx_err *err);

/**
 * mx_size_parse(text, out_bytes, err):
 * "64KiB", "10MiB", "1GiB", "512B", a bare 0.
 * Fails:  syntax or over 2^50 (-1).
 */
int mx_size_parse(struct mx_str text, int64_t *out_bytes, struct mx_err *err);

/** mx_duration_format(arena, ms), mx_size_format(arena, bytes): exact, one unit. */
const char *mx_duration_format(struct mx_arena *arena, int64_t ms);
const char *mx_size_format(struct mx_arena *arena, int64_t bytes);

#endif
