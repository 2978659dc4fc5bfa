/*
 * Deadlines and back-off of the supervisor, as functions without state.
 *
 * A worker is told a little less than it gets, so that its detectors stop by themselves
 * and the findings until then are kept; only one that does not notice is killed.
 */
#include "sup_plan.h"

#define FAIR_MS 5000 /* a hang is a hang after this, whatever scan_timeout says */
#define BACKOFF_FIRST_MS 200
#define BACKOFF_MAX_MS 30000
#define FREE_FAILURES 2 /* in a row, without any wait */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct sup_attempt sup_attempt_plan(int64_t left_ms, int64_t timeout_ms, unsigned attempt)
{
    if (left_ms < 0)
        left_ms = 0;
    int64_t share = attempt == 0 ? left_ms / 2 : left_ms - left_ms / 8;
    struct sup_attempt plan = {.hard_ms = least(timeout_ms, share)};
    plan.soft_ms = plan.hard_ms - plan.hard_ms / 8;
    plan.is_fair = plan.hard_ms >= least(timeout_ms, FAIR_MS);
    return plan;
}

int64_t sup_backoff_ms(unsigned failures)
{
    if (failures <= FREE_FAILURES)
        return 0;
    unsigned doublings = failures - FREE_FAILURES - 1;
    if (doublings > 10)
        return BACKOFF_MAX_MS;
    return least((int64_t)BACKOFF_FIRST_MS << doublings, BACKOFF_MAX_MS);
}
