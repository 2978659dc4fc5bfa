/*
 * Verdicts as values. A verdict is one action; the SMTP code only says it to the client,
 * so every code is checked against its action in one place and a text can never change
 * what happens. How verdicts of several recipients become one reply is policy_outcome's.
 */
#include "policy_verdict.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

void policy_verdict_reject(struct policy_verdict *out, const char *enhanced,
                           struct mx_str text, const char *reason)
{
    *out = (struct policy_verdict){.action = POLICY_REJECT,
                                   .code = 550,
                                   .enhanced = enhanced,
                                   .text = text,
                                   .reason = reason};
}

void policy_verdict_tempfail(struct policy_verdict *out, const char *enhanced,
                             struct mx_str text, const char *reason)
{
    *out = (struct policy_verdict){.action = POLICY_TEMPFAIL,
                                   .code = 450,
                                   .enhanced = enhanced,
                                   .text = text,
                                   .reason = reason};
}

void policy_verdict_continue(struct policy_verdict *out, const char *reason,
                             const char *mark)
{
    *out = (struct policy_verdict){
        .action = POLICY_CONTINUE, .reason = reason, .mark = mark};
}

/* The class of codes that an action is said with; 0: it has no reply. */
static unsigned reply_class(enum policy_action action)
{
    if (action == POLICY_REJECT)
        return 5;
    return action == POLICY_TEMPFAIL ? 4 : 0;
}

bool policy_verdict_is_sound(const struct policy_verdict *verdict)
{
    unsigned wanted = reply_class(verdict->action);
    if (wanted == 0)
        return verdict->code == 0;
    return verdict->code / 100 == wanted && verdict->enhanced != NULL &&
           verdict->enhanced[0] == (char)('0' + wanted) && verdict->enhanced[1] == '.';
}

static struct mx_str next_word(struct mx_str s)
{
    ptrdiff_t space = mx_str_chr(s, ' ');
    return space < 0 ? s : mx_str_sub(s, 0, (size_t)space);
}

static struct mx_str behind(struct mx_str s, struct mx_str word)
{
    return mx_str_trim(mx_str_sub(s, word.n, s.n));
}

static bool is_digits(struct mx_str s, size_t n_max)
{
    int64_t value;
    return s.n >= 1 && s.n <= n_max && s.p[0] != '-' &&
           mx_str_to_int(s, 0, 999, &value, NULL) == 0;
}

/* "d.ddd.ddd", RFC 3463 2. */
static bool is_enhanced(struct mx_str word)
{
    struct mx_str part;
    unsigned n = 0;
    while (mx_str_next(&word, '.', &part) == 0) {
        if (!is_digits(part, n == 0 ? 1 : 3))
            return false;
        n++;
    }
    return n == 3;
}

int policy_verdict_reply_parse(struct mx_arena *arena, struct mx_str text,
                               struct policy_verdict *io_verdict, struct mx_err *err)
{
    struct policy_verdict v = *io_verdict;
    struct mx_str rest = mx_str_trim(text), word = next_word(rest);
    int64_t code;
    if (word.n == 3 && mx_str_to_int(word, 200, 599, &code, NULL) == 0) {
        v.code = (unsigned)code;
        rest = behind(rest, word);
        word = next_word(rest);
    }
    if (is_enhanced(word)) {
        v.enhanced = mx_str_cstr(arena, word);
        rest = behind(rest, word);
    }
    if (!policy_verdict_is_sound(&v))
        return mx_err_set(err, MX_ERR_INPUT, "reply codes %u %s do not say '%s'", v.code,
                          v.enhanced ? v.enhanced : "", policy_action_name(v.action));
    if (rest.n)
        v.text = mx_str_dup(arena, rest);
    *io_verdict = v;
    return 0;
}

struct mx_str policy_verdict_clean(struct mx_arena *arena, struct mx_str text)
{
    size_t n = text.n < POLICY_REPLY_MAX ? text.n : POLICY_REPLY_MAX;
    char *clean = mx_arena_dup(arena, text.p ? text.p : "", n);
    for (size_t i = 0; i < n; i++)
        if (clean[i] < 0x20 || clean[i] > 0x7e)
            clean[i] = '?';
    return mx_str_of(clean, n);
}

const char *policy_verdict_format(struct mx_arena *arena,
                                  const struct policy_verdict *verdict)
{
    if (verdict->code == 0)
        return policy_action_name(verdict->action);
    struct mx_str text = policy_verdict_clean(arena, verdict->text);
    char *line =
        mx_arena_printf(arena, "%u %s %.*s", verdict->code,
                        verdict->enhanced ? verdict->enhanced : "", MX_STR_FMT(text));
    if (strlen(line) > POLICY_REPLY_MAX)
        line[POLICY_REPLY_MAX] = '\0';
    return line;
}

const char *policy_action_name(enum policy_action action)
{
    static const char *const names[POLICY_ACTIONS] = {"continue",   "tag",   "folder",
                                                      "quarantine", "hold",  "discard",
                                                      "tempfail",   "reject"};
    return (unsigned)action < POLICY_ACTIONS ? names[action] : "unknown";
}

const char *policy_stage_name(enum policy_stage stage)
{
    switch (stage) {
    case POLICY_AT_CONNECT: return "connect";
    case POLICY_AT_HELO: return "helo";
    case POLICY_AT_MAIL: return "mail";
    case POLICY_AT_RCPT: return "rcpt";
    case POLICY_AT_CONTENT: return "content";
    }
    return "unknown";
}
