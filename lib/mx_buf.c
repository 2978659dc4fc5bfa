/*
 * The growing text: on the heap, doubling, always ended by NUL, never larger than its
 * cap. What does not fit is left out as a whole and remembered, so that who appends need
 * not look at each step. Not for parsing, not thread-safe.
 */
#include "mx_str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"

#define BUF_FIRST 256u              /* bytes at the first append */
#define BUF_MAX_DEFAULT (64u << 20) /* bytes, where the user sets no cap */

/* Room for ${n} more bytes and the NUL, or mark it overflown: false. */
static bool make_room(struct mx_buf *buf, size_t n)
{
    size_t max = buf->max ? buf->max : BUF_MAX_DEFAULT;
    if (buf->is_overflown || buf->n > max || n > max - buf->n) {
        buf->is_overflown = true;
        return false;
    }
    size_t need = buf->n + n + 1;
    if (need <= buf->room)
        return true;
    size_t room = buf->room ? buf->room * 2 : BUF_FIRST;
    buf->room = room < need ? need : room;
    buf->p = mx_xrealloc(buf->p, buf->room);
    return true;
}

void mx_buf_add(struct mx_buf *buf, const void *p, size_t n)
{
    if (!make_room(buf, n))
        return;
    if (n > 0)
        memcpy(buf->p + buf->n, p, n);
    buf->n += n;
    buf->p[buf->n] = '\0';
}

void mx_buf_str(struct mx_buf *buf, const char *text)
{
    mx_buf_add(buf, text, strlen(text));
}

void mx_buf_printf(struct mx_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n >= 0 && make_room(buf, (size_t)n)) {
        vsnprintf(buf->p + buf->n, (size_t)n + 1, fmt, again);
        buf->n += (size_t)n;
    }
    va_end(again);
}

void mx_buf_fini(struct mx_buf *buf)
{
    free(buf->p);
    *buf = (struct mx_buf){.max = buf->max};
}
