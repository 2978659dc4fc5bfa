/*
 * Evals on lists of recipients (HeaderEval): sorted ones, and ones that look alike, come
 * from address lists. Pairs are compared, so the number of addresses is bounded.
 */
#include "eval_family.h"

#include "mx_arena.h"

#include "eval_util.h"

#define ADDRESSES_MAX 256
#define SORTED_MIN 7 /* fewer are sorted by chance */
#define SIMILAR_MIN 5
#define SAME_BYTES 2 /* this many at the beginning make two alike */

struct recipients {
    bool is_sorted;
    double similar; /* share of pairs */
};

struct address {
    struct mx_str all, host;
};

/* Addresses of ${from} without those that repeat the one before them. */
static size_t take(const struct text_list *from, struct address *out)
{
    size_t n = 0;

    for (size_t i = 0; i < from->n && n < ADDRESSES_MAX; i++) {
        struct mx_str s = from->v[i];
        ptrdiff_t at = mx_str_chr(s, '@');

        if (n > 0 && mx_str_ieq(s, out[n - 1].all)) {
            continue;
        }
        out[n].all = s;
        out[n].host = at >= 0 ? mx_str_sub(s, (size_t)at + 1, s.n) : MX_STR("");
        n++;
    }
    return n;
}

static int order(struct mx_str a, struct mx_str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        if (a.p[i] != b.p[i]) {
            return (unsigned char)a.p[i] < (unsigned char)b.p[i] ? -1 : 1;
        }
    }
    return (a.n > b.n) - (a.n < b.n);
}

static bool is_sorted(const struct address *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (order(v[i - 1].all, v[i].all) > 0) {
            return false;
        }
    }
    return n >= SORTED_MIN;
}

static bool begin_alike(struct mx_str a, struct mx_str b)
{
    return mx_str_eq(mx_str_sub(a, 0, SAME_BYTES), mx_str_sub(b, 0, SAME_BYTES));
}

static double similar(const struct address *v, size_t n)
{
    size_t hits = 0;

    if (n < SIMILAR_MIN) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            hits += begin_alike(v[i].all, v[j].all);
            hits += begin_alike(v[i].host, v[j].host) && !mx_str_eq(v[i].host, v[j].host);
        }
    }
    return (double)hits / ((double)n * (double)(n - 1) / 2);
}

static const struct recipients *recipients_of(struct eval_context *context)
{
    struct recipients *found = context->cache[EVAL_CACHE_RECIPIENTS];
    struct text_list to, bcc;
    struct address *v;
    size_t n;

    if (found) {
        return found;
    }
    found = mx_arena_alloc(context->arena, sizeof(*found));
    v = mx_arena_array(context->arena, ADDRESSES_MAX, sizeof(*v));
    to = eval_addresses(context, MX_STR("ToCc:addr"));
    bcc = eval_addresses(context, MX_STR("Bcc:addr"));
    n = take(&to, v);
    if (to.n < SIMILAR_MIN && bcc.n > 0) {
        struct mx_str *all = mx_arena_array(context->arena, to.n + bcc.n, sizeof(*all));

        for (size_t i = 0; i < to.n + bcc.n; i++) {
            all[i] = i < to.n ? to.v[i] : bcc.v[i - to.n];
        }
        n = take(&(struct text_list){all, to.n + bcc.n}, v);
    }
    found->is_sorted = is_sorted(v, n);
    found->similar = similar(v, n);
    context->cache[EVAL_CACHE_RECIPIENTS] = found;
    return found;
}

static int sorted_recipients(struct eval_context *context, const struct mx_str *args,
                             size_t n_args)
{
    (void)args;
    (void)n_args;
    return recipients_of(context)->is_sorted;
}

static int similar_recipients(struct eval_context *context, const struct mx_str *args,
                              size_t n_args)
{
    double share = recipients_of(context)->similar;

    return (eval_is_undef(args, n_args, 0) || share >= eval_number(args[0])) &&
           (eval_is_undef(args, n_args, 1) || share < eval_number(args[1]));
}

const struct eval_function eval_header_rcpt_functions[] = {
    {"sorted_recipients", sorted_recipients, false, 0, 0},
    {"similar_recipients", similar_recipients, false, 0, 2},
    {NULL, NULL, false, 0, 0},
};
