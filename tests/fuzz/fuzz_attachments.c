/* Names of attachments and contents of archives: the whole detector over the input as one
   message, so that every path from MIME parameter to archive member is reached. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "archive_list.h"
#include "attach_name.h"
#include "mx_arena.h"
#include "mx_time.h"

static void on_member(void *user, const struct archive_member *member)
{
    unsigned flags = 0;
    struct mx_str name = attach_name_clean(user, member->name, &flags);
    assert(name.n <= 8 * ATTACH_NAME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_arena *arena = mx_arena_new(256u << 20);
    struct mx_str input = mx_str_of(data, size);
    struct message_header headers[] = {
        {MX_STR("Content-Disposition"), input},
        {MX_STR("Content-Type"), input},
    };
    struct message_part part = {.name = input, .headers = headers, .n_headers = 2};
    struct mx_str names[ATTACH_READINGS_MAX];
    size_t n = attach_name_readings(arena, &part, names);
    assert(n <= ATTACH_READINGS_MAX);
    struct archive_walk walk = {
        .on_member = on_member, .user = arena, .deadline_ms = mx_mono_us() / 1000 + 1000};
    if (archive_list_is(input))
        archive_list(&walk, input);
    mx_arena_free(arena);
    return 0;
}
