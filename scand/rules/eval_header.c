/*
 * Evals on header fields (HeaderEval): senders that differ, subjects that shout, ids of
 * known mass mailers. Dates, recipients and forged providers have files of their own.
 */
#include "eval_family.h"

#include <ctype.h>
#include <string.h>

#include "mx_arena.h"

#include "text/text_chars.h"
#include "text/text_domain.h"

#include "eval_locale.h"
#include "eval_util.h"

/* The last two labels of an address's domain; "" where there is none. */
static struct mx_str second_level(struct mx_str address)
{
    ptrdiff_t at = mx_str_rchr(address, '@');
    struct mx_str domain;
    ptrdiff_t dot;

    if (at < 0) {
        return MX_STR("");
    }
    domain = mx_str_sub(address, (size_t)at + 1, address.n);
    dot = mx_str_rchr(domain, '.');
    if (dot <= 0 || (size_t)dot + 1 == domain.n) {
        return domain;
    }
    dot = mx_str_rchr(mx_str_sub(domain, 0, (size_t)dot), '.');
    /* ".a.b" and "x..b" stay whole: each label has a byte at least. */
    if (dot <= 0 || domain.p[dot + 1] == '.') {
        return domain;
    }
    return mx_str_sub(domain, (size_t)dot + 1, domain.n);
}

/* Despite its name: a hit where the domains differ. */
static int check_equal_from_domains(struct eval_context *context,
                                    const struct mx_str *args, size_t n_args)
{
    struct mx_str from = second_level(eval_address(context, "From:addr"));
    struct mx_str envelope = second_level(eval_address(context, "EnvelopeFrom:addr"));

    (void)args;
    (void)n_args;
    return from.n > 0 && envelope.n > 0 && !mx_str_ieq(from, envelope);
}

static int check_for_matching_env_and_hdr_from(struct eval_context *context,
                                               const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return mx_str_ieq(eval_address(context, "EnvelopeFrom:addr"),
                      eval_address(context, "From:addr"));
}

static int check_for_missing_to_header(struct eval_context *context,
                                       const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return eval_header(context, "To").n == 0 &&
           eval_header(context, "Apparently-To").n == 0;
}

static int subject_is_all_caps(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    struct mx_str s = text_trim(eval_header(context, "Subject"), false);
    bool has_space = false, has_letter = false;

    (void)args;
    (void)n_args;
    if (eval_regex_find(eval_shared_fixed(context->shared, EVAL_SUBJECT_PREFIX), s, 0,
                        groups)) {
        s = mx_str_sub(s, groups[0].n, s.n);
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        has_space |= text_char_space(c);
        has_letter |= c >= 'A' && c <= 'Z';
        if (c >= 'a' && c <= 'z') {
            return 0;
        }
    }
    return has_space && has_letter && s.n >= 10 &&
           !eval_hit(context, EVAL_CAPS_CHARSET_WORD,
                     eval_header(context, "Subject:raw"));
}

static bool is_word_at(struct mx_str s, size_t i)
{
    return i < s.n && text_char_word((unsigned char)s.p[i]);
}

/* ${needle} somewhere in ${s} with a word boundary at both ends, cases folded. */
static bool has_bounded(struct mx_str s, struct mx_str needle)
{
    for (size_t i = 0; needle.n > 0 && i + needle.n <= s.n; i++) {
        size_t end = i + needle.n;

        if (mx_str_ieq(mx_str_sub(s, i, needle.n), needle) &&
            (i > 0 && is_word_at(s, i - 1)) != is_word_at(s, i) &&
            is_word_at(s, end - 1) != is_word_at(s, end)) {
            return true;
        }
    }
    return false;
}

static struct mx_str skip_spaces(struct mx_str s)
{
    while (s.n > 0 && text_char_space((unsigned char)s.p[0])) {
        s = mx_str_sub(s, 1, s.n);
    }
    return s;
}

static bool is_mark(char c, const char *marks)
{
    return c != '\0' && strchr(marks, c) != NULL;
}

/* "USER, ..." with USER as it is written. */
static bool begins_with_user(struct mx_str s, struct mx_str user)
{
    if (!mx_str_starts(s, user)) {
        return false;
    }
    s = skip_spaces(mx_str_sub(s, user.n, s.n));
    return s.n > 0 && is_mark(s.p[0], ",:;!?-") &&
           (s.n == 1 || text_char_space((unsigned char)s.p[1]));
}

/* "Re: [word] USER": what stands behind "re:" or "fw:". */
static bool is_reply_to_user(struct mx_str s, struct mx_str user)
{
    size_t n = 0;

    if (!mx_str_istarts(s, MX_STR("re:")) && !mx_str_istarts(s, MX_STR("fw:"))) {
        return false;
    }
    s = skip_spaces(mx_str_sub(s, 3, s.n));
    while (is_word_at(s, n)) {
        n++;
    }
    return mx_str_ieq(s, user) ||
           (n > 0 && n < s.n && text_char_space((unsigned char)s.p[n]) &&
            mx_str_ieq(skip_spaces(mx_str_sub(s, n, s.n)), user));
}

/* ", USER!" */
static bool is_comma_user(struct mx_str s, struct mx_str user)
{
    if (s.n < 2 || s.p[0] != ',' || !is_mark(s.p[s.n - 1], ",:;!?-")) {
        return false;
    }
    return mx_str_ieq(skip_spaces(mx_str_sub(s, 1, s.n - 2)), user);
}

/* ("address") or ("user"): in one of the forms that spam addresses people in. */
static int check_for_to_in_subject(struct eval_context *context,
                                   const struct mx_str *args, size_t n_args)
{
    struct mx_str to = eval_address(context, "To:addr");
    struct mx_str s = eval_header(context, "Subject"), user = to;
    ptrdiff_t at = mx_str_chr(to, '@');

    (void)n_args;
    if (to.n == 0) {
        return 0;
    }
    if (mx_str_eq(args[0], MX_STR("address"))) {
        return has_bounded(s, to);
    }
    user = at >= 0 ? mx_str_sub(to, 0, (size_t)at) : to;
    if (s.n > 0 && s.p[s.n - 1] == '\n') {
        s.n--;
    }
    return mx_str_eq(args[0], MX_STR("user")) &&
           (is_reply_to_user(s, user) || begins_with_user(s, user) ||
            mx_str_ieq(s, user) || is_comma_user(s, user));
}

static bool is_control(unsigned char c)
{
    return c < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

/* (HEADER, RATIO, COUNT): bytes that had to be encoded, of all. */
static int check_illegal_chars(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    bool is_raw = mx_str_iends(args[0], MX_STR(":raw"));
    const char *selector = mx_arena_printf(context->arena, "%.*s%s", MX_STR_FMT(args[0]),
                                           is_raw ? "" : ":raw");
    struct mx_str s = eval_header(context, selector);
    size_t illegal = 0, controls = 0, high = 0, exempt = 0;

    (void)n_args;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        controls += is_control(c);
        high += c > 0x7f;
        illegal += is_control(c) || c >= 0x7f;
        exempt += c == 0xa2 || c == 0xa3 || c == 0xae;
    }
    if (text_trim(s, false).n == 0 || (high > 0 && controls == 0 && mx_str_is_utf8(s))) {
        return 0;
    }
    /* One cent, pound or registered sign in a Subject is what people write. */
    if (exempt == 1 && mx_str_ieq(mx_str(selector), MX_STR("subject:raw"))) {
        illegal--;
    }
    return (double)illegal / (double)s.n >= eval_number(args[1]) &&
           (double)illegal >= eval_number(args[2]);
}

/* (HEADER, MIN, MAX): fields of that name with different values. */
static int check_header_count_range(struct eval_context *context,
                                    const struct mx_str *args, size_t n_args)
{
    const struct text_tree *tree = &context->texts->tree;
    struct text_lister seen = {.max = 1000};
    bool is_new;

    (void)n_args;
    for (size_t i = 0; i < tree->n_fields; i++) {
        is_new = mx_str_ieq(tree->fields[i].name, args[0]);
        for (size_t j = 0; is_new && j < seen.n; j++) {
            is_new = !mx_str_eq(seen.v[j], tree->fields[i].value);
        }
        if (is_new) {
            text_lister_add(context->arena, &seen, tree->fields[i].value);
        }
    }
    return (double)seen.n >= eval_number(args[1]) &&
           (double)seen.n <= eval_number(args[2]);
}

static int check_unresolved_template(struct eval_context *context,
                                     const struct mx_str *args, size_t n_args)
{
    struct mx_str rest = eval_header(context, "ALL"), line;

    (void)args;
    (void)n_args;
    while (mx_str_next(&rest, '\n', &line) == 0) {
        if (eval_hit(context, EVAL_TEMPLATE, line) &&
            !eval_hit(context, EVAL_TEMPLATE_EXEMPT, line)) {
            return 1;
        }
    }
    return 0;
}

/* "name" <ADDRESS>, where the message id ends in that address. */
static int check_ratware_name_id(struct eval_context *context, const struct mx_str *args,
                                 size_t n_args)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    struct mx_str from = eval_header(context, "From"), end;
    ptrdiff_t at;

    (void)args;
    (void)n_args;
    if (!eval_regex_find(eval_shared_fixed(context->shared, EVAL_RATWARE_ID),
                         eval_header(context, "MESSAGEID"), 0, groups)) {
        return 0;
    }
    end = mx_str(mx_arena_printf(context->arena, "<%.*s>", MX_STR_FMT(groups[1])));
    at = mx_str_find(from, end);
    if (at < 0) {
        return 0;
    }
    from = text_trim(mx_str_sub(from, 0, (size_t)at), false);
    if (from.n < 3 || from.p[from.n - 1] != '"') {
        return 0;
    }
    at = mx_str_rchr(mx_str_sub(from, 0, from.n - 1), '"');
    return at >= 0 && (size_t)at + 2 < from.n;
}

/* The envelope sender names the recipient: ...toDOMAIN.toUSER@... */
static int check_ratware_envelope_from(struct eval_context *context,
                                       const struct mx_str *args, size_t n_args)
{
    const struct text_lists *lists = &context->texts->settings->lists;
    struct mx_str to = eval_address(context, "To:addr");
    struct mx_str from = eval_address(context, "EnvelopeFrom:addr");
    ptrdiff_t at = mx_str_chr(to, '@');
    struct mx_str user, domain;

    (void)args;
    (void)n_args;
    if (at < 1 || from.n == 0 || eval_hit(context, EVAL_SRS, from)) {
        return 0;
    }
    user = mx_str_sub(to, 0, (size_t)at);
    domain = eval_domain(context, mx_str_sub(to, (size_t)at + 1, to.n));
    if (!text_domain_is_valid(lists, domain)) {
        return 0;
    }
    for (size_t i = 0; i + domain.n + user.n + 2 <= from.n; i++) {
        struct mx_str tail = mx_str_sub(from, i + domain.n + 1, user.n + 1);

        if (mx_str_ieq(mx_str_sub(from, i, domain.n), domain) &&
            (i > 0 && is_word_at(from, i - 1)) != is_word_at(from, i) &&
            tail.p[user.n] == '@' && mx_str_ieq(mx_str_sub(tail, 0, user.n), user)) {
            return 1;
        }
    }
    return 0;
}

/* Software that is known to write message ids of its own. */
static int check_messageid_not_usable(struct eval_context *context,
                                      const struct mx_str *args, size_t n_args)
{
    const struct eval_function *gated =
        rule_eval_find(MX_STR("gated_through_received_hdr_remover"));
    struct mx_str received = eval_header(context, "Received");

    return eval_hit(context, EVAL_LEAVE_LIST, eval_header(context, "List-Unsubscribe")) ||
           gated->run(context, args, n_args) ||
           mx_str_find(received, MX_STR("/CWT/DCE)")) >= 0 ||
           mx_str_find(received, MX_STR("iPlanet Messaging Server")) >= 0;
}

/* Gone from SpamAssassin 4; rules that still name it never hit. */
static int check_for_unique_subject_id(struct eval_context *context,
                                       const struct mx_str *args, size_t n_args)
{
    (void)context;
    (void)args;
    (void)n_args;
    return 0;
}

static int check_for_faraway_charset_in_headers(struct eval_context *context,
                                                const struct mx_str *args, size_t n_args)
{
    static const char *const selectors[] = {"From:raw", "Subject:raw"};
    struct mx_str groups[EVAL_REGEX_CAPTURES];

    (void)args;
    (void)n_args;
    for (size_t i = 0; i < sizeof(selectors) / sizeof(*selectors); i++) {
        struct mx_str s = eval_header(context, selectors[i]);

        for (size_t at = 0; eval_regex_find(
                 eval_shared_fixed(context->shared, EVAL_ENCODED_WORD), s, at, groups);
             at = (size_t)(groups[0].p - s.p) + groups[0].n) {
            if (eval_locale_is_faraway(context, groups[1])) {
                return 1;
            }
        }
    }
    return 0;
}

const struct eval_function eval_header_functions[] = {
    {"check_equal_from_domains", check_equal_from_domains, false, 0, 0},
    {"check_for_matching_env_and_hdr_from", check_for_matching_env_and_hdr_from, false, 0,
     0},
    {"check_for_missing_to_header", check_for_missing_to_header, false, 0, 0},
    {"subject_is_all_caps", subject_is_all_caps, false, 0, 0},
    {"check_for_to_in_subject", check_for_to_in_subject, false, 0, 1},
    {"check_illegal_chars", check_illegal_chars, false, 0, 3},
    {"check_header_count_range", check_header_count_range, false, 0, 3},
    {"check_unresolved_template", check_unresolved_template, false, 0, 0},
    {"check_ratware_name_id", check_ratware_name_id, false, 0, 0},
    {"check_ratware_envelope_from", check_ratware_envelope_from, false, 0, 0},
    {"check_messageid_not_usable", check_messageid_not_usable, false, 0, 0},
    {"check_for_unique_subject_id", check_for_unique_subject_id, false, 0, 0},
    {"check_for_faraway_charset_in_headers", check_for_faraway_charset_in_headers, false,
     0, 0},
    {NULL, NULL, false, 0, 0},
};
