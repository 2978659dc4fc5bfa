/*
 * The envelope sender is not in the message. A milter knows it; a message from a file
 * has only traces, in fields of different age and honesty. A field below a Received line
 * came in with the message and may be a list's or a forger's, so it does not count.
 */
#include "text_envelope.h"

#include "mx_arena.h"

/* A relay's envelope sender counts if it has an "@" inside or is empty. */
static bool is_sender(const struct text_relay *relay)
{
    return relay->has_envfrom &&
           (relay->envfrom.n == 0 || mx_str_chr(relay->envfrom, '@') > 0);
}

/* The first address of the first field ${name}; false: no such field or address. */
static bool first_address(struct mx_arena *arena, const struct texts *texts,
                          const char *name, struct mx_str *out)
{
    const char *selector = mx_arena_printf(arena, "%s:first:addr", name);
    struct mx_str all;
    if (!text_header_get(arena, texts, mx_str(selector), &all))
        return false;
    ptrdiff_t end = mx_str_chr(all, '\n');
    *out = end < 0 ? all : mx_str_sub(all, 0, (size_t)end);
    return true;
}

static bool is_below_received(const struct texts *texts, const char *name)
{
    bool has_received = false;
    for (size_t i = 0; i < texts->tree.n_fields; i++) {
        struct mx_str field = texts->tree.fields[i].name;
        if (has_received && mx_str_ieq(field, mx_str(name)))
            return true;
        has_received |= mx_str_ieq(field, MX_STR("Received"));
    }
    return false;
}

/* A fetcher took the sender from X-Sender, where lists keep the author. */
static bool is_fetchers_guess(struct mx_arena *arena, const struct texts *texts)
{
    struct mx_str address;
    if (!first_address(arena, texts, "X-Sender", &address) ||
        mx_str_chr(address, '@') < 0)
        return false;
    for (size_t i = 0; i < texts->tree.n_fields; i++)
        if (mx_str_ieq(texts->tree.fields[i].name, MX_STR("Received")) &&
            mx_str_find(texts->tree.fields[i].value, MX_STR("(fetchmail")) >= 0)
            return true;
    return false;
}

/* Where a site says which field its MTA writes, no other is looked at. */
static struct mx_str configured_sender(struct mx_arena *arena, const struct texts *texts,
                                       struct mx_str name)
{
    struct mx_str address;
    if (!first_address(arena, texts, mx_str_cstr(arena, name), &address) ||
        (address.n > 0 && mx_str_chr(address, '@') <= 0))
        return MX_STR_NONE;
    return address;
}

struct mx_str text_envelope_sender(struct mx_arena *arena, const struct texts *texts,
                                   const struct text_connection *connection)
{
    static const char *const names[] = {"X-Envelope-From", "Envelope-Sender",
                                        "Return-Path", NULL};
    const struct text_relays *relays = &texts->relays;
    const struct text_relay *hop = NULL;
    struct mx_str address;
    if (connection && connection->is_known)
        return connection->sender.p ? connection->sender : MX_STR("");
    if (texts->settings->envelope_header.n > 0)
        return configured_sender(arena, texts, texts->settings->envelope_header);
    if (relays->n > relays->n_trusted)
        hop = &relays->v[relays->n_trusted];
    else if (relays->n_trusted > 0)
        hop = &relays->v[relays->n_trusted - 1];
    if (hop && is_sender(hop))
        return hop->envfrom;
    if (is_fetchers_guess(arena, texts))
        return MX_STR_NONE;
    for (const char *const *name = names; *name; name++) {
        if (!first_address(arena, texts, *name, &address))
            continue;
        if (!is_below_received(texts, *name))
            return address;
        if (name == names)
            return MX_STR_NONE;
    }
    return MX_STR_NONE;
}
