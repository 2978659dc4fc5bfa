/*
 * Conditions of rule files: what `if` and `ifplugin` ask, and which lines they leave.
 */
#ifndef RULE_COND_H
#define RULE_COND_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

#include "rule_set.h"

struct mx_arena;
struct mx_err;
struct rule_names;

/* What conditions know: one for a whole rule set. */
struct rule_cond {
    struct mx_arena *arena;
    struct rule_names *plugins; /* loaded, by full name */
    struct rule_names *compat;  /* of enable_compat */
    bool has_network;
};

/* Which lines count: one for each file, as an `if` ends with its file. */
struct rule_cond_stack {
    bool is_skipping;
    size_t n;
    struct {
        bool was_skipping;
        unsigned line;
    } v[RULE_CONDITION_DEPTH_MAX];
};

/** rule_cond_init, _fini(cond): nothing loaded yet; ${arena} outlives it. */
void rule_cond_init(struct rule_cond *cond, struct mx_arena *arena, bool has_network);
void rule_cond_fini(struct rule_cond *cond);

/**
 * rule_cond_load(cond, plugin):
 * `loadplugin`: from here on plugin(NAME) is true. Nothing is loaded or run.
 * Fails:  not a plugin that SpamAssassin 4.0 itself comes with (false): rules for it
 *         could not run here, so its blocks are left out.
 */
bool rule_cond_load(struct rule_cond *cond, struct mx_str plugin);

/** rule_cond_enable(cond, name): `enable_compat`: can(...::compat_NAME) is true. */
void rule_cond_enable(struct rule_cond *cond, struct mx_str name);

/**
 * rule_cond_value(cond, text, out, err):
 * What ${text} of an `if` line says.
 * Fails:  not an expression (-1).
 */
int rule_cond_value(struct rule_cond *cond, struct mx_str text, bool *out,
                    struct mx_err *err);

/**
 * rule_cond_push, _else, _pop(stack, ...):
 * `if` with its value, `else`, `endif`.
 * Fails:  nested too deep; no `if` before it (-1).
 */
int rule_cond_push(struct rule_cond_stack *stack, bool value, unsigned line,
                   struct mx_err *err);
int rule_cond_else(struct rule_cond_stack *stack, struct mx_err *err);
int rule_cond_pop(struct rule_cond_stack *stack, struct mx_err *err);

#endif
