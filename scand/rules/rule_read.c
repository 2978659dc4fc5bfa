/*
 * Reads rule files: every *.pre of all directories, sorted, which say what conditions
 * find loaded; then every *.cf; then the overlay. A file is cut into lines, lines that a
 * condition leaves out are passed over, and the rest goes to whoever knows its directive.
 *
 * Nothing a file says stops the reading: what cannot be taken is noted with file and
 * line. Only when a bound of the whole set is reached is the rest left out, and that is
 * noted too.
 */
#include "rule_read.h"

#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_match_judge.h"
#include "rule_names.h"
#include "rule_text.h"

#define SPAMASSASSIN_VERSION "4.000001"
#define REQUIRED_SCORE_DEFAULT 5.0

static void read_file(struct rule_reader *reader, const char *path);

void rule_read_problem(struct rule_reader *reader, enum rule_problem_kind kind,
                       struct mx_str about, const char *text)
{
    reader->set->n_problems_all++;
    if (reader->n_problems == RULE_PROBLEMS_MAX) {
        return;
    }
    if (reader->n_problems == reader->problems_room) {
        reader->problems_room = reader->problems_room ? reader->problems_room * 2 : 64;
        reader->problems = mx_xrealloc(reader->problems,
                                       reader->problems_room * sizeof(*reader->problems));
    }
    reader->problems[reader->n_problems++] = (struct rule_problem){
        .kind = kind,
        .rule = mx_str_dup(reader->arena, mx_str_sub(about, 0, 128)),
        .file = reader->file,
        .line = reader->line,
        .text = mx_str(mx_arena_printf(reader->arena, "%.300s", text)),
    };
}

static void problem_err(struct rule_reader *reader, struct mx_str about,
                        const struct mx_err *err)
{
    rule_read_problem(
        reader, err->code == MX_ERR_LIMIT ? RULE_PROBLEM_LIMIT : RULE_PROBLEM_SYNTAX,
        about, err->text);
}

/* ---- lines ---- */

/* Cut the comment off ${line}, in place: from the first # that no \ precedes. A \# that
   is left means #. */
static struct mx_str strip_comment(char *p, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] == '#' && (i == 0 || p[i - 1] != '\\')) {
            break;
        }
        if (p[i] == '#') {
            kept--; /* over its backslash */
        }
        p[kept++] = p[i];
    }
    return rule_text_trim(mx_str_of(p, kept));
}

/* "lang XX rest": false where it is for another language; else cut "lang XX" off. */
static bool take_language(const struct rule_reader *reader, struct mx_str *line)
{
    const char *configured = reader->options->locale;
    struct mx_str locale = mx_str(configured ? configured : "C");
    struct mx_str rest = *line, word = rule_text_word(&rest), language;

    if (!mx_str_eq(word, MX_STR("lang"))) {
        return true;
    }
    if (mx_str_eq(locale, MX_STR("C")) || mx_str_eq(locale, MX_STR("POSIX"))) {
        locale = MX_STR("en_US");
    }
    language = rule_text_word(&rest);
    *line = rest;
    return mx_str_istarts(locale, language);
}

/* First word of ${line}, lower case, '-' as '_'; the rest is left in ${line}. */
static struct mx_str take_directive(struct rule_reader *reader, struct mx_str *line)
{
    struct mx_str word = rule_text_word(line);
    char *p = mx_arena_dup(reader->arena, word.p, word.n);

    for (size_t i = 0; i < word.n; i++) {
        if (p[i] == '-') {
            p[i] = '_';
        } else if (p[i] >= 'A' && p[i] <= 'Z') {
            p[i] = (char)(p[i] - 'A' + 'a');
        }
    }
    return mx_str_of(p, word.n);
}

/* ---- directives ---- */

/* if, ifplugin, else, endif: false where ${directive} is none of them. */
static bool take_condition(struct rule_reader *reader, struct rule_cond_stack *stack,
                           struct mx_str directive, struct mx_str value)
{
    bool is_plugin = mx_str_eq(directive, MX_STR("ifplugin")), answer = false;
    struct mx_err err = {0};
    int rc = 0;

    if (is_plugin || mx_str_eq(directive, MX_STR("if"))) {
        struct mx_str text = value;

        if (is_plugin) {
            text = mx_str(
                mx_arena_printf(reader->arena, "plugin (%.*s)", MX_STR_FMT(value)));
        }
        /* What is left out is not asked: it may be meant for another version. */
        if (!stack->is_skipping && rule_cond_value(&reader->cond, text, &answer, &err)) {
            problem_err(reader, directive, &err);
        }
        rc = rule_cond_push(stack, answer, reader->line, &err);
    } else if (mx_str_eq(directive, MX_STR("else"))) {
        rc = rule_cond_else(stack, &err);
    } else if (mx_str_eq(directive, MX_STR("endif"))) {
        rc = rule_cond_pop(stack, &err);
    } else {
        return false;
    }
    if (rc) {
        problem_err(reader, directive, &err);
    }
    return true;
}

static void take_include(struct rule_reader *reader, struct mx_str value)
{
    const char *path = NULL;
    struct mx_err err = {0};

    if (reader->depth >= RULE_INCLUDE_DEPTH_MAX) {
        rule_read_problem(reader, RULE_PROBLEM_LIMIT, MX_STR("include"),
                          "includes inside includes are too deep");
    } else if (rule_read_include_path(reader, value, &path, &err)) {
        problem_err(reader, MX_STR("include"), &err);
    } else {
        reader->depth++;
        read_file(reader, path);
        reader->depth--;
    }
}

/* Directives about the reading itself. */
static bool take_own(struct rule_reader *reader, struct mx_str directive,
                     struct mx_str value)
{
    struct mx_str rest = value, first = rule_text_word(&rest);

    if (mx_str_eq(directive, MX_STR("loadplugin")) ||
        mx_str_eq(directive, MX_STR("tryplugin"))) {
        if (!rule_cond_load(&reader->cond, first)) {
            rule_read_problem(reader, RULE_PROBLEM_UNKNOWN_DIRECTIVE, directive,
                              "a plugin that is not known here: what depends on it is "
                              "left out");
        }
    } else if (mx_str_eq(directive, MX_STR("enable_compat"))) {
        rule_cond_enable(&reader->cond, first);
    } else if (mx_str_eq(directive, MX_STR("include"))) {
        take_include(reader, value);
    } else if (mx_str_eq(directive, MX_STR("required_score")) ||
               mx_str_eq(directive, MX_STR("required_hits"))) {
        if (!rule_text_number(first, &reader->set->required_score)) {
            rule_read_problem(reader, RULE_PROBLEM_SYNTAX, directive, "not a number");
        }
    } else if (mx_str_eq(directive, MX_STR("normalize_charset"))) {
        if (mx_str_eq(first, MX_STR("0")) || mx_str_eq(first, MX_STR("no"))) {
            rule_read_problem(reader, RULE_PROBLEM_SYNTAX, directive,
                              "texts are always brought to UTF-8 here");
        }
    } else if (mx_str_eq(directive, MX_STR("require_version"))) {
        reader->is_version_wrong = !mx_str_eq(value, MX_STR(SPAMASSASSIN_VERSION)) &&
                                   !mx_str_eq(value, MX_STR("@@VERSION@@"));
        if (reader->is_version_wrong) {
            rule_read_problem(reader, RULE_PROBLEM_SYNTAX, directive,
                              "the file is for another version and left out");
        }
    } else {
        return false;
    }
    return true;
}

static void take_directive_line(struct rule_reader *reader, struct mx_str directive,
                                struct mx_str value)
{
    struct mx_err err = {0};

    if (rule_read_rule(reader, directive, value)) {
        return;
    }
    if (rule_lists_has(directive)) {
        if (rule_lists_take(&reader->lists, directive, value, &err)) {
            problem_err(reader, directive, &err);
        }
    } else if (take_own(reader, directive, value)) {
        return;
    } else if (rule_read_is_ignored(directive)) {
        reader->set->n_ignored++;
    } else {
        rule_read_problem(reader, RULE_PROBLEM_UNKNOWN_DIRECTIVE, directive,
                          "no directive of SpamAssassin 4.0");
    }
}

/* ---- files ---- */

static void read_line(struct rule_reader *reader, struct rule_cond_stack *stack, char *p,
                      size_t n)
{
    struct mx_str line, directive;

    if (n > RULE_LINE_BYTES_MAX) {
        rule_read_problem(reader, RULE_PROBLEM_LIMIT, MX_STR(""), "the line is too long");
        return;
    }
    line = strip_comment(p, n);
    if (line.n == 0 || !take_language(reader, &line)) {
        return;
    }
    directive = take_directive(reader, &line);
    if (!take_condition(reader, stack, directive, line) && !stack->is_skipping &&
        !reader->is_version_wrong) {
        take_directive_line(reader, directive, line);
    }
}

/* Is there room for another line? Once there is not, nothing more is read. */
static bool has_room(struct rule_reader *reader)
{
    if (!reader->is_full && mx_arena_left(reader->arena) < RULE_ARENA_RESERVE) {
        reader->is_full = true;
        rule_read_problem(reader, RULE_PROBLEM_LIMIT, MX_STR(""),
                          "no memory left for rules: the rest is left out");
    }
    return !reader->is_full;
}

static void read_lines(struct rule_reader *reader, char *text, size_t n)
{
    struct rule_cond_stack *stack = mx_xalloc(sizeof(*stack));
    struct mx_str rest = mx_str_of(text, n), line;

    while (has_room(reader) && mx_str_next(&rest, '\n', &line) == 0) {
        reader->line++;
        reader->set->n_lines++;
        read_line(reader, stack, text + (line.p - text), line.n);
    }
    for (size_t i = 0; i < stack->n; i++) {
        reader->line = stack->v[i].line;
        rule_read_problem(reader, RULE_PROBLEM_SYNTAX, MX_STR("if"),
                          "no \"endif\": it ends with its file");
    }
    free(stack);
}

static void read_file(struct rule_reader *reader, const char *path)
{
    struct mx_str file = reader->file;
    unsigned line = reader->line;
    bool is_version_wrong = reader->is_version_wrong;
    struct mx_err err = {0};
    char *text = NULL;
    size_t n = 0;

    reader->file = mx_str(path);
    reader->line = 0;
    reader->is_version_wrong = false;
    if (rule_read_file_text(reader, path, &text, &n, &err)) {
        problem_err(reader, MX_STR(""), &err);
    } else {
        read_lines(reader, text, n);
    }
    reader->file = file;
    reader->line = line;
    reader->is_version_wrong = is_version_wrong;
}

/* All files of all directories that end in ${suffix}. */
static int read_dirs(struct rule_reader *reader, const char *suffix, struct mx_err *err)
{
    for (const char *const *dir = reader->options->dirs; *dir; dir++) {
        struct text_list files;

        if (rule_read_list_dir(reader, *dir, suffix, &files, err)) {
            return -1;
        }
        for (size_t i = 0; i < files.n; i++) {
            read_file(reader, files.v[i].p);
        }
    }
    return 0;
}

static void reader_init(struct rule_reader *reader,
                        const struct rule_read_options *options)
{
    struct mx_arena *arena = mx_arena_new(RULE_ARENA_BYTES_MAX);
    struct rule_set *set = mx_arena_alloc(arena, sizeof(*set));

    *reader = (struct rule_reader){.options = options, .set = set, .arena = arena};
    set->arena = arena;
    set->required_score = REQUIRED_SCORE_DEFAULT;
    set->has_network = options->has_network;
    set->names = rule_names_new(arena);
    set->list_names = rule_names_new(arena);
    reader->names = rule_names_new(arena);
    rule_cond_init(&reader->cond, arena, options->has_network);
    rule_lists_init(&reader->lists, arena);
    rule_replace_init(&reader->replace, arena);
}

static void reader_fini(struct rule_reader *reader)
{
    rule_cond_fini(&reader->cond);
    rule_lists_fini(&reader->lists);
    rule_replace_fini(&reader->replace);
    rule_names_free(reader->names);
    rule_judge_factory_free(reader->judges);
    free(reader->drafts);
    free(reader->problems);
}

int rule_set_read(const struct rule_read_options *options, struct rule_set **out,
                  struct mx_err *err)
{
    struct rule_reader reader;
    int rc = -1;

    reader_init(&reader, options);
    if (read_dirs(&reader, ".pre", err) || read_dirs(&reader, ".cf", err)) {
        goto done;
    }
    if (reader.set->n_files == 0) {
        mx_err_set(err, MX_ERR_INPUT, "no rule files in the directories of rules");
        goto done;
    }
    if (options->overlay) {
        read_file(&reader, mx_str_dup(reader.arena, mx_str(options->overlay)).p);
    }
    rule_read_finish(&reader);
    *out = reader.set;
    rc = 0;
done:
    reader_fini(&reader);
    if (rc) {
        rule_set_free(reader.set);
    }
    return rc;
}
