/* The private Postfix of `mxdropctl up`, and the sink behind it. */
#ifndef UP_POSTFIX_H
#define UP_POSTFIX_H

#include <stdbool.h>

struct mx_arena;
struct mx_err;

struct up_postfix {
    const char *root;  /* prefix of its files: "" or $MXDROP_POSTFIX_ROOT */
    const char *owner; /* mail_owner */
    const char *group; /* setgid_group */
    const char *privs; /* default_privs */
    int smtp_port, sink_port;
};

/**
 * up_postfix_find(arena, dir, out, out_why):
 * Can a private instance run here, with its files below ${dir}?
 * Returns false with ${out_why} in words: not root, not installed, ${dir} cannot be
 * reached by Postfix' user, or has characters that main.cf cannot hold.
 */
bool up_postfix_find(struct mx_arena *arena, const char *dir, struct up_postfix *out,
                     const char **out_why);

/**
 * up_postfix_prepare(arena, postfix, dir, err):
 * Directories, main.cf, master.cf below DIR/postfix and the sink's DIR/sink; then
 * "postfix check", which makes the queue.
 * Fails:  files, or the check: its last words are in the text (-1).
 */
int up_postfix_prepare(struct mx_arena *arena, const struct up_postfix *postfix,
                       const char *dir, struct mx_err *err);

/** up_postfix_argv(arena, postfix, dir): the command that is the master daemon. */
const char *const *up_postfix_argv(struct mx_arena *arena,
                                   const struct up_postfix *postfix, const char *dir);

/** up_postfix_sink_argv(arena, postfix, dir): smtp-sink, one file a message in DIR/sink.
 */
const char *const *up_postfix_sink_argv(struct mx_arena *arena,
                                        const struct up_postfix *postfix,
                                        const char *dir);

#endif
