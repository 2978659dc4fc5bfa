/* What is looked at every second, whether there is mail or not. */
#ifndef SHIM_WATCH_H
#define SHIM_WATCH_H

#include "shim.h"

/**
 * shim_watch_tick(shim):
 * Say in health and log what operators must know of: new sessions are being turned away
 * (check "admission"), one reason refuses too much mail temporarily (check "tempfail").
 * One line for each change. To be called by one thread, about once a second.
 */
void shim_watch_tick(struct shim *shim);

#endif
