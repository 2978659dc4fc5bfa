/*
 * One sample of messages, scored by two rule sets: which messages moved, and by which
 * symbols. For mxdropctl rules diff, and for the trial of a new set before it serves.
 */
#ifndef SCAN_COMPARE_H
#define SCAN_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan.pb-c.h"

struct mx_arena;
struct mx_buf;

struct scan_sample_hit {
    const char *symbol;
    double score;
};

struct scan_sample_message {
    const char *name;
    double score;
    struct scan_sample_hit *hits; /* by symbol */
    size_t n_hits;
};

/* The scores of a sample. {.arena = arena} is an empty one. */
struct scan_sample {
    struct mx_arena *arena; /* owns it all */
    struct scan_sample_message *messages;
    size_t n, room;
};

/** scan_sample_add(sample, name, reply): the scores of one more message. Copies. */
void scan_sample_add(struct scan_sample *sample, const char *name,
                     const Mxp__ScanReply *reply);

/* One symbol on one message that has another score than before; 0 where it is missing. */
struct scan_shift_hit {
    const char *symbol;
    double before, after;
};

struct scan_shift {
    const char *name;
    double before, after;
    bool is_new_spam; /* reaches the required score, and did not */
    bool is_new_ham;  /* the other way */
    const struct scan_shift_hit *hits;
    size_t n_hits;
};

struct scan_shift_symbol {
    const char *symbol;
    size_t n;        /* messages whose score it moved */
    double sum, all; /* of its shifts, with and without their signs */
};

struct scan_comparison {
    double required;
    size_t n;       /* messages in both */
    size_t n_alone; /* in one of them only: not compared */
    size_t n_new_spam, n_new_ham;
    double mean_shift, max_shift;   /* of the scores of all messages, without signs */
    const struct scan_shift *moved; /* crossings first, then by how far */
    size_t n_moved;
    const struct scan_shift_symbol *symbols; /* what moves most first */
    size_t n_symbols;
};

/**
 * scan_compare(arena, before, after, required, out):
 * Compare two runs over one sample, message by message as they are named.
 * Owner:  ${out} lives in ${arena} and points into both runs.
 */
void scan_compare(struct mx_arena *arena, const struct scan_sample *before,
                  const struct scan_sample *after, double required,
                  struct scan_comparison *out);

struct scan_bounds {
    int64_t new_spam;         /* so many messages may newly reach the required score */
    double shift, mean_shift; /* so far the score of one, or all on average, may move */
};

/**
 * scan_compare_judge(comparison, bounds, why):
 * Is everything within ${bounds}? Else ${why} gets one line: what is not, which symbols
 * moved the scores, which messages.
 */
bool scan_compare_judge(const struct scan_comparison *comparison,
                        const struct scan_bounds *bounds, struct mx_buf *why);

#endif
