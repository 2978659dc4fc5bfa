/*
 * Compares two runs over one sample. Pure: nothing is scanned, read or logged here.
 * Both runs are put in the order of names and walked side by side; so are the symbols of
 * each message. What differs by less than EPSILON is the same: sums of scores depend on
 * their order.
 */
#include "scan_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_str.h"

#define EPSILON 1e-6
#define TOLD_SYMBOLS 5 /* in the line of scan_compare_judge */
#define TOLD_MESSAGES 3

/* ---- one run ----------------------------------------------------------------------- */

static int hit_order(const void *a, const void *b)
{
    const struct scan_sample_hit *x = a, *y = b;
    return strcmp(x->symbol, y->symbol);
}

static struct scan_sample_message *next_message(struct scan_sample *sample)
{
    if (sample->n == sample->room) {
        size_t room = sample->room > 0 ? sample->room * 2 : 64;
        struct scan_sample_message *grown =
            mx_arena_array(sample->arena, room, sizeof(*grown));
        if (sample->n > 0)
            memcpy(grown, sample->messages, sample->n * sizeof(*grown));
        sample->messages = grown;
        sample->room = room;
    }
    return &sample->messages[sample->n++];
}

void scan_sample_add(struct scan_sample *sample, const char *name,
                     const Mxp__ScanReply *reply)
{
    struct mx_arena *arena = sample->arena;
    struct scan_sample_message message = {
        .name = mx_arena_dup(arena, name, strlen(name)),
        .score = reply->score,
        .hits = mx_arena_array(arena, reply->n_findings + 1, sizeof(*message.hits)),
    };
    for (size_t i = 0; i < reply->n_findings; i++) {
        const Mxp__Finding *finding = reply->findings[i];
        if (finding->score == 0)
            continue;
        message.hits[message.n_hits++] = (struct scan_sample_hit){
            mx_arena_dup(arena, finding->symbol, strlen(finding->symbol)),
            finding->score};
    }
    qsort(message.hits, message.n_hits, sizeof(*message.hits), hit_order);
    *next_message(sample) = message;
}

static int name_order(const void *a, const void *b)
{
    const struct scan_sample_message *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static const struct scan_sample_message **by_name(struct mx_arena *arena,
                                                  const struct scan_sample *sample)
{
    const struct scan_sample_message **sorted =
        mx_arena_array(arena, sample->n + 1, sizeof(*sorted));
    for (size_t i = 0; i < sample->n; i++)
        sorted[i] = &sample->messages[i];
    qsort(sorted, sample->n, sizeof(*sorted), name_order);
    return sorted;
}

/* ---- one message ------------------------------------------------------------------- */

/* What is left of both lists of hits: takes the next symbol of either, or of both. */
static struct scan_shift_hit next_hit(const struct scan_sample_message *before,
                                      const struct scan_sample_message *after, size_t *i,
                                      size_t *k)
{
    const struct scan_sample_hit *a = *i < before->n_hits ? &before->hits[*i] : NULL;
    const struct scan_sample_hit *b = *k < after->n_hits ? &after->hits[*k] : NULL;
    int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->symbol, b->symbol);
    struct scan_shift_hit hit = {order <= 0 ? a->symbol : b->symbol,
                                 order <= 0 ? a->score : 0, order >= 0 ? b->score : 0};
    *i += order <= 0;
    *k += order >= 0;
    return hit;
}

static struct scan_shift shift_of(struct mx_arena *arena,
                                  const struct scan_sample_message *before,
                                  const struct scan_sample_message *after,
                                  double required)
{
    bool was_spam = before->score > required - EPSILON;
    bool is_spam = after->score > required - EPSILON;
    struct scan_shift shift = {.name = after->name,
                               .before = before->score,
                               .after = after->score,
                               .is_new_spam = is_spam && !was_spam,
                               .is_new_ham = was_spam && !is_spam};
    struct scan_shift_hit *hits =
        mx_arena_array(arena, before->n_hits + after->n_hits + 1, sizeof(*hits));
    for (size_t i = 0, k = 0; i < before->n_hits || k < after->n_hits;) {
        struct scan_shift_hit hit = next_hit(before, after, &i, &k);
        if (fabs(hit.after - hit.before) >= EPSILON)
            hits[shift.n_hits++] = hit;
    }
    shift.hits = hits;
    return shift;
}

/* ---- all --------------------------------------------------------------------------- */

static int shift_order(const void *a, const void *b)
{
    const struct scan_shift *x = a, *y = b;
    bool x_crosses = x->is_new_spam || x->is_new_ham;
    bool y_crosses = y->is_new_spam || y->is_new_ham;
    double far_x = fabs(x->after - x->before), far_y = fabs(y->after - y->before);
    if (x_crosses != y_crosses)
        return x_crosses ? -1 : 1;
    if (far_x != far_y)
        return far_x > far_y ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int symbol_name_order(const void *a, const void *b)
{
    const struct scan_shift_symbol *x = a, *y = b;
    return strcmp(x->symbol, y->symbol);
}

static int symbol_order(const void *a, const void *b)
{
    const struct scan_shift_symbol *x = a, *y = b;
    if (x->all != y->all)
        return x->all > y->all ? -1 : 1;
    return strcmp(x->symbol, y->symbol);
}

/* Each shift of each message as an entry, put side by side by symbol, added up. */
static void sum_symbols(struct mx_arena *arena, struct scan_comparison *out)
{
    size_t n = 0;
    for (size_t i = 0; i < out->n_moved; i++)
        n += out->moved[i].n_hits;
    struct scan_shift_symbol *all = mx_arena_array(arena, n + 1, sizeof(*all));
    n = 0;
    for (size_t i = 0; i < out->n_moved; i++) {
        for (size_t k = 0; k < out->moved[i].n_hits; k++) {
            const struct scan_shift_hit *hit = &out->moved[i].hits[k];
            double shift = hit->after - hit->before;
            all[n++] = (struct scan_shift_symbol){hit->symbol, 1, shift, fabs(shift)};
        }
    }
    qsort(all, n, sizeof(*all), symbol_name_order);
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (used == 0 || strcmp(all[used - 1].symbol, all[i].symbol) != 0) {
            all[used++] = all[i];
            continue;
        }
        all[used - 1].n++;
        all[used - 1].sum += all[i].sum;
        all[used - 1].all += all[i].all;
    }
    qsort(all, used, sizeof(*all), symbol_order);
    out->symbols = all;
    out->n_symbols = used;
}

static void count(struct scan_comparison *out, const struct scan_shift *shift)
{
    double far = fabs(shift->after - shift->before);
    out->n++;
    out->n_new_spam += shift->is_new_spam;
    out->n_new_ham += shift->is_new_ham;
    out->mean_shift += far; /* the sum, until all are counted */
    out->max_shift = far > out->max_shift ? far : out->max_shift;
}

void scan_compare(struct mx_arena *arena, const struct scan_sample *before,
                  const struct scan_sample *after, double required,
                  struct scan_comparison *out)
{
    const struct scan_sample_message **a = by_name(arena, before);
    const struct scan_sample_message **b = by_name(arena, after);
    struct scan_shift *moved = mx_arena_array(
        arena, (before->n < after->n ? before->n : after->n) + 1, sizeof(*moved));
    *out = (struct scan_comparison){.required = required, .moved = moved};
    for (size_t i = 0, k = 0; i < before->n || k < after->n;) {
        int order = i == before->n  ? 1
                    : k == after->n ? -1
                                    : strcmp(a[i]->name, b[k]->name);
        if (order == 0) {
            struct scan_shift shift = shift_of(arena, a[i], b[k], required);
            count(out, &shift);
            if (shift.n_hits > 0)
                moved[out->n_moved++] = shift;
        } else {
            out->n_alone++;
        }
        i += order <= 0;
        k += order >= 0;
    }
    if (out->n > 0)
        out->mean_shift /= (double)out->n;
    qsort(moved, out->n_moved, sizeof(*moved), shift_order);
    sum_symbols(arena, out);
}

/* ---- the verdict ------------------------------------------------------------------- */

static void tell_faults(const struct scan_comparison *all,
                        const struct scan_bounds *bounds, struct mx_buf *why)
{
    const char *glue = "";
    if ((int64_t)all->n_new_spam > bounds->new_spam) {
        mx_buf_printf(why, "%zu of %zu messages newly reach %g (bound %lld)",
                      all->n_new_spam, all->n, all->required,
                      (long long)bounds->new_spam);
        glue = ", ";
    }
    if (all->max_shift > bounds->shift + EPSILON) {
        mx_buf_printf(why, "%sa score moves by %.2f (bound %g)", glue, all->max_shift,
                      bounds->shift);
        glue = ", ";
    }
    if (all->mean_shift > bounds->mean_shift + EPSILON)
        mx_buf_printf(why, "%sscores move by %.2f on average (bound %g)", glue,
                      all->mean_shift, bounds->mean_shift);
}

bool scan_compare_judge(const struct scan_comparison *all,
                        const struct scan_bounds *bounds, struct mx_buf *why)
{
    if ((int64_t)all->n_new_spam <= bounds->new_spam &&
        all->max_shift <= bounds->shift + EPSILON &&
        all->mean_shift <= bounds->mean_shift + EPSILON)
        return true;
    tell_faults(all, bounds, why);
    for (size_t i = 0; i < all->n_symbols && i < TOLD_SYMBOLS; i++)
        mx_buf_printf(why, "%s %s %+.2f on %zu", i == 0 ? "; by" : ",",
                      all->symbols[i].symbol, all->symbols[i].sum, all->symbols[i].n);
    for (size_t i = 0; i < all->n_moved && i < TOLD_MESSAGES; i++)
        mx_buf_printf(why, "%s %.100s %.1f to %.1f", i == 0 ? "; messages" : ",",
                      all->moved[i].name, all->moved[i].before, all->moved[i].after);
    return false;
}
