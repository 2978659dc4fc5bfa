/* What the commands of mxdropctl share: the call, the table, and how to reach things. */
#ifndef CTL_H
#define CTL_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "mx_str.h"

struct mx_arena;
struct mx_conf;
struct mx_err;

/* One call of the program. Built by main, borrowed by the command. */
struct ctl {
    const char *conf_path;  /* -c FILE; NULL: not given, see ctl_conf_path */
    struct mx_conf *conf;   /* ctl_store.c: loaded when first needed; main frees it */
    struct mx_arena *arena; /* lives as long as the program: commands are short */
    FILE *out;              /* results */
    FILE *info;             /* progress and remarks for people: stderr */
    bool is_progress;       /* ->info is a terminal */
};

struct ctl_command {
    const char *name;
    const char *synopsis; /* of the arguments, for --help: "[--json] FILE|DIR|-..." */
    const char *doc;      /* one line for the list of commands */
    /* ${argv}[0] is "mxdropctl NAME". Usage errors end the program with 2 (argp).
       Returns 0, or more than 2: the exit code of an answer that scripts look for.
       Fails: ${err} says what and why; exit 1. */
    int (*run)(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
};

/* The one list of commands, in the order of --help; ends with a NULL name. */
extern const struct ctl_command ctl_commands[];

/* Each command of cmd_*.c and up.c exports exactly this one function. */
int cmd_up(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_scan(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_explain(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_lists(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_greylist(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_prefs(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_quota(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_rate(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_status(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_config(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_keygen(struct ctl *ctl, int argc, char **argv, struct mx_err *err);
int cmd_rules(struct ctl *ctl, int argc, char **argv, struct mx_err *err);

/* -c FILE, which every command takes too: one line of its argp options, and
   "default: return ctl_option(ctl, key, arg)" in its parser. */
#define CTL_OPTION_CONFIG                                                                \
    {                                                                                    \
        "config", 'c', "FILE", 0,                                                        \
            "Configuration of this node (or $MXDROP_CONFIG; "                            \
            "default " CTL_CONF_DEFAULT ")",                                             \
            90                                                                           \
    }
#define CTL_CONF_DEFAULT "/etc/mxdrop/mxdrop.yaml"

/** ctl_option(ctl, key, arg): take -c; anything else is ARGP_ERR_UNKNOWN. */
error_t ctl_option(struct ctl *ctl, int key, char *arg);

/** ctl_conf_path(ctl): -c FILE, else $MXDROP_CONFIG, else the default. */
const char *ctl_conf_path(const struct ctl *ctl);

/**
 * ctl_text(arena, s):
 * Text from mail or peers, safe for a terminal: control characters, C1 controls and bytes
 * that are not UTF-8 become \xHH; cut at CTL_TEXT_MAX bytes of input with "..." behind.
 * Owner:  the result lives in ${arena}.
 */
const char *ctl_text(struct mx_arena *arena, struct mx_str s);
#define CTL_TEXT_MAX 1024

#endif
