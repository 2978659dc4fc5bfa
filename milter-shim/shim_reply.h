/*
 * From a verdict to what the MTA hears: the one place where SMTP replies are made, and
 * the one place where a message is changed.
 */
#ifndef SHIM_REPLY_H
#define SHIM_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;

enum shim_action {
    SHIM_CONTINUE,
    SHIM_HOLD,     /* accept into the MTA's hold queue */
    SHIM_DISCARD,  /* accept and drop */
    SHIM_TEMPFAIL, /* 4xx */
    SHIM_REJECT,   /* 5xx */
};

struct shim_verdict {
    enum shim_action action;
    unsigned code;        /* 0 or of the wrong class: 451 or 550 */
    const char *enhanced; /* "4.7.1"; NULL or of the wrong class: "4.3.0" or "5.7.1" */
    struct mx_str text;   /* anything; lines may be parted by LF */
    const char *module;   /* that decided, for the log; or NULL */
    const char *reason;   /* one word; or NULL */
};

/* What a callback tells libmilter. */
enum shim_status {
    SHIM_STATUS_CONTINUE,
    SHIM_STATUS_REJECT,
    SHIM_STATUS_TEMPFAIL,
    SHIM_STATUS_DISCARD,
    SHIM_STATUS_ACCEPT,
    SHIM_STATUS_SKIP,
    SHIM_STATUS_NOREPLY,
};

#define SHIM_REPLY_LINES 32     /* libmilter's own limit on multi-line replies */
#define SHIM_REPLY_LINE_MAX 510 /* octets of a line with its codes, without CRLF */
#define SHIM_REPLY_RAW_MAX 980  /* octets of a text with its doubled '%': libmilter */

struct shim_reply {
    enum shim_status status;
    char code[4];      /* "" where the status needs none */
    char enhanced[12]; /* "5.7.1" */
    unsigned n;
    const char *lines[SHIM_REPLY_LINES]; /* '%' doubled, printable ASCII */
};

/**
 * shim_reply_format(arena, verdict, out):
 * Code, enhanced code and text of ${verdict}, made to fit each other and the protocol:
 * the class of both codes is that of the action; what is not printable ASCII becomes
 * '?'; long lines are folded at a space.
 * Owner:  the lines live in ${arena} (at most 32 KiB).
 * Source: RFC 5321 4.5.3.1.5 (length), RFC 3463 2 (enhanced codes).
 */
void shim_reply_format(struct mx_arena *arena, const struct shim_verdict *verdict,
                       struct shim_reply *out);

/** shim_reply_stronger(a, b): which of two verdicts is the stricter; ${a} where equal. */
const struct shim_verdict *shim_reply_stronger(const struct shim_verdict *a,
                                               const struct shim_verdict *b);

/*
 * What the MTA lets a filter do. Behind it: libmilter, or a test. Each returns 0, or -1
 * where the MTA refused or never granted it. All but reply and macro: end of message
 * only.
 */
struct shim_mta {
    void *ctx;
    const char *(*macro)(void *ctx, const char *name); /* NULL: not known */
    int (*reply)(void *ctx, const struct shim_reply *reply);
    int (*progress)(void *ctx);
    int (*insert_header)(void *ctx, int index, const char *name, const char *value);
    int (*add_header)(void *ctx, const char *name, const char *value);
    int (*change_header)(void *ctx, const char *name, int index, const char *value);
    int (*add_rcpt)(void *ctx, const char *path, const char *args);
    int (*remove_rcpt)(void *ctx, const char *path);
    int (*quarantine)(void *ctx, const char *reason);
};

/** shim_reply_send(arena, mta, verdict): format, hand to the MTA, and say what to return.
 */
enum shim_status shim_reply_send(struct mx_arena *arena, const struct shim_mta *mta,
                                 const struct shim_verdict *verdict);

/**
 * shim_reply_header_name(arena, name), shim_reply_header_value(arena, value, has_space):
 * The same text as C strings that are safe to hand to an MTA, which checks nothing: CR
 * and NUL go, LF stays only in front of white space (folding), lines are folded at 998
 * octets. ${has_space}: the MTA wants the space behind the colon from us.
 * Fails:  NULL: not a header name (RFC 5322 3.6.8).
 */
const char *shim_reply_header_name(struct mx_arena *arena, struct mx_str name);
const char *shim_reply_header_value(struct mx_arena *arena, struct mx_str value,
                                    bool has_space);

#endif
