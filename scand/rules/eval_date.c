/*
 * Dates of mail: words of the text are looked at one by one, so that what else stands in
 * a date field does no harm. A date is found first, then a time, then a zone, each taken
 * out before the next is looked for. Only the first WORDS_MAX words count.
 */
#include "eval_date.h"

#include <ctype.h>
#include <string.h>

#include "mx_err.h"

#include "text/text_chars.h"

#define WORDS_MAX 256 /* a date has six; a Received field some thirty */

struct words {
    struct mx_str v[WORDS_MAX];
    size_t n;
};

struct date {
    int64_t year, month, day, hour, minute, second;
};

struct zone {
    const char *name;
    int minutes;
};

/* RFC 5322 4.3 first; then what is common, in its most common meaning. */
static const struct zone zones[] = {
    {"UT", 0},      {"UTC", 0},    {"GMT", 0},     {"WET", 0},     {"EST", -300},
    {"EDT", -240},  {"CST", -360}, {"CDT", -300},  {"MST", -420},  {"MDT", -360},
    {"PST", -480},  {"PDT", -420}, {"AST", -240},  {"ADT", -180},  {"NST", -210},
    {"NDT", -150},  {"HST", -600}, {"AKST", -540}, {"AKDT", -480}, {"HADT", -540},
    {"HAST", -600}, {"BST", 60},   {"IST", 60},    {"WEST", 60},   {"CET", 60},
    {"CEST", 120},  {"EET", 120},  {"EEST", 180},  {"MSK", 180},   {"MSD", 240},
    {"MET", 60},    {"MEZ", 60},   {"MEST", 120},  {"MESZ", 120},  {"BRST", -120},
    {"BRT", -180},  {"AEST", 600}, {"AEDT", 660},  {"ACST", 570},  {"ACDT", 630},
    {"AWST", 480},  {"NZST", 720}, {"NZDT", 780},  {"JST", 540},   {"KST", 540},
    {"HKT", 480},   {"SGT", 480},  {"PHT", 480},   {"IDT", 180},
};

static bool is_separator(char c)
{
    return c == ',' || text_char_space((unsigned char)c);
}

static void split(struct mx_str text, struct words *out)
{
    size_t i = 0;

    out->n = 0;
    while (out->n < WORDS_MAX) {
        size_t from;

        while (i < text.n && is_separator(text.p[i])) {
            i++;
        }
        from = i;
        while (i < text.n && !is_separator(text.p[i])) {
            i++;
        }
        if (i == from) {
            return;
        }
        out->v[out->n++] = mx_str_sub(text, from, i - from);
    }
}

static void remove_words(struct words *words, size_t at, size_t n)
{
    memmove(&words->v[at], &words->v[at + n], (words->n - at - n) * sizeof(*words->v));
    words->n -= n;
}

/* Digits only; large ones are all the same to us. */
static bool digits(struct mx_str s, int64_t *out)
{
    struct mx_err unused;

    for (size_t i = 0; i < s.n; i++) {
        if (!isdigit((unsigned char)s.p[i])) {
            return false;
        }
    }
    if (s.n == 0) {
        return false;
    }
    if (mx_str_to_int(s, 0, 1000000, out, &unused)) {
        *out = 1000000;
    }
    return true;
}

static bool month(struct mx_str s, int64_t *out)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int i = 0; s.n == 3 && i < 12; i++) {
        if (mx_str_ieq(s, mx_str_of(names + 3 * i, 3))) {
            *out = i + 1;
            return true;
        }
    }
    return false;
}

/* "15:04" or "15:04:05" */
static bool clock_time(struct mx_str s, struct date *out)
{
    struct mx_str hour, minute, second = MX_STR("00");
    struct date date = *out;

    if (mx_str_next(&s, ':', &hour) || mx_str_next(&s, ':', &minute)) {
        return false;
    }
    if (s.n > 0) {
        second = s;
    }
    if (hour.n > 2 || minute.n != 2 || second.n != 2 || !digits(hour, &date.hour) ||
        !digits(minute, &date.minute) || !digits(second, &date.second)) {
        return false;
    }
    *out = date;
    return true;
}

/* "2 Jan 2006" at ${w}, its year of ${min} to ${max} digits. */
static bool day_first(const struct mx_str *w, size_t min, size_t max, struct date *out)
{
    return w[2].n >= min && w[2].n <= max && digits(w[0], &out->day) &&
           month(w[1], &out->month) && digits(w[2], &out->year);
}

/* "Jan 2 15:04:05 2006" */
static bool month_first(const struct mx_str *w, struct date *out)
{
    struct date unused = {0};

    return w[3].n == 4 && month(w[0], &out->month) && digits(w[1], &out->day) &&
           clock_time(w[2], &unused) && digits(w[3], &out->year);
}

static bool take_date(struct words *words, struct date *out)
{
    for (size_t i = 0; i + 3 <= words->n; i++) {
        if (day_first(&words->v[i], 4, 4, out)) {
            remove_words(words, i, 3);
            return true;
        }
    }
    for (size_t i = 0; i + 4 <= words->n; i++) {
        if (month_first(&words->v[i], out)) {
            remove_words(words, i, 4);
            return true;
        }
    }
    for (size_t i = 0; i + 3 <= words->n; i++) {
        if (day_first(&words->v[i], 2, 3, out)) {
            out->year += words->v[i + 2].n == 2 && out->year < 50 ? 2000 : 1900;
            remove_words(words, i, 3);
            return true;
        }
    }
    return false;
}

static void take_time(struct words *words, struct date *out)
{
    for (size_t i = 0; i < words->n; i++) {
        if (clock_time(words->v[i], out)) {
            remove_words(words, i, 1);
            return;
        }
    }
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* The first run of two to four capitals in ${s} that is a word of its own. */
static struct mx_str capitals(struct mx_str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t from = i;
        bool is_plain = true;

        while (i < s.n && text_char_word((unsigned char)s.p[i])) {
            is_plain = is_plain && is_capital(s.p[i]);
            i++;
        }
        if (is_plain && i - from >= 2 && i - from <= 4) {
            return mx_str_sub(s, from, i - from);
        }
        i += i == from;
    }
    return MX_STR("");
}

/* Minutes of the first zone name; a name that nobody knows means UTC. */
static int named_zone(const struct words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        struct mx_str name = capitals(words->v[i]);

        for (size_t j = 0; name.n > 0 && j < sizeof(zones) / sizeof(*zones); j++) {
            if (mx_str_eq(name, mx_str(zones[j].name))) {
                return zones[j].minutes;
            }
        }
        if (name.n > 0) {
            return 0;
        }
    }
    return 0;
}

static int zone_minutes(const struct words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        struct mx_str s = words->v[i];
        int64_t n;

        if (s.n == 5 && (s.p[0] == '+' || s.p[0] == '-') &&
            digits(mx_str_sub(s, 1, 4), &n)) {
            int minutes = (int)(n / 100 * 60 + n % 100);

            return s.p[0] == '-' ? -minutes : minutes;
        }
    }
    return named_zone(words);
}

static int days_in(int64_t year, int64_t month_of_year)
{
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    switch (month_of_year) {
    case 2: return is_leap ? 29 : 28;
    case 4:
    case 6:
    case 9:
    case 11: return 30;
    default: return 31;
    }
}

static int64_t at_most(int64_t value, int64_t max)
{
    return value > max ? max : value;
}

static void bring_into_range(struct date *date)
{
    date->second = at_most(date->second, 59);
    date->minute = at_most(date->minute, 59);
    date->hour = at_most(date->hour, 23);
    if (date->day > days_in(date->year, date->month)) {
        date->day = 1;
        date->month++;
    }
    if (date->month > 12) {
        date->month = 1;
        date->year++;
    }
    date->year = at_most(date->year, 2037);
    date->year = date->year < 1970 ? 1970 : date->year;
}

/* Days from 1970-01-01, in the calendar that began in March of year 0. */
static int64_t days_since_1970(const struct date *date)
{
    int64_t year = date->year - (date->month <= 2);
    int64_t of_year = (153 * ((date->month + 9) % 12) + 2) / 5 + date->day - 1;

    return year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719468;
}

bool eval_date_parse(struct mx_str text, int64_t *out)
{
    struct words words;
    struct date date = {0};
    int64_t seconds, zone;

    split(text, &words);
    if (!take_date(&words, &date)) {
        return false;
    }
    take_time(&words, &date);
    zone = zone_minutes(&words) * (int64_t)60;
    bring_into_range(&date);
    if (date.day == 0) { /* there is no such day, nor anything to make of it */
        return false;
    }
    seconds = days_since_1970(&date) * 86400 + date.hour * 3600 + date.minute * 60 +
              date.second;
    *out = zone > 0 && seconds < zone ? 0 : seconds - zone;
    return true;
}
