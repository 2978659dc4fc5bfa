/*
 * Base64 that goes on behind its padding. RFC 2045 says that padding is at the end; what
 * follows it, some programs ignore and others decode. Two encoded files one behind the
 * other are how a filter is shown a harmless first half. GMime stops; this goes on.
 */
#include "message_base64.h"

#include <glib.h>

#include "mx_arena.h"

static bool is_digit(char c)
{
    return g_ascii_isalnum(c) || c == '+' || c == '/';
}

bool message_base64_goes_on(struct mx_str text)
{
    ptrdiff_t padding = mx_str_chr(text, '=');
    for (size_t i = (size_t)padding + 1; padding >= 0 && i < text.n; i++)
        if (is_digit(text.p[i]))
            return true;
    return false;
}

struct mx_str message_base64_decode(struct mx_arena *arena, struct mx_str text)
{
    unsigned char *out = mx_arena_alloc(arena, text.n / 4 * 3 + 6);
    size_t n = 0;
    while (text.n > 0) {
        ptrdiff_t padding = mx_str_chr(text, '=');
        size_t end = padding >= 0 ? (size_t)padding : text.n;
        gint state = 0;
        guint save = 0;
        n += g_base64_decode_step(text.p, end, out + n, &state, &save);
        /* The last two or three digits: GLib writes them when their padding comes. */
        if (state == 2 || state == 3)
            n += g_base64_decode_step("==", 4 - (gsize)state, out + n, &state, &save);
        text = mx_str_sub(text, end + 1, text.n);
    }
    return mx_str_of(out, n);
}
