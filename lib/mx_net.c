/*
 * Addresses and networks: parse, print, compare. The work on text is inet_pton's and
 * inet_ntop's; ours is the prefix, the forms that SMTP adds, and that an IPv4 address
 * inside ::ffff:0:0/96 is the IPv4 address, so that a dual-stack listener and a list of
 * IPv4 networks agree. No names, no ports, no zones ("%eth0").
 */
#include "mx_net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "mx_err.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

#define MAPPED_BITS 96

static unsigned full_bits(const struct mx_net *net)
{
    return net->family == 4 ? 32 : net->family == 6 ? 128 : 0;
}

static void clear_host_bits(struct mx_net *net)
{
    for (unsigned i = 0; i < sizeof(net->addr); i++) {
        if (i * 8 >= net->bits)
            net->addr[i] = 0;
        else if (net->bits - i * 8 < 8)
            net->addr[i] &= (uint8_t)(0xff00u >> (net->bits - i * 8));
    }
}

/* A mapped address or network of at least /96 turns into its IPv4 form. */
static void unmap(struct mx_net *net)
{
    if (net->family != 6 || net->bits < MAPPED_BITS ||
        memcmp(net->addr, mapped_prefix, sizeof(mapped_prefix)) != 0)
        return;
    net->family = 4;
    net->bits = (uint8_t)(net->bits - MAPPED_BITS);
    memmove(net->addr, net->addr + 12, 4);
    memset(net->addr + 4, 0, 12);
}

/* Take "[...]" and "IPv6:" off; "IPv6:" promises an address of that family. */
static struct mx_str strip_literal(struct mx_str text, bool *is_tagged)
{
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = mx_str_sub(text, 1, text.n - 2);
    *is_tagged = mx_str_istarts(text, MX_STR("IPv6:"));
    return *is_tagged ? mx_str_sub(text, 5, text.n) : text;
}

static int parse_address(struct mx_str text, struct mx_net *out)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n))
        return -1;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *out = (struct mx_net){.family = 0};
    out->family = mx_str_chr(text, ':') >= 0 ? 6 : 4;
    out->bits = (uint8_t)full_bits(out);
    return inet_pton(out->family == 4 ? AF_INET : AF_INET6, copy, out->addr) == 1 ? 0
                                                                                  : -1;
}

int mx_net_parse(struct mx_str text, struct mx_net *out, struct mx_err *err)
{
    struct mx_net net;
    int64_t bits;
    bool is_tagged;
    struct mx_str shown = mx_str_sub(text, 0, MX_NET_TEXT_MAX);
    struct mx_str address = strip_literal(text, &is_tagged);
    ptrdiff_t slash = mx_str_chr(address, '/');
    struct mx_str prefix = MX_STR_NONE;
    if (slash >= 0) {
        prefix = mx_str_sub(address, (size_t)slash + 1, address.n);
        address = mx_str_sub(address, 0, (size_t)slash);
    }
    if (parse_address(address, &net) < 0 || (is_tagged && net.family != 6))
        return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is not an IP address or network",
                          MX_STR_FMT(shown));
    if (slash >= 0) {
        if (mx_str_to_int(prefix, 0, full_bits(&net), &bits, NULL) < 0)
            return mx_err_set(err, MX_ERR_INPUT, "'%.*s': prefix must be 0 to %u",
                              MX_STR_FMT(shown), full_bits(&net));
        net.bits = (uint8_t)bits;
    }
    clear_host_bits(&net);
    unmap(&net);
    *out = net;
    return 0;
}

int mx_net_from_bytes(const void *p, size_t n, struct mx_net *out)
{
    if (n != 4 && n != 16)
        return -1;
    struct mx_net net = {.family = n == 4 ? 4 : 6, .bits = (uint8_t)(n * 8)};
    memcpy(net.addr, p, n);
    unmap(&net);
    *out = net;
    return 0;
}

int mx_net_from_sockaddr(const struct sockaddr *sa, struct mx_net *out)
{
    if (sa == NULL)
        return -1;
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        return mx_net_from_bytes(&in.sin_addr, 4, out);
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        return mx_net_from_bytes(&in6.sin6_addr, 16, out);
    }
    return -1;
}

bool mx_net_contains(const struct mx_net *net, const struct mx_net *addr)
{
    if (net->family == 0 || net->family != addr->family || addr->bits < net->bits)
        return false;
    struct mx_net around = *addr;
    around.bits = net->bits;
    clear_host_bits(&around);
    return memcmp(around.addr, net->addr, sizeof(around.addr)) == 0;
}

struct mx_net mx_net_mask(const struct mx_net *addr, unsigned bits4, unsigned bits6)
{
    struct mx_net net = *addr;
    unsigned bits = net.family == 4 ? bits4 : bits6;
    if (bits < net.bits)
        net.bits = (uint8_t)bits;
    clear_host_bits(&net);
    return net;
}

static char *put_byte(char *out, unsigned byte)
{
    if (byte >= 100)
        *out++ = (char)('0' + byte / 100);
    if (byte >= 10)
        *out++ = (char)('0' + byte / 10 % 10);
    *out++ = (char)('0' + byte % 10);
    return out;
}

/* Each check writes some; inet_ntop and snprintf take ten times as long for IPv4. */
const char *mx_net_format(const struct mx_net *net, char out[static MX_NET_TEXT_MAX])
{
    char *end = out;
    if (net->family == 4) {
        for (size_t i = 0; i < 4; i++) {
            end = put_byte(end, net->addr[i]);
            *end++ = '.';
        }
        end--;
    } else if (net->family == 6 &&
               inet_ntop(AF_INET6, net->addr, out, MX_NET_TEXT_MAX) != NULL) {
        end += strlen(out);
    } else {
        *end++ = '-';
    }
    if (net->family != 0 && net->bits != full_bits(net)) {
        *end++ = '/';
        end = put_byte(end, net->bits);
    }
    *end = '\0';
    return out;
}

bool mx_net_is_private(const struct mx_net *addr)
{
    static const struct mx_net private_nets[] = {
        {4, 8, {127}},         /* loopback, RFC 1122 3.2.1.3 */
        {4, 8, {10}},          /* RFC 1918 3 */
        {4, 12, {172, 16}},    /* RFC 1918 3 */
        {4, 16, {192, 168}},   /* RFC 1918 3 */
        {4, 16, {169, 254}},   /* link-local, RFC 3927 */
        {4, 10, {100, 64}},    /* shared space, RFC 6598 */
        {6, 128, {[15] = 1}},  /* loopback, RFC 4291 2.5.3 */
        {6, 10, {0xfe, 0x80}}, /* link-local, RFC 4291 2.5.6 */
        {6, 7, {0xfc}},        /* unique local, RFC 4193 3.1 */
    };
    for (size_t i = 0; i < sizeof(private_nets) / sizeof(private_nets[0]); i++)
        if (mx_net_contains(&private_nets[i], addr))
            return true;
    return false;
}
