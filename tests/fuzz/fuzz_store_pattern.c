/*
 * Patterns and scopes as users write them, and list entries as Redis returns them. What
 * is normalised stays as it is when normalised again; each candidate of an address is of
 * the kind that a list says it has.
 */
#include <stdint.h>
#include <stdlib.h>

#include "mx_addr.h"
#include "mx_arena.h"
#include "store_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int normalise_fn(struct mx_arena *, struct mx_str, struct mx_str *,
                         struct mx_err *);

static void check_stable(struct mx_arena *arena, normalise_fn *normalise,
                         struct mx_str text)
{
    struct mx_str once, twice;
    if (normalise(arena, text, &once, NULL) != 0)
        return;
    if (once.n > STORE_PATTERN_MAX || normalise(arena, once, &twice, NULL) != 0 ||
        !mx_str_eq(once, twice))
        abort();
}

static void check_candidates(struct mx_arena *arena, struct mx_str text)
{
    struct mx_addr sender;
    struct mx_net client = {0};
    struct store_list_query query = {.client = &client};
    char room[MX_NET_TEXT_MAX];
    if (mx_addr_parse(arena, text, &sender, NULL) != 0)
        return;
    mx_net_parse(sender.domain, &client, NULL);
    query.n_patterns = store_pattern_senders(arena, &sender, &query.patterns);
    if (store_list_count(&query) > STORE_PATTERNS_MAX)
        abort();
    for (size_t i = 0; i < store_list_count(&query); i++) {
        struct mx_str pattern = store_list_pattern(&query, i, room);
        char letter = store_kinds_letter(pattern);
        if (store_kinds_parse(mx_str_of(&letter, 1)) != store_list_kind(&query, i))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_str text = mx_str_of(data, size);
    int64_t since_ms = -1;
    if (size > 4096)
        return 0;
    struct mx_arena *arena = mx_arena_new(1 << 20);
    check_stable(arena, store_pattern_normalise, text);
    check_stable(arena, store_scope_normalise, text);
    check_candidates(arena, text);
    if (store_listing_parse(text, &since_ms) == STORE_NOT_LISTED && size == 1 &&
        data[0] == 'a')
        abort();
    if (since_ms < 0)
        abort();
    mx_arena_free(arena);
    return 0;
}
