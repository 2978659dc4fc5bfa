/*
 * The generic cell rate algorithm: a bucket is one number, the time at which it would be
 * empty again (theoretical arrival time). A cost moves it on by cost / limit periods; it
 * may lie at most one period ahead of now. So a client may use its whole limit at once,
 * and gets it back evenly.
 *
 * Times are microseconds in doubles where they are multiplied: 53 bits hold them until
 * the year 2255.
 */
#include "store_rate.h"

#include <math.h>

static double period_us(const struct store_rate_query *query)
{
    return (double)query->period_ms * 1000.0;
}

int64_t store_rate_share_us(const struct store_rate_query *query)
{
    double share = period_us(query) * (double)query->cost / (double)query->limit;
    return (int64_t)fmin(ceil(share), 2 * period_us(query));
}

int64_t store_rate_move(const struct store_rate_query *query, int64_t tat_us)
{
    int64_t now_us = query->now_ms * 1000, latest = now_us + 2000 * query->period_ms;
    int64_t at = (tat_us > now_us ? tat_us : now_us) + store_rate_share_us(query);
    return at < latest ? at : latest;
}

void store_rate_judge(const struct store_rate_query *query, int64_t tat_us,
                      struct store_answer *out)
{
    double now_us = (double)query->now_ms * 1000.0, period = period_us(query);
    double ahead = fmax((double)tat_us - now_us, 0);
    double share = period * (double)query->cost / (double)query->limit;
    double over = ahead + share - period;
    double left = floor((period - ahead) * (double)query->limit / period + 1e-6);
    /* Each share taken was rounded up to a microsecond: that much slack per unit. */
    double slack = fmin((double)query->limit, period / 1000.0) + 1;
    out->rate.wait_ms = over > slack ? (int64_t)ceil(over / 1000.0) : 0;
    out->rate.left = left > 0 ? (int64_t)left : 0;
}
