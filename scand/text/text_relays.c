/*
 * The way of a message: one relay a Received line, newest first, and how far down it may
 * be believed. A relay is trusted while every one above it is: with networks configured,
 * while its address is in them or its client had logged in; without, while its address
 * is private or its client had logged in. A relay of msa_networks ends the walk: what is
 * below it came from its own users and is judged as it is. The rules of networks,
 * addresses and names all look at the first relay that is not trusted (or not internal),
 * so being wrong by one here changes many of them.
 *
 * In production the newest hop is the one that the milter saw. It is put in front, as
 * our own Received line is not written yet when the message is scanned.
 *
 * A fetcher's mark ("with POP3") restarts the walk only while everything so far was
 * trusted, as a sender could write one, too.
 */
#include "text_relays.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "text/text_match.h"
#include "text/text_received.h"

#define RECEIVED_MAX 500 /* lines that are looked at; mail has less than 50 */

/* Fields in which providers note the client's address (stock originating_ip_headers). */
static const char *const stock_originating[] = {
    "X-Yahoo-Post-IP",
    "X-Originating-IP",
    "X-Apparently-From",
    "X-SenderIP",
    "X-AOL-IP",
    "X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp"};

struct walk {
    struct mx_arena *arena;
    const struct text_settings *settings;
    struct text_relay *v;
    size_t n, n_trusted, n_internal;
    unsigned n_lines, unparseable;
    int last_trusted, last_internal;
    bool is_trusted, is_internal; /* so far */
    bool is_settled;              /* an MSA was found: nothing changes any more */
    bool may_restart;             /* a fetcher's mark is believed */
    struct mx_str sender;         /* for the next hop; p NULL: none */
};

/* ---- addresses ----------------------------------------------------------------------
 */

static bool is_in(const char *text, const struct mx_net *addr)
{
    struct mx_net net;
    return mx_net_parse(mx_str(text), &net, NULL) == 0 && mx_net_contains(&net, addr);
}

bool text_relays_is_private(const struct mx_net *net)
{
    static const char *const ranges[] = {
        "10.0.0.0/8",     "127.0.0.0/8",   "169.254.0.0/16", "172.16.0.0/12",
        "192.168.0.0/16", "100.64.0.0/10", "fe80::/10",      "::1"};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (is_in(ranges[i], net))
            return true;
    return false;
}

static bool is_loopback(const struct mx_net *addr)
{
    return is_in("127.0.0.0/8", addr) || is_in("::1", addr);
}

bool text_nets_have(const struct text_nets *nets, const struct mx_net *addr)
{
    for (size_t i = 0; i < nets->n; i++)
        if (mx_net_contains(&nets->v[i].net, addr))
            return !nets->v[i].is_excluded;
    return false;
}

/* ---- trust --------------------------------------------------------------------------
 */

/* Of trusted and internal networks, the one that is configured stands for both. The
   loopback is in both of them, whatever they say. */
static void judge_by_networks(struct walk *w, struct text_relay *relay)
{
    const struct text_settings *s = w->settings;
    const struct text_nets *trusted = s->trusted.n > 0 ? &s->trusted : &s->internal;
    const struct text_nets *internal = s->internal.n > 0 ? &s->internal : &s->trusted;
    bool is_sure = relay->auth.n > 0 || is_loopback(&relay->net);

    w->is_trusted = is_sure || text_nets_have(trusted, &relay->net);
    w->is_internal = w->is_internal && w->is_trusted &&
                     (is_sure || text_nets_have(internal, &relay->net));
    relay->is_msa = w->is_trusted && text_nets_have(&s->msa, &relay->net);
    w->is_settled = relay->is_msa;
}

static void judge(struct walk *w, struct text_relay *relay)
{
    if (!w->is_trusted || w->is_settled)
        return;
    if (w->settings->trusted.n > 0 || w->settings->internal.n > 0)
        judge_by_networks(w, relay);
    else if (!relay->is_private && relay->auth.n == 0)
        w->is_trusted = w->is_internal = false;
}

/* A line is behind us, parsed or not; ${is_own} is one that is not written yet. */
static void count_line(struct walk *w)
{
    w->last_trusted += w->is_trusted;
    w->last_internal += w->is_internal;
}

static void add_relay(struct walk *w, struct text_relay relay)
{
    if (mx_net_parse(relay.ip, &relay.net, NULL) < 0)
        relay.net = (struct mx_net){.family = 0};
    relay.is_private = relay.net.family && text_relays_is_private(&relay.net);
    judge(w, &relay);
    relay.is_internal = w->is_internal;
    w->v[w->n++] = relay;
    w->n_trusted += w->is_trusted;
    w->n_internal += w->is_internal;
    w->may_restart = w->is_trusted;
    count_line(w);
}

/* What came in before is on the other side of a mailbox. */
static void restart(struct walk *w)
{
    if (w->may_restart)
        w->n = w->n_trusted = w->n_internal = 0;
    count_line(w);
}

static void add_line(struct walk *w, struct mx_str value)
{
    struct text_relay relay;
    struct mx_str sender = w->sender;
    if (w->n_lines++ == RECEIVED_MAX)
        return;
    switch (text_received_parse(w->arena, value, &relay, &w->sender)) {
    case TEXT_RECEIVED_UNKNOWN:
        w->unparseable++;
        count_line(w);
        return;
    case TEXT_RECEIVED_IGNORED: count_line(w); return;
    case TEXT_RECEIVED_FETCHED: restart(w); return;
    case TEXT_RECEIVED_RELAY: break;
    }
    if (sender.n > 0) {
        relay.envfrom = sender;
        relay.has_envfrom = true;
    }
    add_relay(w, relay);
}

/* ---- sources ------------------------------------------------------------------------
 */

/* The hop that the milter saw. */
static void add_connection(struct walk *w, const struct text_connection *c)
{
    char ip[MX_NET_TEXT_MAX];
    if (c == NULL || !c->is_known)
        return;
    w->last_trusted = w->last_internal = -2;
    struct mx_str rdns = text_received_clean(w->arena, c->rdns);
    bool is_address = rdns.n > 0 && rdns.p[0] == '!'; /* "[192.0.2.1]": no name */
    add_relay(w, (struct text_relay){
                     .ip = mx_str_dup(w->arena, mx_str(mx_net_format(&c->client, ip))),
                     .rdns = is_address ? MX_STR("") : rdns,
                     .helo = text_received_clean(w->arena, c->helo),
                     .by = text_received_clean(w->arena, c->by),
                     .ident = MX_STR(""),
                     .envfrom = text_received_clean(w->arena, c->sender),
                     .id = text_received_clean(w->arena, c->id),
                     .auth = c->auth_user.n ? MX_STR("ESMTPA") : MX_STR(""),
                     .has_no_rdns = is_address || rdns.n == 0,
                     .has_envfrom = true,
                 });
}

static void add_originating(struct walk *w, const struct text_tree *tree,
                            struct mx_str name)
{
    for (size_t i = tree->n_fields; i-- > 0;) {
        struct mx_str value = tree->fields[i].value;
        if (!mx_str_ieq(tree->fields[i].name, name))
            continue;
        for (size_t at = 0; at < value.n; at++) {
            size_t n = text_match_ip(value, at);
            if (n == 0)
                continue;
            add_line(w, mx_str(mx_arena_printf(w->arena, "from X-Originating-IP: %.*s",
                                               (int)n, value.p + at)));
            break;
        }
        return; /* the last field of a name is the one that counts */
    }
}

static void add_all_originating(struct walk *w, const struct text_tree *tree)
{
    const struct text_list *list = w->settings->lists.originating;
    for (size_t i = 0; list && i < list->n; i++)
        add_originating(w, tree, list->v[i]);
    for (size_t i = 0;
         !list && i < sizeof(stock_originating) / sizeof(stock_originating[0]); i++)
        add_originating(w, tree, mx_str(stock_originating[i]));
}

/* ---- texts --------------------------------------------------------------------------
 */

/* Relays [from, to) as rules see them. */
static struct mx_str format(struct mx_arena *arena, const struct text_relay *v,
                            size_t from, size_t to)
{
    struct mx_buf buf = {.p = NULL};
    for (size_t i = from; i < to; i++) {
        const struct text_relay *r = &v[i];
        const struct {
            const char *key;
            struct mx_str value;
        } parts[] = {{"[ ip=", r->ip},
                     {" rdns=", r->rdns},
                     {" helo=", r->helo},
                     {" by=", r->by},
                     {" ident=", r->ident},
                     {" envfrom=", r->envfrom},
                     {r->is_internal ? " intl=1" : " intl=0", MX_STR("")},
                     {" id=", r->id},
                     {" auth=", r->auth},
                     {r->is_msa ? " msa=1 ]" : " msa=0 ]", MX_STR("")}};
        if (i > from)
            mx_buf_str(&buf, " ");
        for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
            mx_buf_str(&buf, parts[k].key);
            mx_buf_add(&buf, parts[k].value.p, parts[k].value.n);
        }
    }
    struct mx_str out = mx_str_dup(arena, mx_str_of(buf.p ? buf.p : "", buf.n));
    mx_buf_fini(&buf);
    return out;
}

int text_relays_parse(struct mx_arena *arena, const struct text_tree *tree,
                      const struct text_settings *settings,
                      const struct text_connection *connection, struct text_relays *out,
                      struct mx_err *err)
{
    if (mx_arena_left(arena) / 16 < tree->pristine_head.n + (1 << 16))
        return mx_err_set(err, MX_ERR_LIMIT, "no room for the relays of a message");
    struct walk w = {.arena = arena,
                     .settings = settings,
                     .last_trusted = -1,
                     .last_internal = -1,
                     .is_trusted = true,
                     .is_internal = true,
                     .may_restart = true,
                     .sender = MX_STR_NONE};
    w.v = mx_arena_array(arena, RECEIVED_MAX + 2, sizeof(*w.v));
    add_connection(&w, connection);
    for (size_t i = 0; i < tree->n_fields && w.n_lines < RECEIVED_MAX; i++)
        if (mx_str_ieq(tree->fields[i].name, MX_STR("Received")))
            add_line(&w, tree->fields[i].value);
    add_all_originating(&w, tree);
    *out = (struct text_relays){
        .v = w.v,
        .n = w.n,
        .n_trusted = w.n_trusted,
        .n_internal = w.n_internal,
        .unparseable = w.unparseable,
        .last_trusted = w.last_trusted,
        .last_internal = w.last_internal,
        .trusted = format(arena, w.v, 0, w.n_trusted),
        .untrusted = format(arena, w.v, w.n_trusted, w.n),
        .internal = format(arena, w.v, 0, w.n_internal),
        .external = format(arena, w.v, w.n_internal, w.n),
    };
    return 0;
}
