/* Patterns of trace fields: a small matcher with named captures. */
#ifndef TEXT_MATCH_H
#define TEXT_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

enum text_capture {
    CAPTURE_IP,
    CAPTURE_RDNS,
    CAPTURE_HELO,
    CAPTURE_BY,
    CAPTURE_IDENT,
    CAPTURE_OPTIONS, /* "helo=... ident=..." */
    CAPTURE_WORD,
    CAPTURE_COUNT,
};

/* p NULL: not captured. All point into the line. */
struct text_captures {
    struct mx_str v[CAPTURE_COUNT];
    size_t end; /* of the match in the line */
};

/*
 * Patterns. Text stands for itself, "{...}" may be missing, "%" begins one of these:
 *
 *   %r %h %b %d %k   non-spaces, captured as RDNS, HELO, BY, IDENT, WORD
 *   %R %H %B %D      the same, may be empty
 *   %x               HELO of anything but ")", may be empty
 *   %.               RDNS with a "." inside
 *   %s               OPTIONS: anything, as little as will do
 *   %o %q            OPTIONS, WORD: anything but ")"
 *   %i %I            IP address, captured and not
 *   %l               some name or address of the local host
 *   %w %W            non-spaces, not captured; may be empty
 *   %p %P            anything but ")"; may be empty
 *   %n %z %:         digits; zone of an IPv6 address; "[.:]" and digits, or nothing
 *   %a               a letter and at least one more byte, none of them ")"
 *   %e %m            HELO or EHLO; SMTP or ESMTP
 *   %* %~ %8         anything: as much, as little as will do; 10 to 80 bytes
 *   %|  %/  %$       word boundary; the same and no "." or "-" behind it; end of line
 *   %%               "%"
 */

/**
 * text_match_at(pattern, line, from, out):
 * ${pattern} matches ${line} at byte ${from}. Steps are limited: a line made to have a
 * pattern try for ever does not match.
 */
bool text_match_at(const char *pattern, struct mx_str line, size_t from,
                   struct text_captures *out);

/** text_match_find(pattern, line, out): the first place where ${pattern} matches. */
bool text_match_find(const char *pattern, struct mx_str line, struct text_captures *out);

/**
 * text_match_ip(line, from):
 * Length of the IP address at ${from}, 0 if none: IPv4, IPv6, mapped, "IPv6:" in front.
 */
size_t text_match_ip(struct mx_str line, size_t from);

#endif
