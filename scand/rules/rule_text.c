/*
 * Words of rule files. Everything is ASCII whatever the locale is, because rule files
 * mean the same bytes everywhere. Numbers go through strtod, whose decimal point follows
 * LC_NUMERIC: none of our programs calls setlocale, so it is the "C" one.
 */
#include "rule_text.h"

#include <stdlib.h>
#include <string.h>

#define RULE_NAME_MAX 128 /* bytes; what SpamAssassin's own syntax allows */
#define NUMBER_MAX 64     /* bytes of one number */

bool rule_text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool rule_text_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

struct mx_str rule_text_trim(struct mx_str s)
{
    while (s.n > 0 && rule_text_is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && rule_text_is_space(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

struct mx_str rule_text_word(struct mx_str *rest)
{
    struct mx_str s = rule_text_trim(*rest);
    size_t n = 0;

    while (n < s.n && !rule_text_is_space(s.p[n])) {
        n++;
    }
    *rest = rule_text_trim(mx_str_sub(s, n, s.n));
    return mx_str_sub(s, 0, n);
}

bool rule_text_is_name(struct mx_str s)
{
    if (s.n == 0 || s.n > RULE_NAME_MAX || is_digit(s.p[0])) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!rule_text_is_word(s.p[i])) {
            return false;
        }
    }
    return true;
}

/* Index behind the digits that start at ${i}. */
static size_t digits(struct mx_str s, size_t i)
{
    while (i < s.n && is_digit(s.p[i])) {
        i++;
    }
    return i;
}

bool rule_text_number(struct mx_str s, double *out)
{
    char text[NUMBER_MAX + 1];
    size_t start = s.n > 0 && s.p[0] == '-' ? 1 : 0;
    size_t i = digits(s, start);

    if (s.n > NUMBER_MAX || i == start) {
        return false;
    }
    if (i < s.n && s.p[i] == '.') {
        size_t fraction = i + 1;

        i = digits(s, fraction);
        if (i == fraction) {
            return false;
        }
    }
    if (i != s.n) {
        return false;
    }
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *out = strtod(text, NULL);
    return true;
}

bool rule_text_glob(struct mx_str pattern, struct mx_str s)
{
    size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

    /* On a mismatch the last star takes one byte more; earlier stars never need to. */
    while (i < s.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = i;
        } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == s.p[i])) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}
