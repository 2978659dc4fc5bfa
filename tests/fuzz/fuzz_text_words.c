/* Header decoding: transfer encodings, encoded words, charsets. First byte: which. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "text/text_charset.h"
#include "text/text_decode.h"
#include "text/text_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const charsets[] = {
        "utf-8",  "utf-16", "iso-2022-jp",  "gb2312", "shift_jis", "utf-7",
        "koi8-r", "big5",   "windows-1252", "x-none", "ascii",     "hz"};
    static const size_t n = sizeof(charsets) / sizeof(charsets[0]);
    struct mx_arena *arena = mx_arena_new((size_t)64 << 20);
    struct text_type type;
    if (size > 0 && size < 65536) {
        struct mx_str s = mx_str_of(data + 1, size - 1);
        struct mx_str name = mx_str(charsets[data[0] % n]);
        assert(mx_str_is_utf8(text_words_decode(arena, s)) ||
               mx_str_find(s, MX_STR("=?")) >= 0);
        assert(text_transfer_decode(arena, MX_STR("base64"), s).n <= s.n);
        assert(text_transfer_decode(arena, MX_STR("quoted-printable"), s).n <= s.n);
        assert(mx_str_is_utf8(text_to_utf8(arena, s, name)));
        text_charset_insist(arena, s, name);
        text_charset_guess(arena, MX_STR("\xe4"), s);
        text_type_parse(arena, s, &type);
        assert(type.type.n > 0 || !type.is_missing);
    }
    mx_arena_free(arena);
    return 0;
}
