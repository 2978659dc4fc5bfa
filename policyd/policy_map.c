/*
 * Map files: one pass over the text, one hash table of keys. A cidr map keeps one such
 * table for all its networks and remembers which prefix lengths occur, so that a look-up
 * costs one probe a length rather than one comparison a line; the smallest line number
 * wins, which is "first match" as in Postfix cidr_table(5).
 *
 * It reads no files (policy_maps.c does) and gives results no meaning.
 */
#include "policy_map.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "mx_addr.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "policy_map_regex.h"

/* Bounds above times the size of an entry, with room: reaching it would be a bug. */
#define ARENA_MAX ((size_t)512 << 20)
#define KEY_MAX (MX_ADDR_PATH_MAX + 1) /* bytes of a text key */

struct entry {
    UT_hash_handle hh;
    struct mx_net net; /* cidr */
    const char *key;   /* domain, address */
    struct mx_str value;
    unsigned line;
};

struct policy_map {
    _Atomic unsigned refs;
    enum policy_map_kind kind;
    size_t n;
    struct mx_arena *arena;
    struct entry *entries;  /* hash */
    struct entry **ordered; /* regex: by index of the pattern */
    struct policy_map_regex *regex;
    bool has_bits[2][129]; /* cidr: prefix lengths that occur, IPv4 and IPv6 */
};

/* The file while it is read. */
struct reader {
    const struct policy_map_spec *spec;
    struct policy_map *map;
    unsigned line;
};

const char *policy_map_kind_name(enum policy_map_kind kind)
{
    static const char *const names[] = {"cidr", "domain", "address", "regex"};
    return kind < POLICY_MAP_KINDS ? names[kind] : "unknown";
}

/* ---- reading ------------------------------------------------------------------------
 */

static struct entry *make_entry(struct reader *r, struct mx_str value)
{
    struct policy_map *map = r->map;
    struct entry *entry = mx_arena_alloc(map->arena, sizeof(*entry));
    entry->value = mx_str_dup(map->arena, value);
    entry->line = r->line;
    map->n++;
    return entry;
}

static int doubled(const struct entry *old, struct mx_err *err)
{
    return mx_err_set(err, MX_ERR_INPUT, "the same key stands in line %u", old->line);
}

static int add_net(struct reader *r, struct mx_str key, struct mx_str value,
                   struct mx_err *err)
{
    struct policy_map *map = r->map;
    struct entry *old = NULL;
    struct mx_net net;
    memset(&net, 0, sizeof(net));
    if (mx_net_parse(key, &net, err) < 0)
        return -1;
    HASH_FIND(hh, map->entries, &net, sizeof(net), old);
    if (old)
        return doubled(old, err);
    struct entry *entry = make_entry(r, value);
    entry->net = net;
    map->has_bits[net.family == 6][net.bits] = true;
    HASH_ADD(hh, map->entries, net, sizeof(entry->net), entry);
    return 0;
}

/* "dom", ".dom"; in address maps also "user@dom" and "user@". */
static int check_text_key(const struct reader *r, struct mx_str key, struct mx_err *err)
{
    ptrdiff_t at = mx_str_rchr(key, '@');
    if (key.n > KEY_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "key over %d bytes", KEY_MAX);
    if (at >= 0 && r->spec->kind == POLICY_MAP_DOMAIN)
        return mx_err_set(err, MX_ERR_INPUT, "an address in a domain map: use address:");
    if (at == 0)
        return mx_err_set(err, MX_ERR_INPUT,
                          "nothing before the @: write the domain "
                          "alone");
    return 0;
}

static int add_text(struct reader *r, struct mx_str key, struct mx_str value,
                    struct mx_err *err)
{
    struct policy_map *map = r->map;
    struct entry *old = NULL;
    if (check_text_key(r, key, err) < 0)
        return -1;
    struct mx_str lower = mx_str_lower(map->arena, key);
    HASH_FIND(hh, map->entries, lower.p, lower.n, old);
    if (old)
        return doubled(old, err);
    struct entry *entry = make_entry(r, value);
    entry->key = lower.p;
    HASH_ADD_KEYPTR(hh, map->entries, entry->key, lower.n, entry);
    return 0;
}

static int check_value(const struct reader *r, struct mx_str value, struct mx_err *err)
{
    if (value.n == 0)
        return mx_err_set(err, MX_ERR_INPUT, "a key without a result");
    if (value.n > POLICY_MAP_VALUE_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "result over %u bytes",
                          POLICY_MAP_VALUE_MAX);
    return r->spec->check ? r->spec->check(value, err) : 0;
}

static int add_regex(struct reader *r, struct mx_str line, struct mx_err *err)
{
    struct policy_map *map = r->map;
    struct mx_str value;
    if (map->n == POLICY_MAP_REGEX_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "more than %u patterns",
                          POLICY_MAP_REGEX_MAX);
    if (policy_map_regex_add(map->regex, line, &value, err) < 0 ||
        check_value(r, value, err) < 0)
        return -1;
    size_t index = map->n;
    map->ordered[index] = make_entry(r, value); /* counts it in ->n */
    return 0;
}

/* End of the first word. */
static size_t word_len(struct mx_str line)
{
    size_t i = 0;
    while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t')
        i++;
    return i;
}

static int add_line(struct reader *r, struct mx_str line, struct mx_err *err)
{
    if (line.n && (line.p[0] == ' ' || line.p[0] == '\t') && mx_str_trim(line).n)
        return mx_err_set(err, MX_ERR_INPUT, "white space at the beginning of a line");
    line = mx_str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return 0;
    if (r->map->n == POLICY_MAP_ENTRIES_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "more than %u entries",
                          POLICY_MAP_ENTRIES_MAX);
    if (r->spec->kind == POLICY_MAP_REGEX)
        return add_regex(r, line, err);
    size_t n = word_len(line);
    struct mx_str key = mx_str_sub(line, 0, n);
    struct mx_str value = mx_str_trim(mx_str_sub(line, n, line.n));
    if (check_value(r, value, err) < 0)
        return -1;
    return r->spec->kind == POLICY_MAP_CIDR ? add_net(r, key, value, err)
                                            : add_text(r, key, value, err);
}

static struct policy_map *map_new(enum policy_map_kind kind)
{
    struct policy_map *map = mx_xalloc(sizeof(*map));
    atomic_init(&map->refs, 1);
    map->kind = kind;
    map->arena = mx_arena_new(ARENA_MAX);
    if (kind == POLICY_MAP_REGEX) {
        map->regex = policy_map_regex_new(POLICY_MAP_REGEX_MAX);
        map->ordered =
            mx_arena_array(map->arena, POLICY_MAP_REGEX_MAX, sizeof(*map->ordered));
    }
    return map;
}

int policy_map_parse(const struct policy_map_spec *spec, struct mx_str text,
                     struct policy_map **out, struct mx_err *err)
{
    struct reader r = {.spec = spec, .map = NULL};
    struct mx_str line;
    if (text.n > POLICY_MAP_FILE_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "%s: over %u bytes", spec->path,
                          POLICY_MAP_FILE_MAX);
    r.map = map_new(spec->kind);
    while (mx_str_next(&text, '\n', &line) == 0) {
        r.line++;
        if (add_line(&r, line, err) < 0) {
            policy_map_unref(r.map);
            return mx_err_wrap(err, "%s:%u", spec->path, r.line);
        }
    }
    *out = r.map;
    return 0;
}

/* ---- lifetime -------------------------------------------------------------------------
 */

struct policy_map *policy_map_ref(struct policy_map *map)
{
    if (map)
        atomic_fetch_add(&map->refs, 1);
    return map;
}

void policy_map_unref(struct policy_map *map)
{
    if (map == NULL || atomic_fetch_sub(&map->refs, 1) != 1)
        return;
    HASH_CLEAR(hh, map->entries); /* the entries themselves are the arena's */
    policy_map_regex_free(map->regex);
    mx_arena_free(map->arena);
    free(map);
}

size_t policy_map_entries(const struct policy_map *map)
{
    return map->n;
}

/* ---- looking up
 * ------------------------------------------------------------------------ */

enum policy_map_result policy_map_find_net(const struct policy_map *map,
                                           const struct mx_net *net, struct mx_str *out)
{
    const struct entry *best = NULL;
    if (map->kind != POLICY_MAP_CIDR || net->family == 0)
        return POLICY_MAP_MISS;
    bool is_six = net->family == 6;
    for (unsigned bits = 0; bits <= (is_six ? 128u : 32u); bits++) {
        if (!map->has_bits[is_six][bits])
            continue;
        struct mx_net key = mx_net_mask(net, bits, bits);
        struct entry *entry = NULL;
        HASH_FIND(hh, map->entries, &key, sizeof(key), entry);
        if (entry && (best == NULL || entry->line < best->line))
            best = entry;
    }
    if (best == NULL)
        return POLICY_MAP_MISS;
    *out = best->value;
    return POLICY_MAP_HIT;
}

static bool find_key(const struct policy_map *map, struct mx_str key, struct mx_str *out)
{
    struct entry *entry = NULL;
    if (key.n == 0)
        return false;
    HASH_FIND(hh, map->entries, key.p, key.n, entry);
    if (entry == NULL)
        return false;
    *out = entry->value;
    return true;
}

/* "a.b.c", ".a.b.c", ".b.c", ".c". ${dotted} is the domain with a dot before it. */
static bool find_domain(const struct policy_map *map, struct mx_str dotted,
                        struct mx_str *out)
{
    if (find_key(map, mx_str_sub(dotted, 1, dotted.n), out))
        return true;
    for (size_t i = 0; i < dotted.n; i++)
        if (dotted.p[i] == '.' && find_key(map, mx_str_sub(dotted, i, dotted.n), out))
            return true;
    return false;
}

/* ${lower} has one byte before it that may be overwritten; see policy_map_find_text. */
static bool find_address(const struct policy_map *map, char *lower, size_t n,
                         struct mx_str *out)
{
    struct mx_str whole = mx_str_of(lower, n);
    ptrdiff_t at = mx_str_rchr(whole, '@');
    if (find_key(map, whole, out))
        return true;
    if (at < 0)
        return false;
    size_t split = (size_t)at;
    lower[split] = '.';
    if (find_domain(map, mx_str_sub(whole, split, n), out))
        return true;
    lower[split] = '@';
    return find_key(map, mx_str_sub(whole, 0, split + 1), out);
}

enum policy_map_result policy_map_find_text(const struct policy_map *map,
                                            struct mx_str text, struct mx_str *out)
{
    char room[KEY_MAX + 1];
    size_t index;
    bool is_hit;
    if (map->kind == POLICY_MAP_CIDR || text.n >= KEY_MAX)
        return POLICY_MAP_MISS;
    if (map->kind == POLICY_MAP_REGEX) {
        enum policy_map_result result = policy_map_regex_find(map->regex, text, &index);
        if (result == POLICY_MAP_HIT)
            *out = map->ordered[index]->value;
        return result;
    }
    room[0] = '.';
    for (size_t i = 0; i < text.n; i++)
        room[i + 1] =
            text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] + 32) : text.p[i];
    if (map->kind == POLICY_MAP_ADDRESS)
        is_hit = find_address(map, room + 1, text.n, out);
    else
        is_hit = find_domain(map, mx_str_of(room, text.n + 1), out);
    return is_hit ? POLICY_MAP_HIT : POLICY_MAP_MISS;
}
