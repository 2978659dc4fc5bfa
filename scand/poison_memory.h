/* Remembers messages that killed two workers, for a while. */
#ifndef POISON_MEMORY_H
#define POISON_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "mx_str.h"

struct poison_memory;

#define POISON_MEMORY_MAX 256 /* messages; the oldest goes first */

/** poison_memory_new(key): empty; ${key} is secret and random, so that nobody can make a
 * message that collides. */
struct poison_memory *poison_memory_new(const uint8_t key[static 16]);
void poison_memory_free(struct poison_memory *memory);

/** poison_memory_add(memory, message, expires_ms): remember it until then. */
void poison_memory_add(struct poison_memory *memory, struct mx_str message,
                       int64_t expires_ms);

/**
 * poison_memory_has(memory, message, now_ms):
 * Costs nothing while no message of that size is remembered.
 */
bool poison_memory_has(const struct poison_memory *memory, struct mx_str message,
                       int64_t now_ms);

#endif
