/*
 * What we know of a connection and of its current message: a state machine without I/O.
 * Every event copies what the MTA said into arenas, within bounds; nobody is asked and
 * nothing is answered here.
 *
 * Life: connect -> helo* -> (mail -> rcpt* -> header* -> end of header -> body* ->
 * finish)* -> close. A message is forgotten by shim_conn_mail, shim_conn_reset (abort,
 * end, or a verdict on the whole message) and shim_conn_free, whichever comes first; any
 * event may come in any order.
 */
#ifndef SHIM_CONN_H
#define SHIM_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_net.h"
#include "mx_str.h"
#include "shim_conf.h"
#include "shim_reply.h"
#include "shim_spool.h"

struct mx_arena;
struct mx_err;

#define SHIM_CONN_ID_MAX 16       /* bytes of "c" and 12 hex digits, with NUL */
#define SHIM_ID_MAX 28            /* bytes of "<connection>.<n>" with NUL */
#define SHIM_WORD_MAX 1024u       /* octets kept of a name, HELO, macro or argument */
#define SHIM_ARGS_MAX 32u         /* ESMTP arguments of one command */
#define SHIM_MSG_ARENA (4u << 20) /* octets of envelope and header names of a message */
#define SHIM_MACROS_MAX 24u
#define SHIM_WIRE_MAX (2u << 20) /* octets of a reply that we read */

/* What the MTA granted. */
struct shim_features {
    bool has_space; /* header values come with the space behind the colon */
    bool has_skip;
    bool has_rcpt_rej; /* recipients that the MTA refused are reported */
    bool is_quiet;     /* no replies to header fields and to their end */
    bool can_header;   /* add and change */
    bool can_add_rcpt, can_remove_rcpt, can_quarantine;
};

struct shim_macro {
    const char *name; /* static */
    struct mx_str value;
};

struct shim_rcpt {
    struct mx_str path; /* verbatim, with angle brackets, ended by NUL */
    struct mx_str *args;
    size_t n_args;
    /* What policyd said; handed back at the end. */
    char **mailboxes, **marks;
    size_t n_mailboxes, n_marks;
    struct mx_str rewritten;
    const char *split_class; /* "" none */
    bool is_discarded;
};

/* Header fields of ours that somebody else put there. */
struct shim_forged {
    struct mx_str name;
    unsigned count;
};

struct shim_msg {
    bool is_open; /* between MAIL and its end */
    struct mx_arena *arena;
    char id[SHIM_ID_MAX];
    struct mx_str queue_id;
    struct mx_str sender;
    struct mx_str *sender_args;
    size_t n_sender_args;
    const char *auth_user, *auth_type; /* UTF-8; "" none */
    uint64_t size_said;                /* SIZE= of MAIL; 0 unknown */
    struct shim_rcpt *rcpts;
    size_t n_rcpts, rcpts_room;
    unsigned refused, tempfailed; /* recipients, by us */
    struct mx_str *header_names;
    size_t n_headers, headers_room, header_bytes;
    bool is_header_ended;
    struct shim_forged *forged;
    size_t n_forged, forged_room;
    struct shim_spool spool;
    struct shim_verdict pending; /* hold or discard, decided early; or a fault */
    const char *degraded;        /* what could not run, comma separated; or NULL */
    int64_t began_us;
};

struct shim_conn {
    struct shim_settings *settings; /* held */
    struct shim_budget *budget;
    struct shim_features features;
    char id[SHIM_CONN_ID_MAX];
    struct mx_arena *arena;      /* as long as the connection */
    struct mx_arena *helo_arena; /* until the next HELO */
    struct mx_arena *scratch;    /* until the next question */
    struct mx_net addr;          /* family 0: not IP */
    struct mx_str client_name;   /* verified; empty: none */
    struct mx_str helo;
    struct shim_macro macros[SHIM_MACROS_MAX]; /* of connect and HELO */
    size_t n_macros, n_connect_macros;
    struct shim_verdict refusal; /* of CONNECT or HELO, given at HELO and MAIL */
    unsigned missed;             /* SHIM_ASK_ bits: nobody answered yet */
    unsigned messages;
    struct shim_msg msg;
};

/**
 * shim_conn_new(settings, budget, features, serial):
 * A fresh connection whose id is made of ${serial}.
 * Owner:  shim_conn_free; holds ${settings}, borrows ${budget}.
 */
struct shim_conn *shim_conn_new(struct shim_settings *settings,
                                struct shim_budget *budget,
                                const struct shim_features *features, uint64_t serial);
void shim_conn_free(struct shim_conn *conn);

struct sockaddr;

/** shim_conn_connect(conn, name, sa): ${sa} NULL: not IP. "unknown" and "[...]" are no
 * names. */
void shim_conn_connect(struct shim_conn *conn, const char *name,
                       const struct sockaddr *sa);

/** shim_conn_helo(conn, helo): forgets the macros of an earlier HELO. */
void shim_conn_helo(struct shim_conn *conn, const char *helo);

/** shim_conn_macro(conn, name, value): of connect and HELO; ${name} is static. */
void shim_conn_macro(struct shim_conn *conn, const char *name, const char *value);

/**
 * shim_conn_mail(conn, argv, err):
 * Begin a message; what was left of one before is forgotten.
 * Fails:  the budget of all messages is used up (-1; no message is open).
 */
int shim_conn_mail(struct shim_conn *conn, char **argv, struct mx_err *err);

/** shim_conn_auth(conn, user, type): of the open message; NULL: none. */
void shim_conn_auth(struct shim_conn *conn, const char *user, const char *type);

/** shim_conn_queue_id(conn, id): once the MTA has one; NULL: not yet. */
void shim_conn_queue_id(struct shim_conn *conn, const char *id);

/**
 * shim_conn_rcpt(conn, argv, err):
 * The recipient, not yet one of the message.
 * Owner:  the message.
 * Fails:  NULL: too many recipients, no room.
 */
struct shim_rcpt *shim_conn_rcpt(struct shim_conn *conn, char **argv, struct mx_err *err);

/**
 * shim_conn_rcpt_keep(conn, rcpt, err):
 * It was accepted, the one that shim_conn_rcpt gave last; what policyd said of it is
 * copied.
 * Fails:  more than 64 KiB of that, or no room (-1, it is not kept).
 */
int shim_conn_rcpt_keep(struct shim_conn *conn, const struct shim_rcpt *rcpt,
                        struct mx_err *err);

/**
 * shim_conn_header(conn, name, value, err), shim_conn_end_header(conn, err),
 * shim_conn_body(conn, bytes, err):
 * The message itself. Our own header fields are counted instead of kept.
 * Fails:  bounds of the header (MX_ERR_INPUT), the spool (MX_ERR_LIMIT, MX_ERR_SYSTEM)
 *         (-1).
 */
int shim_conn_header(struct shim_conn *conn, const char *name, const char *value,
                     struct mx_err *err);
int shim_conn_end_header(struct shim_conn *conn, struct mx_err *err);
int shim_conn_body(struct shim_conn *conn, struct mx_str bytes, struct mx_err *err);

/** shim_conn_degraded(conn, what): mark the open message. */
void shim_conn_degraded(struct shim_conn *conn, const char *what);

/** shim_conn_header_count(msg, name): instances of ${name} in the header, ours included.
 */
unsigned shim_conn_header_count(const struct shim_msg *msg, struct mx_str name);

/** shim_conn_is_own(name): a header field that only we may set. */
bool shim_conn_is_own(struct mx_str name);

/** shim_conn_reset(conn): forget the message. */
void shim_conn_reset(struct shim_conn *conn);

#endif
