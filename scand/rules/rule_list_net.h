/* trusted_networks and internal_networks: lists of words to networks. */
#ifndef RULE_LIST_NET_H
#define RULE_LIST_NET_H

struct mx_err;
struct rule_set;

/**
 * rule_list_nets(set, err):
 * Fill the networks of set->text from its lists.
 * Fails:  a word that is no network; it is left out, the rest is taken (-1).
 */
int rule_list_nets(struct rule_set *set, struct mx_err *err);

#endif
