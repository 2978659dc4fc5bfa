/*
 * Key names. A key is put together from constant parts and encoded text in a buffer of
 * fixed size; the lengths are bounded by construction and checked once more when a part
 * is added. Hashes are BLAKE2b with 128 bits from libsodium, so that two tuples never
 * share a key by accident and nobody finds one on purpose.
 *
 * Nothing here talks to Redis, and no other file spells a key.
 */
#include "store_keys.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <sodium/crypto_generichash.h>

#include "mx_arena.h"

#define HASH_BYTES (STORE_HASH_HEX / 2)
#define GREY_PREFIX "mx:gl:{"
#define RATE_PREFIX "mx:rl:{"
#define PREFS_PREFIX "mx:pr:{"

_Static_assert(sizeof(GREY_PREFIX) + STORE_TAG_MAX + sizeof("}:t:") + STORE_HASH_HEX <=
                   STORE_KEY_MAX,
               "the longest key fits");
_Static_assert(HASH_BYTES >= crypto_generichash_BYTES_MIN,
               "libsodium offers this length");

static const char hex_digits[] = "0123456789abcdef";

static void add(struct store_key *key, struct mx_str part)
{
    assert(part.n < sizeof(key->text) - key->n);
    if (part.n > 0)
        memcpy(key->text + key->n, part.p, part.n);
    key->n += part.n;
    key->text[key->n] = '\0';
}

static void add_hash(struct store_key *key, struct mx_str text)
{
    unsigned char hash[HASH_BYTES];
    char hex[STORE_HASH_HEX];
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)(text.p ? text.p : ""),
                       text.n, NULL, 0);
    for (size_t i = 0; i < sizeof(hash); i++) {
        hex[2 * i] = hex_digits[hash[i] >> 4];
        hex[2 * i + 1] = hex_digits[hash[i] & 15];
    }
    add(key, mx_str_of(hex, sizeof(hex)));
}

/* Bytes that stand for themselves. */
static const bool is_plain[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['@'] = true,
    ['.'] = true,         ['_'] = true,         [':'] = true,         ['/'] = true,
    ['+'] = true,         ['='] = true,         ['-'] = true,
};

static size_t encoded_length(struct mx_str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n && n <= STORE_TAG_MAX; i++)
        n += is_plain[(unsigned char)text.p[i]] ? 1 : 3;
    return n;
}

/* ${text} becomes at most STORE_TAG_MAX bytes. */
static void add_encoded(struct store_key *key, struct mx_str text)
{
    char encoded[STORE_TAG_MAX];
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_plain[c]) {
            encoded[n++] = text.p[i];
            continue;
        }
        encoded[n++] = '%';
        encoded[n++] = hex_digits[c >> 4];
        encoded[n++] = hex_digits[c & 15];
    }
    add(key, mx_str_of(encoded, n));
}

/* The hash tag with its braces. "#" and "%" never stand for themselves, so that the three
   forms cannot be confused; an empty text is "%", as Redis ignores an empty tag. */
static void add_tag(struct store_key *key, struct mx_str text)
{
    size_t n = encoded_length(text);
    add(key, MX_STR("{"));
    if (text.n == 0)
        add(key, MX_STR("%"));
    if (n > STORE_TAG_MAX) {
        add(key, MX_STR("#"));
        add_hash(key, text);
    } else if (n > text.n) {
        add_encoded(key, text);
    } else {
        add(key, text);
    }
    add(key, MX_STR("}"));
}

static struct mx_str tagged(struct store_key *out, const char *prefix, struct mx_str tag,
                            const char *suffix)
{
    out->n = 0;
    add(out, mx_str(prefix));
    add_tag(out, tag);
    add(out, mx_str(suffix));
    return mx_str_of(out->text, out->n);
}

static struct mx_str all(struct store_key *out, const char *glob)
{
    out->n = 0;
    add(out, mx_str(glob));
    return mx_str_of(out->text, out->n);
}

struct mx_str store_keys_list(struct store_key *out, struct mx_str scope)
{
    return tagged(out, "mx:ls:", scope, "");
}

struct mx_str store_keys_prefs(struct store_key *out, struct mx_str scope)
{
    return tagged(out, "mx:pr:", scope, "");
}

struct mx_str store_keys_prefs_glob(struct store_key *out)
{
    return all(out, "mx:pr:{*}");
}

struct mx_str store_keys_pool(struct store_key *out, struct mx_str pool)
{
    return tagged(out, "mx:gl:", pool, ":n");
}

struct mx_str store_keys_tuple(struct store_key *out, struct mx_str pool,
                               struct mx_str tuple)
{
    tagged(out, "mx:gl:", pool, ":t:");
    add_hash(out, tuple);
    return mx_str_of(out->text, out->n);
}

struct mx_str store_keys_counter_of(struct store_key *out, struct mx_str key)
{
    size_t tag_end = (size_t)(mx_str_chr(key, '}') + 1);
    out->n = 0;
    if (tag_end <= sizeof(GREY_PREFIX) + STORE_TAG_MAX)
        add(out, mx_str_sub(key, 0, tag_end));
    add(out, MX_STR(":n"));
    return mx_str_of(out->text, out->n);
}

struct mx_str store_keys_rate(struct store_key *out, struct mx_str name)
{
    return tagged(out, "mx:rl:", name, "");
}

struct mx_str store_keys_rates_glob(struct store_key *out)
{
    return all(out, "mx:rl:{*}");
}

struct mx_str store_keys_quota(struct store_key *out, struct mx_str mailbox)
{
    return tagged(out, "mx:qt:", mailbox, "");
}

struct mx_str store_keys_over(struct store_key *out, struct mx_str mailbox)
{
    return tagged(out, "mx:qt:", mailbox, ":over");
}

struct mx_str store_keys_due(struct store_key *out, const char *role)
{
    return tagged(out, "mx:reg:", mx_str(role), ":due");
}

struct mx_str store_keys_node(struct store_key *out, const char *role)
{
    return tagged(out, "mx:reg:", mx_str(role), ":node");
}

struct mx_str store_keys_tuples_glob(struct store_key *out, struct mx_str pool)
{
    return pool.n ? tagged(out, "mx:gl:", pool, ":t:*") : all(out, "mx:gl:{*}:t:*");
}

struct mx_str store_keys_pools_glob(struct store_key *out, struct mx_str pool)
{
    return pool.n ? tagged(out, "mx:gl:", pool, ":*") : all(out, "mx:gl:{*}:*");
}

static int hex_value(char c)
{
    const char *at = c != '\0' ? strchr(hex_digits, c) : NULL;
    return at ? (int)(at - hex_digits) : -1;
}

/* One byte of an encoded tag, cut off its front. */
static int take_byte(struct mx_str *rest, char *out)
{
    char c = rest->p[0];
    if (c != '%') {
        *out = c;
        *rest = mx_str_sub(*rest, 1, rest->n);
        return 0;
    }
    int high = rest->n >= 3 ? hex_value(rest->p[1]) : -1;
    int low = rest->n >= 3 ? hex_value(rest->p[2]) : -1;
    if (high < 0 || low < 0)
        return -1;
    *out = (char)(high << 4 | low);
    *rest = mx_str_sub(*rest, 3, rest->n);
    return 0;
}

static int tag_of(struct mx_arena *arena, struct mx_str key, struct mx_str prefix,
                  struct mx_str *out)
{
    if (!mx_str_starts(key, prefix) || key.n >= STORE_KEY_MAX)
        return -1;
    struct mx_str tag = mx_str_sub(key, prefix.n, key.n);
    ptrdiff_t end = mx_str_chr(tag, '}');
    if (end <= 0)
        return -1;
    tag = mx_str_sub(tag, 0, (size_t)end);
    if (mx_str_eq(tag, MX_STR("%")))
        tag = MX_STR_NONE;
    char *text = mx_arena_alloc(arena, tag.n + 1);
    size_t n = 0;
    while (tag.n > 0)
        if (take_byte(&tag, &text[n++]) != 0)
            return -1;
    *out = mx_str_of(text, n);
    return 0;
}

int store_keys_pool_of(struct mx_arena *arena, struct mx_str key, struct mx_str *out)
{
    return tag_of(arena, key, MX_STR(GREY_PREFIX), out);
}

int store_keys_rate_of(struct mx_arena *arena, struct mx_str key, struct mx_str *out)
{
    return tag_of(arena, key, MX_STR(RATE_PREFIX), out);
}

int store_keys_prefs_of(struct mx_arena *arena, struct mx_str key, struct mx_str *out)
{
    return tag_of(arena, key, MX_STR(PREFS_PREFIX), out);
}
