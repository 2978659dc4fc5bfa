/*
 * What a daemon says of itself: live, ready, degraded and by what. Any thread may set a
 * reason; /healthz, the service manager and status replies read them.
 */
#ifndef MX_HEALTH_H
#define MX_HEALTH_H

#include <stdbool.h>

struct mx_buf;
struct mx_health;

/** mx_health_new(): not ready, nothing degraded. Owner: mx_health_free. */
struct mx_health *mx_health_new(void);
void mx_health_free(struct mx_health *health);

/** mx_health_ready(health, is_ready): sockets are bound, backends were reached once. */
void mx_health_ready(struct mx_health *health, bool is_ready);
bool mx_health_is_ready(const struct mx_health *health);

/**
 * mx_health_degraded(health, check, reason):
 * ${check} cannot run because of ${reason}; NULL: it runs again. At most 32 checks of
 * 32 bytes, reasons are cut at 200 bytes; what does not fit shows as the check "more".
 * Returns true where the check became degraded or sound, so that the caller logs one
 * line per change of state; another reason for the same state is stored without that.
 */
bool mx_health_degraded(struct mx_health *health, const char *check, const char *reason);

/** mx_health_format(health, out): {"live":true,"ready":..,"degraded":{check:reason}} */
void mx_health_format(struct mx_health *health, struct mx_buf *out);

/** mx_health_each(health, fn, user): every degraded check, by name. */
void mx_health_each(struct mx_health *health,
                    void (*fn)(void *user, const char *check, const char *reason),
                    void *user);

#endif
