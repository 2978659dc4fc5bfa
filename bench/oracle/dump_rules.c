/*
 * What our reader holds after loading rule files, one TSV line a rule, in the columns of
 * sa_rules.pl: compare_rules.py sets both side by side. One more column says what a rule
 * looks at: its header, or its function with arguments (bench/overlay asks that).
 *
 *   dump_rules DIR... > ours.tsv
 */
#include <stdio.h>

#include "mx_err.h"
#include "mx_str.h"

#include "rules/rule_set.h"

/* As sa_rules.pl escapes texts. */
static void put(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '\\' || c == '\t' || c == '\n' || c == '\r')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static void put_flags(const struct rule *rule)
{
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {{RULE_NET, "net"}, {RULE_NICE, "nice"}, {RULE_USERCONF, "userconf"}};
    const char *space = "";

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (rule->flags & words[i].flag) {
            printf("%s%s", space, words[i].word);
            space = " ";
        }
    }
}

static void put_subject(const struct rule *rule)
{
    put(rule->function.n > 0 ? rule->function : rule->selector);
    for (size_t i = 0; i < rule->n_args; i++) {
        putchar(i > 0 ? ',' : '(');
        put(rule->args[i]);
    }
}

static void put_rule(const struct rule *rule)
{
    printf("%.*s\t%s", MX_STR_FMT(rule->name), rule_kind_text(rule->kind));
    for (size_t i = 0; i < 4; i++)
        printf("\t%.15g", rule->scores[i]);
    putchar('\t');
    put_flags(rule);
    printf("\t%d\t", rule->priority);
    put(rule->expression);
    putchar('\t');
    put(rule->pattern);
    putchar('\t');
    put_subject(rule);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct rule_read_options options = {.dirs = (const char *const *)argv + 1};
    struct rule_set *set = NULL;
    struct mx_err err = {0};

    if (argc < 2) {
        fprintf(stderr, "usage: dump_rules DIR...\n");
        return 2;
    }
    if (rule_set_read(&options, &set, &err)) {
        fprintf(stderr, "dump_rules: %s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < set->n_rules; i++)
        put_rule(&set->rules[i]);
    rule_set_free(set);
    return 0;
}
