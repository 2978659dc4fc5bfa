/* Any code, enhanced code and text: a reply that can be sent, of the verdict's class; any
   header value: no line of its own. Input: action, code, enhanced code, LF, text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "shim_reply.h"

static void check_reply(const struct shim_verdict *verdict,
                        const struct shim_reply *reply)
{
    bool is_refusal = verdict->action >= SHIM_TEMPFAIL;
    if ((reply->n > 0) != is_refusal)
        abort();
    for (unsigned i = 0; i < reply->n; i++) {
        size_t percents = 0;
        for (const char *p = reply->lines[i]; *p; p++) {
            percents += *p == '%';
            if (*p < ' ' || *p > '~')
                abort();
        }
        size_t raw = strlen(reply->lines[i]);
        if (raw > SHIM_REPLY_RAW_MAX || percents % 2 != 0 ||
            raw - percents / 2 + strlen(reply->code) + strlen(reply->enhanced) + 2 >
                SHIM_REPLY_LINE_MAX)
            abort();
    }
    if (is_refusal && reply->code[0] != (verdict->action == SHIM_REJECT ? '5' : '4'))
        abort();
}

static void check_header(const char *value)
{
    for (const char *p = value; *p; p++)
        if (*p == '\r' || (*p == '\n' && p[1] != ' ' && p[1] != '\t'))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > 65536)
        return 0;
    struct mx_arena *arena = mx_arena_new(4 << 20);
    struct mx_str text = mx_str_of(data + 3, size - 3), enhanced = MX_STR_NONE;
    mx_str_next(&text, '\n', &enhanced);
    struct shim_verdict verdict = {
        .action = (enum shim_action)(data[0] % 5),
        .code = data[1] * 256u + data[2],
        .enhanced = mx_str_cstr(arena, enhanced),
        .text = text,
    };
    struct shim_reply reply;
    shim_reply_format(arena, &verdict, &reply);
    check_reply(&verdict, &reply);
    check_header(shim_reply_header_value(arena, text, data[0] & 1));
    (void)shim_reply_header_name(arena, enhanced);
    mx_arena_free(arena);
    return 0;
}
