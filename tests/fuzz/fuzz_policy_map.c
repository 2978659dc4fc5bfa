/*
 * A map file: parsed as the kind that the first byte names, then every line of the same
 * text is looked up in it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "mx_err.h"
#include "mx_net.h"
#include "policy_map.h"

static void look_up(const struct policy_map *map, struct mx_str key)
{
    struct mx_str value;
    struct mx_net net;
    if (policy_map_find_text(map, key, &value) == POLICY_MAP_HIT && value.n == 0)
        abort(); /* a key without a result is refused when the file is read */
    if (mx_net_parse(key, &net, NULL) == 0)
        (void)policy_map_find_net(map, &net, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy_map_spec spec = {.path = "fuzz"};
    struct policy_map *map = NULL;
    struct mx_err err;
    if (size == 0 || size > 65536)
        return 0;
    spec.kind = (enum policy_map_kind)(data[0] % POLICY_MAP_KINDS);
    struct mx_str text = mx_str_of(data + 1, size - 1), line, word;
    if (policy_map_parse(&spec, text, &map, &err) < 0)
        return 0;
    while (mx_str_next(&text, '\n', &line) == 0) {
        look_up(map, line);
        if (mx_str_next(&line, ' ', &word) == 0)
            look_up(map, word);
    }
    policy_map_unref(map);
    return 0;
}
