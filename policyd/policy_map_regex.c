/*
 * Regex maps on PCRE2: patterns are compiled (with JIT where there is one) when the file
 * is read and tried in file order. Matching is bounded, as the texts come from strangers:
 * who makes a pattern run into its limits gets no answer rather than all of the CPU.
 * Patterns and texts are bytes, not UTF-8: addresses need not be valid text. No
 * substitution of groups into results, no negation, no if/endif.
 */
#include "policy_map_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

#define MATCH_LIMIT 100000u /* steps of one pattern over one text */
#define DEPTH_LIMIT 1000u   /* nested backtracking */
#define HEAP_LIMIT 1024u    /* KiB, without JIT */
#define PATTERN_MAX 2048u   /* bytes of one pattern */

struct policy_map_regex {
    pcre2_match_context *limits;
    pcre2_code **codes;
    size_t n, room;
};

struct policy_map_regex *policy_map_regex_new(size_t room)
{
    struct policy_map_regex *list = mx_xalloc(sizeof(*list));
    list->codes = mx_xalloc((room ? room : 1) * sizeof(*list->codes));
    list->room = room;
    list->limits = pcre2_match_context_create(NULL);
    if (list->limits == NULL)
        abort(); /* out of memory, as mx_xalloc */
    pcre2_set_match_limit(list->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(list->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(list->limits, HEAP_LIMIT);
    return list;
}

void policy_map_regex_free(struct policy_map_regex *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->n; i++)
        pcre2_code_free(list->codes[i]);
    pcre2_match_context_free(list->limits);
    free(list->codes);
    free(list);
}

/* Index of the delimiter that ends the pattern; a backslash hides the byte behind it. */
static int cut_pattern(struct mx_str line, struct mx_str *out_pattern,
                       struct mx_str *out_rest, struct mx_err *err)
{
    if (line.n == 0 || line.p[0] != '/')
        return mx_err_set(err, MX_ERR_INPUT, "a pattern begins with '/'");
    for (size_t i = 1; i < line.n; i++) {
        if (line.p[i] == '\\') {
            i++;
        } else if (line.p[i] == '/') {
            if (i - 1 > PATTERN_MAX)
                return mx_err_set(err, MX_ERR_LIMIT, "pattern over %u bytes",
                                  PATTERN_MAX);
            *out_pattern = mx_str_sub(line, 1, i - 1);
            *out_rest = mx_str_sub(line, i + 1, line.n);
            return 0;
        }
    }
    return mx_err_set(err, MX_ERR_INPUT, "the pattern has no '/' at its end");
}

static int read_flags(struct mx_str *io_rest, uint32_t *out_options, struct mx_err *err)
{
    uint32_t options = PCRE2_CASELESS;
    size_t i = 0;
    for (; i < io_rest->n && io_rest->p[i] != ' ' && io_rest->p[i] != '\t'; i++) {
        switch (io_rest->p[i]) {
        case 'i': options ^= PCRE2_CASELESS; break;
        case 'x': options |= PCRE2_EXTENDED; break;
        default:
            return mx_err_set(err, MX_ERR_INPUT,
                              "unknown flag behind the pattern: only "
                              "i and x are known");
        }
    }
    *io_rest = mx_str_trim(mx_str_sub(*io_rest, i, io_rest->n));
    *out_options = options;
    return 0;
}

int policy_map_regex_add(struct policy_map_regex *list, struct mx_str line,
                         struct mx_str *out_value, struct mx_err *err)
{
    struct mx_str pattern, rest;
    uint32_t options;
    int code;
    PCRE2_SIZE at;
    if (list->n == list->room)
        return mx_err_set(err, MX_ERR_LIMIT, "more than %zu patterns", list->room);
    if (cut_pattern(line, &pattern, &rest, err) < 0 ||
        read_flags(&rest, &options, err) < 0)
        return -1;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
                                         options | PCRE2_NEVER_UTF, &code, &at, NULL);
    if (compiled == NULL) {
        PCRE2_UCHAR why[128];
        pcre2_get_error_message(code, why, sizeof(why));
        return mx_err_set(err, MX_ERR_INPUT, "pattern: at offset %zu: %s", (size_t)at,
                          (const char *)why);
    }
    /* Where JIT is missing or refuses a pattern the interpreter runs it. */
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    list->codes[list->n++] = compiled;
    *out_value = rest;
    return 0;
}

enum policy_map_result policy_map_regex_find(const struct policy_map_regex *list,
                                             struct mx_str text, size_t *out)
{
    enum policy_map_result result = POLICY_MAP_MISS;
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    if (match == NULL)
        return POLICY_MAP_BROKEN;
    for (size_t i = 0; i < list->n && result == POLICY_MAP_MISS; i++) {
        int n = pcre2_match(list->codes[i], (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0,
                            0, match, list->limits);
        if (n >= 0) {
            *out = i;
            result = POLICY_MAP_HIT;
        } else if (n != PCRE2_ERROR_NOMATCH) {
            result = POLICY_MAP_BROKEN;
        }
    }
    pcre2_match_data_free(match);
    return result;
}
