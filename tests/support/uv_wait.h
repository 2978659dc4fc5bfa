/* Run a loop until something is true, or fail: tests wait for events, never for time. */
#ifndef UV_WAIT_H
#define UV_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#define UV_WAIT_MS 20000 /* far beyond what any test needs */

static inline void uv_wait_tick(uv_timer_t *timer)
{
    (void)timer;
}

static inline void uv_wait_closed(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

/** uv_wait(loop, is_true, user): returns is_true(user) at the end. */
static inline bool uv_wait(uv_loop_t *loop, bool (*is_true)(void *user), void *user)
{
    uv_timer_t timer;
    bool is_closed = false;
    uint64_t end = uv_hrtime() + UV_WAIT_MS * UINT64_C(1000000);
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, uv_wait_tick, 5, 5);
    timer.data = &is_closed;
    while (!is_true(user) && uv_hrtime() < end)
        uv_run(loop, UV_RUN_ONCE);
    bool result = is_true(user);
    uv_close((uv_handle_t *)&timer, uv_wait_closed);
    while (!is_closed)
        uv_run(loop, UV_RUN_NOWAIT);
    return result;
}

/** uv_wait_close(loop): after everything was freed, the loop must come to its end. */
static inline int uv_wait_close(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    return uv_loop_close(loop);
}

#endif
