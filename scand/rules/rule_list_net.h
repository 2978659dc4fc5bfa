/* trusted_networks, internal_networks, msa_networks: lists of words to networks. */
#ifndef RULE_LIST_NET_H
#define RULE_LIST_NET_H

#include "text/text.h"

struct mx_arena;
struct mx_err;
struct rule_set;

/**
 * rule_list_net(arena, word, out, err):
 * "10.0.0.0/8", "10.1.", "2001:db8::/32", "!10.0.0.1".
 * Fails:  not a network (-1).
 */
int rule_list_net(struct mx_arena *arena, struct mx_str word, struct text_net *out,
                  struct mx_err *err);

/**
 * rule_list_nets(set, err):
 * Fill the networks of set->text from its lists.
 * Fails:  a word that is no network; it is left out, the rest is taken (-1).
 */
int rule_list_nets(struct rule_set *set, struct mx_err *err);

#endif
