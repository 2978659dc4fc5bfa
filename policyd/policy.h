/*
 * What a policy module sees: the one header to read before writing one.
 *
 * A policy is a chain of modules, walked until one takes action. A module has three small
 * functions and none of them waits:
 *
 *   ask      name the questions that this module needs answered for this request
 *   decide   pure: from request and answers to NEXT, DONE with a verdict, or FAIL
 *   record   after the walk is decided, name the effects
 *
 * The chain collects the questions of all modules ahead and asks them in one round trip,
 * walks, handles modes (on, warn, off), failure (on_fail), deadlines, cost, metrics and
 * the log line. A module is one file, one descriptor, one line in policy_table.c.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_addr.h"
#include "mx_conf.h"
#include "mx_net.h"
#include "mx_str.h"
#include "store.h"

struct mx_arena;
struct mx_clock;
struct mx_err;
struct policy_maps;

enum policy_stage {
    POLICY_AT_CONNECT = 1 << 0,
    POLICY_AT_HELO = 1 << 1,
    POLICY_AT_MAIL = 1 << 2,
    POLICY_AT_RCPT = 1 << 3,
    POLICY_AT_CONTENT = 1 << 4,
};

/* A module that says NEXT may set ->mark of its verdict. One that says FAIL may set
   ->reason, and ->action where there is something weaker than what it could not decide:
   that is done instead of nothing with on_fail: next. */
enum policy_step { POLICY_NEXT, POLICY_DONE, POLICY_FAIL };

/* ---- the request: read-only for modules, lives as long as the check -------------- */

struct policy_rcpt {
    struct mx_str path;    /* verbatim RCPT TO text */
    struct mx_addr addr;   /* parsed; addr.text is "" where the path has bad syntax */
    bool is_bad;           /* bad syntax */
    struct mx_str mailbox; /* first mailbox id: what lists, quota and thresholds use */
    const struct mx_str *mailboxes;
    size_t n_mailboxes;
    struct mx_str rewritten; /* CONTENT: "<a@b>,<c@d>" as RCPT said; "" not */
    struct mx_str args;      /* ESMTP arguments that go with every copy: NOTIFY, ORCPT */
    const struct mx_str *marks; /* "allow=user_lists": judgements of RCPT, at CONTENT */
    size_t n_marks;
};

struct policy_finding {
    struct mx_str symbol, detail, detector;
    double score;
};

/* A file of the message under one plausible name: cleaned, lower case, UTF-8. */
struct policy_file {
    struct mx_str name, type;
    unsigned archive_depth; /* 0: attached; more: that deep inside archives */
};

struct policy_scan {
    const struct policy_finding *findings;
    size_t n_findings;
    const struct policy_file *files;
    size_t n_files;
    const struct mx_str *viruses;
    size_t n_viruses;
    double score;
    bool is_poison;
};

struct policy_req {
    enum policy_stage stage;
    struct mx_arena *arena;
    int64_t now_ms; /* wall clock when the check began */
    struct mx_str id, connection;
    struct mx_net client;      /* family 0: not known (local submission) */
    struct mx_str client_name; /* verified reverse name, lower case; "" none */
    struct mx_str helo;
    struct mx_addr sender;     /* from MAIL on */
    struct mx_str sender_path; /* verbatim */
    bool has_bad_sender;       /* bad syntax: sender is empty */
    struct mx_str auth_user;   /* "" not authenticated */
    uint64_t size;             /* 0: not known */
    const struct policy_rcpt
        *rcpt; /* RCPT: asked about; CONTENT: the walk is for this one */
    const struct policy_rcpt *rcpts; /* RCPT: accepted so far; CONTENT: all */
    size_t n_rcpts;
    unsigned tempfailed_rcpts;
    const struct policy_scan *scan; /* CONTENT; NULL: not scanned */
    struct mx_str scan_fault;       /* why not: "down", "timeout" ...; "" */
};

/* ---- questions and answers -------------------------------------------------------- */

struct policy_questions;
struct policy_answers;

#define POLICY_SLOTS_MAX 8 /* questions of one module for one request */

/**
 * policy_ask(out, slot, question):
 * Ask; ${slot} (0 to POLICY_SLOTS_MAX-1, the module's own numbering) finds the answer
 * again. Owner:  what ${question} points to lives in the request's arena.
 */
void policy_ask(struct policy_questions *out, unsigned slot,
                const struct store_question *question);

/**
 * policy_answer(answers, slot):
 * The answer; never NULL. is_known is false for a question that was not asked, is late,
 * or could not be answered.
 */
const struct store_answer *policy_answer(const struct policy_answers *answers,
                                         unsigned slot);

/* ---- verdicts ---------------------------------------------------------------------- */

enum policy_action {
    POLICY_CONTINUE,   /* decided in favour: the rest of the chain is not asked */
    POLICY_TAG,        /* CONTENT: deliver, marked as spam */
    POLICY_FOLDER,     /* CONTENT: deliver to this recipient's junk folder */
    POLICY_QUARANTINE, /* CONTENT: this recipient's copy is kept aside */
    POLICY_HOLD,       /* CONTENT: into the MTA's hold queue */
    POLICY_DISCARD,    /* accept and drop: only where somebody chose it */
    POLICY_TEMPFAIL,   /* 4xx */
    POLICY_REJECT,     /* 5xx */
};

/* What an address means: a module that says NEXT may set it. */
struct policy_rewrite {
    const struct mx_str *mailboxes; /* RCPT: ids that later modules use */
    size_t n_mailboxes;             /* 0: as they were */
    struct mx_str paths; /* "<a@b>,<c@d>": deliver there instead; "" as addressed */
};

struct policy_verdict {
    enum policy_action action;
    unsigned code;        /* SMTP: 450, 550 ...; 0 without a reply */
    const char *enhanced; /* RFC 3463: "4.7.1" */
    struct mx_str text;   /* reply text, one line, any bytes (rendered safely later) */
    const char *reason;   /* one word for log and metrics: "first-seen" */
    const char *mark;     /* RCPT: remembered for CONTENT as "mark=module"; NULL none */
    const struct policy_rewrite *rewrite; /* NEXT only; NULL none */
    const char *notice; /* not FAIL; static: a lasting state that operators must know of;
                           "": it is over; NULL: cannot tell */
    const char *folder; /* FOLDER: goes behind the local part, "+Junk"; static */
    bool is_spam_unlisted; /* CONTENT: spam for this recipient, DNS lists aside */
    bool is_for_all;       /* CONTENT: about the message, whoever gets it (a virus) */
};

/* ---- effects ------------------------------------------------------------------------
 */

struct policy_effects;

/** policy_tell(out, effect): name an effect; sent after the reply, without waiting. */
void policy_tell(struct policy_effects *out, const struct store_effect *effect);

/* ---- the module -----------------------------------------------------------------------
 */

struct policy_env {
    const struct mx_clock *clock;
    const void *settings;     /* the module's own, as ->keys describe them */
    struct policy_maps *maps; /* policy_maps.h: files that are reloaded while we run */
};

struct policy_module {
    const char *name; /* config section, log token, metric label: one word */
    const char *doc;  /* one sentence for docs/CONFIG.md */
    unsigned stages;  /* enum policy_stage bits */
    bool rewrites;    /* changes mailbox ids: stands before modules that ask about them */
    /* Default of the setting: POLICY_NEXT, or POLICY_FAIL for tempfail. */
    enum policy_step on_fail;
    const struct mx_conf_key *keys; /* its settings; ends with a zero key; NULL none */
    size_t settings_size;
    size_t state_size; /* the chain allocates and zeroes it, one per worker */
    int (*start)(void *state, const struct policy_env *env, struct mx_err *err);
    void (*ask)(const void *state, const struct policy_req *req,
                struct policy_questions *out);
    enum policy_step (*decide)(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out);
    void (*record)(const void *state, const struct policy_req *req,
                   const struct policy_answers *answers,
                   const struct policy_verdict *final, struct policy_effects *out);
    void (*stop)(void *state); /* accepts a half-started state */
};

#endif
