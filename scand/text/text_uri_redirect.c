/*
 * Redirector patterns on PCRE2. There are some fifteen; each is tried in turn on each URI
 * with a host, so they are compiled with JIT where it is available, and bounded in
 * backtracking: they come from rule files, but the URIs from anybody.
 *
 * A pattern that hits its limit counts as no match.
 */
#include "text/text_uri_redirect.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "text/text.h"

#define MATCH_LIMIT 100000 /* steps of the matcher */

struct text_redirectors {
    pcre2_code **codes;
    size_t n;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* The closing delimiter of ${open}. */
static char closing(char open)
{
    static const char *const pairs[] = {"()", "[]", "{}", "<>"};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (open == pairs[i][0])
            return pairs[i][1];
    }
    return open;
}

/* "m'...'i" in pattern and options. */
static int split(struct mx_str line, struct mx_str *out_pattern, uint32_t *out_options,
                 struct mx_err *err)
{
    line = mx_str_trim(line);
    bool has_m = line.n > 0 && line.p[0] == 'm';
    struct mx_str quoted = mx_str_sub(line, has_m, line.n);
    if (quoted.n < 2)
        return mx_err_set(err, MX_ERR_INPUT, "redirector_pattern: no pattern");
    ptrdiff_t end = mx_str_rchr(quoted, closing(quoted.p[0]));
    if (end < 1)
        return mx_err_set(err, MX_ERR_INPUT, "redirector_pattern: no closing delimiter");
    *out_options = 0;
    for (size_t i = (size_t)end + 1; i < quoted.n; i++) {
        switch (quoted.p[i]) {
        case 'i': *out_options |= PCRE2_CASELESS; break;
        case 'm': *out_options |= PCRE2_MULTILINE; break;
        case 's': *out_options |= PCRE2_DOTALL; break;
        case 'x': *out_options |= PCRE2_EXTENDED; break;
        default:
            return mx_err_set(err, MX_ERR_INPUT, "redirector_pattern: modifier %c",
                              quoted.p[i]);
        }
    }
    *out_pattern = mx_str_sub(quoted, 1, (size_t)end - 1);
    return 0;
}

static int compile(struct mx_str line, pcre2_code **out, struct mx_err *err)
{
    struct mx_str pattern;
    uint32_t options;
    if (split(line, &pattern, &options, err) < 0)
        return -1;
    int code;
    PCRE2_SIZE at;
    pcre2_code *made =
        pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, options, &code, &at, NULL);
    if (made == NULL) {
        PCRE2_UCHAR text[120];
        pcre2_get_error_message(code, text, sizeof(text));
        return mx_err_set(err, MX_ERR_INPUT, "redirector_pattern: %s at %zu",
                          (const char *)text, (size_t)at);
    }
    pcre2_jit_compile(made, PCRE2_JIT_COMPLETE); /* an optimisation, may fail */
    *out = made;
    return 0;
}

int text_redirectors_new(const struct text_list *patterns, struct text_redirectors **out,
                         struct mx_err *err)
{
    struct text_redirectors *made = mx_xalloc(sizeof(*made));
    made->codes = mx_xalloc((patterns->n + 1) * sizeof(*made->codes));
    made->match = pcre2_match_data_create(2, NULL);
    made->limits = pcre2_match_context_create(NULL);
    for (size_t i = 0; i < patterns->n; i++) {
        if (compile(patterns->v[i], &made->codes[made->n], err) < 0) {
            text_redirectors_free(made);
            return -1;
        }
        made->n++;
    }
    pcre2_set_match_limit(made->limits, MATCH_LIMIT);
    *out = made;
    return 0;
}

void text_redirectors_free(struct text_redirectors *redirectors)
{
    if (redirectors == NULL)
        return;
    for (size_t i = 0; i < redirectors->n; i++)
        pcre2_code_free(redirectors->codes[i]);
    pcre2_match_data_free(redirectors->match);
    pcre2_match_context_free(redirectors->limits);
    free(redirectors->codes);
    free(redirectors);
}

bool text_redirectors_match(const struct text_redirectors *redirectors, struct mx_str uri,
                            struct mx_str *out)
{
    for (size_t i = 0; redirectors != NULL && i < redirectors->n; i++) {
        int rc = pcre2_match(redirectors->codes[i], (PCRE2_SPTR)uri.p, uri.n, 0, 0,
                             redirectors->match, redirectors->limits);
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(redirectors->match);
        if (rc < 2 || at[2] == PCRE2_UNSET)
            continue;
        struct mx_str target = mx_str_sub(uri, at[2], at[3] - at[2]);
        if (mx_str_chr(target, '.') >= 0) {
            *out = target;
            return true;
        }
    }
    return false;
}
