/*
 * Detector "rules": SpamAssassin rule files, run as they are (scand/rules), on texts that
 * are formed as SpamAssassin forms them (scand/text).
 *
 * Rules are read and compiled in the engine parent; workers share them and make only
 * scratch space of their own. Every rule that scores is a symbol of its own name, with
 * the score that its files give it without network, without or with Bayes, as the
 * probability is known or not (score sets 0 and 2). A message larger than max_size is
 * looked at up to there: length and structure of the rest is not spam's.
 *
 * What it leaves out: rules that need the network, and the Bayes classifier itself.
 */
#include "scan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "rules/rule_list_net.h"
#include "rules/rule_run.h"
#include "scan_conf.h"
#include "scan_rules.h"
#include "scan_rules_times.h"
#include "scan_score.h"
#include "text/text.h"

#define DIRS_MAX 64
#define ARENA_FIXED (64u << 20) /* texts, counts and what functions work out */
#define ARENA_TIMES 24          /* octets of it for each octet of the message */

struct state {
    const struct rules_settings *settings;
    struct rule_set *set;
    struct rule_runner *runner;
    struct text_settings text; /* of the set, with the networks of the configuration */
    struct scan_symbol *symbols;
    size_t n_symbols;
    size_t n_left_out;      /* rules whose name or score no symbol can have */
    const char **symbol_of; /* by rule; NULL: scores nothing */
    char *version;
    struct rule_match_scratch *scratch; /* of a worker, as the arena */
    struct mx_arena *arena;
};

static const struct scan_symbol symbols[] = {
    {"MX_RULES_LIMIT", 0, "a rule ran into a limit on this message and was left out"},
    {0},
};

/* ---- loading ----------------------------------------------------------------------- */

static int read_set(struct state *state, struct mx_err *err)
{
    const struct rules_settings *settings = state->settings;
    const char *dirs[DIRS_MAX + 1] = {NULL};
    size_t n = settings->dirs.n;
    for (size_t i = 0; i < n && i < DIRS_MAX; i++)
        dirs[i] = settings->dirs.v[i];
    if (n == 0)
        scan_rules_default_dirs(dirs);
    if (n == 0 && access(dirs[0], R_OK | X_OK) < 0)
        return mx_err_set(err, MX_ERR_DOWN, "no SpamAssassin rules are installed");
    struct rule_read_options options = {
        .dirs = dirs,
        .overlay = settings->overlay && *settings->overlay ? settings->overlay : NULL,
    };
    return rule_set_read(&options, &state->set, err);
}

/* What the configuration says of networks replaces what rule files say. */
static int take_networks(const struct mx_conf_strings *words, struct mx_arena *arena,
                         struct text_nets *out, struct mx_err *err)
{
    struct text_net *nets = mx_arena_array(arena, words->n + 1, sizeof(*nets));
    for (size_t i = 0; i < words->n; i++)
        if (rule_list_net(arena, mx_str(words->v[i]), &nets[i], err) < 0)
            return mx_err_wrap(err, "networks");
    if (words->n > 0)
        *out = (struct text_nets){nets, words->n};
    return 0;
}

static int take_settings(struct state *state, struct mx_err *err)
{
    const struct rules_settings *settings = state->settings;
    struct text_settings *text = &state->text;
    *text = state->set->text;
    struct mx_arena *arena = state->set->arena;
    return take_networks(&settings->trusted_networks, arena, &text->trusted, err) < 0 ||
                   take_networks(&settings->internal_networks, arena, &text->internal,
                                 err) < 0
               ? -1
               : 0;
}

/* With Bayes a rule may score that does not without; most have a score in both. */
static bool find_score(const struct rule *rule, double *out)
{
    static const unsigned score_sets[] = {0, 2};
    for (size_t i = 0; i < sizeof(score_sets) / sizeof(score_sets[0]); i++) {
        *out = rule->scores[score_sets[i]];
        if (rule_is_active(rule, score_sets[i]))
            return true;
    }
    return false;
}

static void take_symbols(struct state *state)
{
    const struct rule_set *set = state->set;
    state->symbols = mx_xalloc((set->n_rules + 1) * sizeof(*state->symbols));
    state->symbol_of = mx_xalloc((set->n_rules + 1) * sizeof(*state->symbol_of));
    for (size_t i = 0; i < set->n_rules; i++) {
        const struct rule *rule = &set->rules[i];
        double score;
        if ((rule->flags & RULE_SUBRULE) || !find_score(rule, &score))
            continue;
        struct scan_symbol symbol = {mx_str_cstr(set->arena, rule->name), score,
                                     mx_str_cstr(set->arena, rule->description)};
        if (scan_symbol_check(&symbol, NULL) < 0) { /* a broken rule costs no other */
            state->n_left_out++;
            continue;
        }
        state->symbol_of[i] = symbol.name;
        state->symbols[state->n_symbols++] = symbol;
    }
}

static void take_version(struct state *state)
{
    struct rule_match_summary sum;
    struct mx_buf buf = {0};
    rule_match_summarise(rule_runner_match(state->runner), &sum);
    mx_buf_printf(&buf, "%016llx, %zu rules, %zu files",
                  (unsigned long long)state->set->digest, state->set->n_rules,
                  state->set->n_files);
    if (state->n_left_out > 0)
        mx_buf_printf(&buf, "; %zu left out: name or score", state->n_left_out);
    if (sum.cache_fault != NULL)
        mx_buf_printf(&buf, "; no cache: %s", sum.cache_fault);
    state->version = mx_xdup(buf.p);
    mx_buf_fini(&buf);
}

static int load(void *opaque, const struct scan_env *env, struct mx_err *err)
{
    struct state *state = opaque;
    state->settings = env->settings;
    if (read_set(state, err) < 0 || take_settings(state, err) < 0)
        return -1;
    const char *cache_dir = state->settings->cache_dir;
    struct rule_match_options options = {
        .cache_dir = cache_dir && *cache_dir ? cache_dir : NULL, .has_prefilter = true};
    if (rule_runner_new(state->set, &options, &state->runner, err) < 0)
        return -1;
    take_symbols(state);
    take_version(state);
    return 0;
}

/* As load, but for the patterns. That there are no rules is no fault of the settings. */
static int check(void *opaque, const struct scan_env *env, struct mx_err *err)
{
    struct state *state = opaque;
    struct mx_err why = {0};
    state->settings = env->settings;
    if (read_set(state, &why) < 0)
        return mx_err_set(err, MX_ERR_DOWN, "%s", why.text);
    if (take_settings(state, err) < 0)
        return -1;
    take_symbols(state);
    return 0;
}

static size_t more_symbols(const void *opaque, const struct scan_symbol **out)
{
    const struct state *state = opaque;
    *out = state->symbols;
    return state->n_symbols;
}

static int start(void *opaque, const struct scan_env *env, struct mx_err *err)
{
    struct state *state = opaque;
    (void)env;
    state->arena =
        mx_arena_new(ARENA_FIXED + ARENA_TIMES * (size_t)state->settings->max_size);
    return rule_match_scratch_new(rule_runner_match(state->runner), &state->scratch, err);
}

static void stop(void *opaque)
{
    struct state *state = opaque;
    rule_match_scratch_free(state->scratch);
    mx_arena_free(state->arena);
    rule_runner_free(state->runner);
    rule_set_free(state->set);
    free(state->symbols);
    free(state->symbol_of);
    free(state->version);
}

/* ---- one message ------------------------------------------------------------------- */

static void take_connection(const struct message_envelope *envelope,
                            struct text_connection *out)
{
    *out = (struct text_connection){.rdns = envelope->client_name,
                                    .helo = envelope->helo,
                                    .sender = envelope->sender,
                                    .auth_user = envelope->auth_user,
                                    .id = envelope->id};
    out->is_known = mx_net_from_bytes(envelope->client_addr.p, envelope->client_addr.n,
                                      &out->client) == 0;
}

static void report(const struct state *state, const struct rule_run_result *hits,
                   struct scan_result *result)
{
    for (size_t i = 0; i < hits->n_hits; i++) {
        const struct rule_hit *hit = &hits->hits[i];
        const char *symbol = state->symbol_of[hit->rule];
        if (symbol != NULL && hit->times > 0)
            scan_add_times(result, symbol, hit->times,
                           state->set->rules[hit->rule].scores[hits->score_set]);
    }
    for (size_t i = 0; i < hits->n_limited; i++) {
        const struct rule *rule = &state->set->rules[hits->limited[i]];
        scan_add(result, "MX_RULES_LIMIT", "%.*s", MX_STR_FMT(rule->name));
        scan_limited(result, rule->name);
    }
}

static int run(void *opaque, const struct message *msg, struct scan_result *result,
               struct mx_err *err)
{
    struct state *state = opaque;
    struct text_connection connection;
    struct texts texts;
    mx_arena_reset(state->arena);
    take_connection(&msg->envelope, &connection);
    struct mx_str raw = mx_str_sub(msg->raw, 0, (size_t)state->settings->max_size);
    struct text_times text_times = {0};
    struct rule_times rule_times = {0};
    bool is_profiled = scan_is_profiled(result);
    if (texts_form_timed(state->arena, &state->text, raw, &connection, &texts,
                         is_profiled ? &text_times : NULL, err) < 0)
        return -1;
    if (is_profiled)
        rule_times.rule_ns = mx_arena_array(state->arena, state->set->n_rules + 1,
                                            sizeof(*rule_times.rule_ns));
    texts.now_s = msg->now_ms / 1000;
    /* A tenth of the time is left to others. */
    struct rule_run_input input = {.texts = &texts,
                                   .bayes = result->has_bayes ? result->bayes : -1,
                                   .times = is_profiled ? &rule_times : NULL,
                                   .deadline_ms =
                                       msg->deadline_ms - scan_left_ms(msg) / 10};
    struct rule_run_result hits;
    rule_run(state->runner, state->scratch, state->arena, &input, &hits);
    report(state, &hits, result);
    if (is_profiled)
        scan_rules_times(state->set, &text_times, &rule_times, result);
    if (hits.is_late)
        return mx_err_set(err, MX_ERR_TIMEOUT, "the deadline came before the last rule");
    return 0;
}

static void versions(const void *opaque, struct scan_versions *out)
{
    const struct state *state = opaque;
    out->rules = state->version;
}

const struct scan_detector det_rules = {
    .name = "rules",
    .cost = 3000,
    .settings_offset = offsetof(struct scan_conf, rules),
    .state_size = sizeof(struct state),
    .symbols = symbols,
    .more_symbols = more_symbols,
    .load = load,
    .check = check,
    .start = start,
    .run = run,
    .stop = stop,
    .versions = versions,
    .library = rule_match_library,
};
