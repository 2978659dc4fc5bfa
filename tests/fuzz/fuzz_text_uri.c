/*
 * The linkifier and what it feeds: addresses found in any bytes lie in them and in order,
 * and cooking each stays in its bounds. The first byte says whether the string is wide.
 */
#include <assert.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "text/text_domain.h"
#include "text/text_uri.h"
#include "text/text_uri_cook.h"
#include "text/text_uri_find.h"
#include "text_lists.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cook(struct mx_arena *arena, const struct text_lists *lists,
                 struct mx_str uri, bool is_wide)
{
    struct text_list forms = text_uri_cook(arena, lists, uri, is_wide);
    assert(forms.n >= 1 && forms.n <= TEXT_URI_FORMS_MAX);
    for (size_t i = 0; i < forms.n; i++) {
        struct mx_str host, domain;
        for (size_t k = 0; k < i; k++)
            assert(!mx_str_eq(forms.v[i], forms.v[k]));
        if (text_domain_of_uri(arena, lists, forms.v[i], &host, &domain))
            assert(domain.n > 0 && domain.n <= host.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    struct mx_arena *arena = mx_arena_new((size_t)64 << 20);
    struct text_list store[3];
    struct text_lists lists = text_lists_few(store);
    struct mx_str pattern = MX_STR("m'[?&]u=(.*?)(?:$|&)'i");
    struct text_list patterns = {.v = &pattern, .n = 1};
    struct text_redirectors *redirectors;
    struct mx_err err;
    assert(text_redirectors_new(&patterns, &redirectors, &err) == 0);
    lists.redirectors = redirectors;

    struct mx_str text = mx_str_of(data + 1, size - 1);
    struct text_finder finder = {.text = text, .lists = &lists};
    const char *before = text.p;
    for (struct text_found found; text_find_next(&finder, &found);) {
        assert(found.uri.p >= before && found.uri.p + found.uri.n <= text.p + text.n);
        before = found.uri.p + found.uri.n;
        if (mx_arena_left(arena) > (size_t)16 << 20)
            cook(arena, &lists, found.uri, false);
    }
    if (mx_arena_left(arena) > (size_t)16 << 20)
        cook(arena, &lists, text, (data[0] & 1) != 0 && mx_str_is_utf8(text));

    struct texts texts = {.body = {.v = &text, .n = 1}};
    struct text_settings settings = {.lists = lists};
    text_uri_form(arena, &settings, &texts);
    assert(texts.n_uri_details <= TEXT_URIS_MAX);
    text_redirectors_free(redirectors);
    mx_arena_free(arena);
    return 0;
}
