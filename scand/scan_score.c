/*
 * Weights of symbols, and the sum over what was found. No I/O, no clock, no detector: the
 * same findings always score the same.
 *
 * Numbers are bounded on the way in (finite, within +-1,000,000), so that a sum over at
 * most SCAN_FINDINGS_MAX findings is finite without any check behind it.
 */
#include "scan_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "mx_arena.h"
#include "mx_err.h"

#define WEIGHT_MAX 1e6
#define TIMES_MAX 1000u
#define ENTRY_MAX 256 /* octets of "SYMBOL NUMBER" */

struct weight {
    const char *name;
    double value;
    bool is_last_word; /* configured, or of several detectors: findings cannot differ */
    UT_hash_handle hh;
};

struct scan_weights {
    struct weight *table;
};

struct scan_weights *scan_weights_new(void)
{
    return mx_xalloc(sizeof(struct scan_weights));
}

void scan_weights_free(struct scan_weights *weights)
{
    if (weights == NULL)
        return;
    struct weight *entry, *next;
    HASH_ITER(hh, weights->table, entry, next)
    {
        HASH_DEL(weights->table, entry);
        free(entry);
    }
    free(weights);
}

static struct weight *find(const struct scan_weights *weights, const char *name)
{
    struct weight *entry = NULL;
    HASH_FIND_STR(weights->table, name, entry);
    return entry;
}

static bool is_weight(double value)
{
    return isfinite(value) && fabs(value) <= WEIGHT_MAX;
}

int scan_symbol_check(const struct scan_symbol *symbol, struct mx_err *err)
{
    if (symbol->name[0] == '\0' || strlen(symbol->name) > ENTRY_MAX / 2)
        return mx_err_set(err, MX_ERR_INPUT, "\"%.64s\" is no name of a symbol",
                          symbol->name);
    if (!is_weight(symbol->weight))
        return mx_err_set(err, MX_ERR_INPUT, "score of %s is out of range", symbol->name);
    return 0;
}

int scan_weights_add(struct scan_weights *weights, const struct scan_symbol *symbol,
                     bool is_shared, struct mx_err *err)
{
    if (scan_symbol_check(symbol, err) < 0)
        return -1;
    if (find(weights, symbol->name) != NULL) {
        if (is_shared) {
            find(weights, symbol->name)->is_last_word = true;
            return 0;
        }
        return mx_err_set(err, MX_ERR_INPUT, "symbol %s is declared twice", symbol->name);
    }
    struct weight *entry = mx_xalloc(sizeof(*entry));
    entry->name = symbol->name;
    entry->value = symbol->weight;
    HASH_ADD_KEYPTR(hh, weights->table, entry->name, strlen(entry->name), entry);
    return 0;
}

int scan_weights_override(struct scan_weights *weights, const char *entry,
                          struct mx_err *err)
{
    char name[ENTRY_MAX];
    size_t n = strcspn(entry, " \t");
    const char *number = entry + n + strspn(entry + n, " \t");
    if (n == 0 || n >= sizeof(name) || number[0] == '\0')
        return mx_err_set(err, MX_ERR_INPUT, "scores: \"%.64s\" is not \"SYMBOL NUMBER\"",
                          entry);
    memcpy(name, entry, n);
    name[n] = '\0';
    char *end = NULL;
    double value = strtod(number, &end);
    if (end == number || end[strspn(end, " \t")] != '\0' || !is_weight(value))
        return mx_err_set(err, MX_ERR_INPUT,
                          "scores: \"%.64s\" is not a number within +-1000000", number);
    struct weight *known = find(weights, name);
    if (known == NULL)
        return mx_err_set(err, MX_ERR_INPUT,
                          "scores: no detector that is on knows the symbol %.64s", name);
    known->value = value;
    known->is_last_word = true;
    return 0;
}

int scan_weights_find(const struct scan_weights *weights, const char *symbol, double *out)
{
    const struct weight *entry = find(weights, symbol);
    if (entry == NULL)
        return -1;
    *out = entry->value;
    return 0;
}

static double weight_of(const struct weight *entry, const struct scan_finding *finding)
{
    bool is_own = finding->has_weight && !entry->is_last_word;
    return is_own && is_weight(finding->weight) ? finding->weight : entry->value;
}

double scan_score(const struct scan_weights *weights, struct scan_finding *findings,
                  size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct weight *entry = find(weights, findings[i].symbol);
        unsigned times = findings[i].times < TIMES_MAX ? findings[i].times : TIMES_MAX;
        findings[i].score = entry != NULL ? weight_of(entry, &findings[i]) * times : 0;
        sum += findings[i].score;
    }
    return sum;
}
