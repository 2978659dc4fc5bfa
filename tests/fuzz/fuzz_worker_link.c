/* What a worker that a message has taken over could send to the supervisor. */
#include <assert.h>
#include <stdint.h>

#include "worker_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct worker_inbox inbox = {0};
    size_t piece = size > 0 ? data[0] + 1u : 1;
    for (size_t at = 0; at < size; at += piece) {
        size_t n = at + piece < size ? piece : size - at;
        struct worker_reply reply;
        struct mx_str faults, payload;
        if (worker_inbox_feed(&inbox, mx_str_of(data + at, n), NULL) < 0)
            break;
        if (worker_inbox_take(&inbox, &reply, &faults, &payload) == 0) {
            assert(faults.n <= WORKER_FAULTS_MAX && payload.n <= WORKER_PAYLOAD_MAX);
            assert(faults.p + faults.n == payload.p);
            assert(reply.n_costs <= WORKER_COSTS_MAX);
        }
    }
    worker_inbox_fini(&inbox);
    return 0;
}
