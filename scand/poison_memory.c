/*
 * Messages that killed two workers, by size and keyed hash of their bytes. A retrying MTA
 * sends such a message again and again; without this it would cost two workers each time.
 *
 * The hash is SipHash-2-4 (Aumasson and Bernstein, 2012) under a key of this process:
 * small, and a stranger who knows the bytes cannot aim for a collision with another
 * message. Sizes are compared first, so good mail is hardly ever hashed.
 */
#include "poison_memory.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"

struct entry {
    uint64_t hash;
    size_t size;
    int64_t expires_ms; /* 0: free */
};

struct poison_memory {
    uint64_t key[2];
    size_t next; /* the oldest entry, to be replaced next */
    struct entry entries[POISON_MEMORY_MAX];
};

static uint64_t load64(const char *p, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return word;
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_rounds(uint64_t v[static 4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
        v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
    }
}

static uint64_t siphash(const uint64_t key[static 2], struct mx_str data)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    size_t at = 0;
    for (; at + 8 <= data.n; at += 8) {
        uint64_t word = load64(data.p + at, 8);
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    uint64_t last = load64(data.p + at, data.n - at) | (uint64_t)data.n << 56;
    v[3] ^= last;
    sip_rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct poison_memory *poison_memory_new(const uint8_t key[static 16])
{
    struct poison_memory *memory = mx_xalloc(sizeof(*memory));
    memory->key[0] = load64((const char *)key, 8);
    memory->key[1] = load64((const char *)key + 8, 8);
    return memory;
}

void poison_memory_free(struct poison_memory *memory)
{
    free(memory);
}

void poison_memory_add(struct poison_memory *memory, struct mx_str message,
                       int64_t expires_ms)
{
    memory->entries[memory->next] =
        (struct entry){siphash(memory->key, message), message.n, expires_ms};
    memory->next = (memory->next + 1) % POISON_MEMORY_MAX;
}

bool poison_memory_has(const struct poison_memory *memory, struct mx_str message,
                       int64_t now_ms)
{
    bool is_hashed = false;
    uint64_t hash = 0;
    for (size_t i = 0; i < POISON_MEMORY_MAX; i++) {
        const struct entry *entry = &memory->entries[i];
        if (entry->expires_ms <= now_ms || entry->size != message.n)
            continue;
        if (!is_hashed)
            hash = siphash(memory->key, message);
        is_hashed = true;
        if (entry->hash == hash)
            return true;
    }
    return false;
}
