/* The relays that a message came through, and which of them are trusted. */
#ifndef TEXT_RELAYS_H
#define TEXT_RELAYS_H

#include "text/text.h"

struct mx_arena;
struct mx_err;

/**
 * text_relays_parse(arena, tree, settings, connection, out, err):
 * Relays of the Received lines, newest first; in front of them the hop that the milter
 * saw, where ${connection} is known: our own Received line is not written yet then.
 * Trust reaches down while relays are in settings->trusted (or authenticated); with no
 * networks configured while their addresses are private.
 * Owner:  ${out} points into ${tree} and ${arena}.
 * Fails:  no room in the arena (-1, ${out} untouched).
 */
int text_relays_parse(struct mx_arena *arena, const struct text_tree *tree,
                      const struct text_settings *settings,
                      const struct text_connection *connection, struct text_relays *out,
                      struct mx_err *err);

/** text_nets_have(nets, addr): the first of ${nets} that holds ${addr} lets it in. */
bool text_nets_have(const struct text_nets *nets, const struct mx_net *addr);

/** text_relays_is_private(net): an address that is not on the public internet. */
bool text_relays_is_private(const struct mx_net *net);

#endif
