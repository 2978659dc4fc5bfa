/*
 * CONTENT: one SMTP reply and one set of edits out of the recipients' verdicts.
 */
#ifndef POLICY_OUTCOME_H
#define POLICY_OUTCOME_H

#include <stddef.h>

#include "policy_chain.h"

struct mx_arena;
struct mx_metrics;

/* What becomes of one recipient's copy. */
enum policy_copy {
    POLICY_COPY_DELIVER,
    POLICY_COPY_TAG,
    POLICY_COPY_FOLDER,
    POLICY_COPY_REFUSE,
    POLICY_COPY_DISCARD,
    POLICY_COPIES,
};

enum policy_edit_kind {
    POLICY_ADD_HEADER,
    POLICY_REMOVE_RCPT, /* name: the verbatim path */
    POLICY_ADD_RCPT,    /* name: the path, value: ESMTP arguments */
};

struct policy_edit {
    enum policy_edit_kind kind;
    struct mx_str name, value;
};

#define POLICY_OUTCOME_HEADERS 5

struct policy_outcome {
    struct policy_verdict verdict; /* of the message: the final reply */
    const char *module;            /* that decided it; NULL: nobody objected */
    enum policy_copy *copies;      /* one per result of the check */
    size_t counts[POLICY_COPIES];
    size_t
        n_overruled; /* wanted a refusal and get the message tagged: mixed recipients */
    const char *status; /* X-Mxdrop-Status */
    struct policy_edit *edits;
    size_t n_edits;
};

/**
 * policy_outcome_fold(check, out):
 * Combine the results of a check at CONTENT. policy_outcome.c has the rules.
 * Owner:  ${out} points into the request's arena.
 */
void policy_outcome_fold(const struct policy_check *check, struct policy_outcome *out);

struct mx_counter;

/* The counters of the old installation, under their old names. */
struct policy_outcome_counters {
    struct mx_counter *spam_scanned;   /* messages that were scanned */
    struct mx_counter *spam_block;     /* recipients' copies refused as spam */
    struct mx_counter *spam_realtag;   /* recipients' copies delivered with a mark */
    struct mx_counter *spam_realdir;   /* recipients' copies put into the junk folder */
    struct mx_counter *sa_spamnodnsbl; /* messages that are spam without DNSBL points */
    struct mx_counter *virus;          /* messages with malware */
    struct mx_counter *reject_tempquota, *reject_permquota; /* recipients over quota */
};

/** policy_outcome_counters_init(out, metrics): find or make them. */
void policy_outcome_counters_init(struct policy_outcome_counters *out,
                                  struct mx_metrics *metrics);

/** policy_outcome_count(counters, check, outcome): add one check; ${outcome} is of
 * CONTENT, NULL otherwise. */
void policy_outcome_count(const struct policy_outcome_counters *counters,
                          const struct policy_check *check,
                          const struct policy_outcome *outcome);

/** policy_copy_name(copy): "deliver", "tag", "folder", "refuse", "discard". */
const char *policy_copy_name(enum policy_copy copy);

#endif
