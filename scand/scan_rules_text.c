/*
 * A rule back into the words of a rule file: its definition, its tflags. What it was read
 * from is gone by then (tags are replaced, names are resolved), so this is what the rule
 * means and not a copy of its line.
 */
#include "scan_rules_text.h"

#include "mx_arena.h"
#include "rules/rule_set.h"

static void add(struct mx_buf *buf, struct mx_str s)
{
    mx_buf_add(buf, s.p, s.n);
}

static void add_match(struct mx_buf *buf, const struct rule *rule)
{
    if (rule->selector.n > 0) {
        add(buf, rule->selector);
        mx_buf_str(buf, rule->flags & RULE_RAW ? ":raw" : "");
        mx_buf_str(buf, rule->flags & RULE_NEGATED ? " !~ " : " =~ ");
    }
    mx_buf_str(buf, "/");
    add(buf, rule->pattern);
    mx_buf_str(buf, "/");
    if (rule->has_if_unset) {
        mx_buf_str(buf, " [if-unset: ");
        add(buf, rule->if_unset);
        mx_buf_str(buf, "]");
    }
}

static void add_call(struct mx_buf *buf, const struct rule *rule)
{
    mx_buf_str(buf, "eval:");
    add(buf, rule->function);
    mx_buf_str(buf, "(");
    for (size_t i = 0; i < rule->n_args; i++) {
        mx_buf_str(buf, i > 0 ? ", '" : "'");
        add(buf, rule->args[i]);
        mx_buf_str(buf, "'");
    }
    mx_buf_str(buf, ")");
}

const char *scan_rules_definition(struct mx_arena *arena, const struct rule *rule)
{
    struct mx_buf buf = {0};
    const char *text;

    if (rule->kind == RULE_HEADER_EXISTS) {
        mx_buf_str(&buf, "exists:");
        add(&buf, rule->selector);
    } else if (rule->pattern.p) {
        add_match(&buf, rule);
    } else if (rule->expression.n > 0) {
        add(&buf, rule->expression);
    } else if (rule->function.n > 0) {
        add_call(&buf, rule);
    }
    text = mx_arena_dup(arena, buf.p, buf.n);
    mx_buf_fini(&buf);
    return text;
}

const char *scan_rules_flags(struct mx_arena *arena, const struct rule *rule)
{
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {
        {RULE_NICE, "nice"},
        {RULE_NET, "net"},
        {RULE_LEARN, "learn"},
        {RULE_USERCONF, "userconf"},
        {RULE_NOAUTOLEARN, "noautolearn"},
        {RULE_MULTIPLE, "multiple"},
        {RULE_NOSUBJECT, "nosubject"},
        {RULE_NOTRIM, "notrim"},
        {RULE_DOMAINS_ONLY, "domains_only"},
        {RULE_AUTOLEARN_BODY, "autolearn_body"},
        {RULE_PUBLISH, "publish"},
    };
    const char *text = "";

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (rule->flags & words[i].flag)
            text =
                mx_arena_printf(arena, "%s%s%s", text, *text ? " " : "", words[i].word);
    }
    return rule->max_hits ? mx_arena_printf(arena, "%s maxhits=%u", text, rule->max_hits)
                          : text;
}
