/*
 * Evals on dates (HeaderEval): the Date field against the times of Received lines, and
 * Outlook's message ids, which hold a time too.
 */
#include "eval_family.h"

#include <stdlib.h>

#include "mx_arena.h"

#include "eval_date.h"
#include "eval_util.h"

#define RECEIVED_MAX 200 /* lines; a mail that was in more places is in a loop */

struct dates {
    int64_t header;                 /* Resent-Date, else Date */
    int64_t received[RECEIVED_MAX]; /* newest first */
    size_t n_received;
    int64_t fetched; /* when fetchmail or the like got it */
    int64_t difference;
    bool has_header, has_fetched;
};

static bool header_date(const struct eval_context *context, struct mx_str name,
                        int64_t *out)
{
    const struct text_tree *tree = &context->texts->tree;

    for (size_t i = 0; i < tree->n_fields; i++) {
        if (mx_str_ieq(tree->fields[i].name, name) &&
            eval_date_parse(tree->fields[i].value, out)) {
            return true;
        }
    }
    return false;
}

/* The time in one Received line. */
static bool received_date(const struct eval_context *context, struct mx_str line,
                          int64_t *out)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];

    return eval_regex_find(eval_shared_fixed(context->shared, EVAL_RECEIVED_DATE), line,
                           0, groups) &&
           eval_date_parse(groups[1], out);
}

static void note_fetched(const struct eval_context *context, struct mx_str line,
                         struct dates *dates)
{
    int64_t time;

    if (received_date(context, line, &time) && time <= context->texts->now_s &&
        (!dates->has_fetched || time > dates->fetched)) {
        dates->fetched = time;
        dates->has_fetched = true;
    }
}

/* Lines that this host's own fetching wrote do not count as transport; returns how many.
 */
static size_t skip_local(const struct eval_context *context,
                         const struct text_list *lines, struct dates *dates)
{
    bool is_local = lines->n > 0 && eval_hit(context, EVAL_RECEIVED_LOCAL, lines->v[0]);
    size_t at = is_local;

    if (at >= lines->n || !eval_hit(context, EVAL_RECEIVED_FETCHMAIL, lines->v[at])) {
        return 0;
    }
    for (size_t i = 0; i <= at; i++) {
        note_fetched(context, lines->v[i], dates);
    }
    return at + 1;
}

static void read_received(struct eval_context *context, struct dates *dates)
{
    struct text_list lines = eval_addresses(context, MX_STR("Received"));

    for (size_t i = skip_local(context, &lines, dates);
         i < lines.n && dates->n_received < RECEIVED_MAX; i++) {
        dates->n_received +=
            received_date(context, lines.v[i], &dates->received[dates->n_received]);
    }
}

/* The smallest difference, but for an oldest line that has none at all: its writer took
   the date from the sender's clock. */
static int64_t smallest_difference(const struct dates *dates)
{
    size_t n = dates->n_received;
    int64_t smallest = 0;

    if (!dates->has_header || n == 0) {
        return 0;
    }
    if (n > 1 && dates->received[n - 1] == dates->header) {
        n--;
    }
    smallest = dates->header - dates->received[0];
    for (size_t i = 1; i < n; i++) {
        int64_t difference = dates->header - dates->received[i];

        smallest = llabs(difference) < llabs(smallest) ? difference : smallest;
    }
    return smallest;
}

static const struct dates *dates_of(struct eval_context *context)
{
    struct dates *dates = context->cache[EVAL_CACHE_DATE];

    if (!dates) {
        dates = mx_arena_alloc(context->arena, sizeof(*dates));
        dates->has_header = header_date(context, MX_STR("Resent-Date"), &dates->header) ||
                            header_date(context, MX_STR("Date"), &dates->header);
        read_received(context, dates);
        dates->difference = smallest_difference(dates);
        context->cache[EVAL_CACHE_DATE] = dates;
    }
    return dates;
}

/* (MIN, MAX) in hours; "undef" is open. */
static int check_for_shifted_date(struct eval_context *context, const struct mx_str *args,
                                  size_t n_args)
{
    double seconds = (double)dates_of(context)->difference;

    return (eval_is_undef(args, n_args, 0) || seconds >= 3600 * eval_number(args[0])) &&
           (eval_is_undef(args, n_args, 1) || seconds < 3600 * eval_number(args[1]));
}

static int descending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x < y) - (x > y);
}

/* When this host most likely got the mail: the median of what there is; 0 unknown. */
static int64_t received_at(const struct dates *dates)
{
    int64_t v[4];
    size_t n = 0;

    if (dates->has_header) {
        v[n++] = dates->header;
    }
    if (dates->n_received > 0) {
        v[n++] = dates->received[0];
    }
    if (dates->has_fetched) {
        v[n++] = dates->fetched;
    }
    if (dates->has_header && dates->n_received > 0) {
        v[n++] = dates->header - dates->difference;
    }
    if (n == 0) {
        return 0;
    }
    qsort(v, n, sizeof(*v), descending);
    return v[(n - 1) / 2];
}

/* (MIN, MAX) in months. */
static int received_within_months(struct eval_context *context, const struct mx_str *args,
                                  size_t n_args)
{
    static const double month_s = 365.2425 * 86400 / 12;
    double age = (double)(context->texts->now_s - received_at(dates_of(context)));

    return (eval_is_undef(args, n_args, 0) || age >= month_s * eval_number(args[0])) &&
           (eval_is_undef(args, n_args, 1) || age < month_s * eval_number(args[1]));
}

/* Outlook writes the upper half of a Windows file time into its ids: 2^-32 * 10^7 ticks a
   second, from 1601. */
static int64_t outlook_ticks(int64_t time)
{
    return (int64_t)((double)time * 0.0023283064365387 + 27111902.8329849);
}

static bool is_near(int64_t ticks, bool is_known, int64_t time)
{
    return llabs(ticks - outlook_ticks(is_known ? time : 0)) < 250;
}

static int64_t hex_value(struct mx_str s)
{
    int64_t value = 0;

    for (size_t i = 0; i < s.n; i++) {
        value = value * 16 + (s.p[i] <= '9' ? s.p[i] - '0' : s.p[i] - 'a' + 10);
    }
    return value;
}

static int check_outlook_message_id(struct eval_context *context,
                                    const struct mx_str *args, size_t n_args)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    struct mx_str received = eval_header(context, "Received");
    int64_t ticks, time = 0;
    bool is_known;

    (void)args;
    (void)n_args;
    if (!eval_regex_find(eval_shared_fixed(context->shared, EVAL_OUTLOOK_ID),
                         eval_header(context, "MESSAGEID"), 0, groups)) {
        return 0;
    }
    ticks = hex_value(groups[1]);
    is_known = eval_date_parse(eval_header(context, "Date"), &time);
    if (is_near(ticks, is_known, time)) {
        return 0;
    }
    /* The text of all Received lines is read as one date. */
    is_known = eval_date_parse(received, &time);
    return !is_near(ticks, is_known, time);
}

const struct eval_function eval_header_date_functions[] = {
    {"check_for_shifted_date", check_for_shifted_date, false, 0, 2},
    {"received_within_months", received_within_months, false, 0, 0},
    {"check_outlook_message_id", check_outlook_message_id, false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
