/* mod_user_lists: scopes, precedence, and what cannot be told. */
#include "module_bed.h"

#include "mod_user_lists.c"

static const struct user_lists_settings settings = {"refused"};

struct entry {
    const char *scope, *pattern;
    enum store_listing listing;
};

static void sender(struct module_bed *bed, const char *path)
{
    assert_int_equal(mx_addr_parse(bed->arena, mx_str(path), &bed->req.sender, NULL), 0);
}

static void test_decide_table(void **state)
{
    static const struct entry denied = {"u@example.net", "s.example", STORE_DENIED};
    static const struct {
        struct entry entries[3];
        const char *sender, *auth, *reason;
    } cases[] = {
        {{{0}}, "<a@s.example>", "", NULL},
        {{denied}, "<a@s.example>", "", "denied-by-mailbox"},
        {{denied}, "<a@other.example>", "", NULL},
        {{denied, {"system", "a@s.example", STORE_ALLOWED}},
         "<a@s.example>",
         "",
         "denied-by-mailbox"},
        {{{"@example.net", ".example", STORE_DENIED},
          {"u@example.net", "a@s.example", STORE_ALLOWED}},
         "<a@s.example>",
         "",
         "allowed-by-mailbox"},
        {{{"@example.net", ".example", STORE_DENIED}},
         "<a@s.example>",
         "",
         "denied-by-domain"},
        {{{"system", "192.0.2.0/24", STORE_DENIED}},
         "<a@s.example>",
         "",
         "denied-by-system"},
        {{{"system", "192.0.2.0/24", STORE_DENIED}}, "<>", "", "denied-by-system"},
        {{{"system", "192.0.2.0/24", STORE_DENIED}}, "<a@s.example>", "joe", NULL},
        {{denied}, "<a@s.example>", "joe", "denied-by-mailbox"},
        {{denied}, "<>", "", NULL},
        {{denied}, "<>", "joe", NULL},
        {{{"v@example.net", "s.example", STORE_DENIED}}, "<a@s.example>", "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct module_bed bed;
        module_bed_init(&bed, &mod_user_lists, &settings, NULL);
        module_bed_client(&bed, "192.0.2.1");
        module_bed_rcpt(&bed, "<u@example.net>");
        sender(&bed, cases[i].sender);
        bed.req.auth_user = mx_str(cases[i].auth);
        for (const struct entry *e = cases[i].entries;
             e->scope && e < cases[i].entries + 3; e++)
            store_mem_list(bed.store, e->scope, e->pattern, e->listing);
        enum policy_step step = module_bed_run(&bed, POLICY_AT_RCPT, true);
        if ((step == POLICY_DONE) != (cases[i].reason != NULL))
            fail_msg("case %zu: step %d", i, step);
        if (cases[i].reason)
            assert_string_equal(bed.verdict.reason, cases[i].reason);
        if (step == POLICY_DONE && bed.verdict.action == POLICY_CONTINUE)
            assert_string_equal(bed.verdict.mark, "allow");
        module_bed_fini(&bed);
    }
}

static void test_decide_store_down(void **state)
{
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_user_lists, &settings, NULL);
    module_bed_client(&bed, "192.0.2.1");
    module_bed_rcpt(&bed, "<u@example.net>");
    sender(&bed, "<a@s.example>");
    store_mem_break(bed.store, "store down");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true), POLICY_FAIL);
    module_bed_rcpt(&bed, "<u@@x>"); /* nothing to ask: nothing to fail */
    assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true), POLICY_NEXT);
    module_bed_fini(&bed);
}

/* A wider scope must not decide over one that could not be read. */
static void test_decide_mailbox_unknown(void **state)
{
    struct module_bed bed;
    struct policy_slots slots = {{1, 2, 3}};
    struct store_answer v[3] = {{.is_known = false},
                                {.is_known = true, .list = {STORE_DENIED, 0}},
                                {.is_known = true}};
    struct policy_answers answers = {NULL, v, 3, &slots, "store late"};
    (void)state;
    module_bed_init(&bed, &mod_user_lists, &settings, NULL);
    module_bed_client(&bed, "192.0.2.1");
    module_bed_rcpt(&bed, "<u@example.net>");
    sender(&bed, "<a@s.example>");
    assert_int_equal(decide(bed.state, &bed.req, &answers, &bed.verdict), POLICY_FAIL);
    v[0] = (struct store_answer){.is_known = true};
    assert_int_equal(decide(bed.state, &bed.req, &answers, &bed.verdict), POLICY_DONE);
    assert_string_equal(bed.verdict.reason, "denied-by-domain");
    module_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_table),
        cmocka_unit_test(test_decide_store_down),
        cmocka_unit_test(test_decide_mailbox_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
