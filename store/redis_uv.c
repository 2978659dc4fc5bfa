/*
 * hiredis on libuv: one poll handle per connection. This takes the place of
 * hiredis/adapters/libuv.h, which up to 1.0 ignores a poll status other than 0. libuv
 * reports EPOLLERR that way and stops the handle, so that a refused TCP connection or a
 * reset would never be noticed (test_redis_link: refused and reset over TCP). Here an
 * error is handed to hiredis as readable: its next read fetches the reason and
 * disconnects.
 *
 * Nor is the loop asked whether a connected socket takes what is to be written, but where
 * it did not take all: a UNIX socket nearly always does, and to ask costs four system
 * calls for each write. What was queued in one turn of the loop leaves at the beginning
 * of the next, which follows at once (an idle handle) with all that came in meanwhile.
 */
#include "redis_uv.h"

#include <stdbool.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>
#include <hiredis/async.h>
#include <uv.h>

#include "mx_arena.h"

struct redis_uv {
    uv_poll_t poll;
    uv_idle_t next_turn;        /* active: there is something to write */
    int n_handles;              /* not closed yet */
    redisAsyncContext *context; /* NULL once hiredis has let go of us */
    int events;
    bool is_writing;
};

/* hiredis asks for the next turn from inside when not all could be written. */
static void write_out(struct redis_uv *self)
{
    self->is_writing = true;
    redisAsyncHandleWrite(self->context);
    self->is_writing = false;
}

static void on_next_turn(uv_idle_t *idle)
{
    struct redis_uv *self = idle->data;
    uv_idle_stop(idle);
    if (self->context)
        write_out(self);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct redis_uv *self = poll->data;
    if (status < 0)
        events = UV_READABLE;
    if (self->context && (events & UV_READABLE))
        redisAsyncHandleRead(self->context);
    if (self->context && (events & UV_WRITABLE))
        write_out(self);
}

static void want(struct redis_uv *self, int events)
{
    if (self->events == events)
        return;
    self->events = events;
    if (events != 0)
        uv_poll_start(&self->poll, events, on_poll);
    else
        uv_poll_stop(&self->poll);
}

static void add_read(void *data)
{
    struct redis_uv *self = data;
    want(self, self->events | UV_READABLE);
}

static void del_read(void *data)
{
    struct redis_uv *self = data;
    want(self, self->events & ~UV_READABLE);
}

static void add_write(void *data)
{
    struct redis_uv *self = data;
    if (self->is_writing || !(self->context->c.flags & REDIS_CONNECTED))
        want(self, self->events | UV_WRITABLE);
    else if (!(self->events & UV_WRITABLE))
        uv_idle_start(&self->next_turn, on_next_turn);
}

static void del_write(void *data)
{
    struct redis_uv *self = data;
    want(self, self->events & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *handle)
{
    struct redis_uv *self = handle->data;
    if (--self->n_handles == 0)
        free(self);
}

static void cleanup(void *data)
{
    struct redis_uv *self = data;
    self->context = NULL;
    uv_close((uv_handle_t *)&self->poll, on_closed);
    uv_close((uv_handle_t *)&self->next_turn, on_closed);
}

int redis_uv_attach(struct redisAsyncContext *context, struct uv_loop_s *loop)
{
    struct redis_uv *self = mx_xalloc(sizeof(*self));
    if (uv_poll_init(loop, &self->poll, context->c.fd) != 0) {
        free(self);
        return -1;
    }
    uv_idle_init(loop, &self->next_turn);
    self->poll.data = self->next_turn.data = self;
    self->n_handles = 2;
    self->context = context;
    context->ev.data = self;
    context->ev.addRead = add_read;
    context->ev.delRead = del_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = del_write;
    context->ev.cleanup = cleanup;
    return 0;
}
