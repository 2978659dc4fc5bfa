/*
 * A PolicyRequest from the wire: decoded, then looked at from end to end, so that a slice
 * that points nowhere is read. The first byte chooses the delimiter.
 */
#include <stdint.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "policy_request.h"

static size_t look(struct mx_str s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum += (unsigned char)s.p[i];
    return sum;
}

static size_t look_rcpt(const struct policy_rcpt *rcpt)
{
    size_t sum = look(rcpt->path) + look(rcpt->mailbox) + look(rcpt->addr.text);
    for (size_t i = 0; i < rcpt->n_marks; i++)
        sum += look(rcpt->marks[i]);
    for (size_t i = 0; i < rcpt->n_mailboxes; i++)
        sum += look(rcpt->mailboxes[i]);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const delimiters[] = {"+", "", "+-", "@"};
    struct mx_arena *arena = mx_arena_new(POLICY_ARENA_MAX);
    struct policy_wish wish;
    struct mx_err err;
    size_t sum = 0;
    if (size > 0 && policy_request_decode(arena, mx_str_of(data + 1, size - 1),
                                          delimiters[data[0] % 4], &wish, &err) == 0) {
        const struct policy_req *req = &wish.req;
        sum += look(req->id) + look(req->helo) + look(req->sender.text);
        if (req->rcpt)
            sum += look_rcpt(req->rcpt);
        for (size_t i = 0; i < req->n_rcpts; i++)
            sum += look_rcpt(&req->rcpts[i]);
        for (size_t i = 0; req->scan && i < req->scan->n_findings; i++)
            sum += look(req->scan->findings[i].symbol);
        if (req->n_rcpts > POLICY_RCPTS_MAX ||
            (req->stage == POLICY_AT_CONTENT && req->n_rcpts == 0))
            abort();
    }
    mx_arena_free(arena);
    return sum == SIZE_MAX; /* never: keeps the reads */
}
