/*
 * Host names: valid or not, and which part of one was registered.
 */
#ifndef TEXT_DOMAIN_H
#define TEXT_DOMAIN_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;
struct text_list;
struct text_lists;

/** text_list_has(sorted, word): ${word} is in the list; case does not matter. */
bool text_list_has(const struct text_list *sorted, struct mx_str word);

/**
 * text_host_ascii(arena, host):
 * ${host} in lower case, with labels outside ASCII in their ACE form (xn--...) and
 * Unicode's full stops as dots. What is no text stays as it is.
 * Source: RFC 3490 3.1 (full stops), RFC 5891 4 (lookup), UTS 46 non-transitional.
 */
struct mx_str text_host_ascii(struct mx_arena *arena, struct mx_str host);

/**
 * text_host_is_valid(host):
 * ${host} (lower case) has two labels or more, all of letters, digits, "-" and "_"
 * inside, no "_" in the last two, and is no longer than names can be.
 * Source: RFC 1035 2.3.4 (sizes).
 */
bool text_host_is_valid(struct mx_str host);

/** text_host_is_ip(host): a dotted IPv4 or an IPv6 address. */
bool text_host_is_ip(struct mx_str host);

/** text_domain_is_valid(lists, host): ${host} has a dot and ends in a known TLD. */
bool text_domain_is_valid(const struct text_lists *lists, struct mx_str host);

/**
 * text_domain_of(arena, lists, host):
 * The registrable domain of ${host}, in lower case: "a.b.example.co.uk" gives
 * "example.co.uk". A name that is itself a registry stays whole.
 * Source: util_rb_2tld and util_rb_3tld; RFC 1480 for .us.
 */
struct mx_str text_domain_of(struct mx_arena *arena, const struct text_lists *lists,
                             struct mx_str host);

/**
 * text_domain_of_uri(arena, lists, uri, out_host, out_domain):
 * Host and registrable domain of a URI or mail address; of an IP address, itself twice.
 * Returns false (${out_host}, ${out_domain} untouched) where there is no valid one.
 */
bool text_domain_of_uri(struct mx_arena *arena, const struct text_lists *lists,
                        struct mx_str uri, struct mx_str *out_host,
                        struct mx_str *out_domain);

#endif
