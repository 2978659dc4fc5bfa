/*
 * The rule reader, on one file of rules in a private directory. What comes out must hold
 * together whatever went in: names lead to their rules, metas read rules that exist and
 * come after them, and every meta can be evaluated.
 */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mx_arena.h"
#include "rules/rule_meta.h"
#include "rules/rule_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_meta(const struct rule_set *set, size_t index, const bool *is_done)
{
    const struct rule_meta *meta = set->rules[index].meta;

    assert(set->rules[index].kind == RULE_META && meta);
    for (size_t i = 0; i < meta->n_needs; i++) {
        size_t need = meta->needs[i];

        assert(need < set->n_rules);
        assert(set->rules[need].kind != RULE_META || is_done[need]);
    }
}

static void check_rules(const struct rule_set *set)
{
    bool *is_done = mx_xalloc(set->n_rules + 1);
    double *counts = mx_xalloc((set->n_rules + 1) * sizeof(*counts));

    for (size_t i = 0; i < set->n_rules; i++) {
        assert(rule_set_find(set, set->rules[i].name) == (ptrdiff_t)i);
        assert(set->rules[i].line > 0 && set->rules[i].file.n > 0);
        counts[i] = i % 3 == 0;
    }
    for (size_t i = 0; i < set->n_meta_order; i++) {
        check_meta(set, set->meta_order[i], is_done);
        is_done[set->meta_order[i]] = true;
    }
    rule_meta_run(set, 0, counts);
    for (size_t i = 0; i < set->n_rules; i++)
        assert(counts[i] >= 0 || isnan(counts[i]));
    free(is_done);
    free(counts);
}

static void check_problems(const struct rule_set *set)
{
    assert(set->n_problems <= set->n_problems_all);
    for (size_t i = 0; i < set->n_problems; i++) {
        assert(set->problems[i].text.n > 0);
        assert(rule_problem_text(set->problems[i].kind)[0] != '?');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char dir[] = "/tmp/mxdrop-fuzz-XXXXXX", path[64];
    const char *const dirs[] = {dir, NULL};
    struct rule_read_options options = {.dirs = dirs};
    struct rule_set *set;
    FILE *file;

    if (!mkdtemp(dir))
        return 0;
    snprintf(path, sizeof(path), "%s/a.cf", dir);
    file = fopen(path, "wb");
    assert(file);
    assert(fwrite(data, 1, size, file) == size);
    assert(fclose(file) == 0);
    assert(rule_set_read(&options, &set, NULL) == 0);
    check_rules(set);
    check_problems(set);
    rule_set_free(set);
    unlink(path);
    rmdir(dir);
    return 0;
}
