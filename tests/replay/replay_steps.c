/*
 * Commands of a replay that take one line. A request is made as a shim makes it, encoded,
 * decoded, walked and answered by the daemon's own code; expectations look at the encoded
 * reply and at the log, so they see what a shim and an operator see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_log.h"
#include "mx_net.h"
#include "mxp_pack.h"
#include "policy_chain.h"
#include "policy_log.h"
#include "policy_maps.h"
#include "policy_outcome.h"
#include "policy_reply.h"
#include "policy_request.h"
#include "replay.h"
#include "store_mem.h"

#define RCPTS_MAX 64
#define FINDINGS_MAX 200

/* A request while its words are read. */
struct asking {
    struct replay *replay;
    Mxp__PolicyRequest request;
    Mxp__Recipient *rcpts[RCPTS_MAX];
    Mxp__ScanReply scan;
    Mxp__Finding *findings[FINDINGS_MAX];
    char *viruses[8];
    Mxp__File *files[8];
    bool is_unscanned;
    int64_t deadline_ms;
};

static struct mx_str next_word(struct mx_str *rest)
{
    struct mx_str word = MX_STR("");
    *rest = mx_str_trim(*rest);
    if (mx_str_next(rest, ' ', &word) < 0)
        return MX_STR("");
    *rest = mx_str_trim(*rest);
    return word;
}

static int64_t number(const struct replay *replay, struct mx_str text)
{
    int64_t value;
    if (mx_str_to_int(text, -1000000, 1000000000, &value, NULL) < 0)
        replay_fail(replay, "'%.*s' is no number", MX_STR_FMT(text));
    return value;
}

static char *cstr(struct replay *replay, struct mx_str text)
{
    return mx_arena_dup(replay->arena, text.p ? text.p : "", text.n);
}

/* ---- ask -----------------------------------------------------------------------------
 */

static void set_client(struct asking *a, struct mx_str value)
{
    struct mx_net *net = mx_arena_alloc(a->replay->arena, sizeof(*net));
    struct mx_err err;
    if (mx_net_parse(value, net, &err) < 0)
        replay_fail(a->replay, "%s", err.text);
    a->request.client_addr = mxp_bytes(mx_str_of(net->addr, net->family == 4 ? 4u : 16u));
}

static void add_remembered(struct asking *a, Mxp__Recipient *rcpt)
{
    struct replay *replay = a->replay;
    for (size_t i = 0; i < replay->n_marks; i++) {
        if (!mx_str_eq(mx_str(replay->marks[i].path), mxp_str(rcpt->path)))
            continue;
        rcpt->rewritten = mxp_bytes(mx_str(replay->marks[i].rewritten));
        for (size_t k = 0; k < replay->marks[i].n; k++)
            rcpt->marks[rcpt->n_marks++] = replay->marks[i].marks[k];
    }
}

static void add_rcpt(struct asking *a, struct mx_str value)
{
    Mxp__Recipient *rcpt = mx_arena_alloc(a->replay->arena, sizeof(*rcpt));
    mxp__recipient__init(rcpt);
    rcpt->path = mxp_bytes(value);
    rcpt->marks = mx_arena_array(a->replay->arena, 16, sizeof(char *));
    if (a->request.stage == MXP__STAGE__STAGE_RCPT) {
        a->request.rcpt = rcpt;
        return;
    }
    if (a->request.n_rcpts == RCPTS_MAX)
        replay_fail(a->replay, "too many recipients");
    add_remembered(a, rcpt);
    a->rcpts[a->request.n_rcpts++] = rcpt;
}

static void add_symbol(struct asking *a, struct mx_str value)
{
    ptrdiff_t colon = mx_str_rchr(value, ':');
    Mxp__Finding *finding = mx_arena_alloc(a->replay->arena, sizeof(*finding));
    if (colon < 0 || a->scan.n_findings == FINDINGS_MAX)
        replay_fail(a->replay, "symbol=NAME:SCORE, at most %d", FINDINGS_MAX);
    mxp__finding__init(finding);
    finding->symbol = cstr(a->replay, mx_str_sub(value, 0, (size_t)colon));
    finding->score =
        strtod(cstr(a->replay, mx_str_sub(value, (size_t)colon + 1, value.n)), NULL);
    a->scan.score += finding->score;
    a->findings[a->scan.n_findings++] = finding;
}

static void add_file(struct asking *a, struct mx_str value)
{
    Mxp__File *file = mx_arena_alloc(a->replay->arena, sizeof(*file));
    if (a->scan.n_files == 8)
        replay_fail(a->replay, "at most 8 files");
    mxp__file__init(file);
    file->name = mxp_bytes(value);
    a->files[a->scan.n_files++] = file;
}

/* What the scanner saw of the file that was named last. */
static Mxp__File *last_file(struct asking *a)
{
    if (a->scan.n_files == 0)
        replay_fail(a->replay, "file= comes before its type= and depth=");
    return a->files[a->scan.n_files - 1];
}

static void set_word(struct asking *a, struct mx_str key, struct mx_str value)
{
    struct replay *replay = a->replay;
    Mxp__PolicyRequest *r = &a->request;
    const char *name = mx_str_cstr(replay->arena, key);
    if (strcmp(name, "id") == 0)
        r->id = cstr(replay, value);
    else if (strcmp(name, "client") == 0)
        set_client(a, value);
    else if (strcmp(name, "name") == 0)
        r->client_name = mxp_bytes(value);
    else if (strcmp(name, "helo") == 0)
        r->helo = mxp_bytes(value);
    else if (strcmp(name, "from") == 0)
        r->sender = mxp_bytes(value);
    else if (strcmp(name, "to") == 0)
        add_rcpt(a, value);
    else if (strcmp(name, "auth") == 0)
        r->auth_user = cstr(replay, value);
    else if (strcmp(name, "tempfailed") == 0)
        r->tempfailed_rcpts = (uint32_t)number(replay, value);
    else if (strcmp(name, "score") == 0)
        a->scan.score = strtod(cstr(replay, value), NULL);
    else if (strcmp(name, "virus") == 0 && a->scan.n_viruses < 8)
        a->viruses[a->scan.n_viruses++] = cstr(replay, value);
    else if (strcmp(name, "symbol") == 0)
        add_symbol(a, value);
    else if (strcmp(name, "file") == 0)
        add_file(a, value);
    else if (strcmp(name, "type") == 0)
        last_file(a)->type = cstr(replay, value);
    else if (strcmp(name, "depth") == 0)
        last_file(a)->archive_depth = (uint32_t)number(replay, value);
    else if (strcmp(name, "size") == 0)
        r->size = (uint64_t)number(replay, value);
    else if (strcmp(name, "poison") == 0)
        a->scan.is_poison = true;
    else if (strcmp(name, "explain") == 0)
        r->explain = true;
    else if (strcmp(name, "deadline") == 0)
        a->deadline_ms = number(replay, value);
    else if (strcmp(name, "unscanned") == 0) {
        a->is_unscanned = true;
        r->scan_fault = cstr(replay, value);
    } else
        replay_fail(replay, "ask: there is no key '%s'", name);
}

static Mxp__Stage stage_of(const struct replay *replay, struct mx_str word)
{
    static const char *const names[] = {"", "connect", "helo", "mail", "rcpt", "content"};
    for (int i = 1; i < 6; i++)
        if (mx_str_eq(word, mx_str(names[i])))
            return (Mxp__Stage)i;
    replay_fail(replay, "there is no stage '%.*s'", MX_STR_FMT(word));
}

static void on_done(struct policy_check *check)
{
    struct asking *a = check->user;
    struct policy_outcome fold, *outcome = NULL;
    a->replay->reply = NULL;
    if (check->is_late)
        return;
    if (check->req->stage == POLICY_AT_CONTENT) {
        policy_outcome_fold(check, &fold);
        outcome = &fold;
    }
    const Mxp__PolicyReply *reply = policy_reply_make(check, outcome, 0);
    struct mx_str bytes = mxp_pack(check->req->arena, &reply->base);
    a->replay->reply = (Mxp__PolicyReply *)mxp_unpack(
        a->replay->arena, &mxp__policy_reply__descriptor, bytes, NULL);
    if (!check->is_explain)
        policy_log_verdict(a->replay->log, check, outcome);
}

static void remember_marks(struct replay *replay)
{
    const Mxp__RecipientResult *rcpt = replay->reply ? replay->reply->rcpt : NULL;
    if (rcpt == NULL || replay->n_marks == REPLAY_MARKS)
        return;
    size_t i = replay->n_marks++;
    snprintf(replay->marks[i].path, sizeof(replay->marks[i].path), "%.*s",
             (int)rcpt->path.len, (const char *)rcpt->path.data);
    snprintf(replay->marks[i].rewritten, sizeof(replay->marks[i].rewritten), "%.*s",
             (int)rcpt->rewritten.len, (const char *)rcpt->rewritten.data);
    for (size_t k = 0; k < rcpt->n_marks && k < 4; k++, replay->marks[i].n++)
        snprintf(replay->marks[i].marks[k], sizeof(replay->marks[i].marks[k]), "%s",
                 rcpt->marks[k]);
}

static void send_request(struct asking *a)
{
    struct replay *replay = a->replay;
    struct policy_wish *wish = mx_arena_alloc(replay->arena, sizeof(*wish));
    struct mx_str payload = mxp_pack(replay->arena, &a->request.base);
    struct mx_err err;
    struct store_stats before, after;
    if (replay->chain == NULL)
        replay_fail(replay, "ask without config");
    if (policy_request_decode(replay->arena, payload,
                              policy_chain_delimiter(replay->chain), wish, &err) < 0)
        replay_fail(replay, "request: %s", err.text);
    wish->req.now_ms = replay->clock.now_ms;
    struct policy_check check = {.req = &wish->req,
                                 .store = replay->store,
                                 .deadline_ms = replay->clock.now_ms + a->deadline_ms,
                                 .arrived_us = mx_mono_us(),
                                 .is_explain = wish->is_explain,
                                 .done = on_done,
                                 .user = a};
    store_stats(replay->store, &before);
    policy_chain_run(replay->chain, &check);
    store_stats(replay->store, &after);
    replay->round_trips = after.round_trips - before.round_trips;
    remember_marks(replay);
}

static void do_ask(struct replay *replay, struct mx_str rest)
{
    mx_arena_reset(replay->arena);
    struct asking *a = mx_arena_alloc(replay->arena, sizeof(*a));
    a->replay = replay;
    a->deadline_ms = 2000;
    mxp__policy_request__init(&a->request);
    mxp__scan_reply__init(&a->scan);
    a->request.stage = stage_of(replay, next_word(&rest));
    a->request.rcpts = a->rcpts;
    a->scan.findings = a->findings;
    a->scan.viruses = a->viruses;
    a->scan.files = a->files;
    replay->log_from = lseek(replay->log_fd, 0, SEEK_END);
    while (rest.n) {
        struct mx_str word = next_word(&rest), value = MX_STR_NONE;
        ptrdiff_t at = mx_str_chr(word, '=');
        if (at >= 0)
            value = mx_str_sub(word, (size_t)at + 1, word.n);
        set_word(a, at < 0 ? word : mx_str_sub(word, 0, (size_t)at), value);
    }
    if (a->request.stage == MXP__STAGE__STAGE_CONTENT && !a->is_unscanned)
        a->request.scan = &a->scan;
    send_request(a);
}

/* ---- expectations
 * ---------------------------------------------------------------------- */

static const char *action_name(Mxp__Action action)
{
    static const char *const names[] = {"continue", "reject", "tempfail", "discard",
                                        "hold"};
    return (unsigned)action < 5 ? names[action] : "unknown";
}

/* "continue", "450 4.7.1", "late"; then module=, reason=, anything else is text. */
static void do_expect(struct replay *replay, struct mx_str rest)
{
    const Mxp__PolicyReply *r = replay->reply;
    if (r == NULL) {
        if (!mx_str_eq(rest, MX_STR("late")))
            replay_fail(replay, "the request was dropped as late");
        return;
    }
    const char *got =
        r->reply
            ? mx_arena_printf(replay->arena, "%s %u %s module=%s reason=%s text=%.*s",
                              action_name(r->action), r->reply->code, r->reply->enhanced,
                              r->module, r->reason, (int)r->reply->text.len,
                              r->reply->text.data)
            : mx_arena_printf(replay->arena,
                              "%s module=%s reason=%s text=", action_name(r->action),
                              r->module, r->reason);
    struct mx_str spaced = mx_str(mx_arena_printf(replay->arena, " %s ", got));
    while (rest.n) {
        struct mx_str all = rest, word = next_word(&rest);
        if (mx_str_starts(word, MX_STR("text="))) {
            word = mx_str_sub(all, strlen("text="), all.n);
            rest = MX_STR_NONE;
        } else {
            word = mx_str(mx_arena_printf(replay->arena, " %.*s ", MX_STR_FMT(word)));
        }
        if (mx_str_find(spaced, word) < 0)
            replay_fail(replay, "expected '%.*s', got: %s", MX_STR_FMT(mx_str_trim(word)),
                        got);
    }
}

static const Mxp__Edit *find_edit(const struct replay *replay, Mxp__EditKind kind,
                                  struct mx_str name)
{
    for (size_t i = 0; replay->reply && i < replay->reply->n_edits; i++) {
        const Mxp__Edit *edit = replay->reply->edits[i];
        if (edit->kind == kind && mx_str_eq(mxp_str(edit->name), name))
            return edit;
    }
    return NULL;
}

static void do_header(struct replay *replay, struct mx_str rest)
{
    struct mx_str name = next_word(&rest);
    const Mxp__Edit *edit = find_edit(replay, MXP__EDIT_KIND__EDIT_ADD_HEADER, name);
    if (mx_str_eq(rest, MX_STR("-"))) {
        if (edit)
            replay_fail(replay, "header %.*s is there", MX_STR_FMT(name));
        return;
    }
    if (edit == NULL)
        replay_fail(replay, "no header %.*s", MX_STR_FMT(name));
    if (!mx_str_eq(mxp_str(edit->value), rest))
        replay_fail(replay, "expected '%.*s', got '%.*s'", MX_STR_FMT(rest),
                    (int)edit->value.len, (const char *)edit->value.data);
}

static void do_outcome(struct replay *replay, struct mx_str rest)
{
    static const char *const names[] = {"deliver", "tag",     "folder",
                                        "refuse",  "discard", "quarantine"};
    struct mx_str path = next_word(&rest);
    for (size_t i = 0; replay->reply && i < replay->reply->n_outcomes; i++) {
        const Mxp__RecipientResult *result = replay->reply->outcomes[i];
        if (!mx_str_eq(mxp_str(result->path), path))
            continue;
        if (!mx_str_eq(rest, mx_str(names[result->outcome])))
            replay_fail(replay, "expected %.*s, got %s", MX_STR_FMT(rest),
                        names[result->outcome]);
        return;
    }
    replay_fail(replay, "no outcome for %.*s", MX_STR_FMT(path));
}

static void do_removed(struct replay *replay, struct mx_str path)
{
    if (find_edit(replay, MXP__EDIT_KIND__EDIT_REMOVE_RCPT, path) == NULL)
        replay_fail(replay, "%.*s stays", MX_STR_FMT(path));
}

static void do_added(struct replay *replay, struct mx_str path)
{
    if (find_edit(replay, MXP__EDIT_KIND__EDIT_ADD_RCPT, path) == NULL)
        replay_fail(replay, "%.*s is not added", MX_STR_FMT(path));
}

static void do_degraded(struct replay *replay, struct mx_str wanted)
{
    const char *got = "";
    for (size_t i = 0; replay->reply && i < replay->reply->n_degraded; i++)
        got = mx_arena_printf(replay->arena, "%s%s%s", got, i ? "," : "",
                              replay->reply->degraded[i]);
    if (!mx_str_eq(mx_str(*got ? got : "-"), wanted))
        replay_fail(replay, "expected degraded %.*s, got %s", MX_STR_FMT(wanted),
                    *got ? got : "-");
}

/* A line of the log that holds every word. */
static bool has_line(struct mx_str text, struct mx_str words)
{
    struct mx_str line;
    while (mx_str_next(&text, '\n', &line) == 0) {
        struct mx_str rest = words;
        bool has_all = true;
        while (rest.n && has_all)
            has_all = mx_str_find(line, next_word(&rest)) >= 0;
        if (has_all)
            return true;
    }
    return false;
}

static void do_log(struct replay *replay, struct mx_str words)
{
    const char *text = replay_log(replay);
    bool must_miss = mx_str_starts(words, MX_STR("- "));
    struct mx_str wanted = must_miss ? mx_str_sub(words, 2, words.n) : words;
    if (has_line(mx_str(text), wanted) == must_miss)
        replay_fail(replay, "%s '%.*s' in the log:\n%s",
                    must_miss ? "unwanted" : "no line", MX_STR_FMT(wanted), text);
}

/* "trace MODULE STEP [text of an answer or the verdict]". */
static void do_trace(struct replay *replay, struct mx_str rest)
{
    struct mx_str module = next_word(&rest), step = next_word(&rest);
    for (size_t i = 0; replay->reply && i < replay->reply->n_trace; i++) {
        const Mxp__Trace *trace = replay->reply->trace[i];
        if (!mx_str_eq(mx_str(trace->module), module))
            continue;
        const char *got = trace->verdict;
        for (size_t k = 0; k < trace->n_answers; k++)
            got = mx_arena_printf(replay->arena, "%s; %s", got, trace->answers[k]);
        /* "not reached" is one step in two words. */
        if (!mx_str_starts(mx_str(trace->step), step) ||
            mx_str_find(mx_str(got), rest) < 0)
            replay_fail(replay, "got: %s %s", trace->step, got);
        return;
    }
    replay_fail(replay, "no trace of %.*s", MX_STR_FMT(module));
}

static void do_round_trips(struct replay *replay, struct mx_str rest)
{
    if ((int64_t)replay->round_trips != number(replay, rest))
        replay_fail(replay, "got %llu", (unsigned long long)replay->round_trips);
}

/* ---- the world
 * --------------------------------------------------------------------------- */

static void do_clock(struct replay *replay, struct mx_str rest)
{
    int64_t ms;
    struct mx_err err;
    if (!mx_str_starts(rest, MX_STR("+")) ||
        mx_duration_parse(mx_str_sub(rest, 1, rest.n), &ms, &err) < 0)
        replay_fail(replay, "clock +DURATION");
    replay->clock.now_ms += ms;
}

/* "MAILBOX LIMIT USED [IDLE]", in bytes; how long ago the owner was seen. */
static void set_quota(struct replay *replay, struct mx_str rest)
{
    const char *mailbox = mx_str_cstr(replay->arena, next_word(&rest));
    int64_t limit = number(replay, next_word(&rest)), idle_ms = 0;
    struct store_mem_quota quota = {.limit = limit,
                                    .used = number(replay, next_word(&rest))};
    struct mx_err err = {0};
    if (rest.n > 0 && mx_duration_parse(rest, &idle_ms, &err) < 0)
        replay_fail(replay, "store quota MAILBOX LIMIT USED [IDLE]: %s", err.text);
    if (idle_ms > 0)
        quota.active_ms = replay->clock.now_ms - idle_ms;
    store_mem_quota(replay->store, mailbox, &quota);
}

/* "SCOPE [KEY=VALUE...]": all that it chose. */
static void set_prefs(struct replay *replay, struct mx_str rest)
{
    const char *scope = mx_str_cstr(replay->arena, next_word(&rest));
    struct store_prefs prefs = {0};
    while (rest.n > 0) {
        struct mx_str word = next_word(&rest);
        ptrdiff_t at = mx_str_chr(word, '=');
        struct mx_str name = at < 0 ? word : mx_str_sub(word, 0, (size_t)at);
        enum store_pref pref;
        struct mx_err err;
        if (store_pref_find(name, &pref, &err) < 0 ||
            store_prefs_parse(pref, mx_str_sub(word, name.n + 1, word.n), &prefs, &err) <
                0)
            replay_fail(replay, "%s", err.text);
    }
    store_mem_prefs(replay->store, scope, &prefs);
}

static void do_store(struct replay *replay, struct mx_str rest)
{
    const char *verb = mx_str_cstr(replay->arena, next_word(&rest));
    struct mx_str scope = rest;
    if (strcmp(verb, "flush") == 0) {
        store_mem_flush(replay->store);
    } else if (strcmp(verb, "mend") == 0) {
        store_mem_break(replay->store, NULL);
    } else if (strcmp(verb, "quota") == 0) {
        set_quota(replay, rest);
    } else if (strcmp(verb, "prefs") == 0) {
        set_prefs(replay, rest);
    } else if (strcmp(verb, "break") == 0) {
        store_mem_break(replay->store, "store down");
    } else {
        scope = next_word(&rest);
        enum store_listing listing = strcmp(verb, "allow") == 0  ? STORE_ALLOWED
                                     : strcmp(verb, "deny") == 0 ? STORE_DENIED
                                                                 : STORE_NOT_LISTED;
        if (listing == STORE_NOT_LISTED && strcmp(verb, "remove") != 0)
            replay_fail(replay, "store allow|deny|remove|quota|prefs|break|mend|flush");
        store_mem_list(replay->store, mx_str_cstr(replay->arena, scope),
                       mx_str_cstr(replay->arena, rest), listing);
    }
}

static void on_map_loaded(void *user, size_t file, struct policy_map *map)
{
    struct replay *replay = user;
    policy_chain_swap(replay->chain, file, map);
}

static void on_map_broken(void *user, const char *path, const char *reason)
{
    struct replay *replay = user;
    mx_log(replay->log, MX_LOG_ERROR, "maps.broken", "file=%s error=%s", path, reason);
}

/* Look at the map files, as the daemon does every second. */
static void do_poll(struct replay *replay, struct mx_str rest)
{
    (void)rest;
    replay->log_from = lseek(replay->log_fd, 0, SEEK_END);
    policy_map_files_poll(replay->files, true,
                          &(struct policy_map_watch){.on_loaded = on_map_loaded,
                                                     .on_broken = on_map_broken,
                                                     .user = replay});
}

void replay_step(struct replay *replay, struct mx_str command, struct mx_str rest)
{
    static const struct {
        const char *name;
        void (*run)(struct replay *replay, struct mx_str rest);
    } commands[] = {
        {"ask", do_ask},
        {"expect", do_expect},
        {"header", do_header},
        {"outcome", do_outcome},
        {"removed", do_removed},
        {"added", do_added},
        {"degraded", do_degraded},
        {"log", do_log},
        {"trace", do_trace},
        {"clock", do_clock},
        {"store", do_store},
        {"poll", do_poll},
        {"round-trips", do_round_trips},
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (mx_str_eq(command, mx_str(commands[i].name))) {
            commands[i].run(replay, rest);
            return;
        }
    }
    replay_fail(replay, "there is no command '%.*s'", MX_STR_FMT(command));
}
