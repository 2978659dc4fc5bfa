/*
 * mxdropctl: take the options in front of the command's name, find the command, run it,
 * and turn what went wrong into one line and an exit code: 0, 1 failed, 2 usage.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "mx_arena.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "mxp_frame.h"

/* Messages of a whole directory pass through one arena, each in an arena of its own;
   this one holds what a command keeps to its end. */
#define ARENA_MAX ((size_t)1 << 30)

static const char doc[] =
    "The operator's hand on mxdrop.\v"
    "Run 'mxdropctl COMMAND --help' for the options of one command.";

static const struct argp_option options[] = {
    CTL_OPTION_CONFIG,
    {"version", 'V', NULL, 0, "Version and protocol", 91},
    {0},
};

struct call {
    struct ctl *ctl;
    int first; /* index of the command's name in argv; 0: none */
};

static void print_version(FILE *out)
{
    fprintf(out, "mxdropctl %s, protocol %d\n", MX_VERSION, MXP_MAJOR);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct call *call = state->input;

    switch (key) {
    case 'V': print_version(stdout); exit(0);
    case ARGP_KEY_ARG:
        call->first = state->next - 1;
        state->next = state->argc; /* the rest is the command's */
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no command given"); return EINVAL;
    default: return ctl_option(call->ctl, key, arg);
    }
}

/* The list of commands, in the middle of --help. */
static char *help_filter(int key, const char *text, void *input)
{
    const struct ctl_command *command;
    char *out = NULL;
    size_t size;
    FILE *list;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)(uintptr_t)text;
    list = open_memstream(&out, &size);
    if (!list)
        return (char *)(uintptr_t)text;
    fputs("Commands:\n", list);
    for (command = ctl_commands; command->name; command++)
        fprintf(list, "  %s %s\n        %s\n", command->name, command->synopsis,
                command->doc);
    fprintf(list, "\n%s", text ? text : "");
    fclose(list);
    return out; /* argp frees what differs from text */
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "COMMAND [ARGUMENT...]",
    .doc = doc,
    .help_filter = help_filter,
};

static const struct ctl_command *find_command(const char *name)
{
    const struct ctl_command *command;

    for (command = ctl_commands; command->name; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

static int run_command(struct ctl *ctl, const struct ctl_command *command, int argc,
                       char **argv)
{
    struct mx_err err = {0};
    int status;

    argv[0] = mx_arena_printf(ctl->arena, "mxdropctl %s", command->name);
    status = command->run(ctl, argc, argv, &err);
    if (fflush(ctl->out) != 0 && status >= 0 && errno != EPIPE) /* head(1) had enough */
        status = mx_err_errno(&err, "%s: writing the result", command->name);
    if (status >= 0)
        return status;
    fprintf(stderr, "mxdropctl: %s\n", ctl_text(ctl->arena, mx_str(err.text)));
    return 1;
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.out = stdout, .info = stderr};
    struct call call = {.ctl = &ctl};
    const struct ctl_command *command;
    int code;

    argp_err_exit_status = 2;
    signal(SIGPIPE, SIG_IGN);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &call);
    command = find_command(argv[call.first]);
    if (!command) {
        fprintf(stderr, "mxdropctl: %s: no such command: mxdropctl --help lists them\n",
                argv[call.first]);
        return 2;
    }
    ctl.arena = mx_arena_new(ARENA_MAX);
    ctl.is_progress = isatty(STDERR_FILENO) == 1;
    code = run_command(&ctl, command, argc - call.first, argv + call.first);
    mx_conf_free(ctl.conf);
    mx_arena_free(ctl.arena);
    return code;
}
