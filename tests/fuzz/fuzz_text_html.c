/*
 * text_html_render on any bytes: lists stay in their bounds, every text lies in the
 * arena's own memory (the sanitizer sees), and what is visible and what is not add up to
 * the whole.
 */
#include <assert.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_html.h"

#define LIST_MAX 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read every byte, so that the sanitizer looks at it. */
static size_t sum_of(struct text_list list)
{
    size_t sum = 0;
    assert(list.n <= LIST_MAX);
    for (size_t i = 0; i < list.n; i++) {
        for (size_t k = 0; k < list.v[i].n; k++)
            sum += (unsigned char)list.v[i].p[k];
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_arena *arena = mx_arena_new((size_t)64 << 20);
    struct html_result html;
    text_html_render(arena, mx_str_of(data, size), &html);
    assert(html.text.n <= size);
    assert(html.visible.n + html.invisible.n == html.text.n);
    assert(html.non_space <= html.text_length && html.text_length <= html.text.n);
    assert(html.elements <= html.tags_count && html.elements_seen <= html.tags_seen);
    assert(html.tags_seen <= html.tags_count && html.n_tags <= html.tags_count);
    assert(html.n_anchors == html.anchor.n);
    for (size_t i = 0; i < html.n_tags; i++)
        assert(html.tags[i].open >= 0);
    volatile size_t sum = sum_of(html.uris) + sum_of(html.title) + sum_of(html.anchor) +
                          sum_of(html.comment) + sum_of(html.script);
    (void)sum;
    mx_arena_free(arena);
    return 0;
}
