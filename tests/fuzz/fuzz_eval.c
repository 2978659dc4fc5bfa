/*
 * Eval functions on any message: every family, called as the stock rules call them. The
 * same message gives the same counts twice, and none is negative.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rules/rule_eval.h"
#include "text_lists.h"

#define MESSAGE_MAX 65536
#define ARGS_MAX 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Function and its arguments, by spaces. */
static const char *const calls[] = {
    "html_test html",
    "html_range length 0 inf",
    "html_eval length <9",
    "html_tag_exists center",
    "html_tag_balance body >0",
    "html_image_only 0 400",
    "html_image_ratio 0 1",
    "html_text_match title .{9}",
    "html_title_subject_ratio 3.5",
    "check_iframe_src",
    "html_charset_faraway",
    "check_for_mime mime_qp_count",
    "check_for_mime mime_missing_boundary",
    "check_for_mime_html_only",
    "check_mime_multipart_ratio 0 0.01",
    "check_for_ascii_text_illegal",
    "check_abundant_unicode_ratio 0.02",
    "check_ma_non_text",
    "check_for_uppercase 0 100",
    "check_base64_length 78 79",
    "check_for_faraway_charset",
    "check_body_length 128",
    "check_blank_line_ratio 80 90 4",
    "tvd_vertical_words 0 10",
    "check_stock_info 2",
    "plaintext_body_sig_ratio 0 9",
    "multipart_alternative_difference 99 100",
    "multipart_alternative_difference_count 3 1",
    "check_equal_from_domains",
    "check_for_matching_env_and_hdr_from",
    "subject_is_all_caps",
    "check_for_to_in_subject user",
    "check_for_to_in_subject address",
    "check_illegal_chars ALL 0.01 2",
    "check_header_count_range Subject 2 9",
    "check_unresolved_template",
    "check_ratware_name_id",
    "check_ratware_envelope_from",
    "check_messageid_not_usable",
    "check_for_faraway_charset_in_headers",
    "check_for_shifted_date -6 -3",
    "received_within_months 1 2",
    "check_outlook_message_id",
    "sorted_recipients",
    "similar_recipients 0.65 undef",
    "check_for_fake_aol_relay_in_rcvd",
    "check_for_forged_hotmail_received_headers",
    "check_for_forged_yahoo_received_headers",
    "check_for_forged_juno_received_headers",
    "check_for_forged_gmail_received_headers",
    "check_for_forged_gw05_received_headers",
    "check_all_trusted",
    "helo_ip_mismatch",
    "check_for_no_rdns_dotcom_helo",
    "check_for_forged_received_trail",
    "check_for_forged_received_ip_helo",
    "check_freemail_from",
    "check_freemail_header Reply-To [0-9]@",
    "check_freemail_body",
    "check_freemail_replyto reply",
    "check_from_in_list A",
    "check_to_in_list A",
    "check_replyto_in_list A",
    "check_from_in_welcomelist",
    "check_mailfrom_matches_rcvd",
    "check_subject_in_blocklist",
    "check_uri_host_listed A",
    "check_https_http_mismatch 1",
    "check_https_ip_mismatch",
    "check_for_http_redirector",
    "image_count all 1 9",
    "pixel_coverage all 1 9",
    "image_to_text_ratio all 0 1",
    "image_size_range all 1 1",
    "check_welcomelist_bounce_relays",
    "check_bayes 0 1",
};
#define CALLS (sizeof(calls) / sizeof(*calls))

struct world {
    struct rule rules[CALLS];
    struct mx_str args[CALLS][ARGS_MAX];
    struct mx_str words[2];
    struct rule_list lists[5];
    struct rule_set set;
};

static void make_rules(struct world *world)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct mx_str rest = mx_str(calls[i]);
        struct rule *rule = &world->rules[i];

        mx_str_next(&rest, ' ', &rule->function);
        rule->kind = i % 2 ? RULE_BODY_EVAL : RULE_RAWBODY_EVAL;
        rule->args = world->args[i];
        while (rule->n_args < ARGS_MAX &&
               mx_str_next(&rest, ' ', &world->args[i][rule->n_args]) == 0) {
            rule->n_args++;
        }
        assert(rule_eval_check(rule, NULL) == 0);
    }
}

static void make_lists(struct world *world)
{
    static const char *const directives[] = {"freemail_domains", "enlist_addrlist",
                                             "enlist_uri_host", "blocklist_subject",
                                             "welcomelist_bounce_relays"};

    world->words[0] = MX_STR("example.org");
    world->words[1] = MX_STR("*.com");
    for (size_t i = 0; i < 5; i++) {
        world->lists[i] = (struct rule_list){
            .directive = mx_str(directives[i]),
            .name = i == 1 || i == 2 ? MX_STR("A") : MX_STR(""),
            .entries = {world->words, 2},
        };
    }
}

static void run(struct world *world, const struct eval_shared *shared,
                const struct texts *texts, int counts[static CALLS])
{
    struct mx_arena *arena = mx_arena_new((size_t)256 << 20);
    struct eval_context context = {.arena = arena,
                                   .set = &world->set,
                                   .shared = shared,
                                   .texts = texts,
                                   .bayes = 0.5};

    for (size_t i = 0; i < CALLS; i++) {
        const struct eval_function *function = rule_eval_find(world->rules[i].function);

        context.rule = &world->rules[i];
        counts[i] = function->run(&context, context.rule->args, context.rule->n_args);
        assert(counts[i] >= 0);
    }
    mx_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *world = mx_xalloc(sizeof(*world));
    struct mx_arena *arena = mx_arena_new((size_t)256 << 20);
    struct text_list store[3];
    struct text_settings settings = {.lists = text_lists_few(store)};
    struct text_connection unknown = {0};
    struct eval_shared *shared;
    struct texts texts;
    struct mx_err err;
    int first[CALLS], second[CALLS];

    make_rules(world);
    make_lists(world);
    world->set = (struct rule_set){
        .rules = world->rules, .n_rules = CALLS, .lists = world->lists, .n_lists = 5};
    shared = eval_shared_new(&world->set);
    if (size <= MESSAGE_MAX && texts_form(arena, &settings, mx_str_of(data, size),
                                          &unknown, &texts, &err) == 0) {
        texts.now_s = 1735689600;
        run(world, shared, &texts, first);
        run(world, shared, &texts, second);
        assert(memcmp(first, second, sizeof(first)) == 0);
    }
    eval_shared_free(shared);
    mx_arena_free(arena);
    free(world);
    return 0;
}
