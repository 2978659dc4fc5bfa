/*
 * A message as detectors see it: parsed once, read-only, bounded. Everything lives in the
 * arena of the request or points into the raw bytes, which outlive it.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;

/* Bounds per message. Real mail stays far below them; beyond, message_cut tells. */
#define MESSAGE_HEADERS_MAX 1000             /* fields of the top header */
#define MESSAGE_HEADER_BYTES_MAX (512 << 10) /* octets of the top header */
#define MESSAGE_PARTS_MAX 1000
#define MESSAGE_DEPTH_MAX 30         /* levels of nesting that are listed */
#define MESSAGE_PART_HEADERS_MAX 200 /* fields kept of one part */
#define MESSAGE_ITEM_MAX 128         /* octets kept of what a parser warning is about */

/* What was left out of the parsed view; the raw bytes are always whole. */
enum message_cut {
    MESSAGE_CUT_HEADERS = 1 << 0, /* too many header fields, or too long ones */
    MESSAGE_CUT_PARTS = 1 << 1,   /* more than MESSAGE_PARTS_MAX */
    MESSAGE_CUT_DEPTH = 1 << 2,   /* deeper than MESSAGE_DEPTH_MAX */
    MESSAGE_CUT_CONTENT = 1 << 3, /* decoded contents do not fit the request's memory */
    MESSAGE_CUT_BOUNDARIES = 1 << 4, /* more boundary-like lines than are followed */
};

/* What the MIME parser complained of, in our words. */
enum message_warning {
    MESSAGE_WARN_DOUBLE_HEADER,    /* the same field twice, where one is allowed */
    MESSAGE_WARN_CONFLICTING,      /* two different values of one field or parameter */
    MESSAGE_WARN_DOUBLE_PARAMETER, /* the same parameter twice */
    MESSAGE_WARN_8BIT_HEADER,      /* unencoded octets over 127 in a header */
    MESSAGE_WARN_BAD_TYPE,         /* Content-Type that cannot be read */
    MESSAGE_WARN_BAD_ENCODED_WORD, /* RFC 2047 */
    MESSAGE_WARN_BAD_PARAMETER,
    MESSAGE_WARN_BAD_HEADER_NAME,
    MESSAGE_WARN_NO_PARTS,    /* multipart without any part */
    MESSAGE_WARN_NO_BOUNDARY, /* multipart without boundary parameter */
    MESSAGE_WARN_NO_END,      /* final boundary missing */
    MESSAGE_WARN_MALFORMED,
    MESSAGE_WARN_TOO_DEEP,   /* the parser's own nesting limit */
    MESSAGE_WARN_EMPTY_PART, /* a part without content, or without anything */
    MESSAGE_WARN_COUNT
};

struct message_warned {
    unsigned count;
    struct mx_str item; /* what the first one was about, at most MESSAGE_ITEM_MAX */
};

struct message_header {
    struct mx_str name;  /* as written, without the colon */
    struct mx_str value; /* behind the colon, folding kept, without the last line end */
};

struct message_part {
    struct mx_str type;        /* "text/plain", lower case, what the parser made of it */
    struct mx_str name;        /* file name, decoded to UTF-8; "" none */
    struct mx_str charset;     /* as declared; "" none */
    struct mx_str disposition; /* "attachment", lower case; "" none */
    struct mx_str content; /* decoded from its transfer encoding; none for containers */
    const struct message_header *headers;
    size_t n_headers;
    unsigned depth;    /* 0 is the message itself */
    int parent;        /* index, -1 for the first */
    bool is_container; /* multipart or an attached message: its children follow */
    /* What only some readers see: an encoded message (RFC 2046 5.2.1 forbids it), base64
       that goes on behind its padding (then a child of the part that ends there). */
    bool is_hidden;
};

/* What the shim told of the SMTP transaction. Missing slices: not known. */
struct message_envelope {
    struct mx_str id, client_addr, client_name, helo, sender, auth_user;
    const struct mx_str *recipients;
    size_t n_recipients;
};

struct message {
    struct mx_str raw; /* as received */
    struct mx_str
        head; /* of raw: the header with its line ends, without the empty line */
    struct mx_str body; /* of raw: behind the empty line; none without one */
    const struct message_header *headers; /* top level, in order */
    size_t n_headers;
    const struct message_part *parts; /* depth first; at least one */
    size_t n_parts;
    struct message_warned warned[MESSAGE_WARN_COUNT];
    unsigned cuts;     /* enum message_cut */
    bool is_truncated; /* raw is only the first part of what was received */
    struct message_envelope envelope;
    int64_t now_ms;      /* wall clock, perhaps frozen: what detectors take for now */
    int64_t deadline_ms; /* mx_mono_us() / 1000 at which results are no longer wanted */
};

/**
 * message_parse(arena, raw, out, err):
 * Parse ${raw}: our own pass over the top header, one GMime pass over the structure.
 * ${out}'s envelope, times and is_truncated are the caller's.
 * Owner:  ${raw} is borrowed as long as ${out} lives; the rest is in ${arena}, of which
 *         decoded contents take at most three quarters of what is left.
 * Fails:  the parser gives no message at all (-1).
 * Source: RFC 5322 2, RFC 2045-2047.
 */
int message_parse(struct mx_arena *arena, struct mx_str raw, struct message *out,
                  struct mx_err *err);

/** message_find(msg, name, nth): the nth (from 0) top header field of that name, or NULL.
 */
const struct message_header *message_find(const struct message *msg, const char *name,
                                          size_t nth);

/** message_library(): name and version of the MIME parser. */
const char *message_library(void);

#endif
