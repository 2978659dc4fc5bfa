/*
 * Every text of a message, in the order in which they build on each other: the tree,
 * the relays of its Received lines, the envelope sender that relays may tell, then body,
 * rawbody and URIs, which read the tree's parts. What each is, its own unit says.
 */
#include "text/text.h"

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "text/text_body.h"
#include "text/text_envelope.h"
#include "text/text_relays.h"
#include "text/text_tree.h"
#include "text/text_uri.h"

/* What has passed since ${from_ns}, which becomes now. */
static int64_t lap(const struct text_times *times, int64_t *from_ns)
{
    int64_t now_ns = times != NULL ? mx_cpu_ns() : 0;
    int64_t passed_ns = now_ns - *from_ns;
    *from_ns = now_ns;
    return passed_ns;
}

int texts_form_timed(struct mx_arena *arena, const struct text_settings *settings,
                     struct mx_str raw, const struct text_connection *connection,
                     struct texts *out, struct text_times *times, struct mx_err *err)
{
    struct texts texts = {.settings = settings};
    struct text_times took = {0};
    int64_t from_ns = 0;
    lap(times, &from_ns);
    if (text_tree_parse(arena, raw, &texts.tree, err) < 0)
        return mx_err_wrap(err, "forming the texts of a message");
    took.tree_ns = lap(times, &from_ns);
    if (text_relays_parse(arena, &texts.tree, settings, connection, &texts.relays, err) <
        0)
        return mx_err_wrap(err, "forming the texts of a message");
    texts.full = texts.tree.pristine;
    texts.envelope_from = text_envelope_sender(arena, &texts, connection);
    took.relays_ns = lap(times, &from_ns);
    text_body_form(arena, &texts);
    took.body_ns = lap(times, &from_ns);
    text_rawbody_form(arena, &texts);
    took.rawbody_ns = lap(times, &from_ns);
    text_uri_form(arena, settings, &texts);
    took.uri_ns = lap(times, &from_ns);
    if (times != NULL)
        *times = took;
    *out = texts;
    return 0;
}

int texts_form(struct mx_arena *arena, const struct text_settings *settings,
               struct mx_str raw, const struct text_connection *connection,
               struct texts *out, struct mx_err *err)
{
    return texts_form_timed(arena, settings, raw, connection, out, NULL, err);
}
