/*
 * Bump allocator: everything derived from one request lives in one arena and dies
 * with it. Not thread-safe: an arena has one user at a time.
 */
#ifndef MX_ARENA_H
#define MX_ARENA_H

#include <stddef.h>

struct mx_arena;

/**
 * mx_arena_new(max_bytes):
 * Make an empty arena that hands out at most ${max_bytes} in total between resets.
 * Owner:  free with mx_arena_free.
 * Fails:  never; out of memory ends the process with a message.
 */
struct mx_arena *mx_arena_new(size_t max_bytes);

/**
 * mx_arena_free(arena):
 * Give everything back. NULL is fine.
 */
void mx_arena_free(struct mx_arena *arena);

/**
 * mx_arena_reset(arena):
 * Forget all that was allocated; the first chunk is kept for the next request.
 */
void mx_arena_reset(struct mx_arena *arena);

/**
 * mx_arena_alloc(arena, size):
 * Zeroed memory, aligned for any type.
 * Owner:  the arena.
 * Fails:  past the cap the process ends with a message: whoever reads sizes from a
 *         peer bounds them first, with mx_arena_left where they add up.
 */
void *mx_arena_alloc(struct mx_arena *arena, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(2)));

/**
 * mx_arena_array(arena, count, size):
 * As mx_arena_alloc for ${count} elements, checked for overflow.
 */
void *mx_arena_array(struct mx_arena *arena, size_t count, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(2, 3)));

/**
 * mx_arena_dup(arena, p, n):
 * Copy of ${n} bytes with a NUL behind them.
 */
char *mx_arena_dup(struct mx_arena *arena, const void *p, size_t n)
    __attribute__((malloc, returns_nonnull));

/**
 * mx_arena_printf(arena, fmt, ...):
 * Formatted text, ended by NUL.
 */
char *mx_arena_printf(struct mx_arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));

/**
 * mx_arena_left(arena):
 * Bytes that may still be allocated before the cap.
 */
size_t mx_arena_left(const struct mx_arena *arena);

/**
 * mx_xalloc(size), mx_xrealloc(p, size), mx_xdup(text):
 * Heap memory for what outlives requests. mx_xalloc zeroes.
 * Owner:  free().
 * Fails:  never; out of memory ends the process with a message.
 */
void *mx_xalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mx_xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *mx_xdup(const char *text) __attribute__((malloc, returns_nonnull));

#endif
