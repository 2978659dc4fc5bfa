/*
 * The matcher behind the Received parser. Every MTA writes the same four facts in its
 * own order and punctuation, so a form is best said as a picture of the line:
 * "%h (%r [%i]) by %b ". This is a backtracking matcher for such pictures. It knows what
 * trace fields need (IP addresses, names, comments) and nothing else; there is no
 * alternation, and repetition only of single bytes.
 *
 * Recursion is as deep as a pattern has elements. The number of steps is limited for
 * each call, as some elements are open at both ends and a line can be 8 kB.
 */
#include "text_match.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "text/text_chars.h"

#define STEPS_MAX 20000 /* tries of one pattern on one line */

struct match {
    struct mx_str line;
    size_t steps;
    struct text_captures *out;
};

static bool match_here(struct match *m, const char *pattern, size_t at);

/* ---- bytes --------------------------------------------------------------------------
 */

static bool is_word_at(struct mx_str s, size_t i)
{
    return i < s.n && text_char_word(s.p[i]);
}

static bool is_word_boundary(struct mx_str s, size_t i)
{
    return (i > 0 && text_char_word(s.p[i - 1])) != is_word_at(s, i);
}

static bool is_v6_char(char c)
{
    return isxdigit((unsigned char)c) || c == ':';
}

/* ---- addresses ----------------------------------------------------------------------
 */

/* Length of "1.2.3.4" at ${from}, each number 0 to 255 without leading zeros. */
static size_t v4_length(struct mx_str s, size_t from)
{
    size_t i = from;
    for (int part = 0; part < 4; part++) {
        unsigned value = 0, digits = 0;
        if (part > 0 && (i >= s.n || s.p[i++] != '.'))
            return 0;
        while (i < s.n && isdigit((unsigned char)s.p[i]) && digits < 4) {
            value = value * 10 + (unsigned)(s.p[i++] - '0');
            digits++;
        }
        if (digits == 0 || value > 255 || (digits > 1 && s.p[i - digits] == '0'))
            return 0;
    }
    return i - from;
}

/* Length of the IPv6 address at ${from}, with or without IPv4 at its end. */
static size_t v6_length(struct mx_str s, size_t from)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t end = from, last_colon = from;
    bool has_colon = false;
    for (; end < s.n && is_v6_char(s.p[end]); end++)
        if (s.p[end] == ':') {
            last_colon = end;
            has_colon = true;
        }
    if (!has_colon)
        return 0;
    size_t mapped = v4_length(s, last_colon + 1);
    if (mapped)
        end = last_colon + 1 + mapped;
    if (end - from >= sizeof(text) || (end < s.n && is_v6_char(s.p[end])))
        return 0;
    memcpy(text, s.p + from, end - from);
    text[end - from] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1 ? end - from : 0;
}

size_t text_match_ip(struct mx_str line, size_t from)
{
    struct mx_str rest = mx_str_sub(line, from, line.n);
    char before = from > 0 ? line.p[from - 1] : ' ';
    if (rest.n == 0)
        return 0;
    if (isdigit((unsigned char)rest.p[0]) && !text_char_word(before) && before != ':') {
        size_t n = v4_length(line, from);
        if (n && !is_word_at(line, from + n))
            return n;
    }
    if (mx_str_istarts(rest, MX_STR("IPv6:"))) {
        size_t n = v6_length(line, from + 5);
        return n ? n + 5 : 0;
    }
    if (!is_v6_char(rest.p[0]) || is_v6_char(before))
        return 0;
    return v6_length(line, from);
}

static size_t local_length(struct mx_str s, size_t from)
{
    struct mx_str rest = mx_str_sub(s, from, s.n);
    if (mx_str_istarts(rest, MX_STR("localhost.localdomain")))
        return 21;
    if (mx_str_istarts(rest, MX_STR("localhost")))
        return 9;
    struct mx_str ip = mx_str_sub(rest, 0, text_match_ip(s, from));
    bool is_local = mx_str_eq(ip, MX_STR("127.0.0.1")) || mx_str_eq(ip, MX_STR("::1")) ||
                    mx_str_ieq(ip, MX_STR("IPv6:::1")) ||
                    mx_str_ieq(ip, MX_STR("::ffff:127.0.0.1"));
    return is_local ? ip.n : 0;
}

/* ---- elements -----------------------------------------------------------------------
 */

/* A run of bytes: of which kind, how many, captured as what. */
struct run {
    char element;
    enum { RUN_NON_SPACE, RUN_NON_PAREN, RUN_ANY, RUN_DIGIT, RUN_ZONE } kind;
    unsigned least, most; /* most 0: any number */
    int capture;          /* -1: none */
    bool is_lazy;
};

static const struct run runs[] = {
    {'r', RUN_NON_SPACE, 1, 0, CAPTURE_RDNS, false},
    {'h', RUN_NON_SPACE, 1, 0, CAPTURE_HELO, false},
    {'b', RUN_NON_SPACE, 1, 0, CAPTURE_BY, false},
    {'d', RUN_NON_SPACE, 1, 0, CAPTURE_IDENT, false},
    {'k', RUN_NON_SPACE, 1, 0, CAPTURE_WORD, false},
    {'R', RUN_NON_SPACE, 0, 0, CAPTURE_RDNS, false},
    {'H', RUN_NON_SPACE, 0, 0, CAPTURE_HELO, false},
    {'B', RUN_NON_SPACE, 0, 0, CAPTURE_BY, false},
    {'D', RUN_NON_SPACE, 0, 0, CAPTURE_IDENT, false},
    {'.', RUN_NON_SPACE, 3, 0, CAPTURE_RDNS, false},
    {'x', RUN_NON_PAREN, 0, 0, CAPTURE_HELO, false},
    {'o', RUN_NON_PAREN, 1, 0, CAPTURE_OPTIONS, false},
    {'q', RUN_NON_PAREN, 1, 0, CAPTURE_WORD, false},
    {'s', RUN_ANY, 0, 0, CAPTURE_OPTIONS, true},
    {'w', RUN_NON_SPACE, 1, 0, -1, false},
    {'W', RUN_NON_SPACE, 0, 0, -1, false},
    {'p', RUN_NON_PAREN, 1, 0, -1, false},
    {'P', RUN_NON_PAREN, 0, 0, -1, false},
    {'a', RUN_NON_PAREN, 2, 0, -1, false},
    {'n', RUN_DIGIT, 1, 0, -1, false},
    {'z', RUN_ZONE, 0, 0, -1, false},
    {'*', RUN_ANY, 0, 0, -1, false},
    {'~', RUN_ANY, 0, 0, -1, true},
    {'8', RUN_ANY, 10, 80, -1, false},
};

static const struct run *find_run(char element)
{
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        if (runs[i].element == element)
            return &runs[i];
    return NULL;
}

static bool is_in_run(const struct run *run, char c)
{
    switch (run->kind) {
    case RUN_NON_SPACE: return !text_char_space(c);
    case RUN_NON_PAREN: return c != ')';
    case RUN_ANY: return c != '\n';
    case RUN_DIGIT: return isdigit((unsigned char)c);
    case RUN_ZONE:
        return isupper((unsigned char)c) || isdigit((unsigned char)c) ||
               (c != '\0' && strchr("._~-", c) != NULL);
    }
    return false;
}

/* What the byte class alone cannot say. */
static bool is_run_fit(const struct run *run, struct mx_str text)
{
    if (run->element == 'a')
        return isalpha((unsigned char)text.p[0]);
    if (run->element != '.')
        return true;
    ptrdiff_t dot = mx_str_chr(mx_str_sub(text, 1, text.n), '.');
    return dot >= 0 && (size_t)dot + 2 < text.n;
}

/* The run takes ${n} bytes, and the rest of the pattern matches behind it. */
static bool try_run(struct match *m, const struct run *run, const char *rest, size_t at,
                    size_t n)
{
    struct mx_str text = mx_str_of(m->line.p + at, n);
    if (!is_run_fit(run, text) || !match_here(m, rest, at + n))
        return false;
    if (run->capture >= 0)
        m->out->v[run->capture] = text;
    return true;
}

static bool match_run(struct match *m, const struct run *run, const char *rest, size_t at)
{
    size_t most = 0, room = m->line.n - at;
    if (run->most && room > run->most)
        room = run->most;
    while (most < room && is_in_run(run, m->line.p[at + most]))
        most++;
    if (most < run->least)
        return false;
    for (size_t tried = 0; tried <= most - run->least; tried++) {
        if (m->steps == 0)
            return false;
        m->steps--;
        if (try_run(m, run, rest, at, run->is_lazy ? run->least + tried : most - tried))
            return true;
    }
    return false;
}

static bool match_address(struct match *m, char element, const char *rest, size_t at)
{
    size_t n = element == 'l' ? local_length(m->line, at) : text_match_ip(m->line, at);
    if (n == 0 || !match_here(m, rest, at + n))
        return false;
    if (element == 'i')
        m->out->v[CAPTURE_IP] = mx_str_of(m->line.p + at, n);
    return true;
}

static bool match_choice(struct match *m, const char *const *words, const char *rest,
                         size_t at)
{
    for (; *words; words++) {
        size_t n = strlen(*words);
        if (mx_str_starts(mx_str_sub(m->line, at, m->line.n), mx_str(*words)) &&
            match_here(m, rest, at + n))
            return true;
    }
    return false;
}

/* "[.:]" and digits, or nothing. */
static bool match_port(struct match *m, const char *rest, size_t at)
{
    size_t end = at;
    if (end < m->line.n && (m->line.p[end] == '.' || m->line.p[end] == ':'))
        for (end++; end < m->line.n && isdigit((unsigned char)m->line.p[end]);)
            end++;
    if (end > at + 1 && match_here(m, rest, end))
        return true;
    return match_here(m, rest, at);
}

static bool match_element(struct match *m, char element, const char *rest, size_t at)
{
    static const char *const hello[] = {"HELO", "EHLO", NULL};
    static const char *const smtp[] = {"ESMTP", "SMTP", NULL};
    const struct run *run = find_run(element);
    if (run)
        return match_run(m, run, rest, at);
    switch (element) {
    case 'i':
    case 'I':
    case 'l': return match_address(m, element, rest, at);
    case 'e': return match_choice(m, hello, rest, at);
    case 'm': return match_choice(m, smtp, rest, at);
    case ':': return match_port(m, rest, at);
    case '$': return at == m->line.n && match_here(m, rest, at);
    case '|': return is_word_boundary(m->line, at) && match_here(m, rest, at);
    case '/':
        return is_word_boundary(m->line, at) &&
               (at == m->line.n || (m->line.p[at] != '.' && m->line.p[at] != '-')) &&
               match_here(m, rest, at);
    case '%':
        return at < m->line.n && m->line.p[at] == '%' && match_here(m, rest, at + 1);
    default: return false;
    }
}

static bool match_here(struct match *m, const char *pattern, size_t at)
{
    for (; *pattern; pattern++) {
        if (*pattern == '%')
            return match_element(m, pattern[1], pattern + 2, at);
        if (*pattern == '{')
            return match_here(m, pattern + 1, at) ||
                   match_here(m, strchr(pattern, '}') + 1, at);
        if (*pattern == '}')
            continue;
        if (at == m->line.n || m->line.p[at] != *pattern)
            return false;
        at++;
    }
    m->out->end = at;
    return true;
}

/* ---- entry --------------------------------------------------------------------------
 */

static bool match_from(struct match *m, const char *pattern, size_t from)
{
    *m->out = (struct text_captures){.end = from};
    return match_here(m, pattern, from);
}

bool text_match_at(const char *pattern, struct mx_str line, size_t from,
                   struct text_captures *out)
{
    struct match m = {.line = line, .steps = STEPS_MAX, .out = out};
    return from <= line.n && match_from(&m, pattern, from);
}

bool text_match_find(const char *pattern, struct mx_str line, struct text_captures *out)
{
    if (line.p == NULL)
        line = MX_STR("");
    struct match m = {.line = line, .steps = STEPS_MAX, .out = out};
    bool is_literal = strchr("%{", pattern[0]) == NULL;
    for (size_t from = 0; from <= line.n && m.steps > 0; from++) {
        const char *next = line.p + from;
        if (is_literal && from < line.n)
            next = memchr(next, pattern[0], line.n - from);
        if (is_literal && (from == line.n || next == NULL))
            return false;
        from = (size_t)(next - line.p);
        if (match_from(&m, pattern, from))
            return true;
    }
    return false;
}
