/* Received lines and addresses: nothing of a line may look like a field of a relay. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text_address.h"
#include "text/text_received.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        assert(s.p[i] != ' ' && s.p[i] != '\n' && s.p[i] != '[' && s.p[i] != ']');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_arena *arena = mx_arena_new((size_t)64 << 20);
    struct text_address *addresses;
    struct text_relay relay;
    struct mx_str sender, line = mx_str_of(data, size < 8192 ? size : 8192);
    size_t n;
    if (text_received_parse(arena, line, &relay, &sender) == TEXT_RECEIVED_RELAY) {
        check(relay.ip);
        check(relay.rdns);
        check(relay.helo);
        check(relay.by);
        check(relay.ident);
        check(relay.envfrom);
    }
    text_address_parse(arena, line, &addresses, &n);
    for (size_t i = 0; i < n; i++)
        assert(addresses[i].address.p == NULL ||
               memchr(addresses[i].address.p, '@', addresses[i].address.n) != NULL);
    mx_arena_free(arena);
    return 0;
}
