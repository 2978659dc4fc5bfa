/* Message parser and the detectors that work on its result alone. */
#include <assert.h>
#include <stdint.h>

#include "mx_arena.h"
#include "scan_result.h"
#include "scan_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct message *msg)
{
    assert(msg->n_parts >= 1 && msg->n_parts <= MESSAGE_PARTS_MAX);
    assert(msg->n_headers <= MESSAGE_HEADERS_MAX);
    for (size_t i = 0; i < msg->n_parts; i++) {
        assert(msg->parts[i].depth <= MESSAGE_DEPTH_MAX);
        assert(msg->parts[i].parent < (int)i);
        assert(i == 0 || msg->parts[i].depth > 0);
    }
    for (size_t i = 0; i < msg->n_headers; i++) {
        const struct mx_str *value = &msg->headers[i].value;
        assert(value->p >= msg->raw.p && value->p + value->n <= msg->raw.p + msg->raw.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct scan_detector *const detectors[] = {&det_headers, &det_mime,
                                                            &det_gtube};
    struct mx_arena *arena = mx_arena_new(64u << 20);
    struct message msg = {.deadline_ms = INT64_MAX / 2, .is_truncated = size % 2 != 0};
    struct scan_result result;
    if (message_parse(arena, mx_str_of(data, size), &msg, NULL) == 0) {
        check(&msg);
        scan_result_init(&result, arena);
        for (size_t i = 0; i < 3; i++) {
            result.detector = detectors[i]->name;
            assert(detectors[i]->run(NULL, &msg, &result, NULL) == 0);
        }
        assert(result.n_findings < 64); /* each symbol once */
    }
    mx_arena_free(arena);
    return 0;
}
