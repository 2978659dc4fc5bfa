/*
 * Data directives, from one table: how a line is cut into entries, under which name it is
 * kept (old names of a directive share the list of the new one), and which directives
 * take entries away again.
 *
 * Lines only append: a removal is an entry too, marked as such. rule_lists_finish then
 * walks each list once with a table of its words, so that no file can make removals cost
 * more than its own length.
 */
#include "rule_list.h"

#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_list_net.h"
#include "rule_names.h"
#include "rule_text.h"
#include "text/text_uri_redirect.h"

#define REDIRECTORS_MAX 1000 /* compiled patterns; stock files have 15 */

/* Two tables of all entries there can be. */
#define SCRATCH_BYTES_MAX ((size_t)RULE_LIST_ENTRIES_MAX * 256)

enum mode {
    WORDS,   /* each word is an entry, lower case */
    LINE,    /* the rest of the line is one entry, as written */
    PATTERN, /* as LINE; it must compile as a redirector */
    PAIR,    /* as LINE, lower case, one space between words; known by its first word */
    VALUE,   /* as LINE; the last one replaces those before */
    NAMED,   /* "(NAME) words" */
    REMOVE,  /* words to take out of the list ${name} */
    REMOVE_NAMED,
    CLEAR,
};

struct directive {
    const char *directive;
    enum mode mode;
    const char *list; /* NULL: the same name */
    const char *name; /* of a named list; NULL: "" or from the line */
};

static const struct directive directives[] = {
    {"freemail_domains", WORDS, NULL, NULL},
    {"freemail_welcomelist", WORDS, NULL, NULL},
    {"freemail_whitelist", WORDS, "freemail_welcomelist", NULL},
    {"freemail_add_describe_email", VALUE, NULL, NULL},
    {"freemail_max_body_emails", VALUE, NULL, NULL},
    {"freemail_max_body_freemails", VALUE, NULL, NULL},
    {"freemail_skip_when_over_max", VALUE, NULL, NULL},
    {"freemail_skip_bulk_envfrom", VALUE, NULL, NULL},
    {"freemail_import_welcomelist_auth", VALUE, NULL, NULL},
    {"freemail_import_whitelist_auth", VALUE, "freemail_import_welcomelist_auth", NULL},
    {"freemail_import_def_welcomelist_auth", VALUE, NULL, NULL},
    {"freemail_import_def_whitelist_auth", VALUE, "freemail_import_def_welcomelist_auth",
     NULL},
    {"util_rb_tld", WORDS, NULL, NULL},
    {"util_rb_2tld", WORDS, NULL, NULL},
    {"util_rb_3tld", WORDS, NULL, NULL},
    {"url_shortener", WORDS, NULL, NULL},
    {"url_shortener_get", WORDS, "url_shortener", NULL},
    {"clear_url_shortener", CLEAR, "url_shortener", NULL},
    {"redirector_pattern", PATTERN, NULL, NULL},
    {"enlist_uri_host", NAMED, NULL, NULL},
    {"delist_uri_host", REMOVE_NAMED, "enlist_uri_host", NULL},
    {"welcomelist_uri_host", WORDS, "enlist_uri_host", "WELCOME"},
    {"whitelist_uri_host", WORDS, "enlist_uri_host", "WELCOME"},
    {"blocklist_uri_host", WORDS, "enlist_uri_host", "BLOCK"},
    {"blacklist_uri_host", WORDS, "enlist_uri_host", "BLOCK"},
    {"enlist_addrlist", NAMED, NULL, NULL},
    {"welcomelist_from", WORDS, NULL, NULL},
    {"whitelist_from", WORDS, "welcomelist_from", NULL},
    {"unwelcomelist_from", REMOVE, "welcomelist_from", NULL},
    {"unwhitelist_from", REMOVE, "welcomelist_from", NULL},
    {"welcomelist_to", WORDS, NULL, NULL},
    {"whitelist_to", WORDS, "welcomelist_to", NULL},
    {"more_spam_to", WORDS, NULL, NULL},
    {"all_spam_to", WORDS, NULL, NULL},
    {"blocklist_from", WORDS, NULL, NULL},
    {"blacklist_from", WORDS, "blocklist_from", NULL},
    {"unblocklist_from", REMOVE, "blocklist_from", NULL},
    {"unblacklist_from", REMOVE, "blocklist_from", NULL},
    {"blocklist_to", WORDS, NULL, NULL},
    {"blacklist_to", WORDS, "blocklist_to", NULL},
    {"welcomelist_subject", LINE, NULL, NULL},
    {"whitelist_subject", LINE, "welcomelist_subject", NULL},
    {"blocklist_subject", LINE, NULL, NULL},
    {"blacklist_subject", LINE, "blocklist_subject", NULL},
    {"welcomelist_from_rcvd", PAIR, NULL, NULL},
    {"whitelist_from_rcvd", PAIR, "welcomelist_from_rcvd", NULL},
    {"def_welcomelist_from_rcvd", PAIR, NULL, NULL},
    {"def_whitelist_from_rcvd", PAIR, "def_welcomelist_from_rcvd", NULL},
    {"unwelcomelist_from_rcvd", REMOVE, "welcomelist_from_rcvd", NULL},
    {"unwhitelist_from_rcvd", REMOVE, "welcomelist_from_rcvd", NULL},
    {"welcomelist_allows_relays", WORDS, NULL, NULL},
    {"whitelist_allows_relays", WORDS, "welcomelist_allows_relays", NULL},
    {"welcomelist_bounce_relays", WORDS, NULL, NULL},
    {"whitelist_bounce_relays", WORDS, "welcomelist_bounce_relays", NULL},
    {"welcomelist_from_dkim", PAIR, NULL, NULL},
    {"whitelist_from_dkim", PAIR, "welcomelist_from_dkim", NULL},
    {"def_welcomelist_from_dkim", PAIR, NULL, NULL},
    {"def_whitelist_from_dkim", PAIR, "def_welcomelist_from_dkim", NULL},
    {"unwelcomelist_from_dkim", REMOVE, "welcomelist_from_dkim", NULL},
    {"unwhitelist_from_dkim", REMOVE, "welcomelist_from_dkim", NULL},
    {"welcomelist_from_spf", WORDS, NULL, NULL},
    {"whitelist_from_spf", WORDS, "welcomelist_from_spf", NULL},
    {"def_welcomelist_from_spf", WORDS, NULL, NULL},
    {"def_whitelist_from_spf", WORDS, "def_welcomelist_from_spf", NULL},
    {"unwelcomelist_from_spf", REMOVE, "welcomelist_from_spf", NULL},
    {"unwhitelist_from_spf", REMOVE, "welcomelist_from_spf", NULL},
    {"welcomelist_auth", WORDS, NULL, NULL},
    {"whitelist_auth", WORDS, "welcomelist_auth", NULL},
    {"def_welcomelist_auth", WORDS, NULL, NULL},
    {"def_whitelist_auth", WORDS, "def_welcomelist_auth", NULL},
    {"unwelcomelist_auth", REMOVE, "welcomelist_auth", NULL},
    {"unwhitelist_auth", REMOVE, "welcomelist_auth", NULL},
    {"trusted_networks", WORDS, NULL, NULL},
    {"clear_trusted_networks", CLEAR, "trusted_networks", NULL},
    {"internal_networks", WORDS, NULL, NULL},
    {"clear_internal_networks", CLEAR, "internal_networks", NULL},
    {"msa_networks", WORDS, NULL, NULL},
    {"clear_msa_networks", CLEAR, "msa_networks", NULL},
    {"originating_ip_headers", WORDS, NULL, NULL},
    {"clear_originating_ip_headers", CLEAR, "originating_ip_headers", NULL},
    {"uridnsbl_skip_domain", WORDS, NULL, NULL},
    {"clear_uridnsbl_skip_domain", CLEAR, "uridnsbl_skip_domain", NULL},
    {"adsp_override", PAIR, NULL, NULL},
    {"bayes_ignore_header", WORDS, NULL, NULL},
    {"bayes_ignore_from", WORDS, NULL, NULL},
    {"bayes_ignore_to", WORDS, NULL, NULL},
    {"envelope_sender_header", VALUE, NULL, NULL},
    {"always_trust_envelope_sender", VALUE, NULL, NULL},
    {"ok_locales", VALUE, NULL, NULL},
    {"ok_languages", VALUE, NULL, NULL},
    {"parse_dkim_uris", VALUE, NULL, NULL},
    {"body_part_scan_size", VALUE, NULL, NULL},
    {"rawbody_part_scan_size", VALUE, NULL, NULL},
    {"fns_add_addrlist", NAMED, "enlist_addrlist", NULL},
    {"fns_ignore_headers", WORDS, NULL, NULL},
    {"fns_ignore_dkim", WORDS, NULL, NULL},
    {"fns_check", VALUE, NULL, NULL},
    {"fns_extrachars", VALUE, NULL, NULL},
    {"uridnsbl", PAIR, NULL, NULL},
    {"uridnssub", PAIR, NULL, NULL},
    {"urirhsbl", PAIR, NULL, NULL},
    {"urirhssub", PAIR, NULL, NULL},
    {"urinsrhsbl", PAIR, NULL, NULL},
    {"urinsrhssub", PAIR, NULL, NULL},
    {"urifullnsrhsbl", PAIR, NULL, NULL},
    {"urifullnsrhssub", PAIR, NULL, NULL},
};

/* util_rb_* of all three levels at once. */
static const char *const boundary_lists[] = {"util_rb_tld", "util_rb_2tld",
                                             "util_rb_3tld"};

struct entry {
    struct mx_str text;
    bool is_removal;
};

struct rule_list_draft {
    struct mx_str directive, name;
    enum mode mode;
    struct entry *v;
    size_t n, room;
    size_t from; /* entries before were cleared */
};

void rule_lists_init(struct rule_lists *lists, struct mx_arena *arena)
{
    *lists = (struct rule_lists){.arena = arena, .names = rule_names_new(arena)};
}

void rule_lists_fini(struct rule_lists *lists)
{
    for (size_t i = 0; i < lists->n; i++) {
        free(lists->drafts[i].v);
    }
    free(lists->drafts);
    rule_names_free(lists->names);
}

static const struct directive *find_directive(struct mx_str directive)
{
    for (size_t i = 0; i < sizeof(directives) / sizeof(*directives); i++) {
        if (mx_str_eq(directive, mx_str(directives[i].directive))) {
            return &directives[i];
        }
    }
    return NULL;
}

bool rule_lists_has(struct mx_str directive)
{
    return mx_str_eq(directive, MX_STR("clear_util_rb")) || find_directive(directive);
}

/* The key of a list: "directive (NAME)". */
static struct mx_str list_key(struct mx_arena *arena, struct mx_str directive,
                              struct mx_str name)
{
    return mx_str(
        mx_arena_printf(arena, "%.*s (%.*s)", MX_STR_FMT(directive), MX_STR_FMT(name)));
}

/* The list ${name} of ${directive}, made where there is none; NULL: too many. */
static struct rule_list_draft *list_of(struct rule_lists *lists, const char *directive,
                                       struct mx_str name, enum mode mode)
{
    struct mx_str key = list_key(lists->arena, mx_str(directive), name);
    ptrdiff_t i = rule_names_find(lists->names, key);

    if (i >= 0) {
        return &lists->drafts[i];
    }
    if (lists->n == RULE_LISTS_MAX) {
        return NULL;
    }
    if (lists->n == lists->room) {
        lists->room = lists->room ? lists->room * 2 : 64;
        lists->drafts = mx_xrealloc(lists->drafts, lists->room * sizeof(*lists->drafts));
    }
    rule_names_set(lists->names, key, lists->n);
    lists->drafts[lists->n] = (struct rule_list_draft){
        .directive = mx_str(directive), .name = name, .mode = mode};
    return &lists->drafts[lists->n++];
}

static int append(struct rule_lists *lists, struct rule_list_draft *draft,
                  struct entry entry, struct mx_err *err)
{
    if (!draft || lists->n_entries == RULE_LIST_ENTRIES_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "too many list entries");
    }
    if (draft->n == draft->room) {
        draft->room = draft->room ? draft->room * 2 : 16;
        draft->v = mx_xrealloc(draft->v, draft->room * sizeof(*draft->v));
    }
    draft->v[draft->n++] = entry;
    lists->n_entries++;
    return 0;
}

static int append_words(struct rule_lists *lists, struct rule_list_draft *draft,
                        struct mx_str words, bool is_removal, struct mx_err *err)
{
    struct mx_str rest = mx_str_lower(lists->arena, words), word;

    while ((word = rule_text_word(&rest)).n > 0) {
        struct entry entry = {.text = word, .is_removal = is_removal};

        if (append(lists, draft, entry, err)) {
            return -1;
        }
    }
    return 0;
}

/* "a  B c" -> "a b c" */
static struct mx_str single_spaced(struct mx_arena *arena, struct mx_str line)
{
    struct mx_str rest = mx_str_lower(arena, line), word;
    char *text = mx_arena_alloc(arena, line.n + 1);
    size_t n = 0;

    while ((word = rule_text_word(&rest)).n > 0) {
        if (n > 0) {
            text[n++] = ' ';
        }
        for (size_t i = 0; i < word.n; i++) {
            text[n++] = word.p[i];
        }
    }
    return mx_str_of(text, n);
}

/* "(NAME) rest": cut the name off ${value}; false where it does not begin so. */
static bool take_list_name(struct mx_str *value, struct mx_str *name)
{
    ptrdiff_t end = mx_str_chr(*value, ')');

    if (value->n == 0 || value->p[0] != '(' || end < 2) {
        return false;
    }
    *name = mx_str_sub(*value, 1, (size_t)end - 1);
    *value = rule_text_trim(mx_str_sub(*value, (size_t)end + 1, value->n));
    return true;
}

static void clear(struct rule_lists *lists, const char *directive)
{
    struct rule_list_draft *draft = list_of(lists, directive, MX_STR(""), WORDS);

    if (draft) {
        draft->from = draft->n;
    }
}

/* Take words out of one named list, or where no name is given, of all. */
static int remove_named(struct rule_lists *lists, const struct directive *directive,
                        struct mx_str value, struct mx_err *err)
{
    struct mx_str name;

    if (take_list_name(&value, &name)) {
        return append_words(lists, list_of(lists, directive->list, name, NAMED), value,
                            true, err);
    }
    for (size_t i = 0; i < lists->n; i++) {
        if (mx_str_eq(lists->drafts[i].directive, mx_str(directive->list)) &&
            append_words(lists, &lists->drafts[i], value, true, err)) {
            return -1;
        }
    }
    return 0;
}

/* A broken pattern is told where it is written; the rest must not fail with it. */
static int append_redirector(struct rule_lists *lists, struct rule_list_draft *draft,
                             struct mx_str pattern, struct mx_err *err)
{
    const struct text_list one = {&pattern, 1};
    struct text_redirectors *compiled = NULL;

    if (draft && draft->n >= REDIRECTORS_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "more than %d patterns", REDIRECTORS_MAX);
    }
    if (text_redirectors_new(&one, &compiled, err)) {
        return -1;
    }
    text_redirectors_free(compiled);
    return append(lists, draft, (struct entry){.text = pattern}, err);
}

static int take_value(struct rule_lists *lists, const struct directive *directive,
                      struct mx_str value, struct mx_err *err)
{
    struct mx_str name = mx_str(directive->name ? directive->name : "");
    const char *list = directive->list ? directive->list : directive->directive;
    bool is_removal = directive->mode == REMOVE;
    struct rule_list_draft *draft;
    struct entry entry = {.text = value};

    if (directive->mode == REMOVE_NAMED) {
        return remove_named(lists, directive, value, err);
    }
    if (directive->mode == NAMED && !take_list_name(&value, &name)) {
        return mx_err_set(err, MX_ERR_INPUT, "(NAME) and words expected");
    }
    draft = list_of(lists, list, name, directive->mode);
    switch (directive->mode) {
    case VALUE: clear(lists, list); return append(lists, draft, entry, err);
    case LINE: return append(lists, draft, entry, err);
    case PATTERN: return append_redirector(lists, draft, value, err);
    case PAIR:
        entry.text = single_spaced(lists->arena, value);
        return append(lists, draft, entry, err);
    default: return append_words(lists, draft, value, is_removal, err);
    }
}

int rule_lists_take(struct rule_lists *lists, struct mx_str directive,
                    struct mx_str value, struct mx_err *err)
{
    const struct directive *found = find_directive(directive);

    if (!found) { /* clear_util_rb */
        for (size_t i = 0; i < sizeof(boundary_lists) / sizeof(*boundary_lists); i++) {
            clear(lists, boundary_lists[i]);
        }
        return 0;
    }
    if (found->mode == CLEAR) {
        clear(lists, found->list);
        return 0;
    }
    if (value.n == 0) {
        return mx_err_set(err, MX_ERR_INPUT, "no value");
    }
    return take_value(lists, found, value, err);
}

/* ---- finishing ---- */

/* What an entry is known by: "!host" and "host" are one, a pair is its first word. */
static struct mx_str entry_key(const struct rule_list_draft *draft, struct mx_str text)
{
    struct mx_str rest = text;

    if (draft->mode == PAIR) {
        text = rule_text_word(&rest);
    }
    return mx_str_starts(text, MX_STR("!")) ? mx_str_sub(text, 1, text.n) : text;
}

/* Entries behind the last removal of their key; of equal entries the first. */
static struct text_list resolve(struct mx_arena *arena,
                                const struct rule_list_draft *draft)
{
    struct mx_arena *scratch = mx_arena_new(SCRATCH_BYTES_MAX);
    struct rule_names *removed = rule_names_new(scratch), *seen = rule_names_new(scratch);
    struct text_list list = {0};

    for (size_t i = draft->from; i < draft->n; i++) {
        if (draft->v[i].is_removal) {
            rule_names_set(removed, entry_key(draft, draft->v[i].text), i);
        }
    }
    list.v = mx_arena_array(arena, draft->n - draft->from + 1, sizeof(*list.v));
    for (size_t i = draft->from; i < draft->n; i++) {
        struct mx_str text = draft->v[i].text;

        if (draft->v[i].is_removal || rule_names_find(seen, text) >= 0 ||
            rule_names_find(removed, entry_key(draft, text)) > (ptrdiff_t)i) {
            continue;
        }
        rule_names_set(seen, text, i);
        list.v[list.n++] = text;
    }
    rule_names_free(removed);
    rule_names_free(seen);
    mx_arena_free(scratch);
    return list;
}

static int by_bytes(const void *a, const void *b)
{
    return mx_str_icmp(*(const struct mx_str *)a, *(const struct mx_str *)b);
}

/* A sorted copy of the list ${directive}, for bsearch; NULL: nothing is in it. */
static const struct text_list *sorted(const struct rule_set *set, const char *directive)
{
    const struct rule_list *list = rule_list_find(set, directive, MX_STR(""));
    struct text_list *out;

    if (!list || list->entries.n == 0) {
        return NULL;
    }
    out = mx_arena_alloc(set->arena, sizeof(*out));
    out->v = mx_arena_array(set->arena, list->entries.n + 1, sizeof(*out->v));
    out->n = list->entries.n;
    for (size_t i = 0; i < out->n; i++) {
        out->v[i] = list->entries.v[i];
    }
    qsort(out->v, out->n, sizeof(*out->v), by_bytes);
    return out;
}

/* The value of ${directive}; "" where no file gives one. */
static struct mx_str value_of(const struct rule_set *set, const char *directive)
{
    const struct rule_list *list = rule_list_find(set, directive, MX_STR(""));

    return list && list->entries.n > 0 ? list->entries.v[list->entries.n - 1]
                                       : MX_STR("");
}

/* A size: 0 is none, which is SIZE_MAX for texts; out: 0 where nothing is said. */
static int take_size(const struct rule_set *set, const char *directive, size_t *out,
                     struct mx_err *err)
{
    struct mx_str value = value_of(set, directive);
    int64_t n = 0;

    if (value.n == 0) {
        return 0;
    }
    if (mx_str_to_int(value, 0, INT32_MAX, &n, err)) {
        return mx_err_wrap(err, "%s", directive);
    }
    *out = n > 0 ? (size_t)n : SIZE_MAX;
    return 0;
}

static int take_texts(struct rule_set *set, struct mx_err *err)
{
    struct text_settings *text = &set->text;
    struct mx_str header = value_of(set, "envelope_sender_header");
    int body = take_size(set, "body_part_scan_size", &text->body_part_max, err);
    int rawbody = take_size(set, "rawbody_part_scan_size", &text->rawbody_part_max, err);

    if (header.n > 0 && header.p[header.n - 1] == ':') {
        header.n--;
    }
    text->envelope_header = header;
    return body || rawbody ? -1 : 0;
}

/* Of the last clear_originating_ip_headers on, maybe none; NULL: never mentioned. */
static const struct text_list *originating(const struct rule_set *set)
{
    const struct rule_list *list =
        rule_list_find(set, "originating_ip_headers", MX_STR(""));

    return list ? &list->entries : NULL;
}

/* Each pattern has been compiled alone before, so all of them compile. */
static int compile_redirectors(struct rule_set *set, struct mx_err *err)
{
    const struct rule_list *list = rule_list_find(set, "redirector_pattern", MX_STR(""));
    struct text_redirectors *compiled = NULL;

    if (!list || list->entries.n == 0) {
        return 0;
    }
    if (text_redirectors_new(&list->entries, &compiled, err)) {
        return -1;
    }
    set->text.lists.redirectors = compiled;
    return 0;
}

int rule_lists_finish(struct rule_lists *lists, struct rule_set *set, struct mx_err *err)
{
    struct rule_list *out =
        mx_arena_array(set->arena, lists->n + 1, sizeof(struct rule_list));

    for (size_t i = 0; i < lists->n; i++) {
        out[i] = (struct rule_list){
            .directive = lists->drafts[i].directive,
            .name = lists->drafts[i].name,
            .entries = resolve(set->arena, &lists->drafts[i]),
        };
    }
    set->lists = out;
    set->n_lists = lists->n;
    set->text.lists.tlds = sorted(set, "util_rb_tld");
    set->text.lists.two_level = sorted(set, "util_rb_2tld");
    set->text.lists.three_level = sorted(set, "util_rb_3tld");
    set->text.lists.originating = originating(set);
    int texts = take_texts(set, err);
    int nets = rule_list_nets(set, err);

    return compile_redirectors(set, err) || texts || nets ? -1 : 0;
}
