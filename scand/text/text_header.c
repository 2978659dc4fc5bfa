/*
 * What a header rule looks at: a selector names fields (or something made of them), and
 * modifiers take parts out of the values. Every value of a name counts, in order; they
 * are joined so that each ends its line, which is what "$" in rules relies on.
 *
 *   ALL ALL-TRUSTED ALL-UNTRUSTED ALL-INTERNAL ALL-EXTERNAL   whole fields
 *   ToCc MESSAGEID EnvelopeFrom X-Spam-Relays-...             made up
 *   :raw :addr :name :host :domain :ip :revip :first :last    modifiers
 *
 * Left out: metadata of plugins that are not loaded by default (X-Languages ...).
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_address.h"
#include "text/text_chars.h"
#include "text/text_decode.h"
#include "text/text_domain.h"
#include "text/text_head.h"
#include "text/text_match.h"

#define VALUES_MAX 65536 /* of one selector */

enum modifier {
    GET_RAW = 1 << 0,
    GET_ADDR = 1 << 1,
    GET_NAME = 1 << 2,
    GET_HOST = 1 << 3,
    GET_DOMAIN = 1 << 4,
    GET_IP = 1 << 5,
    GET_REVIP = 1 << 6,
    GET_FIRST = 1 << 7,
    GET_LAST = 1 << 8,
};

struct request {
    struct mx_arena *arena;
    const struct texts *texts;
    struct mx_str name;
    unsigned modifiers; /* enum modifier */
    struct text_lister values;
};

static void add(struct request *r, struct mx_str value)
{
    text_lister_add(r->arena, &r->values, value);
}

static struct mx_str with_newline(struct mx_arena *arena, struct mx_str s)
{
    char *p = mx_arena_alloc(arena, s.n + 2);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\n';
    return mx_str_of(p, s.n + 1);
}

/* ---- whole fields -------------------------------------------------------------------
 */

/* Each field of the header as received, up to where the next one starts. */
static void add_pristine(struct request *r)
{
    struct mx_str rest = r->texts->tree.pristine_head, field = MX_STR_NONE;
    while (rest.n > 0) {
        struct mx_str line = text_head_line(rest);
        bool is_folded = line.p[0] == ' ' || line.p[0] == '\t';
        rest = mx_str_sub(rest, line.n, rest.n);
        if (!is_folded) {
            if (field.n > 1)
                add(r, field);
            field = line;
        } else if (field.n) {
            field.n += line.n;
        }
    }
    if (field.n > 1 && field.p[field.n - 1] == '\n')
        add(r, field);
}

/* Fields in the order of their names' first appearance; ties keep their place. */
static int by_name(const void *a, const void *b)
{
    const struct text_field *const *x = a, *const *y = b;
    int order = mx_str_icmp((*x)->name, (*y)->name);
    return order ? order : *x < *y ? -1 : *x > *y;
}

static int by_place(const void *a, const void *b)
{
    const struct text_field *const *x = a, *const *y = b;
    return *x < *y ? -1 : *x > *y;
}

struct group {
    const struct text_field *const *first;
    size_t n;
};

static int by_first(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    return by_place(x->first, y->first);
}

static size_t field_size(const struct text_field *field)
{
    return field->name.n + field->value.n + 3;
}

/*
 * A header over the limit: names in order of first appearance, each with all its fields,
 * until the limit is reached. Returns how many of ${sorted}, put back in order, remain.
 */
static size_t cut_fields(struct mx_arena *arena, const struct text_field **sorted,
                         size_t n)
{
    struct group *groups = mx_arena_array(arena, n, sizeof(*groups));
    const struct text_field **kept = mx_arena_array(arena, n, sizeof(*kept));
    size_t n_groups = 0, n_kept = 0, size = 0;
    qsort(sorted, n, sizeof(*sorted), by_name);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !mx_str_ieq(sorted[i]->name, sorted[i - 1]->name))
            groups[n_groups++] = (struct group){.first = &sorted[i]};
        groups[n_groups - 1].n++;
    }
    qsort(groups, n_groups, sizeof(*groups), by_first);
    for (size_t g = 0; g < n_groups; g++)
        for (size_t i = 0; i < groups[g].n && size <= TEXT_HEAD_MAX; i++) {
            size += field_size(groups[g].first[i]);
            if (size <= TEXT_HEAD_MAX)
                kept[n_kept++] = groups[g].first[i];
        }
    qsort(kept, n_kept, sizeof(*kept), by_place);
    memcpy(sorted, kept, n_kept * sizeof(*kept));
    return n_kept;
}

/* "Name: value\n" of each field, 64 KiB of them. */
static void add_decoded(struct request *r)
{
    const struct text_tree *tree = &r->texts->tree;
    const struct text_field **fields =
        mx_arena_array(r->arena, tree->n_fields + 1, sizeof(*fields));
    size_t n = tree->n_fields, size = 0;
    for (size_t i = 0; i < n; i++) {
        fields[i] = &tree->fields[i];
        size += field_size(fields[i]);
    }
    if (size > TEXT_HEAD_MAX)
        n = cut_fields(r->arena, fields, n);
    for (size_t i = 0; i < n; i++) {
        struct mx_str parts[] = {fields[i]->name, MX_STR(": "), fields[i]->value,
                                 MX_STR("\n")};
        add(r, text_join(r->arena, parts, sizeof(parts) / sizeof(parts[0])));
    }
}

static void add_all(struct request *r)
{
    if (r->modifiers & GET_RAW)
        add_pristine(r);
    else
        add_decoded(r);
}

/*
 * Fields around the Received line numbered ${at}: those from it on, or (is_upper) those
 * down to it.
 */
static void add_range(struct request *r, int at, bool is_upper)
{
    add_all(r);
    size_t n = 0;
    int received = -1;
    for (size_t i = 0; i < r->values.n; i++) {
        received += mx_str_istarts(r->values.v[i], MX_STR("Received:"));
        if (is_upper ? received <= at : received >= at)
            r->values.v[n++] = r->values.v[i];
        if (is_upper && received == at)
            break;
    }
    r->values.n = is_upper && at < 0 ? 0 : n;
}

/* The selectors for whole fields; false: it is none of them. */
static bool add_fields(struct request *r)
{
    const struct text_relays *relays = &r->texts->relays;
    /* one more than is trusted: who wrote that line is trusted */
    int trusted = relays->last_trusted + 1, internal = relays->last_internal + 1;
    if (mx_str_eq(r->name, MX_STR("ALL")))
        add_all(r);
    else if (mx_str_eq(r->name, MX_STR("ALL-TRUSTED")))
        add_range(r, trusted, true);
    else if (mx_str_eq(r->name, MX_STR("ALL-INTERNAL")))
        add_range(r, internal, true);
    else if (mx_str_eq(r->name, MX_STR("ALL-UNTRUSTED")))
        add_range(r, trusted, false);
    else if (mx_str_eq(r->name, MX_STR("ALL-EXTERNAL")))
        add_range(r, internal, false);
    else
        return false;
    return true;
}

/* ---- values -------------------------------------------------------------------------
 */

/* A raw value with its final newline, unless that was cut off. */
static struct mx_str raw_value(struct mx_arena *arena, const struct text_field *field)
{
    return field->raw.n < TEXT_FIELD_VALUE_MAX ? with_newline(arena, field->raw)
                                               : field->raw;
}

/* Each line end and the spaces behind it become a space. */
static struct mx_str unfold(struct mx_arena *arena, struct mx_str s)
{
    char *p = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        size_t end = i + (s.p[i] == '\r'), blank = end + 1;
        while (blank < s.n && text_char_space((unsigned char)s.p[blank]))
            blank++;
        if (end < s.n && s.p[end] == '\n' && blank > end + 1) {
            p[n++] = ' ';
            i = blank - 1;
        } else {
            p[n++] = s.p[i];
        }
    }
    return mx_str_of(p, n);
}

/* Values of the fields ${name}: raw as received, or raw and unfolded, or decoded. */
static void add_named(struct request *r, const char *name, bool is_raw)
{
    const struct text_tree *tree = &r->texts->tree;
    for (size_t i = 0; i < tree->n_fields; i++) {
        const struct text_field *field = &tree->fields[i];
        if (!mx_str_ieq(field->name, mx_str(name)))
            continue;
        add(r, is_raw ? unfold(r->arena, raw_value(r->arena, field))
                      : with_newline(r->arena, field->value));
    }
}

static void add_plain(struct request *r)
{
    const struct text_tree *tree = &r->texts->tree;
    bool is_raw = r->modifiers & (GET_RAW | GET_ADDR | GET_NAME);
    for (size_t i = 0; i < tree->n_fields; i++)
        if (mx_str_ieq(tree->fields[i].name, r->name))
            add(r, is_raw ? raw_value(r->arena, &tree->fields[i])
                          : with_newline(r->arena, tree->fields[i].value));
}

static void add_values(struct request *r)
{
    const struct text_relays *relays = &r->texts->relays;
    bool is_raw = r->modifiers & GET_RAW;
    if (mx_str_ieq(r->name, MX_STR("EnvelopeFrom"))) {
        if (r->texts->envelope_from.p)
            add(r, r->texts->envelope_from);
    } else if (mx_str_ieq(r->name, MX_STR("X-Spam-Relays-Untrusted"))) {
        add(r, relays->untrusted);
    } else if (mx_str_ieq(r->name, MX_STR("X-Spam-Relays-Trusted"))) {
        add(r, relays->trusted);
    } else if (mx_str_ieq(r->name, MX_STR("X-Spam-Relays-External"))) {
        add(r, relays->external);
    } else if (mx_str_ieq(r->name, MX_STR("X-Spam-Relays-Internal"))) {
        add(r, relays->internal);
    } else if (mx_str_ieq(r->name, MX_STR("ToCc"))) {
        add_named(r, "To", is_raw);
        add_named(r, "Cc", is_raw);
    } else if (mx_str_eq(r->name, MX_STR("MESSAGEID"))) {
        add_named(r, "X-Message-Id", is_raw);
        add_named(r, "Resent-Message-Id", is_raw);
        add_named(r, "X-Original-Message-ID", is_raw);
        add_named(r, "Message-Id", is_raw);
    } else {
        add_plain(r);
    }
}

/* ---- modifiers ----------------------------------------------------------------------
 */

static bool is_blank(struct mx_str s)
{
    return text_trim(s, false).n == 0;
}

/* A decoded name with single spaces and without single quotes around it. */
static struct mx_str plain_name(struct mx_arena *arena, struct mx_str phrase)
{
    struct mx_str name = text_words_decode(arena, phrase);
    if (is_blank(name))
        return name;
    name = text_trim(name, false);
    char *p = mx_arena_alloc(arena, name.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        bool is_space = text_char_space((unsigned char)name.p[i]);
        if (!is_space || p[n - 1] != ' ')
            p[n++] = is_space ? ' ' : name.p[i];
    }
    if (n >= 2 && p[0] == '\'' && p[n - 1] == '\'')
        return mx_str_of(p + 1, n - 2);
    return mx_str_of(p, n);
}

static void take_addresses(struct request *r)
{
    struct text_lister lines = r->values;
    r->values = (struct text_lister){.max = VALUES_MAX};
    for (size_t i = 0; i < lines.n; i++) {
        struct text_address *addresses;
        size_t n;
        if (is_blank(lines.v[i]))
            continue;
        text_address_parse(r->arena, lines.v[i], &addresses, &n);
        for (size_t k = 0; k < n; k++) {
            const struct text_address *one = &addresses[k];
            if (r->modifiers & GET_ADDR) {
                if (one->address.p)
                    add(r, one->address);
            } else if (one->phrase.p) {
                add(r, r->modifiers & GET_RAW ? one->phrase
                                              : plain_name(r->arena, one->phrase));
            }
        }
    }
}

static bool is_host_byte(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("-._", c) != NULL) ||
           (signed char)c < 0;
}

/* The first host name with a known top level in ${s}; one behind "@" comes first. */
static struct mx_str find_host(struct mx_arena *arena, const struct texts *texts,
                               struct mx_str s)
{
    struct mx_str found = MX_STR_NONE;
    for (size_t i = 0, end; i < s.n; i = end + 1) {
        for (end = i; end < s.n && is_host_byte(s.p[end]);)
            end++;
        struct mx_str host = mx_str_sub(s, i, end - i);
        while (host.n > 0 && strchr("-._", host.p[host.n - 1]))
            host.n--;
        if (!text_host_is_valid(text_host_ascii(arena, host)) ||
            !text_domain_is_valid(&texts->settings->lists, host))
            continue;
        if (i > 0 && s.p[i - 1] == '@')
            found = host;
        else if (!found.p)
            found = host;
    }
    return found;
}

/* Behind the last "@" of an address. */
static struct mx_str host_of(struct mx_str address)
{
    ptrdiff_t at = mx_str_rchr(address, '@');
    if (at < 0)
        return MX_STR_NONE;
    struct mx_str host = mx_str_sub(address, (size_t)at + 1, address.n);
    size_t n = 0;
    while (n < host.n && !text_char_space((unsigned char)host.p[n]))
        n++;
    return n ? mx_str_sub(host, 0, n) : MX_STR_NONE;
}

static void take_hosts(struct request *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->values.n; i++) {
        struct mx_str host = r->modifiers & GET_ADDR
                                 ? host_of(r->values.v[i])
                                 : find_host(r->arena, r->texts, r->values.v[i]);
        if (!host.p)
            continue;
        if (r->modifiers & GET_DOMAIN)
            host = text_domain_of(r->arena, &r->texts->settings->lists, host);
        r->values.v[n++] = host;
    }
    r->values.n = n;
}

/* Numbers in reverse, as DNS lists have them (RFC 5782 2.1 and 2.4). */
static struct mx_str reversed(struct mx_arena *arena, struct mx_str ip)
{
    struct mx_net net;
    char nibbles[2 * 2 * sizeof(net.addr)];
    size_t n = 0;
    if (mx_net_parse(ip, &net, NULL) < 0)
        return MX_STR_NONE;
    const uint8_t *a = net.addr;
    if (net.family == 4)
        return mx_str(mx_arena_printf(arena, "%u.%u.%u.%u", a[3], a[2], a[1], a[0]));
    for (size_t i = sizeof(net.addr); i-- > 0;) {
        nibbles[n++] = "0123456789abcdef"[a[i] & 15];
        nibbles[n++] = '.';
        nibbles[n++] = "0123456789abcdef"[a[i] >> 4];
        nibbles[n++] = '.';
    }
    return mx_str_dup(arena, mx_str_of(nibbles, n - 1));
}

static void take_addresses_of_hosts(struct request *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->values.n; i++) {
        struct mx_str s = r->values.v[i], ip = MX_STR_NONE;
        for (size_t at = 0; at < s.n && !ip.p; at++) {
            size_t length = at > 0 && s.p[at - 1] == '.' ? 0 : text_match_ip(s, at);
            if (length && (at + length == s.n || s.p[at + length] != '.'))
                ip = mx_str_sub(s, at, length);
        }
        if (ip.p && (r->modifiers & GET_REVIP))
            ip = reversed(r->arena, ip);
        if (ip.p)
            r->values.v[n++] = ip;
    }
    r->values.n = n;
}

static void apply_modifiers(struct request *r)
{
    if (r->values.n > 0 && (r->modifiers & GET_FIRST)) {
        r->values.n = 1;
    } else if (r->values.n > 0 && (r->modifiers & GET_LAST)) {
        r->values.v[0] = r->values.v[r->values.n - 1];
        r->values.n = 1;
    }
    if (r->modifiers & (GET_ADDR | GET_NAME))
        take_addresses(r);
    if (r->modifiers & (GET_HOST | GET_DOMAIN))
        take_hosts(r);
    else if (r->modifiers & GET_IP)
        take_addresses_of_hosts(r);
}

/* ---- entry --------------------------------------------------------------------------
 */

/* "Name:mod:mod"; an unknown modifier does nothing. */
static void parse_selector(struct mx_str selector, struct request *out)
{
    static const struct {
        const char *name;
        unsigned bits;
    } known[] = {{"raw", GET_RAW},
                 {"addr", GET_ADDR},
                 {"name", GET_NAME},
                 {"host", GET_HOST},
                 {"domain", GET_HOST | GET_DOMAIN},
                 {"ip", GET_IP},
                 {"revip", GET_IP | GET_REVIP},
                 {"first", GET_FIRST},
                 {"last", GET_LAST}};
    struct mx_str word = MX_STR("");
    mx_str_next(&selector, ':', &word);
    out->name = word;
    while (mx_str_next(&selector, ':', &word) == 0)
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (mx_str_eq(word, mx_str(known[i].name)))
                out->modifiers |= known[i].bits;
}

static struct mx_str join(struct mx_arena *arena, const struct text_lister *values)
{
    if (values->n == 1)
        return values->v[0];
    struct mx_str first = values->v[0];
    bool is_ended = first.n > 0 && first.p[first.n - 1] == '\n';
    size_t size = 0, n = 0;
    for (size_t i = 0; i < values->n; i++)
        size += values->v[i].n + 1;
    char *p = mx_arena_alloc(arena, size + 1);
    for (size_t i = 0; i < values->n; i++) {
        if (i > 0 && !is_ended)
            p[n++] = '\n';
        if (values->v[i].n)
            memcpy(p + n, values->v[i].p, values->v[i].n);
        n += values->v[i].n;
    }
    return mx_str_of(p, n);
}

bool text_header_get(struct mx_arena *arena, const struct texts *texts,
                     struct mx_str selector, struct mx_str *out)
{
    struct request r = {.arena = arena, .texts = texts, .values = {.max = VALUES_MAX}};
    parse_selector(selector, &r);
    *out = MX_STR("");
    if (!add_fields(&r)) {
        add_values(&r);
        apply_modifiers(&r);
    }
    if (r.values.n == 0)
        return false;
    *out = join(arena, &r.values);
    return true;
}
