/*
 * Drafts: rules while files are being read. Scores, flags and descriptions may come
 * before the definition or after it, and outlive its replacement by a later one.
 */
#include "rule_read.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_match_judge.h"
#include "rule_names.h"
#include "rule_text.h"

#define NAME_BYTES_MAX 100 /* of a rule's name, as SpamAssassin bounds it */
#define CAPTURE_PRIORITY -10000
#define JUDGED_BYTES_MAX (4u << 20) /* of replacing patterns: seconds of compiling */

int rule_read_no_room(struct mx_err *err)
{
    return mx_err_set(err, MX_ERR_LIMIT, "more than %d rules", RULE_RULES_MAX);
}

struct rule_draft *rule_read_draft(struct rule_reader *reader, struct mx_str name)
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

int rule_read_define(struct rule_reader *reader, struct mx_str name,
                     const struct rule *rule, struct mx_err *err)
{
    struct rule_draft *draft;
    struct rule old;

    if (!rule_text_is_name(name) || name.n > NAME_BYTES_MAX) {
        return mx_err_set(err, MX_ERR_INPUT,
                          "a rule name has letters, digits and _, "
                          "%d at most",
                          NAME_BYTES_MAX);
    }
    draft = rule_read_draft(reader, name);
    if (!draft) {
        return rule_read_no_room(err);
    }
    if (check_replacement(reader, draft, rule, err)) {
        return -1;
    }
    old = draft->rule;
    draft->rule = *rule;
    draft->rule.name = old.name;
    draft->rule.flags = rule->flags | (old.flags & ~(unsigned)RULE_FLAGS_OF_DEFINITION);
    draft->rule.max_hits = old.max_hits;
    draft->rule.part_from = old.part_from;
    draft->rule.part_to = old.part_to;
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
