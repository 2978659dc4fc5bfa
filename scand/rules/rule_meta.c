/*
 * Meta rules. A name in an expression is the count of that rule, 0 where there is no such
 * rule; rules_matching(GLOB) is the sum of the counts of all rules it names but the meta
 * itself. What a meta reads is noted with it, for the order of evaluation (Kahn's
 * algorithm over metas alone, as all other rules are done before) and for explanations.
 *
 * A meta of score 0 is not evaluated and counts 0.
 */
#include "rule_meta.h"

#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_text.h"

#define GLOB_BYTES_MAX 128 /* as SpamAssassin bounds it */

struct compiler {
    const struct rule_set *set;
    size_t self;
    struct rule_meta_budget *budget;
};

static int push_load(struct rule_expr_parser *parser, size_t index, struct mx_err *err)
{
    struct rule_step step = {.op = RULE_OP_LOAD, .arg = (uint32_t)index};

    return rule_expr_push(parser, step, err);
}

/* rules_matching(GLOB): a sum, 0 where nothing matches. */
static int push_matching(struct compiler *compiler, struct rule_expr_parser *parser,
                         struct mx_str glob, struct mx_err *err)
{
    const struct rule_set *set = compiler->set;

    if (glob.n == 0 || glob.n > GLOB_BYTES_MAX) {
        return mx_err_set(err, MX_ERR_INPUT, "rules_matching() needs a name with * or ?");
    }
    if (set->n_rules * glob.n > compiler->budget->glob_bytes) {
        return mx_err_set(err, MX_ERR_LIMIT, "too many rules_matching() of all rules");
    }
    compiler->budget->glob_bytes -= set->n_rules * glob.n;
    if (rule_expr_push(parser, (struct rule_step){.op = RULE_OP_NUMBER}, err)) {
        return -1;
    }
    for (size_t i = 0; i < set->n_rules; i++) {
        if (i == compiler->self || !rule_text_glob(glob, set->rules[i].name)) {
            continue;
        }
        if (push_load(parser, i, err) ||
            rule_expr_push(parser, (struct rule_step){.op = RULE_OP_ADD}, err)) {
            return -1;
        }
    }
    return 0;
}

static int resolve(void *context, struct rule_expr_parser *parser, struct mx_str name,
                   struct mx_str argument, struct mx_err *err)
{
    struct compiler *compiler = context;
    struct rule_step zero = {.op = RULE_OP_NUMBER};
    ptrdiff_t index;

    if (mx_str_eq(name, MX_STR("rules_matching"))) {
        return push_matching(compiler, parser, argument, err);
    }
    if (mx_str_eq(name, MX_STR("local_tests_only"))) {
        zero.number = !compiler->set->has_network;
        return rule_expr_push(parser, zero, err);
    }
    if (!rule_text_is_name(name)) {
        return mx_err_set(err, MX_ERR_INPUT, "\"%.*s\" is no rule name",
                          MX_STR_FMT(mx_str_sub(name, 0, 80)));
    }
    index = rule_set_find(compiler->set, name);
    return index < 0 ? rule_expr_push(parser, zero, err)
                     : push_load(parser, (size_t)index, err);
}

/* Signs of Perl that an expression has no use for: refused before anything else. */
static bool has_foreign_signs(struct mx_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        struct mx_str rest = mx_str_sub(text, i, 2);

        if (mx_str_chr(MX_STR("$@%;{}"), text.p[i]) >= 0 ||
            mx_str_eq(rest, MX_STR("::")) || mx_str_eq(rest, MX_STR("->"))) {
            return true;
        }
    }
    return false;
}

/* "**", with or without space between. */
static bool has_power(struct mx_str text)
{
    bool is_after_star = false;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '*' && is_after_star) {
            return true;
        }
        if (!rule_text_is_space(text.p[i])) {
            is_after_star = text.p[i] == '*';
        }
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x > y) - (x < y);
}

/* The rules that ${meta} loads, sorted, each once. */
static void note_needs(struct mx_arena *arena, struct rule_meta *meta)
{
    size_t *needs = mx_xalloc((meta->expr.n_steps + 1) * sizeof(*needs));
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < meta->expr.n_steps; i++) {
        if (meta->expr.steps[i].op == RULE_OP_LOAD) {
            needs[n++] = meta->expr.steps[i].arg;
        }
    }
    qsort(needs, n, sizeof(*needs), by_number);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || needs[kept - 1] != needs[i]) {
            needs[kept++] = needs[i];
        }
    }
    meta->needs = (const size_t *)mx_arena_dup(arena, needs, kept * sizeof(*needs));
    meta->n_needs = kept;
    free(needs);
}

int rule_meta_compile(const struct rule_set *set, size_t index,
                      struct rule_meta_budget *budget, const struct rule_meta **out,
                      struct mx_err *err)
{
    static const char *const functions[] = {"rules_matching", NULL};
    struct compiler compiler = {.set = set, .self = index, .budget = budget};
    struct rule_expr_names names = {
        .functions = functions,
        .max_steps =
            budget->steps < RULE_EXPR_STEPS_MAX ? budget->steps : RULE_EXPR_STEPS_MAX,
        .resolve = resolve,
        .context = &compiler,
    };
    struct mx_str text = set->rules[index].expression;
    struct rule_meta *meta;
    struct rule_expr expr;

    if (has_foreign_signs(text) || has_power(text)) {
        return mx_err_set(err, MX_ERR_INPUT, "has a sign that no expression may have");
    }
    if (rule_expr_parse(set->arena, text, &names, &expr, err)) {
        return -1;
    }
    budget->steps -= expr.n_steps;
    meta = mx_arena_alloc(set->arena, sizeof(*meta));
    meta->expr = expr;
    note_needs(set->arena, meta);
    *out = meta;
    return 0;
}

/* ---- order ---- */

/* Who reads whom, among metas: users of rule i are users[starts[i] .. starts[i + 1]). */
struct graph {
    size_t *starts;
    uint32_t *users;
    uint32_t *waits; /* metas that rule i still waits for */
};

/* A meta that could not be compiled is none: it counts 0 and holds nobody up. */
static bool is_meta(const struct rule_set *set, size_t index)
{
    return set->rules[index].kind == RULE_META && set->rules[index].meta;
}

/* Count for each meta who reads it (in starts, shifted by two) and whom it waits for. */
static void graph_count(const struct rule_set *set, struct graph *graph)
{
    for (size_t i = 0; i < set->n_rules; i++) {
        const struct rule_meta *meta = is_meta(set, i) ? set->rules[i].meta : NULL;

        for (size_t n = 0; meta && n < meta->n_needs; n++) {
            if (is_meta(set, meta->needs[n])) {
                graph->starts[meta->needs[n] + 2]++;
                graph->waits[i]++;
            }
        }
    }
}

/* Write users; starts[i + 1] moves from where those of i begin to where they end. */
static void graph_place(const struct rule_set *set, struct graph *graph)
{
    for (size_t i = 0; i < set->n_rules; i++) {
        const struct rule_meta *meta = is_meta(set, i) ? set->rules[i].meta : NULL;

        for (size_t n = 0; meta && n < meta->n_needs; n++) {
            if (is_meta(set, meta->needs[n])) {
                graph->users[graph->starts[meta->needs[n] + 1]++] = (uint32_t)i;
            }
        }
    }
}

static void graph_fill(const struct rule_set *set, struct graph *graph)
{
    graph->starts = mx_xalloc((set->n_rules + 2) * sizeof(*graph->starts));
    graph->waits = mx_xalloc((set->n_rules + 1) * sizeof(*graph->waits));
    graph_count(set, graph);
    for (size_t i = 1; i < set->n_rules + 2; i++) {
        graph->starts[i] += graph->starts[i - 1];
    }
    graph->users =
        mx_xalloc((graph->starts[set->n_rules + 1] + 1) * sizeof(*graph->users));
    graph_place(set, graph);
}

size_t rule_meta_sort(const struct rule_set *set, const uint32_t **out)
{
    struct graph graph = {0};
    uint32_t *order = mx_arena_array(set->arena, set->n_rules + 1, sizeof(*order));
    size_t n = 0;

    graph_fill(set, &graph);
    for (size_t i = 0; i < set->n_rules; i++) {
        if (is_meta(set, i) && graph.waits[i] == 0) {
            order[n++] = (uint32_t)i;
        }
    }
    /* The part of ${order} that is written but not looked at is the queue. */
    for (size_t done = 0; done < n; done++) {
        for (size_t u = graph.starts[order[done]]; u < graph.starts[order[done] + 1];
             u++) {
            if (--graph.waits[graph.users[u]] == 0) {
                order[n++] = graph.users[u];
            }
        }
    }
    free(graph.starts);
    free(graph.users);
    free(graph.waits);
    *out = order;
    return n;
}

/* ---- evaluation ---- */

double rule_meta_value(const struct rule_meta *meta, const double *counts)
{
    return rule_expr_value(&meta->expr, counts);
}

void rule_meta_run(const struct rule_set *set, unsigned score_set, double *counts)
{
    for (size_t i = 0; i < set->n_meta_order; i++) {
        size_t index = set->meta_order[i];
        const struct rule *rule = &set->rules[index];
        double value = 0;

        if (rule_is_active(rule, score_set)) {
            value = rule_meta_value(rule->meta, counts);
        }
        counts[index] = value < 0 ? 1 : value;
    }
}
