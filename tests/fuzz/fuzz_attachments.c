/* The input as the name of an attachment, as an archive, as a document, and as each part
   of a document that is read: every path that the attachments detector takes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "archive_list.h"
#include "attach_name.h"
#include "document.h"
#include "mx_arena.h"
#include "mx_time.h"

static void on_member(void *user, const struct archive_member *member)
{
    unsigned flags = 0;
    struct mx_str name = attach_name_clean(user, member->name, &flags);
    assert(name.n <= 8 * ATTACH_NAME_MAX);
}

static bool wants(struct mx_str name, struct mx_str head)
{
    return document_is(head) || document_member_is(name);
}

static void on_content(void *user, struct mx_str name, struct mx_str content)
{
    (void)user;
    assert(content.n <= ARCHIVE_NESTED_MAX);
    assert(document_traits(content) < 32);
    assert(document_member_traits(name, content) < 16);
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
    document_start();
    on_content(NULL, MX_STR("_rels/.rels"), input);
    struct archive_walk walk = {.on_member = on_member,
                                .wants = wants,
                                .on_content = on_content,
                                .user = arena,
                                .deadline_ms = mx_mono_us() / 1000 + 1000};
    if (archive_list_is(input))
        archive_list(&walk, input);
    mx_arena_free(arena);
    return 0;
}
