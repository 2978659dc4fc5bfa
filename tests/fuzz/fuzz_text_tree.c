/* texts_form: any message gives texts inside its bounds, whatever selectors are asked. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "text/text.h"
#include "text/text_tree.h"

#define MESSAGE_MAX                                                                      \
    (256u << 10) /* bytes; the default limit of a scan is not larger by much */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tree(struct mx_arena *arena, const struct text_tree *tree)
{
    assert(tree->n_parts >= 1 && tree->n_parts <= TEXT_PARTS_MAX + 1);
    for (size_t i = 0; i < tree->n_parts; i++) {
        const struct text_part *part = &tree->parts[i];
        assert(part->depth <= TEXT_NESTING_MAX && part->parent < (int)i);
        assert(part->is_leaf || part->raw.n == 0);
        struct mx_str decoded = text_part_decoded(arena, part);
        assert(decoded.n <= part->raw.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const selectors[] = {
        "ALL",     "ALL:raw",        "ALL-EXTERNAL", "ToCc:addr",   "From:name",
        "Subject", "MESSAGEID:host", "Received:ip",  "EnvelopeFrom"};
    static const struct text_list none = {NULL, 0};
    static const struct text_settings settings = {
        .lists = {.tlds = &none, .two_level = &none, .three_level = &none}};
    struct mx_arena *arena = mx_arena_new((size_t)256 << 20);
    struct texts texts;
    struct mx_str out;
    struct mx_err err;
    if (size <= MESSAGE_MAX &&
        texts_form(arena, &settings, mx_str_of(data, size), NULL, &texts, &err) == 0) {
        check_tree(arena, &texts.tree);
        assert(texts.relays.n_internal <= texts.relays.n);
        assert(texts.relays.n_trusted <= texts.relays.n);
        for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
            if (!text_header_get(arena, &texts, mx_str(selectors[i]), &out))
                assert(out.n == 0);
    }
    mx_arena_free(arena);
    return 0;
}
