/* Every directive has its effect: tests/data/directives/every.cf, and what is made of it.
 * A directive that a table of the reader has and the file has not fails the first test.
 */
#include "mx_net.h"
#include "rule_files.h"
#include "text/text_relays.h"

#define DATA MX_SOURCE_DIR "/tests/data/directives"

struct bed {
    struct mx_arena *arena;
    struct rule_set *set;
};

static int setup(void **state)
{
    static const char *const dirs[] = {DATA, NULL};
    struct rule_read_options options = {.dirs = dirs};
    struct bed *bed = mx_xalloc(sizeof(*bed));

    bed->arena = mx_arena_new(32u << 20);
    *state = bed;
    return rule_set_read(&options, &bed->set, NULL);
}

static int teardown(void **state)
{
    struct bed *bed = *state;

    rule_set_free(bed->set);
    mx_arena_free(bed->arena);
    free(bed);
    return 0;
}

static struct mx_str text_of(struct mx_arena *arena, const char *path)
{
    char *text = mx_arena_alloc(arena, 1u << 20);
    FILE *file = fopen(path, "rb");
    size_t n;

    if (file == NULL)
        fail_msg("%s: cannot be read", path);
    n = fread(text, 1, 1u << 20, file);
    fclose(file);
    return mx_str_of(text, n);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Is ${word} in ${text}, as a whole? */
static bool has_word(struct mx_str text, struct mx_str word)
{
    for (size_t i = 0; i + word.n <= text.n; i++) {
        if (memcmp(text.p + i, word.p, word.n) == 0 &&
            (i == 0 || !is_letter(text.p[i - 1])) &&
            (i + word.n == text.n || !is_letter(text.p[i + word.n])))
            return true;
    }
    return false;
}

/* Every word behind ${before} in a table of ${source} is in every.cf. Returns how many.
 */
static size_t expect_words(struct mx_arena *arena, const char *source, const char *before)
{
    struct mx_str pre = text_of(arena, DATA "/every.pre"), rest;
    struct mx_str every = text_of(arena, DATA "/every.cf");
    size_t n = 0;
    ptrdiff_t at;

    rest =
        text_of(arena, mx_arena_printf(arena, MX_SOURCE_DIR "/scand/rules/%s", source));
    while ((at = mx_str_find(rest, mx_str(before))) >= 0) {
        rest = mx_str_sub(rest, (size_t)at + strlen(before), rest.n);
        ptrdiff_t end = mx_str_chr(rest, '"');
        struct mx_str word = mx_str_sub(rest, 0, end < 0 ? 0 : (size_t)end);

        if (!has_word(every, word) && !has_word(pre, word))
            fail_msg("%s knows %.*s: it is in no file", source, MX_STR_FMT(word));
        n++;
    }
    return n;
}

static void test_every_directive_is_here(void **state)
{
    struct bed *bed = *state;

    assert_true(expect_words(bed->arena, "rule_list.c", "    {\"") > 100);
    assert_int_equal(expect_words(bed->arena, "rule_read_rule.c", "\n    {\""), 9);
    assert_true(expect_words(bed->arena, "rule_read_about.c", "{\"") > 15);
    assert_true(expect_words(bed->arena, "rule_read_ignored.c", "\n    \"") > 250);
    assert_true(expect_words(bed->arena, "rule_read.c", "directive, MX_STR(\"") > 5);
}

/* The two that ask the network, and nothing else. */
static void test_no_directive_is_a_problem(void **state)
{
    const struct rule_set *set = ((struct bed *)*state)->set;

    for (size_t i = 0; i < set->n_problems; i++) {
        if (set->problems[i].kind != RULE_PROBLEM_NEEDS_NETWORK)
            fail_msg("line %u: %.*s", set->problems[i].line,
                     MX_STR_FMT(set->problems[i].text));
    }
    assert_int_equal(set->n_problems, 2);
    assert_int_equal(set->n_files, 3);
    assert_true(set->required_score == 6.5);
}

/* The list as "a|b"; a missing one as "-". */
static const char *list_of(struct bed *bed, const char *directive, const char *name)
{
    const struct rule_list *list = rule_list_find(bed->set, directive, mx_str(name));
    const char *out = list ? "" : "-";

    for (size_t i = 0; list && i < list->entries.n; i++)
        out = mx_arena_printf(bed->arena, "%s%s%.*s", out, i ? "|" : "",
                              MX_STR_FMT(list->entries.v[i]));
    return out;
}

static void test_lists(void **state)
{
    static const struct {
        const char *directive, *name, *wanted;
    } lists[] = {
        {"freemail_domains", "", "one.example|*.two.example"},
        {"freemail_welcomelist", "", "one@one.example|two@one.example"},
        {"freemail_add_describe_email", "", "1"},
        {"freemail_max_body_emails", "", "4"},
        {"freemail_max_body_freemails", "", "2"},
        {"freemail_skip_when_over_max", "", "0"},
        {"freemail_skip_bulk_envfrom", "", "0"},
        {"freemail_import_welcomelist_auth", "", "1"},
        {"freemail_import_def_welcomelist_auth", "", "1"},
        {"util_rb_tld", "", "example"},
        {"util_rb_2tld", "", "co.example"},
        {"util_rb_3tld", "", "x.co.example"},
        {"url_shortener", "", "short.example|get.example"},
        {"redirector_pattern", "", "/^https?:\\/\\/go\\.example\\/\\?(.*)$/i"},
        {"enlist_uri_host", "EVERY", "one.example"},
        {"enlist_uri_host", "WELCOME", "good.example|better.example"},
        {"enlist_uri_host", "BLOCK", "bad.example|worse.example"},
        {"enlist_addrlist", "EVERY", "*@one.example|*@two.example"},
        {"welcomelist_from", "", "one@x.example|two@x.example"},
        {"blocklist_from", "", "one@y.example|two@y.example"},
        {"welcomelist_to", "", "one@z.example|two@z.example"},
        {"blocklist_to", "", "three@z.example|four@z.example"},
        {"more_spam_to", "", "five@z.example"},
        {"all_spam_to", "", "six@z.example"},
        {"welcomelist_subject", "", "[One|[Two"},
        {"blocklist_subject", "", "Buy One|Buy Two"},
        {"welcomelist_from_rcvd", "", "two@r.example r.example"},
        {"def_welcomelist_from_rcvd", "",
         "three@r.example r.example|four@r.example r.example"},
        {"welcomelist_allows_relays", "", "one@a.example|two@a.example"},
        {"welcomelist_bounce_relays", "", "one.example|two.example"},
        {"welcomelist_from_dkim", "", "two@d.example d.example"},
        {"def_welcomelist_from_dkim", "", "three@d.example|four@d.example"},
        {"welcomelist_from_spf", "", "two@s.example"},
        {"def_welcomelist_from_spf", "", "three@s.example|four@s.example"},
        {"welcomelist_auth", "", "two@h.example"},
        {"def_welcomelist_auth", "", "three@h.example|four@h.example"},
        {"originating_ip_headers", "", "x-every-ip"},
        {"uridnsbl_skip_domain", "", "skip.example"},
        {"adsp_override", "", "one.example unknown"},
        {"bayes_ignore_header", "", "x-every"},
        {"bayes_ignore_from", "", "one@b.example"},
        {"bayes_ignore_to", "", "two@b.example"},
        {"always_trust_envelope_sender", "", "1"},
        {"ok_locales", "", "en de"},
        {"ok_languages", "", "en"},
        {"parse_dkim_uris", "", "0"},
        {"fns_ignore_headers", "", "list-id"},
        {"fns_ignore_dkim", "", "one.example"},
        {"fns_check", "", "1"},
        {"fns_extrachars", "", "30"},
        {"uridnsbl", "", "every_u1 list.example. txt"},
        {"uridnssub", "", "every_u2 list.example. a 2"},
        {"urirhsbl", "", "every_u3 list.example. a"},
        {"urirhssub", "", "every_u4 list.example. a 4"},
        {"urinsrhsbl", "", "every_u5 list.example. a"},
        {"urinsrhssub", "", "every_u6 list.example. a 8"},
        {"urifullnsrhsbl", "", "every_u7 list.example. a"},
        {"urifullnsrhssub", "", "every_u8 list.example. a 16"},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        const char *got = list_of(*state, lists[i].directive, lists[i].name);

        if (strcmp(got, lists[i].wanted) != 0)
            fail_msg("%s (%s): %s, not %s", lists[i].directive, lists[i].name, got,
                     lists[i].wanted);
    }
}

static bool is_in(const struct text_nets *nets, const char *address)
{
    struct mx_net net;

    assert_int_equal(mx_net_parse(mx_str(address), &net, NULL), 0);
    return text_nets_have(nets, &net);
}

static void test_settings_of_texts(void **state)
{
    const struct text_settings *text = &((struct bed *)*state)->set->text;

    assert_true(is_in(&text->trusted, "192.0.2.1"));
    assert_false(is_in(&text->trusted, "192.0.2.9"));
    assert_false(is_in(&text->trusted, "10.0.0.1"));
    assert_true(is_in(&text->internal, "192.0.2.9"));
    assert_false(is_in(&text->internal, "10.0.0.1"));
    assert_true(is_in(&text->msa, "192.0.2.1"));
    assert_false(is_in(&text->msa, "10.0.0.1"));
    assert_int_equal(text->lists.originating->n, 1);
    assert_str(text->envelope_header, "X-Every-From");
    assert_int_equal(text->body_part_max, 1000);
    assert_int_equal(text->rawbody_part_max, 2000);
    assert_non_null(text->lists.redirectors);
}

static void test_kinds_of_rules(void **state)
{
    static const struct {
        const char *name;
        enum rule_kind kind;
        const char *holds; /* pattern, function or expression */
    } rules[] = {
        {"EVERY_HEADER", RULE_HEADER, "(?i)every"},
        {"EVERY_UNSET", RULE_HEADER, "x"},
        {"EVERY_EXISTS", RULE_HEADER_EXISTS, ""},
        {"EVERY_EVAL", RULE_HEADER_EVAL, "check_for_missing_to_header"},
        {"EVERY_RBL", RULE_RBL_EVAL, "check_rbl"},
        {"EVERY_BODY", RULE_BODY, "every"},
        {"EVERY_RAWBODY", RULE_RAWBODY, "(?s)every"},
        {"EVERY_URI", RULE_URI, "every"},
        {"EVERY_FULL", RULE_FULL, "every"},
        {"EVERY_MIME", RULE_MIMEHEADER, "every"},
        {"EVERY_DETAIL", RULE_BODY_EVAL, "check_uri_detail"},
        {"EVERY_ASKDNS", RULE_EMPTY, "askdns"},
        {"EVERY_META", RULE_META, "EVERY_BODY && !EVERY_URI"},
        {"EVERY_MATCHING", RULE_META, "rules_matching(EVERY_R*) > 1"},
        {"EVERY_REUSED", RULE_EMPTY, ""},
        {"EVERY_INCLUDED", RULE_BODY, "included"},
        {"EVERY_IF", RULE_BODY, "if"},
        {"EVERY_ELSE", RULE_BODY, "else"},
        {"EVERY_TAGS", RULE_BODY, "x[a4]zyx[a4]z"},
        {"__EVERY_CAPTURE", RULE_BODY, "name (?<EVERY_NAME>\\w+)"},
        {"EVERY_CAPTURED", RULE_URI, "%{EVERY_NAME}"},
    };
    struct bed *bed = *state;

    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        const struct rule *rule = rule_named(bed->set, rules[i].name);
        struct mx_str holds;

        if (rule == NULL)
            fail_msg("no rule %s", rules[i].name);
        holds = rule->function.n > 0  ? rule->function
                : rule->pattern.n > 0 ? rule->pattern
                                      : rule->expression;
        if (rule->kind != rules[i].kind || !mx_str_eq(holds, mx_str(rules[i].holds)))
            fail_msg("%s: %s %.*s", rules[i].name, rule_kind_text(rule->kind),
                     MX_STR_FMT(holds));
    }
    assert_null(rule_named(bed->set, "EVERY_WRONG"));
    assert_int_equal(rule_named(bed->set, "EVERY_MATCHING")->meta->n_needs, 3);
}

static void test_about_rules(void **state)
{
    const struct rule_set *set = ((struct bed *)*state)->set;
    const struct rule *body = rule_named(set, "EVERY_BODY");
    const struct rule *mime = rule_named(set, "EVERY_MIME");
    const struct rule *off = rule_named(set, "EVERY_OFF");

    assert_true(body->scores[0] == 1 && body->scores[3] == 4);
    assert_str(body->description, "Every body");
    assert_str(rule_named(set, "EVERY_URI")->description, "Every address");
    assert_true(rule_named(set, "EVERY_URI")->scores[2] == 1.5); /* relative */
    assert_true(rule_named(set, "EVERY_FULL")->scores[0] == -1); /* nice, no score */
    assert_int_equal(rule_named(set, "EVERY_RAWBODY")->max_hits, 3);
    assert_int_equal(rule_named(set, "EVERY_META")->priority, 50);
    assert_true(mime->flags & RULE_CONCAT);
    assert_int_equal(mime->part_from, 2);
    assert_int_equal(mime->part_to, 3);
    assert_false(rule_is_active(off, 0));
    assert_int_equal(off->flags, RULE_NET | RULE_LEARN | RULE_USERCONF |
                                     RULE_NOAUTOLEARN | RULE_NOSUBJECT | RULE_NOTRIM |
                                     RULE_DOMAINS_ONLY);
    assert_true(rule_named(set, "EVERY_IF")->flags & RULE_PUBLISH);
    assert_true(rule_named(set, "EVERY_UNSET")->has_if_unset);
    assert_true(rule_named(set, "EVERY_UNSET")->flags & RULE_NEGATED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_directive_is_here),
        TEST(test_no_directive_is_a_problem),
        TEST(test_lists),
        TEST(test_settings_of_texts),
        TEST(test_kinds_of_rules),
        TEST(test_about_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
