/*
 * Numbers as hosts: decimal, octal and hexadecimal, whole or in four parts. Browsers
 * accept them all, people never write them.
 *
 * One thing looks wrong and is kept, because rules were tuned to it: an octet 0 of a
 * dotted address vanishes.
 */
#include "text/text_uri_number.h"

#include <stdio.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "text/text_chars.h"

#define NUMBER_MAX 24 /* characters of a number that is printed here */
#define OCTETS 4

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_of(char c)
{
    if (is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_hex_number(struct mx_str s)
{
    if (s.n < 3 || s.p[0] != '0' || (s.p[1] | 0x20) != 'x')
        return false;
    for (size_t i = 2; i < s.n; i++) {
        if (hex_of(s.p[i]) < 0)
            return false;
    }
    return true;
}

static bool is_decimal(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
    }
    return s.n > 0;
}

static unsigned long long number_of(struct mx_arena *arena, struct mx_str s, int base)
{
    return strtoull(mx_str_cstr(arena, s), NULL, base);
}

static struct mx_str without_zeros(struct mx_str s)
{
    while (s.n > 0 && s.p[0] == '0')
        s = mx_str_sub(s, 1, s.n);
    return s;
}

/* Up to three octal digits that are the value of an octet and nothing more. */
static bool is_octal(struct mx_str s)
{
    size_t max = s.n > 0 && s.p[0] >= '1' && s.p[0] <= '3' ? 3 : 2;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '7')
            return false;
    }
    return s.n > 0 && s.n <= max;
}

/* One octet in decimal; nothing is left of a zero. */
static struct mx_str octet(struct mx_arena *arena, struct mx_str s)
{
    if (is_hex_number(s)) {
        unsigned long long n = number_of(arena, s, 16);
        return without_zeros(mx_str(mx_arena_printf(arena, "%llu", n)));
    }
    struct mx_str digits = without_zeros(s);
    if (digits.n < s.n && is_octal(digits))
        return mx_str(mx_arena_printf(arena, "%llu", number_of(arena, digits, 8)));
    return digits;
}

/* Four numbers with dots between them, whatever their base. */
static bool from_dotted(struct mx_arena *arena, struct mx_str host, struct mx_str *out)
{
    struct mx_str rest = host, part, parts[OCTETS * 2];
    size_t n = 0;
    if (host.n == 0 || host.p[host.n - 1] == '.')
        return false;
    while (mx_str_next(&rest, '.', &part) == 0) {
        if (n == OCTETS * 2 || (!is_decimal(part) && !is_hex_number(part)))
            return false;
        parts[n++] = octet(arena, part);
        parts[n++] = MX_STR(".");
    }
    if (n != OCTETS * 2)
        return false;
    *out = text_join(arena, parts, n - 1);
    return true;
}

/* The address whose 32 bits are the first eight digits of ${number} in hexadecimal. */
static struct mx_str from_bits(struct mx_arena *arena, unsigned long long number)
{
    char hex[NUMBER_MAX];
    snprintf(hex, sizeof(hex), "%08llx", number);
    hex[8] = '\0';
    unsigned long bits = strtoul(hex, NULL, 16);
    return mx_str(mx_arena_printf(arena, "%lu.%lu.%lu.%lu", bits >> 24, bits >> 16 & 255,
                                  bits >> 8 & 255, bits & 255));
}

bool text_host_from_number(struct mx_arena *arena, struct mx_str host, struct mx_str *out)
{
    if (from_dotted(arena, host, out))
        return true;
    if (is_hex_number(host)) {
        size_t skip = host.n > 10 ? host.n - 8 : 2; /* the last four octets */
        *out = from_bits(arena, number_of(arena, mx_str_sub(host, skip, host.n), 16));
        return true;
    }
    if (!is_decimal(host))
        return false;
    *out = from_bits(arena, number_of(arena, host, 10));
    return true;
}
