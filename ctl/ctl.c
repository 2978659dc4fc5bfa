/*
 * What the commands share: the option -c, and text that a terminal may be shown. Nothing
 * here talks to a daemon; see ctl_peers.c for that.
 */
#include "ctl.h"

#include <stdlib.h>

#include "mx_arena.h"

error_t ctl_option(struct ctl *ctl, int key, char *arg)
{
    if (key != 'c')
        return ARGP_ERR_UNKNOWN;
    ctl->conf_path = arg;
    return 0;
}

const char *ctl_conf_path(const struct ctl *ctl)
{
    const char *from_env = getenv("MXDROP_CONFIG");

    if (ctl->conf_path)
        return ctl->conf_path;
    return from_env && *from_env ? from_env : CTL_CONF_DEFAULT;
}

/* Length of the well-formed, harmless character at the head of ${s}; 0: escape a byte.
   C1 controls (U+0080 to U+009F) steer terminals as much as ESC does, and the marks that
   turn the direction of text (U+202A-E, U+2066-9) make a line lie about itself. */
static size_t printable(struct mx_str s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    unsigned char next, last;

    if (n == 1)
        return c >= 0x20 && c != 0x7f;
    if (n > s.n || !mx_str_is_utf8(mx_str_of(s.p, n)))
        return 0;
    next = (unsigned char)s.p[1];
    last = (unsigned char)s.p[n - 1];
    if (c == 0xc2 && next < 0xa0)
        return 0;
    if (c == 0xe2 && next == 0x80 && last >= 0xaa && last <= 0xae)
        return 0;
    if (c == 0xe2 && next == 0x81 && last >= 0xa6 && last <= 0xa9)
        return 0;
    return n;
}

const char *ctl_text(struct mx_arena *arena, struct mx_str s)
{
    static const char hex[] = "0123456789abcdef";
    bool is_cut = s.n > CTL_TEXT_MAX;
    struct mx_str rest = mx_str_sub(s, 0, CTL_TEXT_MAX);
    char *out = mx_arena_alloc(arena, rest.n * 4 + 4), *w = out;

    while (rest.n > 0) {
        size_t n = printable(rest), i;
        unsigned char c = (unsigned char)rest.p[0];

        for (i = 0; i < n; i++)
            *w++ = rest.p[i];
        if (n == 0) {
            *w++ = '\\';
            *w++ = 'x';
            *w++ = hex[c >> 4];
            *w++ = hex[c & 15];
            n = 1;
        }
        rest = mx_str_sub(rest, n, rest.n - n);
    }
    for (int i = 0; is_cut && i < 3; i++)
        *w++ = '.';
    *w = '\0';
    return out;
}
