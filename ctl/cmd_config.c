/*
 * mxdropctl config: the daemons know their keys, this command only asks them. "check"
 * runs each one's -t on the file and tells all errors, not just the first; "docs" and
 * "sample" put together what they print of their sections, each section once, in the
 * order of the file.
 */
#include <string.h>

#include "ctl.h"
#include "ctl_program.h"
#include "mx_arena.h"
#include "mx_daemon.h"
#include "mx_err.h"

#define OUTPUT_MAX ((size_t)4 << 20) /* bytes of one daemon's text */

static const char *const daemons[] = {"mxdrop-policyd", "mxdrop-scand", "mxdrop-milter",
                                      NULL};

static const char docs_head[] =
    "# Configuration\n\n"
    "One file configures a node: `/etc/mxdrop/mxdrop.yaml`, or `-c FILE`. Durations and "
    "sizes carry\ntheir unit (`5m`, `64MiB`). Unknown keys are errors. `mxdropctl config "
    "check` checks a file,\n`mxdropctl config sample` prints one with every default. "
    "This "
    "page is what `mxdropctl config docs`\nprints.\n";
static const char sample_head[] =
    "# /etc/mxdrop/mxdrop.yaml with every key at its default: keep the lines that you "
    "change.\n# Printed by mxdropctl config sample.\n";

struct config {
    struct ctl *ctl;
    const char *action;
};

static const struct argp_option options[] = {CTL_OPTION_CONFIG, {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct config *config = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "%s: one argument too many", arg);
        config->action = arg;
        return 0;
    case ARGP_KEY_END:
        if (!config->action || (strcmp(config->action, "check") != 0 &&
                                strcmp(config->action, "docs") != 0 &&
                                strcmp(config->action, "sample") != 0))
            argp_error(state, "check, docs or sample?");
        return 0;
    default: return ctl_option(config->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "check\ndocs\nsample",
    .doc =
        "Check this node's configuration, or describe every key (Markdown), or print a "
        "file with all defaults (YAML)."};

/* ---- check ---- */

/* What a daemon said, without its own name in front and the newline behind. */
static struct mx_str said(const struct mx_buf *text, const char *daemon)
{
    struct mx_str line = mx_str_trim(mx_str_of(text->p, text->n));
    size_t n = strlen(daemon);

    if (mx_str_starts(line, mx_str(daemon)) && line.n > n + 2 && line.p[n] == ':')
        line = mx_str_sub(line, n + 2, line.n);
    return line;
}

/* Returns 0 when it is sound, 1 when the daemon refused it. */
static int check_one(struct ctl *ctl, const char *daemon, const char *path,
                     struct mx_err *err)
{
    struct mx_buf text = {.max = OUTPUT_MAX};
    const char *argv[] = {NULL, "-t", "-c", path, NULL};
    int code, status = -1;

    if (ctl_program_find(ctl->arena, daemon, &argv[0], err) == 0 &&
        ctl_program_run(argv, &text, &code, err) == 0) {
        status = code == 0 ? 0 : 1;
        if (code != 0)
            fprintf(ctl->out, "%-15s %s\n", daemon,
                    ctl_text(ctl->arena, said(&text, daemon)));
        else
            fprintf(ctl->out, "%-15s ok\n", daemon);
    }
    mx_buf_fini(&text);
    return status;
}

static int check(struct ctl *ctl, struct mx_err *err)
{
    const char *path = ctl_conf_path(ctl);
    int failed = 0;

    for (size_t i = 0; daemons[i]; i++) {
        int status = check_one(ctl, daemons[i], path, err);

        if (status < 0)
            return -1;
        failed += status;
    }
    if (failed > 0)
        return mx_err_set(err, MX_ERR_INPUT, "%s: %d of %zu programs refuse it", path,
                          failed, sizeof(daemons) / sizeof(daemons[0]) - 1);
    return 0;
}

/* ---- docs and sample ---- */

struct block {
    struct mx_str name, text;
};

/* The section's name that a line tells: "## redis" or "redis:". */
static struct mx_str name_in(struct mx_str line)
{
    if (mx_str_starts(line, MX_STR("## ")))
        return mx_str_trim(mx_str_sub(line, 3, line.n));
    if (line.n > 1 && line.p[0] >= 'a' && line.p[0] <= 'z' && line.p[line.n - 1] == ':')
        return mx_str_sub(line, 0, line.n - 1);
    return MX_STR_NONE;
}

/* The next section off ${rest}: it begins with lines at the margin that start with '#'.
 */
static int next_block(struct mx_str *rest, struct block *out)
{
    struct mx_str start = *rest, line;
    bool was_head = true, is_head;
    size_t used = 0;

    *out = (struct block){0};
    while (used < start.n) {
        struct mx_str at = mx_str_sub(start, used, start.n - used), left = at;

        if (mx_str_next(&left, '\n', &line) != 0)
            break;
        is_head = line.n > 0 && line.p[0] == '#';
        if (is_head && !was_head)
            break; /* the next one begins */
        was_head = is_head;
        if (out->name.n == 0)
            out->name = name_in(line);
        used += at.n - left.n;
    }
    out->text = mx_str_sub(start, 0, used);
    *rest = mx_str_sub(start, used, start.n - used);
    return used > 0 ? 0 : -1;
}

/* The block of section ${name} in what the daemons printed; missing: nobody has it. */
static struct mx_str find_block(const struct mx_buf *texts, const char *name)
{
    for (size_t i = 0; daemons[i]; i++) {
        struct mx_str rest = mx_str_of(texts[i].p, texts[i].n);
        struct block block;

        while (next_block(&rest, &block) == 0) {
            if (mx_str_eq(block.name, mx_str(name)))
                return block.text;
        }
    }
    return MX_STR_NONE;
}

static int ask_daemons(struct ctl *ctl, const char *option, struct mx_buf *texts,
                       struct mx_err *err)
{
    for (size_t i = 0; daemons[i]; i++) {
        const char *argv[] = {NULL, option, NULL};
        int code;

        texts[i].max = OUTPUT_MAX;
        if (ctl_program_find(ctl->arena, daemons[i], &argv[0], err) != 0 ||
            ctl_program_run(argv, &texts[i], &code, err) != 0)
            return -1;
        if (code != 0)
            return mx_err_set(err, MX_ERR_SYSTEM, "%s %s: exit %d", argv[0], option,
                              code);
    }
    return 0;
}

static int describe(struct ctl *ctl, bool is_docs, struct mx_err *err)
{
    struct mx_buf texts[sizeof(daemons) / sizeof(daemons[0])] = {{0}};
    int status =
        ask_daemons(ctl, is_docs ? "--config-docs" : "--config-sample", texts, err);

    if (status == 0)
        fputs(is_docs ? docs_head : sample_head, ctl->out);
    for (size_t i = 0; status == 0 && mx_daemon_section_names[i]; i++) {
        struct mx_str text = mx_str_trim(find_block(texts, mx_daemon_section_names[i]));

        if (text.n > 0)
            fprintf(ctl->out, "\n%.*s\n", MX_STR_FMT(text));
    }
    for (size_t i = 0; daemons[i]; i++)
        mx_buf_fini(&texts[i]);
    return status;
}

int cmd_config(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct config config = {.ctl = ctl};
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &config);
    if (strcmp(config.action, "check") == 0)
        status = check(ctl, err);
    else
        status = describe(ctl, strcmp(config.action, "docs") == 0, err);
    return status == 0 ? 0 : mx_err_wrap(err, "config");
}
