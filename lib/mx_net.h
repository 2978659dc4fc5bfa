/* IPv4 and IPv6 addresses and networks. IPv4-mapped IPv6 addresses are IPv4 here. */
#ifndef MX_NET_H
#define MX_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "mx_str.h"

struct sockaddr;

struct mx_net {
    uint8_t family;   /* 0 none, 4, 6 */
    uint8_t bits;     /* prefix length: 0..32, 0..128 */
    uint8_t addr[16]; /* network order; IPv4 uses the first four; host bits are zero */
};

#define MX_NET_TEXT_MAX 64 /* bytes that hold any formatted network with its NUL */

/**
 * mx_net_parse(text, out, err):
 * "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "IPv6:..." and brackets as in address
 * literals. Host bits of a network are cleared. Without "/n" the prefix is full.
 * Fails:  not an address or prefix out of range (-1).
 * Source: RFC 4291 2.2, RFC 4632, RFC 5321 4.1.3.
 */
int mx_net_parse(struct mx_str text, struct mx_net *out, struct mx_err *err);

/** mx_net_from_sockaddr(sa, out): the address of a socket. Fails: not IP (-1). */
int mx_net_from_sockaddr(const struct sockaddr *sa, struct mx_net *out);

/** mx_net_from_bytes(p, n, out): 4 or 16 bytes, network order. Fails: other n (-1). */
int mx_net_from_bytes(const void *p, size_t n, struct mx_net *out);

/** mx_net_contains(net, addr): ${addr} is inside ${net}. Other family: false. */
bool mx_net_contains(const struct mx_net *net, const struct mx_net *addr);

/** mx_net_mask(addr, bits4, bits6): the network around ${addr} by its family. */
struct mx_net mx_net_mask(const struct mx_net *addr, unsigned bits4, unsigned bits6);

/** mx_net_format(net, out): text; "/n" where the prefix is not full; "-" for none. */
const char *mx_net_format(const struct mx_net *net, char out[static MX_NET_TEXT_MAX]);

/** mx_net_is_private(addr): loopback, RFC 1918, link-local, RFC 4193, 100.64/10. */
bool mx_net_is_private(const struct mx_net *addr);

#endif
