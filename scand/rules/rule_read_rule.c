/*
 * Directives that define rules (header, body, meta ...) or say something about them
 * (score, tflags, describe, priority, replace_rules). A later definition replaces an
 * earlier one if it is good; a broken one is noted and the earlier one stays.
 */
#include "rule_read.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_match_judge.h"
#include "rule_names.h"
#include "rule_read_eval.h"
#include "rule_text.h"

#define NAME_BYTES_MAX 100 /* of a rule's name, as SpamAssassin bounds it */
#define CAPTURE_PRIORITY -10000
#define PRIORITY_MAX 1000000000
#define JUDGED_BYTES_MAX (4u << 20) /* of replacing patterns: some seconds of compiling  \
                                     */

/* What a definition sets; the other flags come from tflags. */
#define FLAGS_OF_DEFINITION                                                              \
    (RULE_NEGATED | RULE_RAW | RULE_HAS_CAPTURE | RULE_NEEDS_CAPTURE)

/* The draft of ${name}, made where there is none; NULL: too many rules. */
static struct rule_draft *draft_of(struct rule_reader *reader, struct mx_str name)
{
    ptrdiff_t found = rule_names_find(reader->names, name);
    struct rule_draft *draft;

    if (found >= 0) {
        return &reader->drafts[found];
    }
    if (reader->n_drafts == RULE_RULES_MAX || name.n == 0) {
        return NULL;
    }
    if (reader->n_drafts == reader->drafts_room) {
        reader->drafts_room = reader->drafts_room ? reader->drafts_room * 2 : 1024;
        reader->drafts =
            mx_xrealloc(reader->drafts, reader->drafts_room * sizeof(*reader->drafts));
    }
    rule_names_set(reader->names, name, reader->n_drafts);
    draft = &reader->drafts[reader->n_drafts++];
    *draft = (struct rule_draft){.rule.name = name};
    if (mx_str_starts(name, MX_STR("__"))) {
        draft->rule.flags = RULE_SUBRULE;
    }
    return draft;
}

static int no_room(struct mx_err *err)
{
    return mx_err_set(err, MX_ERR_LIMIT, "more than %d rules", RULE_RULES_MAX);
}

/*
 * Would ${rule} replace a good definition by a pattern that does not compile? Patterns
 * are compiled once the set is read, by rule_match; only here would that be too late.
 */
static int check_replacement(struct rule_reader *reader, const struct rule_draft *draft,
                             const struct rule *rule, struct mx_err *err)
{
    struct rule_judge *judge = NULL;

    if (!draft->is_defined || rule->pattern.n == 0 ||
        (rule->flags & RULE_NEEDS_CAPTURE) ||
        reader->judged + rule->pattern.n > JUDGED_BYTES_MAX) {
        return 0;
    }
    reader->judged += rule->pattern.n;
    if (!reader->judges) {
        reader->judges = rule_judge_factory_new();
    }
    if (rule_judge_compile(reader->judges, rule->pattern, &judge, err)) {
        return mx_err_wrap(err, "the earlier definition stays");
    }
    rule_judge_free(judge);
    return 0;
}

/* Make ${rule} (its kind and what goes with it) the definition of ${name}. */
static int define(struct rule_reader *reader, struct mx_str name, const struct rule *rule,
                  struct mx_err *err)
{
    struct rule_draft *draft;
    struct rule old;

    if (!rule_text_is_name(name) || name.n > NAME_BYTES_MAX) {
        return mx_err_set(err, MX_ERR_INPUT,
                          "a rule name has letters, digits and _, "
                          "%d at most",
                          NAME_BYTES_MAX);
    }
    draft = draft_of(reader, name);
    if (!draft) {
        return no_room(err);
    }
    if (check_replacement(reader, draft, rule, err)) {
        return -1;
    }
    old = draft->rule;
    draft->rule = *rule;
    draft->rule.name = old.name;
    draft->rule.flags = rule->flags | (old.flags & ~(unsigned)FLAGS_OF_DEFINITION);
    draft->rule.max_hits = old.max_hits;
    draft->rule.priority = old.priority;
    draft->rule.has_score = old.has_score;
    memcpy(draft->rule.scores, old.scores, sizeof(old.scores));
    draft->rule.description = old.description;
    draft->rule.file = reader->file;
    draft->rule.line = reader->line;
    draft->is_defined = true;
    if (rule->flags & RULE_HAS_CAPTURE) {
        draft->rule.priority = CAPTURE_PRIORITY;
        draft->has_priority = true;
    }
    return 0;
}

/* ---- definitions ---- */

/* /re/mods into ${rule}. */
static int take_pattern(struct rule_reader *reader, struct mx_str literal,
                        struct rule *rule, struct mx_err *err)
{
    if (rule_read_pattern(reader->arena, literal, &rule->pattern, err)) {
        return -1;
    }
    rule->flags |= rule_read_captures(rule->pattern);
    return 0;
}

static bool is_selector_byte(char c)
{
    return rule_text_is_word(c) || c == '.' || c == '-' || c == ':';
}

/* One of the words that may stand behind a colon of a selector. */
static bool is_modifier(struct mx_str word)
{
    static const char *const words[] = {"raw", "addr",  "name",  "host", "domain",
                                        "ip",  "revip", "first", "last"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (mx_str_ieq(word, mx_str(words[i]))) {
            return true;
        }
    }
    return false;
}

/* "Name", "Name:", "Name:mod", "Name:mod:mod": without a colon at the end. */
static int check_selector(struct mx_str *selector, struct mx_err *err)
{
    struct mx_str rest = *selector, field;
    unsigned n = 0;

    if (rest.n > 0 && rest.p[rest.n - 1] == ':') {
        *selector = rest = mx_str_sub(rest, 0, rest.n - 1);
    }
    while (mx_str_next(&rest, ':', &field) == 0) {
        if (field.n == 0 || n > 2 || (n > 0 && !is_modifier(field))) {
            return mx_err_set(err, MX_ERR_INPUT, "no such header or modifier");
        }
        n++;
    }
    return n > 0 ? 0 : mx_err_set(err, MX_ERR_INPUT, "no header named");
}

/* Cut " [if-unset: TEXT]" off the end of ${literal}. */
static void take_if_unset(struct mx_str *literal, struct rule *rule)
{
    ptrdiff_t at = mx_str_find(*literal, MX_STR("[if-unset:"));
    struct mx_str text;

    if (at < 1 || literal->p[literal->n - 1] != ']' ||
        !rule_text_is_space(literal->p[at - 1])) {
        return;
    }
    text = mx_str_sub(*literal, (size_t)at + 10, literal->n - (size_t)at - 11);
    if (text.n < 2 || !rule_text_is_space(text.p[0])) {
        return;
    }
    while (text.n > 1 && rule_text_is_space(text.p[0])) {
        text = mx_str_sub(text, 1, text.n);
    }
    rule->if_unset = text;
    rule->has_if_unset = true;
    *literal = rule_text_trim(mx_str_sub(*literal, 0, (size_t)at));
}

/* "HDR =~ /re/ [if-unset: X]" into ${rule}. */
static int take_match(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                      struct mx_err *err)
{
    struct mx_str literal;
    size_t n = 0;

    while (n < value.n && is_selector_byte(value.p[n])) {
        n++;
    }
    rule->selector = mx_str_sub(value, 0, n);
    literal = rule_text_trim(mx_str_sub(value, n, value.n));
    if (mx_str_starts(literal, MX_STR("!~"))) {
        rule->flags |= RULE_NEGATED;
    } else if (!mx_str_starts(literal, MX_STR("=~"))) {
        return mx_err_set(err, MX_ERR_INPUT, "HEADER =~ /pattern/ expected");
    }
    literal = rule_text_trim(mx_str_sub(literal, 2, literal.n));
    if (check_selector(&rule->selector, err)) {
        return -1;
    }
    take_if_unset(&literal, rule);
    return take_pattern(reader, literal, rule, err);
}

static int take_exists(struct mx_str name, struct rule *rule, struct mx_err *err)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!is_selector_byte(name.p[i]) || (name.p[i] == ':' && i + 1 < name.n)) {
            return mx_err_set(err, MX_ERR_INPUT, "exists:HEADER expected");
        }
    }
    rule->kind = RULE_HEADER_EXISTS;
    rule->selector = name;
    return check_selector(&rule->selector, err);
}

static int take_header(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                       struct mx_err *err)
{
    if (mx_str_starts(value, MX_STR("rbleval:"))) {
        value = mx_str_sub(value, 3, value.n);
    }
    if (mx_str_starts(value, MX_STR("eval:"))) {
        rule->kind = RULE_HEADER_EVAL;
        return rule_read_eval(reader->arena, mx_str_sub(value, 5, value.n), rule, err);
    }
    if (mx_str_starts(value, MX_STR("exists:"))) {
        return take_exists(mx_str_sub(value, 7, value.n), rule, err);
    }
    rule->kind = RULE_HEADER;
    return take_match(reader, value, rule, err);
}

static int take_mimeheader(struct rule_reader *reader, struct mx_str value,
                           struct rule *rule, struct mx_err *err)
{
    struct mx_str raw = MX_STR(":raw");

    rule->kind = RULE_MIMEHEADER;
    if (take_match(reader, value, rule, err)) {
        return -1;
    }
    if (rule->selector.n > raw.n && mx_str_iends(rule->selector, raw)) {
        rule->selector.n -= raw.n;
        rule->flags |= RULE_RAW;
    }
    return mx_str_chr(rule->selector, ':') < 0
               ? 0
               : mx_err_set(err, MX_ERR_INPUT, "only :raw may follow a header here");
}

/* A pattern, or an eval function where ${eval_kind} is one. */
static int take_text(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                     enum rule_kind eval_kind, struct mx_err *err)
{
    if (eval_kind != RULE_EMPTY && mx_str_starts(value, MX_STR("eval:"))) {
        rule->kind = eval_kind;
        return rule_read_eval(reader->arena, mx_str_sub(value, 5, value.n), rule, err);
    }
    return take_pattern(reader, value, rule, err);
}

static int take_body(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                     struct mx_err *err)
{
    rule->kind = RULE_BODY;
    return take_text(reader, value, rule, RULE_BODY_EVAL, err);
}

static int take_rawbody(struct rule_reader *reader, struct mx_str value,
                        struct rule *rule, struct mx_err *err)
{
    rule->kind = RULE_RAWBODY;
    return take_text(reader, value, rule, RULE_RAWBODY_EVAL, err);
}

static int take_full(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                     struct mx_err *err)
{
    rule->kind = RULE_FULL;
    return take_text(reader, value, rule, RULE_FULL_EVAL, err);
}

static int take_uri(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                    struct mx_err *err)
{
    rule->kind = RULE_URI;
    return take_text(reader, value, rule, RULE_EMPTY, err);
}

/* Compiled when all rules are known. */
static int take_meta(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                     struct mx_err *err)
{
    (void)reader;
    (void)err;
    rule->kind = RULE_META;
    rule->expression = value;
    return 0;
}

/* uri_detail: an eval function whose argument is the whole line. */
static int take_uri_detail(struct rule_reader *reader, struct mx_str value,
                           struct rule *rule, struct mx_err *err)
{
    struct mx_str *arg = mx_arena_alloc(reader->arena, sizeof(*arg));

    (void)err;
    *arg = value;
    rule->kind = RULE_BODY_EVAL;
    rule->function = MX_STR("check_uri_detail");
    rule->args = arg;
    rule->n_args = 1;
    return 0;
}

/* askdns: a name that only an answer from the network could make hit. */
static int take_askdns(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                       struct mx_err *err)
{
    (void)reader;
    (void)err;
    rule->kind = RULE_EMPTY;
    rule->function = MX_STR("askdns");
    rule->expression = value;
    return 0;
}

/* ---- about rules ---- */

static int take_score(struct rule_reader *reader, struct rule_draft *draft,
                      struct mx_str value, struct mx_err *err)
{
    double scores[4];
    bool is_relative = false;
    struct mx_str rest = value, word;
    size_t n = 0;

    (void)reader;
    while ((word = rule_text_word(&rest)).n > 0) {
        if (word.n > 2 && word.p[0] == '(' && word.p[word.n - 1] == ')') {
            word = mx_str_sub(word, 1, word.n - 2);
            is_relative = true;
        }
        if (n == 4 || !rule_text_number(word, &scores[n++])) {
            return mx_err_set(err, MX_ERR_INPUT, "one or four numbers expected");
        }
    }
    if (n != 1 && n != 4) {
        return mx_err_set(err, MX_ERR_INPUT, "one or four numbers expected");
    }
    if (is_relative && !draft->rule.has_score) {
        return mx_err_set(err, MX_ERR_INPUT, "a relative score needs one before it");
    }
    for (size_t i = 0; i < 4; i++) {
        double score = scores[n == 4 ? i : 0];

        draft->rule.scores[i] = is_relative ? draft->rule.scores[i] + score : score;
    }
    draft->rule.has_score = true;
    return 0;
}

static unsigned flag_of(struct mx_str word)
{
    static const struct {
        const char *word;
        unsigned flag;
    } words[] = {
        {"nice", RULE_NICE},
        {"net", RULE_NET},
        {"learn", RULE_LEARN},
        {"userconf", RULE_USERCONF},
        {"noautolearn", RULE_NOAUTOLEARN},
        {"multiple", RULE_MULTIPLE},
        {"nosubject", RULE_NOSUBJECT},
        {"notrim", RULE_NOTRIM},
        {"domains_only", RULE_DOMAINS_ONLY},
        {"autolearn_body", RULE_AUTOLEARN_BODY},
        {"publish", RULE_PUBLISH},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (mx_str_eq(word, mx_str(words[i].word))) {
            return words[i].flag;
        }
    }
    return 0; /* tflags hold any word; others matter to tools around SpamAssassin */
}

static int take_tflags(struct rule_reader *reader, struct rule_draft *draft,
                       struct mx_str value, struct mx_err *err)
{
    struct mx_str rest = value, word, max_hits = MX_STR("maxhits=");
    int64_t n = 0;

    (void)reader;
    draft->rule.flags &= FLAGS_OF_DEFINITION | RULE_SUBRULE;
    draft->rule.max_hits = 0;
    while ((word = rule_text_word(&rest)).n > 0) {
        draft->rule.flags |= flag_of(word);
        if (!mx_str_starts(word, max_hits)) {
            continue;
        }
        word = mx_str_sub(word, max_hits.n, word.n);
        if (mx_str_to_int(word, 0, INT32_MAX, &n, err)) {
            return -1;
        }
        draft->rule.max_hits = (unsigned)n;
    }
    return 0;
}

static int take_describe(struct rule_reader *reader, struct rule_draft *draft,
                         struct mx_str value, struct mx_err *err)
{
    (void)reader;
    (void)err;
    draft->rule.description = value;
    return 0;
}

static int take_priority(struct rule_reader *reader, struct rule_draft *draft,
                         struct mx_str value, struct mx_err *err)
{
    int64_t priority = 0;

    (void)reader;
    if (mx_str_to_int(value, -PRIORITY_MAX, PRIORITY_MAX, &priority, err)) {
        return -1;
    }
    draft->rule.priority = (int)priority;
    draft->has_priority = true;
    return 0;
}

/* reuse NAME ...: the name exists from here on, whatever defines it. */
static int take_reuse(struct rule_reader *reader, struct rule_draft *draft,
                      struct mx_str value, struct mx_err *err)
{
    (void)value;
    return draft->is_defined ? 0
                             : define(reader, draft->rule.name,
                                      &(struct rule){.kind = RULE_EMPTY}, err);
}

/* ---- ReplaceTags ---- */

static int take_replace_rules(struct rule_reader *reader, struct mx_str value,
                              struct mx_err *err)
{
    struct mx_str rest = value, word;

    while ((word = rule_text_word(&rest)).n > 0) {
        struct rule_draft *draft = draft_of(reader, word);

        if (!draft) {
            return no_room(err);
        }
        draft->wants_replace = true;
    }
    return 0;
}

/* replace_*: -1 + err; 1 where ${directive} is none of them. */
static int take_replace(struct rule_reader *reader, struct mx_str directive,
                        struct mx_str value, struct mx_err *err)
{
    static const char *const kinds[RULE_TAGS] = {"replace_tag", "replace_pre",
                                                 "replace_inter", "replace_post"};
    struct mx_str rest = value, name;

    if (mx_str_eq(directive, MX_STR("replace_rules"))) {
        return take_replace_rules(reader, value, err);
    }
    if (mx_str_eq(directive, MX_STR("replace_start"))) {
        reader->replace.start = value;
        return value.n > 0 ? 0 : mx_err_set(err, MX_ERR_INPUT, "no value");
    }
    if (mx_str_eq(directive, MX_STR("replace_end"))) {
        reader->replace.end = value;
        return value.n > 0 ? 0 : mx_err_set(err, MX_ERR_INPUT, "no value");
    }
    for (size_t i = 0; i < RULE_TAGS; i++) {
        if (!mx_str_eq(directive, mx_str(kinds[i]))) {
            continue;
        }
        name = rule_text_word(&rest);
        if (rest.n == 0) {
            return mx_err_set(err, MX_ERR_INPUT, "a name and its text expected");
        }
        rule_replace_define(&reader->replace, (enum rule_tag_kind)i, name, rest);
        return 0;
    }
    return 1;
}

/* ---- dispatch ---- */

typedef int take_definition(struct rule_reader *, struct mx_str, struct rule *,
                            struct mx_err *);
typedef int take_about(struct rule_reader *, struct rule_draft *, struct mx_str,
                       struct mx_err *);

static const struct {
    const char *directive;
    take_definition *definition; /* "NAME value" defines a rule */
    take_about *about;           /* "NAME value" says something about one */
    bool may_be_empty;           /* no value is fine */
} directives[] = {
    {"header", take_header, NULL, false},
    {"body", take_body, NULL, false},
    {"meta", take_meta, NULL, false},
    {"describe", NULL, take_describe, false},
    {"score", NULL, take_score, false},
    {"tflags", NULL, take_tflags, false},
    {"uri", take_uri, NULL, false},
    {"rawbody", take_rawbody, NULL, false},
    {"full", take_full, NULL, false},
    {"mimeheader", take_mimeheader, NULL, false},
    {"reuse", NULL, take_reuse, true},
    {"priority", NULL, take_priority, false},
    {"uri_detail", take_uri_detail, NULL, false},
    {"askdns", take_askdns, NULL, false},
};

static int take(struct rule_reader *reader, size_t i, struct mx_str value,
                struct mx_err *err)
{
    struct mx_str rest = value, name = rule_text_word(&rest);
    struct rule rule = {0};
    struct rule_draft *draft;

    if (name.n == 0 || (rest.n == 0 && !directives[i].may_be_empty)) {
        return mx_err_set(err, MX_ERR_INPUT, "a name and a value expected");
    }
    if (directives[i].definition) {
        if (directives[i].definition(reader, rest, &rule, err)) {
            return -1;
        }
        return define(reader, name, &rule, err);
    }
    draft = draft_of(reader, name);
    return draft ? directives[i].about(reader, draft, rest, err) : no_room(err);
}

static void note(struct rule_reader *reader, struct mx_str directive, struct mx_str value,
                 const struct mx_err *err)
{
    struct mx_str rest = value, name = rule_text_word(&rest);

    rule_read_problem(
        reader, err->code == MX_ERR_LIMIT ? RULE_PROBLEM_LIMIT : RULE_PROBLEM_SYNTAX,
        name.n > 0 ? name : directive, err->text);
}

bool rule_read_rule(struct rule_reader *reader, struct mx_str directive,
                    struct mx_str value)
{
    struct mx_err err = {0};
    int rc;

    for (size_t i = 0; i < sizeof(directives) / sizeof(*directives); i++) {
        if (mx_str_eq(directive, mx_str(directives[i].directive))) {
            if (take(reader, i, value, &err)) {
                note(reader, directive, value, &err);
            }
            return true;
        }
    }
    rc = take_replace(reader, directive, value, &err);
    if (rc < 0) {
        note(reader, directive, value, &err);
    }
    return rc <= 0;
}
