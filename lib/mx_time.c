/*
 * Clocks, and the texts of durations and sizes. Both texts are a number with a unit from
 * a small table, so parser and printer read the same table. A duration may chain units
 * from large to small ("1h30m"); a size has one. No fractions, no blanks, no months.
 */
#include "mx_time.h"

#include <time.h>

#include "mx_arena.h"
#include "mx_err.h"

#define DURATION_MAX_MS (3653ll * 86400 * 1000) /* ten years, leap days included */
#define SIZE_MAX_BYTES (1ll << 50)

struct unit {
    const char *name;
    int64_t factor;
};

/* Large to small. */
static const struct unit durations[] = {
    {"w", 7 * 86400000ll}, {"d", 86400000}, {"h", 3600000},
    {"m", 60000},          {"s", 1000},     {"ms", 1},
};
static const struct unit sizes[] = {
    {"TiB", 1ll << 40}, {"GiB", 1ll << 30}, {"MiB", 1ll << 20},
    {"KiB", 1ll << 10}, {"B", 1},
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_mono_ms(const struct mx_clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t real_wall_ms(const struct mx_clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

const struct mx_clock mx_clock_real = {.mono_ms = real_mono_ms, .wall_ms = real_wall_ms};

static int64_t fake_ms(const struct mx_clock *clock)
{
    const struct mx_clock_fake *fake = clock->state;
    return fake->now_ms;
}

void mx_clock_fake_init(struct mx_clock_fake *fake, int64_t now_ms)
{
    fake->clock =
        (struct mx_clock){.mono_ms = fake_ms, .wall_ms = fake_ms, .state = fake};
    fake->now_ms = now_ms;
}

int64_t mx_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t mx_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Cut digits and the letters behind them off ${rest}; -1 where there are none. */
static int cut_term(struct mx_str *rest, struct mx_str *out_digits,
                    struct mx_str *out_unit)
{
    size_t digits = 0, end;
    while (digits < rest->n && rest->p[digits] >= '0' && rest->p[digits] <= '9')
        digits++;
    for (end = digits; end < rest->n && (rest->p[end] < '0' || rest->p[end] > '9');)
        end++;
    if (digits == 0)
        return -1;
    *out_digits = mx_str_sub(*rest, 0, digits);
    *out_unit = mx_str_sub(*rest, digits, end - digits);
    *rest = mx_str_sub(*rest, end, rest->n);
    return 0;
}

/* Index of the unit called ${name} in the table from ${first} on, or ${n}. */
static size_t unit_find(const struct unit *units, size_t n, size_t first,
                        struct mx_str name)
{
    size_t i = first;
    while (i < n && !mx_str_eq(name, mx_str(units[i].name)))
        i++;
    return i;
}

static int term_value(struct mx_str digits, int64_t factor, int64_t max, int64_t *io_sum)
{
    int64_t number, value;
    if (mx_str_to_int(digits, 0, max, &number, NULL) < 0 ||
        __builtin_mul_overflow(number, factor, &value) ||
        __builtin_add_overflow(*io_sum, value, &value) || value > max)
        return -1;
    *io_sum = value;
    return 0;
}

static int bad_duration(struct mx_str text, struct mx_err *err)
{
    return mx_err_set(err, MX_ERR_INPUT,
                      "'%.*s' is not a duration: write numbers with ms, s, m, h, d or w, "
                      "largest first, at most ten years",
                      MX_STR_FMT(mx_str_sub(text, 0, 32)));
}

int mx_duration_parse(struct mx_str text, int64_t *out_ms, struct mx_err *err)
{
    struct mx_str rest = text, digits, unit;
    int64_t sum = 0;
    size_t at = 0;
    if (mx_str_eq(text, MX_STR("0"))) {
        *out_ms = 0;
        return 0;
    }
    do {
        if (cut_term(&rest, &digits, &unit) < 0)
            return bad_duration(text, err);
        at = unit_find(durations, COUNT(durations), at, unit);
        if (at == COUNT(durations) ||
            term_value(digits, durations[at].factor, DURATION_MAX_MS, &sum) < 0)
            return bad_duration(text, err);
        at++;
    } while (rest.n > 0);
    *out_ms = sum;
    return 0;
}

int mx_size_parse(struct mx_str text, int64_t *out_bytes, struct mx_err *err)
{
    struct mx_str rest = text, digits, unit;
    int64_t sum = 0;
    bool is_zero = mx_str_eq(text, MX_STR("0"));
    size_t at = COUNT(sizes);
    if (!is_zero && cut_term(&rest, &digits, &unit) == 0)
        at = unit_find(sizes, COUNT(sizes), 0, unit);
    if (!is_zero && (at == COUNT(sizes) || rest.n > 0 ||
                     term_value(digits, sizes[at].factor, SIZE_MAX_BYTES, &sum) < 0))
        return mx_err_set(err, MX_ERR_INPUT,
                          "'%.*s' is not a size: write a number with B, KiB, MiB or GiB",
                          MX_STR_FMT(mx_str_sub(text, 0, 32)));
    *out_bytes = sum;
    return 0;
}

/*
 * The shortest exact text of a duration is one number where one unit divides it: "90s"
 * for 90000, "36h" for a day and a half. What parses back is the same value.
 */
static const char *format(struct mx_arena *arena, const struct unit *units, size_t n,
                          int64_t value)
{
    size_t i = 0;
    if (value == 0)
        return "0";
    while (i < n - 1 && value % units[i].factor != 0)
        i++;
    return mx_arena_printf(arena, "%lld%s", (long long)(value / units[i].factor),
                           units[i].name);
}

const char *mx_duration_format(struct mx_arena *arena, int64_t ms)
{
    return format(arena, durations, COUNT(durations), ms);
}

const char *mx_size_format(struct mx_arena *arena, int64_t bytes)
{
    return format(arena, sizes, COUNT(sizes), bytes);
}
