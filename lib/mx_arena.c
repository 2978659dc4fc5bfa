/*
 * Bump allocator. Memory comes in chunks; an allocation moves a mark in the newest
 * chunk or starts another one, twice as large as the last within bounds. A reset keeps
 * the first chunk, so that a daemon in steady state calls malloc rarely.
 *
 * The cap is the last line of defence against a peer who makes us allocate for ever:
 * passing it ends the process, as does running out of memory. Readers of outside sizes
 * therefore bound them before they ask. Under AddressSanitizer what is not handed out is
 * poisoned, so that a read past an allocation or after a reset is found.
 */
#include "mx_arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define ARENA_GUARD 16 /* poisoned bytes behind each allocation */
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ARENA_GUARD 0
#endif

#define SMALL_BLOCK 1024u       /* bytes up to which malloc keeps blocks for reuse */
#define ARENA_FIRST 4096u       /* bytes in the first chunk */
#define ARENA_GROWTH (1u << 20) /* chunks double up to this */

struct chunk {
    struct chunk *older;
    size_t room, used;
    _Alignas(max_align_t) unsigned char data[];
};

struct mx_arena {
    struct chunk *newest;
    size_t max_bytes, used_bytes;
};

/* Out of memory, or a bound of ours was missing: nothing sensible can go on. */
static _Noreturn void die(const char *what, size_t size)
{
    fprintf(stderr, "mxdrop: %s: %zu bytes wanted\n", what, size);
    abort();
}

static size_t align_up(size_t size)
{
    size_t step = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        die("allocation too large", size);
    return (size + step - 1) & ~(step - 1);
}

static struct chunk *chunk_new(size_t room, struct chunk *older)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + room);
    if (chunk == NULL)
        die("out of memory", room);
    *chunk = (struct chunk){.older = older, .room = room};
    ASAN_POISON_MEMORY_REGION(chunk->data, room);
    return chunk;
}

static void chunk_free(struct chunk *chunk)
{
    ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->room);
    free(chunk);
}

struct mx_arena *mx_arena_new(size_t max_bytes)
{
    struct mx_arena *arena = mx_xalloc(sizeof(*arena));
    arena->max_bytes = max_bytes;
    arena->newest = chunk_new(ARENA_FIRST, NULL);
    return arena;
}

void mx_arena_free(struct mx_arena *arena)
{
    if (arena == NULL)
        return;
    for (struct chunk *chunk = arena->newest, *older; chunk; chunk = older) {
        older = chunk->older;
        chunk_free(chunk);
    }
    free(arena);
}

void mx_arena_reset(struct mx_arena *arena)
{
    while (arena->newest->older) {
        struct chunk *chunk = arena->newest;
        arena->newest = chunk->older;
        chunk_free(chunk);
    }
    arena->newest->used = 0;
    arena->used_bytes = 0;
    ASAN_POISON_MEMORY_REGION(arena->newest->data, arena->newest->room);
}

/* A chunk with room for ${need}: the newest, or one more in front of it. */
static struct chunk *chunk_with_room(struct mx_arena *arena, size_t need)
{
    struct chunk *newest = arena->newest;
    if (newest->room - newest->used >= need)
        return newest;
    size_t room = newest->room < ARENA_GROWTH / 2 ? newest->room * 2 : ARENA_GROWTH;
    arena->newest = chunk_new(need > room ? need : room, newest);
    return arena->newest;
}

void *mx_arena_alloc(struct mx_arena *arena, size_t size)
{
    size_t need = align_up(size ? size : 1);
    if (need > arena->max_bytes - arena->used_bytes)
        die("arena cap reached", size);
    struct chunk *chunk = chunk_with_room(arena, need + ARENA_GUARD);
    unsigned char *p = chunk->data + chunk->used;
    chunk->used += need + ARENA_GUARD;
    arena->used_bytes += need;
    ASAN_UNPOISON_MEMORY_REGION(p, size ? size : 1);
    memset(p, 0, size ? size : 1);
    return p;
}

void *mx_arena_array(struct mx_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        die("array too large", count);
    return mx_arena_alloc(arena, total);
}

char *mx_arena_dup(struct mx_arena *arena, const void *p, size_t n)
{
    char *copy = mx_arena_alloc(arena, n + 1);
    if (n > 0)
        memcpy(copy, p, n);
    return copy;
}

char *mx_arena_printf(struct mx_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        die("vsnprintf failed", 0);
    char *text = mx_arena_alloc(arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

size_t mx_arena_left(const struct mx_arena *arena)
{
    size_t left = arena->max_bytes - arena->used_bytes;
    /* Rounded down, so that one allocation of just this size fits. */
    return left & ~(_Alignof(max_align_t) - 1);
}

/* The C library's calloc passes its cache of small blocks by; malloc does not. */
void *mx_xalloc(size_t size)
{
    bool is_small = size > 0 && size <= SMALL_BLOCK;
    void *p = is_small ? malloc(size) : calloc(1, size ? size : 1);
    if (p == NULL)
        die("out of memory", size);
    return is_small ? memset(p, 0, size) : p;
}

void *mx_xrealloc(void *p, size_t size)
{
    void *moved = realloc(p, size ? size : 1);
    if (moved == NULL)
        die("out of memory", size);
    return moved;
}

char *mx_xdup(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        die("out of memory", strlen(text));
    return copy;
}
