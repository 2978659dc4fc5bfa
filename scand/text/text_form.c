/*
 * Every text of a message, in the order in which they build on each other: the tree,
 * the relays of its Received lines, the envelope sender that relays may tell, then body,
 * rawbody and URIs, which read the tree's parts. What each is, its own unit says.
 */
#include "text/text.h"

#include "mx_arena.h"
#include "mx_err.h"
#include "text/text_body.h"
#include "text/text_envelope.h"
#include "text/text_relays.h"
#include "text/text_tree.h"
#include "text/text_uri.h"

int texts_form(struct mx_arena *arena, const struct text_settings *settings,
               struct mx_str raw, const struct text_connection *connection,
               struct texts *out, struct mx_err *err)
{
    struct texts texts = {.settings = settings};
    if (text_tree_parse(arena, raw, &texts.tree, err) < 0 ||
        text_relays_parse(arena, &texts.tree, settings, connection, &texts.relays, err) <
            0)
        return mx_err_wrap(err, "forming the texts of a message");
    texts.full = texts.tree.pristine;
    texts.envelope_from = text_envelope_sender(arena, &texts, connection);
    text_body_form(arena, &texts);
    text_rawbody_form(arena, &texts);
    text_uri_form(arena, settings, &texts);
    *out = texts;
    return 0;
}
