/*
 * Patterns of allow/deny lists. There are five forms: "user@dom", "dom", ".dom" (the
 * domain and everything below it), an address, a network. All are kept in lower case;
 * networks have few prefix lengths, so that asking "is any network around this client
 * listed?" is a bounded number of exact look-ups rather than a range search.
 *
 * As most lists have few kinds of patterns and most have none, each list names its kinds,
 * a letter each; whoever asks leaves the others out.
 *
 * A sender in a domain of very many labels could push ".spam.example" out of the list of
 * candidates; so where not all parents fit, the deepest ones are left out.
 */
#include "store_pattern.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#define FORMS "\"user@dom\", \"dom\", \".dom\", an IP address or network"
#define DOMAIN_LABELS_MAX 128 /* 255 octets hold no more (RFC 1035 2.3.4) */

/* Prefix lengths that can be listed, the most specific first. */
static const uint8_t prefixes4[] = {32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20,
                                    19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9,  8};
static const uint8_t prefixes6[] = {128, 64, 56, 48, 40, 32};

#define PARENTS_MAX (STORE_PATTERNS_MAX - STORE_NETWORKS_MAX - 2) /* address, domain */

struct prefixes {
    const uint8_t *bits;
    size_t n;
};

static struct prefixes prefixes_of(const struct mx_net *net)
{
    switch (net->family) {
    case 4: return (struct prefixes){prefixes4, sizeof(prefixes4)};
    case 6: return (struct prefixes){prefixes6, sizeof(prefixes6)};
    default: return (struct prefixes){NULL, 0};
    }
}

static bool can_be_listed(const struct mx_net *net)
{
    struct prefixes allowed = prefixes_of(net);
    for (size_t i = 0; i < allowed.n; i++)
        if (allowed.bits[i] == net->bits)
            return true;
    return false;
}

static struct mx_str net_text(struct mx_arena *arena, const struct mx_net *net)
{
    char text[MX_NET_TEXT_MAX];
    return mx_str_dup(arena, mx_str(mx_net_format(net, text)));
}

/* ${prefix}, then ${text}, which may hold any bytes. */
static struct mx_str joined(struct mx_arena *arena, struct mx_str prefix,
                            struct mx_str text)
{
    char *p = mx_arena_alloc(arena, prefix.n + text.n + 1);
    memcpy(p, prefix.p, prefix.n);
    if (text.n > 0)
        memcpy(p + prefix.n, text.p, text.n);
    return mx_str_of(p, prefix.n + text.n);
}

/* A list may name a whole top-level domain, so ".tk" is judged as "x.tk". */
static bool is_domain(struct mx_arena *arena, struct mx_str text)
{
    return text.n > 0 && text.n <= MX_ADDR_DOMAIN_MAX - 2 &&
           mx_addr_domain_ok(joined(arena, MX_STR("x."), text));
}

static int normalise_address(struct mx_arena *arena, struct mx_str text,
                             struct mx_str *out, struct mx_err *err)
{
    struct mx_addr addr;
    if (mx_addr_parse(arena, text, &addr, err) != 0)
        return -1;
    if (addr.local.n == 0 || addr.domain.n == 0)
        return mx_err_set(err, MX_ERR_INPUT, "an address needs user and domain");
    *out = mx_str_lower(arena, addr.text);
    return 0;
}

/* Networks: digits with dots or anything with a colon; the rest are domains. */
static bool looks_like_net(struct mx_str text)
{
    if (mx_str_chr(text, ':') >= 0 || mx_str_chr(text, '/') >= 0)
        return true;
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] < '0' || text.p[i] > '9') && text.p[i] != '.')
            return false;
    return text.n > 0 && text.p[0] != '.';
}

static int normalise_net(struct mx_arena *arena, struct mx_str text, struct mx_str *out,
                         struct mx_err *err)
{
    struct mx_net net;
    if (mx_net_parse(text, &net, err) != 0)
        return -1;
    if (!can_be_listed(&net))
        return mx_err_set(err, MX_ERR_INPUT,
                          "prefix /%u cannot be listed: IPv4 takes 8 to 32, IPv6 32, 40, "
                          "48, 56, 64 and 128",
                          net.bits);
    *out = net_text(arena, &net);
    return 0;
}

int store_pattern_normalise(struct mx_arena *arena, struct mx_str text,
                            struct mx_str *out, struct mx_err *err)
{
    text = mx_str_trim(text);
    if (text.n > STORE_PATTERN_MAX)
        return mx_err_set(err, MX_ERR_INPUT, "pattern longer than %d bytes",
                          STORE_PATTERN_MAX);
    const char *shown = mx_str_esc(arena, text);
    if (mx_str_chr(text, '@') > 0)
        return normalise_address(arena, text, out, err) == 0
                   ? 0
                   : mx_err_wrap(err, "pattern %s", shown);
    if (looks_like_net(text))
        return normalise_net(arena, text, out, err) == 0
                   ? 0
                   : mx_err_wrap(err, "pattern %s", shown);
    bool is_tree = text.n > 0 && text.p[0] == '.';
    if (!is_domain(arena, is_tree ? mx_str_sub(text, 1, text.n) : text))
        return mx_err_set(err, MX_ERR_INPUT, "pattern %s is none of " FORMS, shown);
    *out = mx_str_lower(arena, text);
    return 0;
}

int store_scope_normalise(struct mx_arena *arena, struct mx_str text, struct mx_str *out,
                          struct mx_err *err)
{
    text = mx_str_trim(text);
    ptrdiff_t at = text.n <= STORE_PATTERN_MAX ? mx_str_rchr(text, '@') : -1;
    if (mx_str_ieq(text, MX_STR("system"))) {
        *out = MX_STR("system");
        return 0;
    }
    if (at == 0 && is_domain(arena, mx_str_sub(text, 1, text.n))) {
        *out = mx_str_lower(arena, text);
        return 0;
    }
    if (at > 0 && normalise_address(arena, text, out, err) == 0)
        return 0;
    return mx_err_set(err, MX_ERR_INPUT,
                      "scope %s is none of \"user@dom\", \"@dom\", \"system\"",
                      mx_str_esc(arena, text));
}

struct candidates {
    struct mx_arena *arena;
    struct mx_str *v;
    size_t n;
};

/* ${domain} as "dom", then ".dom" and its parents down to the last label. */
static void add_domain(struct candidates *list, struct mx_str domain)
{
    size_t starts[DOMAIN_LABELS_MAX], n = 0;
    struct mx_str text = joined(list->arena, MX_STR("."), domain);
    list->v[list->n++] = mx_str_sub(text, 1, text.n);
    for (size_t i = 0; i + 1 < text.n && n < DOMAIN_LABELS_MAX; i++)
        if (text.p[i] == '.')
            starts[n++] = i;
    size_t skip = n > PARENTS_MAX ? n - PARENTS_MAX : 0;
    for (size_t i = skip; i < n; i++)
        list->v[list->n++] = mx_str_sub(text, starts[i], text.n);
}

struct mx_str store_scope_domain(struct mx_str mailbox)
{
    ptrdiff_t at = mx_str_rchr(mailbox, '@');
    return at < 0 ? MX_STR_NONE : mx_str_sub(mailbox, (size_t)at, mailbox.n);
}

size_t store_pattern_senders(struct mx_arena *arena, const struct mx_addr *sender,
                             const struct mx_str **out)
{
    size_t parents = 1;
    for (size_t i = 0; i < sender->domain.n && parents < PARENTS_MAX; i++)
        parents += sender->domain.p[i] == '.';
    struct candidates list = {
        .arena = arena,
        .v = mx_arena_array(arena, 2 + parents, sizeof(struct mx_str)),
    };
    if (!sender->is_null && sender->domain.n > 0 && sender->text.n <= STORE_PATTERN_MAX &&
        sender->domain.n <= MX_ADDR_DOMAIN_MAX) {
        list.v[list.n++] = mx_str_lower(arena, sender->text);
        /* A domain that reads as a network is never listed as one: who claims to send
           from "192.0.2.1" must not meet the entry of that client. */
        if (!sender->is_literal && !looks_like_net(sender->domain))
            add_domain(&list, mx_str_lower(arena, sender->domain));
    }
    *out = list.v;
    return list.n;
}

static struct prefixes networks_of(const struct store_list_query *query)
{
    static const struct mx_net none = {0};
    return prefixes_of(query->client ? query->client : &none);
}

size_t store_list_count(const struct store_list_query *query)
{
    return query->n_patterns + networks_of(query).n;
}

struct mx_str store_list_pattern(const struct store_list_query *query, size_t at,
                                 char room[static MX_NET_TEXT_MAX])
{
    struct prefixes networks = networks_of(query);
    if (at < query->n_patterns)
        return mx_str_sub(query->patterns[at], 0, STORE_PATTERN_MAX);
    at -= query->n_patterns;
    if (at >= networks.n)
        return MX_STR_NONE;
    struct mx_net around =
        mx_net_mask(query->client, networks.bits[at], networks.bits[at]);
    return mx_str(mx_net_format(&around, room));
}

/* A letter by kind. IPv4 from /32 to /8 is A to Y, IPv6 from /128 to /32 is u to z. */
enum {
    KIND_ADDRESS,
    KIND_DOMAIN,
    KIND_TREE,
    KIND_NET4,
    KIND_NET6 = KIND_NET4 + STORE_NETWORKS_MAX
};
static const char kind_letters[] = "adtABCDEFGHIJKLMNOPQRSTUVWXYuvwxyz";

_Static_assert(sizeof(prefixes4) == KIND_NET6 - KIND_NET4, "each prefix has a letter");
_Static_assert(sizeof(kind_letters) == KIND_NET6 + sizeof(prefixes6) + 1, "here too");
_Static_assert(STORE_KINDS_SENDERS == (1 << KIND_NET4) - 1, "all but networks");

static unsigned sender_kind(struct mx_str pattern)
{
    if (pattern.n > 0 && pattern.p[0] == '.')
        return KIND_TREE;
    return mx_str_chr(pattern, '@') >= 0 ? KIND_ADDRESS : KIND_DOMAIN;
}

uint64_t store_list_kind(const struct store_list_query *query, size_t at)
{
    if (at < query->n_patterns)
        return (uint64_t)1 << sender_kind(query->patterns[at]);
    unsigned first = query->client->family == 4 ? KIND_NET4 : KIND_NET6;
    return (uint64_t)1 << (first + at - query->n_patterns);
}

uint64_t store_kinds_parse(struct mx_str text)
{
    uint64_t kinds = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char *letter = memchr(kind_letters, text.p[i], sizeof(kind_letters) - 1);
        if (letter == NULL)
            return STORE_KINDS_ALL;
        kinds |= (uint64_t)1 << (letter - kind_letters);
    }
    return kinds;
}

char store_kinds_letter(struct mx_str pattern)
{
    struct mx_net net;
    if (!looks_like_net(pattern) || mx_net_parse(pattern, &net, NULL) != 0)
        return kind_letters[sender_kind(pattern)];
    struct prefixes all = prefixes_of(&net);
    unsigned kind = net.family == 4 ? KIND_NET4 : KIND_NET6;
    for (size_t i = 0; i < all.n && all.bits[i] != net.bits; i++)
        kind++;
    return kind_letters[kind];
}

enum store_listing store_listing_parse(struct mx_str value, int64_t *out_since_ms)
{
    enum store_listing listing = STORE_NOT_LISTED;
    int64_t since_ms = 0;
    if (value.n >= 1 && (value.n == 1 || value.p[1] == ' '))
        listing = value.p[0] == 'a'   ? STORE_ALLOWED
                  : value.p[0] == 'd' ? STORE_DENIED
                                      : STORE_NOT_LISTED;
    if (mx_str_to_int(mx_str_sub(value, 2, value.n), 0, INT64_MAX, &since_ms, NULL) != 0)
        since_ms = 0;
    if (out_since_ms)
        *out_since_ms = since_ms;
    return listing;
}

struct mx_str store_listing_format(enum store_listing listing, int64_t since_ms,
                                   char out[static STORE_LISTING_MAX])
{
    int n = snprintf(out, STORE_LISTING_MAX, "%c %lld",
                     listing == STORE_ALLOWED ? 'a' : 'd', (long long)since_ms);
    return mx_str_of(out, (size_t)n);
}
