/*
 * The milter protocol as an MTA speaks it, over a blocking socket: for load generators
 * and for tests where no MTA is installed. One client per thread.
 */
#ifndef MILTER_CLIENT_H
#define MILTER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_err;
struct milter_client;

/* Commands (MTA to filter) and replies, as on the wire. */
enum milter_command {
    MILTER_ABORT = 'A',
    MILTER_BODY = 'B',
    MILTER_CONNECT = 'C',
    MILTER_MACRO = 'D',
    MILTER_EOM = 'E',
    MILTER_HELO = 'H',
    MILTER_QUIT_NC = 'K',
    MILTER_HEADER = 'L',
    MILTER_MAIL = 'M',
    MILTER_EOH = 'N',
    MILTER_OPTNEG = 'O',
    MILTER_QUIT = 'Q',
    MILTER_RCPT = 'R',
    MILTER_DATA = 'T',
    MILTER_UNKNOWN = 'U',
};

#define MILTER_TEXT_MAX 1024  /* bytes kept of a reply's text */
#define MILTER_EDITS_MAX 4096 /* changes kept of one message */

/* One change that the filter asked for: '+' '-' '2' recipients, 'h' 'i' 'm' headers, 'q'.
 */
struct milter_edit {
    char kind;
    uint32_t index;
    char *name, *value; /* "" where there is none */
};

struct milter_reply {
    char code;                  /* 'c' 'r' 't' 'y' 'd' 'a' 's'; 0: none was due */
    char text[MILTER_TEXT_MAX]; /* of 'y' */
    unsigned progress;
};

struct milter_offer {
    uint32_t actions, steps; /* 0: everything that version 6 knows */
};

/**
 * milter_client_open(address, timeout_ms, offer, out, err):
 * Connect ("unix:/path", "inet:port@host") and negotiate.
 * Owner:  milter_client_close, which says QUIT where the filter still listens.
 * Fails:  no filter there, not a milter (-1).
 */
int milter_client_open(const char *address, int timeout_ms,
                       const struct milter_offer *offer, struct milter_client **out,
                       struct mx_err *err);
void milter_client_close(struct milter_client *client);

/** milter_client_macros(client, command, pairs, err): names and values by turns, ends
 * with NULL. */
int milter_client_macros(struct milter_client *client, enum milter_command command,
                         const char *const *pairs, struct mx_err *err);

/**
 * milter_client_send(client, command, bytes, out, err):
 * A command with its raw argument, and the reply where one was negotiated. Steps that
 * the filter asked not to hear of are left out. Changes are kept: milter_client_edits.
 * Fails:  the filter hung up, timeout, a reply that is no milter reply (-1).
 */
int milter_client_send(struct milter_client *client, enum milter_command command,
                       struct mx_str bytes, struct milter_reply *out, struct mx_err *err);

/** milter_client_words: the same with texts, each ended by NUL on the wire; ends with
 * NULL. */
int milter_client_words(struct milter_client *client, enum milter_command command,
                        const char *const *words, struct milter_reply *out,
                        struct mx_err *err);

/** milter_client_connect(client, host, ip, out, err): ${ip} NULL: unknown family. */
int milter_client_connect(struct milter_client *client, const char *host, const char *ip,
                          struct milter_reply *out, struct mx_err *err);

/** milter_client_message(client, message, out, err): header fields, body chunks, end. */
int milter_client_message(struct milter_client *client, struct mx_str message,
                          struct milter_reply *out, struct mx_err *err);

/** milter_client_edits(client, out): changes since the last MAIL; valid until the next.
 */
size_t milter_client_edits(const struct milter_client *client,
                           const struct milter_edit **out);

/** milter_client_steps(client): protocol flags that the filter chose. */
uint32_t milter_client_steps(const struct milter_client *client);

#endif
