/*
 * File names of attachments, as any plausible mail reader could understand them, and what
 * is suspicious about a name.
 */
#ifndef ATTACH_NAME_H
#define ATTACH_NAME_H

#include <stddef.h>

#include "message.h"
#include "mx_str.h"

struct mx_arena;

#define ATTACH_READINGS_MAX 8 /* readings kept of one part */
#define ATTACH_NAME_MAX 1024  /* octets looked at of one name */

enum attach_name_flag {
    ATTACH_NAME_DIRECTION = 1 << 0, /* holds a direction override: shown reversed */
    ATTACH_NAME_CONTROL = 1 << 1,   /* control or invisible characters */
    ATTACH_NAME_PADDED = 1 << 2,    /* extension pushed out of sight by spaces */
    ATTACH_NAME_DOUBLE = 1 << 3,    /* harmless extension before the real one */
    ATTACH_NAME_TRAILING = 1 << 4,  /* dots or spaces at the end, which systems drop */
    ATTACH_NAME_PATH = 1 << 5,      /* names a folder: "../x", "c:\x" */
};

/**
 * attach_name_readings(arena, part, out):
 * Every plausible name of ${part}: what the MIME parser made of it, then each name= and
 * filename= parameter of Content-Disposition and Content-Type as it stands, with encoded
 * words decoded (though RFC 2047 5 forbids them there) and RFC 2231 pieces joined in the
 * order of their numbers. Cleaned by attach_name_clean; without repetitions.
 * Owner:  texts are in ${arena}.
 * Returns how many, at most ATTACH_READINGS_MAX.
 * Source: RFC 2183 2.3, RFC 2231 3 and 4, RFC 2047 5.
 */
size_t attach_name_readings(struct mx_arena *arena, const struct message_part *part,
                            struct mx_str out[static ATTACH_READINGS_MAX]);

/**
 * attach_name_clean(arena, raw, out_flags):
 * The last ATTACH_NAME_MAX octets of ${raw}: UTF-8 in NFKC and lower case, without
 * control, direction and invisible characters, folders, trailing dots and spaces.
 * ${out_flags} (enum attach_name_flag) tells what was found; it is not cleared first.
 */
struct mx_str attach_name_clean(struct mx_arena *arena, struct mx_str raw,
                                unsigned *out_flags);

/** attach_name_flags(arena, part): what is suspicious in any reading's raw text. */
unsigned attach_name_flags(struct mx_arena *arena, const struct message_part *part);

/** attach_name_extension(name): behind the last dot of a cleaned name; "" none. */
struct mx_str attach_name_extension(struct mx_str name);

#endif
