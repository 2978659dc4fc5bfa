/*
 * The command line of every daemon, on argp, and the actions that end before anything
 * runs: check, effective settings, version, documentation. Whatever fails is one line on
 * stderr with what to do about it.
 */
#include "mx_daemon_options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"

#define EXIT_USAGE 2

/* Long options without a letter begin above the characters. */
enum { KEY_DOCS = 0x100, KEY_SAMPLE, KEY_USAGE };

static const struct argp_option option_table[] = {
    {"config", 'c', "FILE", 0, "Configuration (" MX_DAEMON_CONF_DEFAULT ")", 0},
    {"check", 't', NULL, 0, "Check the configuration and exit", 0},
    {"effective", 'n', NULL, 0, "Print the settings that differ from defaults", 0},
    {"version", 'V', NULL, 0, "Print version, protocol and what was compiled in", 0},
    {"config-docs", KEY_DOCS, NULL, 0, "Print the settings explained, as Markdown", 0},
    {"config-sample", KEY_SAMPLE, NULL, 0, "Print a configuration with all defaults", 0},
    {"help", 'h', NULL, 0, "Print this", -1},
    {"usage", KEY_USAGE, NULL, OPTION_HIDDEN, NULL, -1},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct mx_daemon_options *options = state->input;
    switch (key) {
    case 'c': options->conf_path = value; return 0;
    case 't': options->action = MX_DAEMON_CHECK; return 0;
    case 'n': options->action = MX_DAEMON_EFFECTIVE; return 0;
    case 'V': options->action = MX_DAEMON_VERSION; return 0;
    case KEY_DOCS: options->action = MX_DAEMON_DOCS; return 0;
    case KEY_SAMPLE: options->action = MX_DAEMON_SAMPLE; return 0;
    case KEY_USAGE: argp_state_help(state, stdout, ARGP_HELP_STD_USAGE); return 0;
    case 'h': argp_state_help(state, stdout, ARGP_HELP_STD_HELP); return 0;
    case ARGP_KEY_ARGS:
        if (options->daemon->args_doc == NULL)
            argp_error(state, "'%s': no arguments are taken", state->argv[state->next]);
        options->argv = state->argv + state->next;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int print_text(struct mx_buf *text, struct mx_err *err)
{
    int status = 0;
    if (text->n > 0 && fwrite(text->p, 1, text->n, stdout) != text->n)
        status = mx_err_errno(err, "standard output");
    if (fflush(stdout) != 0)
        status = mx_err_errno(err, "standard output");
    mx_buf_fini(text);
    return status;
}

static int print_version(const struct mx_daemon *daemon, struct mx_err *err)
{
    struct mx_buf text = {.max = 0};
    mx_buf_printf(&text, "%s %s\n", daemon->name, MX_VERSION);
    const char *features = daemon->features ? daemon->features() : "";
    size_t n = strlen(features);
    mx_buf_printf(&text, "%s%s", features, n > 0 && features[n - 1] != '\n' ? "\n" : "");
    return print_text(&text, err);
}

/* The settings, where they were found: with -c, or the default file. */
static int load(struct mx_daemon_options *options, struct mx_conf **out,
                struct mx_err *err)
{
    const char *name = options->daemon->name;
    bool is_given = options->conf_path != NULL;
    if (!is_given)
        options->conf_path = MX_DAEMON_CONF_DEFAULT;
    if (access(options->conf_path, F_OK) < 0 && errno == ENOENT)
        return mx_err_set(err, MX_ERR_INPUT,
                          "configuration %s does not exist: %s; '%s --config-sample' "
                          "prints one to begin with",
                          options->conf_path,
                          is_given ? "give the right file behind -c"
                                   : "make it, or give another file with -c FILE",
                          name);
    return mx_conf_load(options->conf_path, options->sections, mx_daemon_section_names,
                        out, err);
}

static int print_effective(const struct mx_conf *conf, const char *path,
                           struct mx_err *err)
{
    struct mx_buf text = {.max = 0};
    mx_conf_dump(conf, true, &text);
    if (text.n == 0)
        mx_buf_printf(&text, "# %s: all settings are defaults\n", path);
    return print_text(&text, err);
}

static int act_on_conf(struct mx_daemon_options *options, struct mx_err *err)
{
    const struct mx_daemon *daemon = options->daemon;
    struct mx_conf *conf = NULL;
    struct mx_buf text = {.max = 0};
    int status = -1;
    if (load(options, &conf, err) < 0)
        return -1;
    if (options->action == MX_DAEMON_EFFECTIVE) {
        status = print_effective(conf, options->conf_path, err);
        goto done;
    }
    if (daemon->check && daemon->check(conf, err) < 0)
        goto done;
    if (options->action == MX_DAEMON_CHECK) {
        mx_buf_printf(&text, "%s: ok\n", options->conf_path);
        status = print_text(&text, err);
        goto done;
    }
    status = mx_daemon_serve(daemon, options, conf, err);
done:
    mx_conf_free(conf);
    return status;
}

static int act(struct mx_daemon_options *options, struct mx_err *err)
{
    struct mx_buf text = {.max = 0};
    switch (options->action) {
    case MX_DAEMON_VERSION: return print_version(options->daemon, err);
    case MX_DAEMON_DOCS:
        mx_conf_docs(options->sections, &text);
        return print_text(&text, err);
    case MX_DAEMON_SAMPLE:
        mx_conf_sample(options->sections, &text);
        return print_text(&text, err);
    case MX_DAEMON_CHECK:
    case MX_DAEMON_EFFECTIVE:
    case MX_DAEMON_RUN: break;
    }
    return act_on_conf(options, err);
}

/* The daemon's sections and "log", which it may have named itself. */
static const struct mx_conf_section **all_sections(const struct mx_daemon *daemon)
{
    size_t n = 0;
    bool has_log = false;
    for (; daemon->sections[n]; n++)
        has_log |= daemon->sections[n] == &mx_daemon_log_section;
    const struct mx_conf_section **all = mx_xalloc((n + 2) * sizeof(const void *));
    for (size_t i = 0; i < n; i++)
        all[i] = daemon->sections[i];
    if (!has_log)
        all[n] = &mx_daemon_log_section;
    return all;
}

int mx_daemon_main(const struct mx_daemon *daemon, int argc, char **argv)
{
    const struct mx_conf_section **sections = all_sections(daemon);
    struct mx_daemon_options options = {
        .daemon = daemon, .sections = sections, .argv = argv + argc};
    struct argp argp = {
        .options = option_table,
        .parser = parse_option,
        .args_doc = daemon->args_doc,
        .doc = daemon->doc,
    };
    struct mx_err err = {.code = MX_ERR_NONE};
    argp_err_exit_status = EXIT_USAGE;
    error_t bad =
        argp_parse(&argp, argc, argv, ARGP_IN_ORDER | ARGP_NO_HELP, NULL, &options);
    int status = bad ? EXIT_USAGE : EXIT_SUCCESS;
    if (!bad && act(&options, &err) < 0) {
        fprintf(stderr, "%s: %s\n", daemon->name, err.text);
        status = EXIT_FAILURE;
    }
    free(sections);
    return status;
}
