/*
 * The configuration file as bytes and as a stream of YAML events: bounded reading,
 * syntax, size and depth, before anything is built from it. libyaml takes quadratic time
 * for deep nesting and has no bound of its own, so the stream is given up at the first
 * event that is too deep or too many. Anchors and aliases are refused: a configuration
 * does not need them, and they make small files large.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "mx_arena.h"
#include "mx_conf_priv.h"
#include "mx_err.h"

/* What the stream has shown so far. */
struct scan {
    const struct mx_conf_doc *doc;
    unsigned depth, nodes, documents;
    bool is_over;
    struct mx_err *err;
};

static int read_all(struct mx_conf_doc *doc, int fd, struct mx_err *err)
{
    struct mx_buf buf = {.max = MX_CONF_FILE_MAX};
    char part[16384];
    ssize_t n;
    int status = -1;
    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            mx_err_errno(err, "%s: read", doc->path);
            goto done;
        }
        mx_buf_add(&buf, part, (size_t)n);
        if (buf.is_overflown) {
            mx_err_set(err, MX_ERR_LIMIT, "%s: larger than %u bytes", doc->path,
                       MX_CONF_FILE_MAX);
            goto done;
        }
    }
    doc->text = mx_str_dup(doc->arena, mx_str_of(buf.p, buf.n));
    status = 0;
done:
    mx_buf_fini(&buf);
    return status;
}

int mx_conf_scan_read(struct mx_conf_doc *doc, struct mx_err *err)
{
    int fd = open(doc->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    int status = -1;
    if (fd < 0)
        return mx_err_errno(err, "%s", doc->path);
    /* A pipe would make a start hang; /dev/null is a fine empty file. */
    if (fstat(fd, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode))
        mx_err_set(err, MX_ERR_INPUT, "%s: not a file", doc->path);
    else
        status = read_all(doc, fd, err);
    close(fd);
    return status;
}

static int fail_at(const struct scan *scan, yaml_mark_t mark, const char *what,
                   const char *context)
{
    return mx_err_set(scan->err, MX_ERR_INPUT, "%s:%zu:%zu: %s%s%s%s", scan->doc->path,
                      mark.line + 1, mark.column + 1, what, context ? " (" : "",
                      context ? context : "", context ? ")" : "");
}

/* A reader error has an offset only: count the lines up to it. */
static yaml_mark_t mark_of_offset(struct mx_str text, size_t offset)
{
    yaml_mark_t mark = {.index = offset};
    for (size_t i = 0; i < offset && i < text.n; i++) {
        mark.column++;
        if (text.p[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static int fail_syntax(const struct scan *scan, const yaml_parser_t *parser)
{
    yaml_mark_t mark = parser->error == YAML_READER_ERROR
                           ? mark_of_offset(scan->doc->text, parser->problem_offset)
                           : parser->problem_mark;
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    bool is_tab = mark.index < scan->doc->text.n && scan->doc->text.p[mark.index] == '\t';
    return fail_at(scan, mark,
                   mx_arena_printf(scan->doc->arena, "not YAML: %s%s", problem,
                                   is_tab ? " (a tab: indent with spaces)" : ""),
                   parser->context);
}

/* The name behind '&' or '*', where the event has one. */
static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT: return event->data.alias.anchor;
    case YAML_SCALAR_EVENT: return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT: return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT: return event->data.mapping_start.anchor;
    default: return NULL;
    }
}

static void count_event(struct scan *scan, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: scan->documents++; break;
    case YAML_SCALAR_EVENT: scan->nodes++; break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        scan->nodes++;
        scan->depth++;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: scan->depth--; break;
    case YAML_STREAM_END_EVENT: scan->is_over = true; break;
    default: break;
    }
}

static int judge_event(const struct scan *scan, const yaml_event_t *event)
{
    yaml_mark_t mark = event->start_mark;
    if (anchor_of(event))
        return fail_at(scan, mark, "anchors and aliases are not supported: write it out",
                       NULL);
    if (scan->depth > MX_CONF_DEPTH_MAX)
        return fail_at(scan, mark, "nested deeper than 8 levels", NULL);
    if (scan->nodes > MX_CONF_NODES_MAX)
        return fail_at(scan, mark, "more than 20000 keys and values", NULL);
    if (scan->documents > 1)
        return fail_at(scan, mark, "a second document begins: only one", NULL);
    return 0;
}

int mx_conf_scan(const struct mx_conf_doc *doc, struct mx_err *err)
{
    struct scan scan = {.doc = doc, .err = err};
    yaml_parser_t parser;
    yaml_event_t event;
    int status = 0;
    if (!yaml_parser_initialize(&parser))
        return mx_err_set(err, MX_ERR_SYSTEM, "%s: libyaml cannot start", doc->path);
    yaml_parser_set_input_string(&parser, (const unsigned char *)doc->text.p,
                                 doc->text.n);
    while (status == 0 && !scan.is_over) {
        if (!yaml_parser_parse(&parser, &event)) {
            status = fail_syntax(&scan, &parser);
            break;
        }
        count_event(&scan, &event);
        status = judge_event(&scan, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}
