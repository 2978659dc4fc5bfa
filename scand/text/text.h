/*
 * The texts that SpamAssassin rules see, formed from one message: what a rule of each
 * type matches against, and what eval functions ask about. This header is what the rule
 * engine includes; each unit beside it forms one text.
 *
 * SpamAssassin reads MIME in its own way (where a header ends, what a part without type
 * is, how much of a line is looked at), and rules are tuned to it. So these texts come
 * from a tree of their own (text_tree), not from message.h, whose parser is stricter and
 * whose warnings serve other detectors.
 *
 * Everything is bounded as SpamAssassin bounds it, lives in the request's arena or points
 * into the raw bytes, and is read-only once texts_form has returned.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_net.h"
#include "mx_str.h"

struct mx_arena;
struct mx_err;

struct text_list {
    struct mx_str *v;
    size_t n;
};

/* ---- text_tree: the message as SpamAssassin parses it -------------------------------
 */

struct text_field {
    struct mx_str name; /* as written */
    struct mx_str raw;  /* behind the colon: leading space and folding kept (LF), no final
                           line end */
    struct mx_str value; /* unfolded, trimmed, encoded words as UTF-8: what header rules
                            match, without the newline at its end */
};

enum text_flag { /* check_msg_parse_flags */
                 TEXT_MISSING_HEAD_BODY_SEPARATOR = 1 << 0,
                 TEXT_MISSING_MIME_HEAD_BODY_SEPARATOR = 1 << 1,
                 TEXT_MISSING_MIME_HEADERS = 1 << 2,
                 TEXT_MIME_EPILOGUE_EXISTS = 1 << 3,
                 TEXT_TRUNCATED_HEADER = 1 << 4,
};

struct text_part {
    const struct text_field *fields;
    size_t n_fields;
    int parent; /* index, -1 for the top */
    unsigned depth;
    bool is_leaf;
    struct mx_str declared_type; /* lower case, as Content-Type says */
    struct mx_str type;          /* effective: what its file name makes of it */
    struct mx_str charset;       /* lower case; "" none */
    struct mx_str encoding;      /* lower case; "" none */
    struct mx_str boundary;
    struct mx_str name;    /* file name, decoded; "" none */
    struct mx_str raw;     /* leaf: its body, LF line ends, not decoded */
    struct mx_str decoded; /* leaf: transfer encoding undone; "" where not text and not
                              asked (text_part_decoded) */
    struct mx_str
        rendered; /* leaf of text/plain or text/html: what body shows of it, UTF-8 */
    const struct html_result *html; /* leaf rendered as HTML; NULL otherwise */
};

struct text_tree {
    struct mx_str pristine;          /* as received */
    struct mx_str pristine_head;     /* header of it */
    struct mx_str pristine_body;     /* behind the empty line of it */
    const struct text_field *fields; /* of the top header, in order */
    size_t n_fields;
    struct text_part *parts; /* depth first; parts[0] is the message */
    size_t n_parts;
    unsigned flags; /* enum text_flag */
};

/* ---- text_html: results of rendering one part ----------------------------------------
 */

/* Where an address was: in text, or in an attribute of a tag, each a bit of its own
   (text_uri_kind); those that code asks for have a name here. */
enum text_uri_kind { TEXT_URI_PARSED = 1 << 0, TEXT_URI_A = 1 << 1 };
#define TEXT_URI_KINDS 17

struct html_anchor {
    struct mx_str href, text;
};

struct html_tag {
    struct mx_str name; /* lower case */
    unsigned seen;      /* start tags */
    int open;           /* start minus end tags at the end of the document */
};

/* Numbers and lists as HTMLEval's arguments name them. A ratio that is not defined (no
 * tag at all) is NAN, which is in no range; obfuscation and backhair are then 0. Members
 * that SpamAssassin 4.0 no longer sets stay zero. */
struct html_result {
    size_t length;                    /* of the source, in characters */
    struct mx_str text;               /* rendered, UTF-8 */
    size_t text_length, non_space;    /* of text, in characters: all, and not space */
    struct mx_str visible, invisible; /* split for Bayes */
    const struct html_tag *tags;
    size_t n_tags;
    struct text_list title, anchor, comment, script; /* html_text_match */
    const struct html_anchor *anchors;               /* for HTTPSMismatch */
    size_t n_anchors;
    struct text_list uris;     /* as found in attributes, made absolute with base href */
    const unsigned *uri_kinds; /* of each, by its tag */
    double image_area;         /* pixels */
    unsigned elements, elements_seen, tags_count, tags_seen, bad_tags, closed_extra;
    unsigned obfuscation, backhair, max_size, min_size, comments_count;
    double ratio, bad_tag_ratio, non_element_ratio, closed_extra_ratio, obfuscation_ratio,
        non_uri_ratio;
    bool is_html, has_low_contrast, has_bad_face, has_invalid_color, has_mailto_form,
        has_embeds, has_big_font, has_tiny_font, has_title_extra, has_image_map;
    bool is_wide;       /* text is a string of characters; if not, SpamAssassin sees it as
                           ISO 8859-1 bytes */
    bool has_iframe;    /* an iframe with an address */
    bool uri_truncated; /* an address was longer than TEXT_URI_MAX */
};

/* ---- text_relays
 * ------------------------------------------------------------------------ */

struct text_relay {
    struct mx_str ip, rdns, helo, by, ident, envfrom, id, auth;
    bool is_internal, is_msa;
    bool is_private;   /* ip is not on the public internet */
    bool has_no_rdns;  /* its MTA looks names up, and there was none */
    bool has_envfrom;  /* an empty envfrom is the null sender, not a missing one */
    struct mx_net net; /* of ip; family 0 where it cannot be read */
};

struct text_relays {
    const struct text_relay *v;      /* newest first; the first n_trusted are trusted */
    size_t n, n_trusted, n_internal; /* internal ones are a prefix of all */
    unsigned unparseable;
    int last_trusted, last_internal; /* how many Received lines down, parsed or not, trust
                                        reaches; -1 not at all, -2 not even to the line
                                        that this host is going to write */
    struct mx_str trusted, untrusted, internal, external; /* X-Spam-Relays-* texts */
};

/* What the milter knows of the newest hop; all zero: from Received lines alone. */
struct text_connection {
    struct mx_net client;
    struct mx_str rdns, helo, sender, auth_user, by, id;
    bool is_known;
};

/* ---- everything
 * --------------------------------------------------------------------------- */

struct text_uri {
    struct mx_str raw;       /* as found */
    struct text_list cooked; /* raw itself and its cleaned forms */
    struct mx_str host;      /* lower case, of the first form that has one */
    struct mx_str domain;    /* registrable */
    unsigned kinds;          /* enum text_uri_kind */
};

struct texts {
    struct text_tree tree;
    struct text_relays relays;
    struct text_list body; /* element 0 is the Subject */
    struct text_list rawbody;
    struct text_list uris; /* unique strings, what uri rules match */
    const struct text_uri *uri_details;
    size_t n_uri_details;
    bool uri_truncated; /* some URI was longer than TEXT_URI_MAX */
    struct mx_str full;
    struct mx_str envelope_from; /* address; "" with p null sender, p NULL unknown */
    const struct text_settings *settings;
    int64_t now_s; /* frozen or real */
};

/* Lists from rule files that forming texts needs; filled by the rule reader. */
struct text_lists {
    const struct text_list *tlds;        /* util_rb_tld, sorted */
    const struct text_list *two_level;   /* util_rb_2tld, sorted */
    const struct text_list *three_level; /* util_rb_3tld, sorted */
    const struct text_list *originating; /* originating_ip_headers; NULL: stock list */
    void *redirectors;                   /* compiled redirector_pattern, text_uri.h */
};

/* A network, or one that is kept out of those behind it ("!10.0.0.1"). */
struct text_net {
    struct mx_net net;
    bool is_excluded;
};

/* Networks as they were written: the first that holds an address decides. */
struct text_nets {
    const struct text_net *v;
    size_t n; /* 0: not configured */
};

struct text_settings {
    struct text_nets trusted, internal; /* of neither: SpamAssassin's guess */
    struct text_nets msa;               /* hosts that take mail from our own users only */
    struct mx_str envelope_header;      /* the field that holds the sender; "" a guess */
    size_t body_part_max;               /* characters; 0: TEXT_BODY_PART_MAX */
    size_t rawbody_part_max;            /* bytes; 0: TEXT_RAWBODY_PART_MAX */
    struct text_lists lists;
};

/**
 * texts_form(arena, settings, raw, connection, out, err):
 * Form every text. ${raw} is borrowed as long as ${out} lives.
 * Fails:  only where the arena has no room for a message of that size (-1).
 */
int texts_form(struct mx_arena *arena, const struct text_settings *settings,
               struct mx_str raw, const struct text_connection *connection,
               struct texts *out, struct mx_err *err);

/* CPU time, when it is asked for. */
struct text_times {
    int64_t tree_ns, relays_ns, body_ns, rawbody_ns, uri_ns;
};

/** texts_form_timed(...): texts_form, and what each text took, in ${times} (NULL:
 * is not looked at). */
int texts_form_timed(struct mx_arena *arena, const struct text_settings *settings,
                     struct mx_str raw, const struct text_connection *connection,
                     struct texts *out, struct text_times *times, struct mx_err *err);

/**
 * text_header_get(arena, texts, selector, out):
 * The value of "Subject", "From:addr", "ALL:raw", "ToCc", "EnvelopeFrom",
 * "X-Spam-Relays-Untrusted" ..., as a header rule matches it (final newline).
 * Returns false where there is no such field (${out} is then "").
 */
bool text_header_get(struct mx_arena *arena, const struct texts *texts,
                     struct mx_str selector, struct mx_str *out);

#endif
