/*
 * access: the postmaster's own files of clients, HELO names, senders and recipients, in
 * the manner of Postfix access(5). Every lookup whose subject is known at a stage is made
 * in the configured order, at that stage and all later ones; the first result that is not
 * DUNNO decides.
 *
 *   OK               the rest of this stage's chain is not asked
 *   ALLOW            OK, and at RCPT exempts this recipient from the spam threshold
 *   REJECT [text]    550 5.7.1; "REJECT 554 5.7.0 text" sets the codes as well
 *   550 5.7.1 text   the same, said in short; 4xx likewise
 *   DEFER [text]     450 4.7.1
 *   DISCARD          accepted and dropped
 *   DUNNO            as if it did not stand in the file
 *
 * No "restriction classes", no HOLD, REDIRECT, PREPEND.
 */
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "policy.h"
#include "policy_maps.h"
#include "policy_verdict.h"

#define LOOKUPS_MAX 64
#define CHECK_ARENA_MAX 8192 /* bytes, for one result while it is checked */

enum subject { CLIENT, HELO, SENDER, RECIPIENT, SUBJECTS };
static const char *const subject_words[SUBJECTS] = {"client", "helo", "sender",
                                                    "recipient"};

struct access_settings {
    struct mx_conf_strings lookups;
};

struct lookup {
    enum subject subject;
    const struct policy_maps_entry *map;
};

struct access {
    size_t n;
    struct lookup v[LOOKUPS_MAX];
};

static const struct mx_conf_key keys[] = {
    {.name = "lookups",
     .type = MX_CONF_STRINGS,
     .offset = offsetof(struct access_settings, lookups),
     .max = LOOKUPS_MAX,
     .doc = "\"SUBJECT KIND:PATH\" each: client, helo, sender or recipient, in a file of "
            "kind cidr, domain, address or regex. Changed files are read again."},
    {0},
};

/* ---- results -------------------------------------------------------------------------
 */

static struct mx_str first_word(struct mx_str s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] != ' ' && s.p[i] != '\t')
        i++;
    return mx_str_sub(s, 0, i);
}

static int refusal(struct mx_arena *arena, enum policy_action action, struct mx_str text,
                   struct policy_verdict *out, struct mx_err *err)
{
    struct policy_verdict v;
    if (action == POLICY_REJECT)
        policy_verdict_reject(&v, "5.7.1", MX_STR("Access denied"), "listed");
    else
        policy_verdict_tempfail(&v, "4.7.1", MX_STR("Access denied for now"), "listed");
    if (policy_verdict_reply_parse(arena, text, &v, err) < 0)
        return -1;
    *out = v;
    return 0;
}

/* What a result of a map says; ${out_step} NEXT for DUNNO. */
static int result_parse(struct mx_arena *arena, struct mx_str value,
                        enum policy_step *out_step, struct policy_verdict *out,
                        struct mx_err *err)
{
    struct mx_str word = first_word(value);
    struct mx_str rest = mx_str_trim(mx_str_sub(value, word.n, value.n));
    int64_t code;
    *out_step = POLICY_DONE;
    if (mx_str_ieq(word, MX_STR("DUNNO"))) {
        *out_step = POLICY_NEXT;
    } else if (mx_str_ieq(word, MX_STR("OK"))) {
        policy_verdict_continue(out, "listed", NULL);
    } else if (mx_str_ieq(word, MX_STR("ALLOW"))) {
        policy_verdict_continue(out, "listed", "allow");
    } else if (mx_str_ieq(word, MX_STR("DISCARD"))) {
        *out = (struct policy_verdict){.action = POLICY_DISCARD, .reason = "listed"};
    } else if (mx_str_ieq(word, MX_STR("REJECT"))) {
        return refusal(arena, POLICY_REJECT, rest, out, err);
    } else if (mx_str_ieq(word, MX_STR("DEFER"))) {
        return refusal(arena, POLICY_TEMPFAIL, rest, out, err);
    } else if (mx_str_to_int(word, 400, 599, &code, NULL) == 0) {
        return refusal(arena, code >= 500 ? POLICY_REJECT : POLICY_TEMPFAIL, value, out,
                       err);
    } else {
        return mx_err_set(
            err, MX_ERR_INPUT,
            "result '%.*s': use OK, ALLOW, REJECT, DEFER, DISCARD, DUNNO or a "
            "reply code",
            (int)(word.n < 40 ? word.n : 40), word.p ? word.p : "");
    }
    return 0;
}

static int check_result(struct mx_str value, struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(CHECK_ARENA_MAX);
    struct policy_verdict verdict;
    enum policy_step step;
    int result = result_parse(arena, value, &step, &verdict, err);
    mx_arena_free(arena);
    return result;
}

/* ---- settings -------------------------------------------------------------------------
 */

static int find_word(struct mx_str word, const char *const *words, size_t n, size_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (mx_str_eq(word, mx_str(words[i]))) {
            *out = i;
            return 0;
        }
    }
    return -1;
}

/* "client cidr:/etc/mxdrop/clients". */
static int lookup_parse(const char *text, enum subject *out_subject,
                        struct policy_map_spec *out, struct mx_err *err)
{
    const char *kinds[POLICY_MAP_KINDS];
    struct mx_str rest = mx_str_trim(mx_str(text)), word = first_word(rest);
    size_t subject, kind;
    for (size_t i = 0; i < POLICY_MAP_KINDS; i++)
        kinds[i] = policy_map_kind_name((enum policy_map_kind)i);
    if (find_word(word, subject_words, SUBJECTS, &subject) < 0)
        return mx_err_set(err, MX_ERR_INPUT,
                          "'%s': begin with client, helo, sender or recipient", text);
    rest = mx_str_trim(mx_str_sub(rest, word.n, rest.n));
    ptrdiff_t colon = mx_str_chr(rest, ':');
    if (colon < 0 ||
        find_word(mx_str_sub(rest, 0, (size_t)colon), kinds, POLICY_MAP_KINDS, &kind) < 0)
        return mx_err_set(err, MX_ERR_INPUT,
                          "'%s': then cidr:, domain:, address: or regex: and a path",
                          text);
    if (kind == POLICY_MAP_CIDR && subject != CLIENT)
        return mx_err_set(err, MX_ERR_INPUT, "'%s': cidr is for clients", text);
    *out_subject = (enum subject)subject;
    *out = (struct policy_map_spec){.kind = (enum policy_map_kind)kind,
                                    .path = rest.p + colon + 1,
                                    .check = check_result};
    return 0;
}

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    const struct access_settings *settings = env->settings;
    struct access *self = state;
    for (size_t i = 0; i < settings->lookups.n; i++) {
        struct policy_map_spec spec;
        struct lookup *lookup = &self->v[i];
        if (lookup_parse(settings->lookups.v[i], &lookup->subject, &spec, err) < 0 ||
            policy_maps_open(env->maps, &spec, &lookup->map, err) < 0)
            return mx_err_wrap(err, "lookups");
        self->n++;
    }
    return 0;
}

/* ---- deciding -------------------------------------------------------------------------
 */

/* The client by address, then by its verified name. */
static enum policy_map_result find_client(const struct policy_map *map,
                                          const struct policy_req *req,
                                          struct mx_str *out)
{
    char text[MX_NET_TEXT_MAX];
    enum policy_map_result result = policy_map_find_net(map, &req->client, out);
    if (result == POLICY_MAP_MISS && req->client_name.n)
        result = policy_map_find_text(map, req->client_name, out);
    if (result == POLICY_MAP_MISS && req->client.family)
        result =
            policy_map_find_text(map, mx_str(mx_net_format(&req->client, text)), out);
    return result;
}

/* An address as it came, then without its detail. The null sender is "<>". */
static enum policy_map_result find_address(const struct policy_map *map,
                                           const struct mx_addr *addr,
                                           struct mx_str mailbox, struct mx_str *out)
{
    struct mx_str text = addr->is_null ? MX_STR("<>") : addr->text;
    enum policy_map_result result = policy_map_find_text(map, text, out);
    if (result == POLICY_MAP_MISS && mailbox.n && !mx_str_eq(mailbox, text))
        result = policy_map_find_text(map, mailbox, out);
    if (result == POLICY_MAP_MISS && addr->domain.n)
        result = policy_map_find_text(map, addr->domain, out);
    return result;
}

static enum policy_map_result find(const struct lookup *lookup,
                                   const struct policy_req *req, struct mx_str *out)
{
    const struct policy_map *map = lookup->map->now;
    switch (lookup->subject) {
    case CLIENT: return find_client(map, req, out);
    case HELO:
        return req->stage >= POLICY_AT_HELO && req->helo.n
                   ? policy_map_find_text(map, req->helo, out)
                   : POLICY_MAP_MISS;
    case SENDER:
        if (req->stage < POLICY_AT_MAIL)
            return POLICY_MAP_MISS;
        if (req->has_bad_sender)
            return policy_map_find_text(map, req->sender_path, out);
        return find_address(map, &req->sender, MX_STR_NONE, out);
    case RECIPIENT:
        if (req->stage < POLICY_AT_RCPT || req->rcpt == NULL || req->rcpt->is_bad)
            return POLICY_MAP_MISS;
        return find_address(map, &req->rcpt->addr, req->rcpt->mailbox, out);
    case SUBJECTS: break;
    }
    return POLICY_MAP_MISS;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct access *self = state;
    (void)answers;
    for (size_t i = 0; i < self->n; i++) {
        struct mx_str value;
        enum policy_step step;
        enum policy_map_result result = find(&self->v[i], req, &value);
        if (result == POLICY_MAP_MISS)
            continue;
        /* Results were checked when the file was read. */
        if (result == POLICY_MAP_BROKEN ||
            result_parse(req->arena, value, &step, out, NULL) < 0) {
            out->reason = "pattern limit";
            return POLICY_FAIL;
        }
        if (step == POLICY_DONE)
            return POLICY_DONE;
    }
    return POLICY_NEXT;
}

const struct policy_module mod_access = {
    .name = "access",
    .doc = "Local files of clients, HELO names, senders and recipients.",
    .stages = POLICY_AT_CONNECT | POLICY_AT_HELO | POLICY_AT_MAIL | POLICY_AT_RCPT |
              POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct access_settings),
    .state_size = sizeof(struct access),
    .start = start,
    .decide = decide,
};
