/*
 * Directives that say something about a rule (score, tflags, describe, priority, reuse)
 * and about the tags in patterns (replace_*). Whether there is such a rule shows only
 * when all files are read.
 */
#include "rule_read.h"

#include "mx_err.h"

#include "rule_text.h"

#define PRIORITY_MAX 1000000000

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
        {"concat", RULE_CONCAT},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (mx_str_eq(word, mx_str(words[i].word))) {
            return words[i].flag;
        }
    }
    return 0; /* tflags hold any word; others matter to tools around SpamAssassin */
}

/* range=2, range=2-, range=-3, range=2-3: parts of a mimeheader rule. */
static int take_range(struct mx_str range, struct rule *rule, struct mx_err *err)
{
    ptrdiff_t dash = mx_str_chr(range, '-');
    struct mx_str from = dash < 0 ? range : mx_str_sub(range, 0, (size_t)dash);
    struct mx_str to = dash < 0 ? range : mx_str_sub(range, (size_t)dash + 1, range.n);
    int64_t numbers[2] = {0, 0};

    if ((from.n > 0 && mx_str_to_int(from, 0, INT32_MAX, &numbers[0], err)) ||
        (to.n > 0 && mx_str_to_int(to, 1, INT32_MAX, &numbers[1], err))) {
        return mx_err_wrap(err, "range");
    }
    rule->part_from = (unsigned)numbers[0];
    rule->part_to = (unsigned)numbers[1];
    return 0;
}

static int take_tflags(struct rule_reader *reader, struct rule_draft *draft,
                       struct mx_str value, struct mx_err *err)
{
    struct mx_str rest = value, word, max_hits = MX_STR("maxhits=");
    struct mx_str range = MX_STR("range=");
    int64_t n = 0;

    (void)reader;
    draft->rule.flags &= RULE_FLAGS_OF_DEFINITION | RULE_SUBRULE;
    draft->rule.max_hits = 0;
    draft->rule.part_from = draft->rule.part_to = 0;
    while ((word = rule_text_word(&rest)).n > 0) {
        draft->rule.flags |= flag_of(word);
        if (mx_str_starts(word, range) &&
            take_range(mx_str_sub(word, range.n, word.n), &draft->rule, err)) {
            return -1;
        }
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
                             : rule_read_define(reader, draft->rule.name,
                                                &(struct rule){.kind = RULE_EMPTY}, err);
}

/* ---- ReplaceTags ---- */

static int take_replace_rules(struct rule_reader *reader, struct mx_str value,
                              struct mx_err *err)
{
    struct mx_str rest = value, word;

    while ((word = rule_text_word(&rest)).n > 0) {
        struct rule_draft *draft = rule_read_draft(reader, word);

        if (!draft) {
            return rule_read_no_room(err);
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

typedef int take_about(struct rule_reader *, struct rule_draft *, struct mx_str,
                       struct mx_err *);

static const struct {
    const char *directive;
    take_about *take;
    bool may_be_empty; /* no value behind the name is fine */
} directives[] = {
    {"describe", take_describe, false}, {"score", take_score, false},
    {"tflags", take_tflags, false},     {"reuse", take_reuse, true},
    {"priority", take_priority, false},
};

int rule_read_about(struct rule_reader *reader, struct mx_str directive,
                    struct mx_str value, struct mx_err *err)
{
    struct mx_str rest = value, name = rule_text_word(&rest);
    struct rule_draft *draft;

    for (size_t i = 0; i < sizeof(directives) / sizeof(*directives); i++) {
        if (!mx_str_eq(directive, mx_str(directives[i].directive))) {
            continue;
        }
        if (name.n == 0 || (rest.n == 0 && !directives[i].may_be_empty)) {
            return mx_err_set(err, MX_ERR_INPUT, "a name and a value expected");
        }
        draft = rule_read_draft(reader, name);
        return draft ? directives[i].take(reader, draft, rest, err)
                     : rule_read_no_room(err);
    }
    return take_replace(reader, directive, value, err);
}
