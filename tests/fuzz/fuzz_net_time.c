/*
 * The small texts in one target: networks, durations, sizes, numbers. What parses must
 * print and parse back to the same value. Slices first, as they stand in each of them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_net.h"
#include "mx_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_net(struct mx_str text)
{
    struct mx_net net, again;
    char shown[MX_NET_TEXT_MAX];
    struct mx_err err;
    if (mx_net_parse(text, &net, &err) < 0)
        return;
    assert(mx_net_parse(mx_str(mx_net_format(&net, shown)), &again, &err) == 0);
    assert(memcmp(&net, &again, sizeof(net)) == 0);
    assert(mx_net_contains(&net, &again));
    again = mx_net_mask(&net, 24, 64);
    assert(mx_net_contains(&again, &net));
    mx_net_is_private(&net);
}

static void check_units(struct mx_arena *arena, struct mx_str text)
{
    int64_t value, again;
    struct mx_err err;
    if (mx_duration_parse(text, &value, &err) == 0) {
        const char *shown = mx_duration_format(arena, value);
        assert(mx_duration_parse(mx_str(shown), &again, &err) == 0 && again == value);
    }
    if (mx_size_parse(text, &value, &err) == 0) {
        const char *shown = mx_size_format(arena, value);
        assert(mx_size_parse(mx_str(shown), &again, &err) == 0 && again == value);
    }
    if (mx_str_to_int(text, -1000, 1000, &value, &err) == 0)
        assert(value >= -1000 && value <= 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_arena *arena = mx_arena_new(8 * size + (1 << 16));
    struct mx_str text = mx_str_of(data, size);
    check_net(text);
    check_units(arena, text);
    mx_str_esc(arena, text);
    const char *json = mx_str_json(arena, text);
    assert(mx_str_is_utf8(mx_str(json)));
    mx_arena_free(arena);
    return 0;
}
