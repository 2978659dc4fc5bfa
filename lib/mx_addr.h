/* Mail addresses as they stand in SMTP commands. */
#ifndef MX_ADDR_H
#define MX_ADDR_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;

struct mx_addr {
    struct mx_str text;   /* normalised local@domain, or "" for the null reverse-path */
    struct mx_str local;  /* as sent, quotes kept; case kept */
    struct mx_str domain; /* lower case, no trailing dot, A-labels kept; or "" */
    struct mx_str detail; /* behind the "+" of the local part, or "" */
    bool is_null;         /* "<>" */
    bool is_literal;      /* domain is an address literal "[...]" */
};

/* Octets. RFC 5321 4.5.3.1.1 promises senders 64 and asks us not to insist; VERP and SRS
   senders go beyond it, and the MTA has taken them already. */
#define MX_ADDR_LOCAL_MAX 256
#define MX_ADDR_DOMAIN_MAX 255 /* octets, RFC 5321 4.5.3.1.2 */
#define MX_ADDR_PATH_MAX 1024  /* octets we look at; RFC 5321 4.5.3.1.3 has 256 */

/**
 * mx_addr_parse(arena, text, out, err):
 * Split a forward- or reverse-path, with or without angle brackets; source routes
 * ("@a,@b:") are dropped. UTF-8 is allowed where RFC 6531 allows it.
 * A missing domain is no error here (fq_rcpt judges it): ${out}->domain is "".
 * Wider than the RFC where real mail is: dots may stand anywhere in the local part
 * ("a..b@docomo.ne.jp"), "_" may stand in a domain; an empty text is the null path.
 * Owner:  ${out} points into ${arena}.
 * Fails:  syntax, length, NUL or control bytes (-1, ${out} untouched).
 * Source: RFC 5321 4.1.2, RFC 6531 3.3.
 */
int mx_addr_parse(struct mx_arena *arena, struct mx_str text, struct mx_addr *out,
                  struct mx_err *err);

/**
 * mx_addr_domain_ok(domain):
 * Fully qualified: at least two labels, each LDH or UTF-8, lengths kept, the last one
 * not a number.
 * Source: RFC 1034 3.5, RFC 1123 2.1, RFC 3696 2.
 */
bool mx_addr_domain_ok(struct mx_str domain);

#endif
