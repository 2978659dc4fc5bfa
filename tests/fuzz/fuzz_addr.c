/* mx_addr_parse: whatever it accepts must parse again to the same, and keep its bounds.
 */
#include <assert.h>
#include <stdlib.h>

#include "mx_addr.h"
#include "mx_arena.h"
#include "mx_err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct mx_addr addr, again;
    struct mx_err err;
    struct mx_str text = mx_str_of(data, size);
    mx_addr_domain_ok(text);
    if (mx_addr_parse(arena, text, &addr, &err) == 0) {
        assert(addr.local.n <= MX_ADDR_LOCAL_MAX && addr.domain.n <= MX_ADDR_DOMAIN_MAX);
        assert(addr.is_null == (addr.text.n == 0));
        assert(mx_addr_parse(arena, addr.text, &again, &err) == 0);
        assert(mx_str_eq(addr.text, again.text) && mx_str_eq(addr.local, again.local));
        assert(mx_str_eq(addr.domain, again.domain));
    }
    mx_arena_free(arena);
    return 0;
}
