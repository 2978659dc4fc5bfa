/* RFC 2047 by GMime's decoder, which takes what real mail holds rather than what the
   standard allows: words inside quotes, spaces in them, a broken final group. */
#include "message_words.h"

#include <gmime/gmime.h>

#include "mx_arena.h"

#define TEXT_MAX (64u << 10)

struct mx_str message_words_decode(struct mx_arena *arena, struct mx_str text)
{
    const char *raw = mx_str_cstr(arena, mx_str_sub(text, 0, TEXT_MAX));
    g_mime_init(); /* counts its callers; the first call does the work */
    char *decoded = g_mime_utils_header_decode_text(NULL, raw);
    struct mx_str out = mx_str_dup(arena, mx_str(decoded ? decoded : raw));
    g_free(decoded);
    return out;
}
