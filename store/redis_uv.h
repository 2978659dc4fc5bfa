/* hiredis on libuv. */
#ifndef REDIS_UV_H
#define REDIS_UV_H

struct redisAsyncContext;
struct uv_loop_s;

/**
 * redis_uv_attach(context, loop):
 * Let ${loop} drive ${context} until hiredis frees it; the handle closes by itself then.
 * Fails:  the descriptor cannot be polled (-1); ${context} is still the caller's.
 */
int redis_uv_attach(struct redisAsyncContext *context, struct uv_loop_s *loop);

#endif
