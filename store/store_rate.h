/* The arithmetic of rate limits (GCRA), shared by both stores. */
#ifndef STORE_RATE_H
#define STORE_RATE_H

#include "store.h"

/**
 * store_rate_share_us(query):
 * How far this cost moves a bucket's theoretical arrival time, in microseconds; at most
 * two periods.
 */
int64_t store_rate_share_us(const struct store_rate_query *query);

/**
 * store_rate_move(query, tat_us):
 * The theoretical arrival time of a bucket after this cost was taken from it; at most two
 * periods ahead, so that whatever was let in, the bucket opens again. script_rate_hit.lua
 * does the same in Redis.
 */
int64_t store_rate_move(const struct store_rate_query *query, int64_t tat_us);

/**
 * store_rate_judge(query, tat_us, out):
 * Fill ${out}->rate for a bucket whose theoretical arrival time (microseconds of the wall
 * clock; 0: an untouched one) is ${tat_us}.
 */
void store_rate_judge(const struct store_rate_query *query, int64_t tat_us,
                      struct store_answer *out);

#endif
