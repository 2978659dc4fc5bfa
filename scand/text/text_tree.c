/*
 * MIME as SpamAssassin walks it. Its parser goes line by line, forgives nearly
 * everything, and what it makes of broken structure is what rules were written against:
 * which line starts a body, what a part without an end is, how far a long line goes. The
 * same decisions are made here on slices of the message; text is copied only where the
 * original changes it (line ends, too many blank lines, lines over 2,048 bytes).
 *
 * A multipart is cut into children by struct cutter, a child is parsed as soon as it is
 * complete, so parts come out depth first. Depth, number and size of copies are bounded.
 *
 * Left out: "mbx" separators of one IMAP server.
 */
#include "text_tree.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "text/text_chars.h"
#include "text/text_decode.h"
#include "text/text_head.h"
#include "text/text_type.h"

#define SLACK_BYTES (1 << 20) /* of the arena that parsing leaves to others */

struct builder {
    struct mx_arena *arena;
    struct mx_err *err;
    struct text_part *parts; /* on the heap until all are there */
    size_t n, room;
    unsigned flags;
};

static int parse_part(struct builder *b, size_t self, struct mx_str body,
                      unsigned levels);

static bool is_blank(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!text_char_space(s.p[i]))
            return false;
    return true;
}

static int need(struct builder *b, size_t bytes)
{
    if (mx_arena_left(b->arena) / 4 >= bytes &&
        mx_arena_left(b->arena) - bytes >= SLACK_BYTES)
        return 0;
    return mx_err_set(b->err, MX_ERR_LIMIT, "no room for the texts of a message part");
}

static size_t add_part(struct builder *b, int parent, struct text_fields *fields)
{
    if (b->n == b->room) {
        b->room = b->room ? 2 * b->room : 16;
        b->parts = mx_xrealloc(b->parts, b->room * sizeof(*b->parts));
    }
    struct text_part *part = &b->parts[b->n];
    *part = (struct text_part){.parent = parent};
    part->depth = parent < 0 ? 0 : b->parts[parent].depth + 1;
    part->fields = text_fields_keep(b->arena, fields, &part->n_fields);
    return b->n++;
}

const struct text_field *text_part_field(const struct text_part *part, struct mx_str name)
{
    return text_head_last(part->fields, part->n_fields, name);
}

static struct mx_str field_value(const struct text_part *part, const char *name)
{
    const struct text_field *field = text_part_field(part, mx_str(name));
    return field ? field->value : MX_STR_NONE;
}

/* ---- leaves -------------------------------------------------------------------------
 */

static bool is_text(struct mx_str type)
{
    return mx_str_starts(type, MX_STR("text/")) ||
           mx_str_starts(type, MX_STR("message/"));
}

struct mx_str text_part_decoded(struct mx_arena *arena, const struct text_part *part)
{
    if (part->decoded.p != NULL || !part->is_leaf)
        return part->decoded;
    struct mx_str decoded = text_transfer_decode(arena, part->encoding, part->raw);
    if (mx_str_eq(part->encoding, MX_STR("base64")) && is_text(part->declared_type))
        decoded = text_crlf_to_lf(arena, decoded);
    return decoded;
}

/* Type, names and encoding of a part that is no multipart. */
static void fill_leaf(struct builder *b, struct text_part *part,
                      const struct text_type *type, struct mx_str body)
{
    part->is_leaf = true;
    part->raw = body;
    part->charset = type->charset;
    part->name = text_type_file_name(field_value(part, "content-disposition"));
    if (part->name.n == 0)
        part->name = type->name;
    part->encoding =
        mx_str_lower(b->arena, field_value(part, "content-transfer-encoding"));
    part->type =
        text_type_is_html_name(part->name) ? MX_STR("text/html") : part->declared_type;
    if (is_text(part->type) || is_text(part->declared_type))
        part->decoded = text_part_decoded(b->arena, part);
}

/* ---- whole messages -----------------------------------------------------------------
 */

/* "From " of an mbox, unless it is the field From with a space before its colon. */
static struct mx_str without_mbox_line(struct mx_str raw)
{
    struct mx_str line = text_head_line(raw);
    size_t i = 4;
    if (!mx_str_starts(line, MX_STR("From")) || line.n < 5 || !text_char_space(line.p[4]))
        return raw;
    while (i < line.n && text_char_space(line.p[i]))
        i++;
    if (i == 5 && i < line.n && line.p[i] == ':')
        return raw;
    return mx_str_sub(raw, line.n, raw.n);
}

/* CRLF in the first or the last line means CRLF everywhere. */
static bool uses_crlf(struct mx_str raw)
{
    struct mx_str first = text_head_line(raw), last = raw;
    if (raw.n > 0 && raw.p[raw.n - 1] == '\n')
        last.n--;
    ptrdiff_t before = mx_str_rchr(last, '\n');
    last = mx_str_sub(raw, (size_t)(before + 1), raw.n);
    return mx_str_find(first, MX_STR("\r\n")) >= 0 ||
           mx_str_find(last, MX_STR("\r\n")) >= 0;
}

static size_t put_line(char *to, struct mx_str line, bool has_crlf)
{
    size_t n = line.n;
    if (n)
        memcpy(to, line.p, n);
    if (has_crlf && n >= 2 && to[n - 2] == '\r' && to[n - 1] == '\n')
        to[--n - 1] = '\n';
    return n;
}

/*
 * Copy of a body with LF line ends and never more than 20 blank lines in a row (the
 * second and following ones go). The byte in front of the copy is a newline.
 */
static struct mx_str tidy_body(struct mx_arena *arena, struct mx_str body, bool has_crlf)
{
    char *p = mx_arena_alloc(arena, body.n + 2);
    size_t n = 1;
    p[0] = '\n';
    while (body.n > 0) {
        struct mx_str line = text_head_line(body), rest = body;
        size_t blanks = 0, start = n == 1;
        for (; rest.n > 0 && is_blank(text_head_line(rest)); blanks++)
            rest = mx_str_sub(rest, text_head_line(rest).n, rest.n);
        size_t keep = TEXT_BLANK_LINES_MAX + start; /* the first line counts as text */
        size_t excess = blanks > keep ? blanks - keep : 0;
        if (blanks == 0) {
            n += put_line(p + n, line, has_crlf);
            body = mx_str_sub(body, line.n, body.n);
        }
        for (size_t i = 0; i < blanks; i++) {
            line = text_head_line(body);
            if (i < 1 + start || i >= 1 + start + excess)
                n += put_line(p + n, line, has_crlf);
            body = mx_str_sub(body, line.n, body.n);
        }
    }
    return mx_str_of(p + 1, n - 1);
}

static bool is_multipart(struct mx_str type)
{
    return mx_str_starts(type, MX_STR("multipart/"));
}

/* A multipart's body must not start with what could be taken for fields of a part. */
static struct mx_str shield_body(const struct text_part *part, struct mx_str boundary,
                                 struct mx_str body)
{
    struct mx_str first = text_head_line(body);
    if (!is_multipart(part->declared_type) || first.n == body.n || is_blank(first))
        return body;
    if (boundary.p && mx_str_starts(first, MX_STR("--")) &&
        mx_str_starts(mx_str_sub(first, 2, first.n), boundary))
        return body;
    return mx_str_of(body.p - 1, body.n + 1);
}

/* Our own and others' verdicts are no evidence. */
static void drop_verdicts(struct text_fields *fields)
{
    size_t n = 0;
    for (size_t i = 0; i < fields->n; i++)
        if (!mx_str_istarts(fields->v[i].name, MX_STR("X-Spam-")))
            fields->v[n++] = fields->v[i];
    fields->n = n;
}

/* A header, a body: the message itself (parent -1) or one inside it. */
static int parse_message(struct builder *b, int parent, struct mx_str raw,
                         unsigned levels, size_t *out_head)
{
    struct text_fields fields = {.v = NULL};
    struct text_type type;
    unsigned flags = 0;
    bool has_crlf = uses_crlf(raw);
    if (need(b, raw.n) < 0)
        return -1;
    size_t head = text_head_parse(b->arena, raw, has_crlf, &fields, &flags);
    if (parent < 0) {
        drop_verdicts(&fields);
        b->flags |= flags;
    }
    size_t self = add_part(b, parent, &fields);
    struct text_part *part = &b->parts[self];
    text_type_parse(b->arena, field_value(part, "content-type"), &type);
    part->declared_type = type.type;
    part->boundary = type.boundary;
    struct mx_str body = tidy_body(b->arena, mx_str_sub(raw, head, raw.n), has_crlf);
    *out_head = head;
    return parse_part(b, self, shield_body(part, type.boundary, body), levels);
}

/* ---- multiparts ---------------------------------------------------------------------
 */

/* One walk over a multipart's body. */
struct cutter {
    struct builder *b;
    size_t self;
    struct mx_str boundary;
    unsigned levels; /* for the children */
    unsigned n_children;
    bool has_nested_boundary; /* a child multipart has the same boundary */
    /* the child being read */
    struct text_fields fields;
    struct mx_str field; /* being collected; n 0: none */
    struct mx_str content;
    bool is_in_body, has_long_line;
};

enum boundary_kind { BOUNDARY_NONE, BOUNDARY_NEXT, BOUNDARY_LAST };

static enum boundary_kind boundary_of(struct mx_str line, struct mx_str boundary)
{
    if (!mx_str_starts(line, MX_STR("--")))
        return BOUNDARY_NONE;
    line = mx_str_sub(line, 2, line.n);
    if (!mx_str_starts(line, boundary))
        return BOUNDARY_NONE;
    line = mx_str_sub(line, boundary.n, line.n);
    if (is_blank(line))
        return BOUNDARY_NEXT;
    return mx_str_starts(line, MX_STR("--")) && is_blank(mx_str_sub(line, 2, line.n))
               ? BOUNDARY_LAST
               : BOUNDARY_NONE;
}

/* Body behind the first boundary; all of it where there is none. */
static struct mx_str skip_preamble(struct cutter *c, struct mx_str body)
{
    for (struct mx_str rest = body; rest.n > 0;) {
        struct mx_str line = text_head_line(rest);
        rest = mx_str_sub(rest, line.n, rest.n);
        if (boundary_of(line, c->boundary) != BOUNDARY_NEXT)
            continue;
        if (rest.n > 0 && !text_head_is_field(text_head_line(rest), false))
            c->b->flags |= TEXT_MISSING_MIME_HEADERS;
        return rest;
    }
    return body;
}

static void store_field(struct cutter *c)
{
    ptrdiff_t colon = mx_str_chr(c->field, ':');
    if (c->field.n == 0 || colon < 0)
        return;
    struct mx_str raw = mx_str_sub(c->field, (size_t)colon + 1, c->field.n);
    while (raw.n > 0 && text_char_space(raw.p[0]))
        raw = mx_str_sub(raw, 1, raw.n);
    if (raw.n > 0 && raw.p[raw.n - 1] == '\n')
        raw.n--;
    text_fields_add(c->b->arena, &c->fields, mx_str_sub(c->field, 0, (size_t)colon), raw);
    c->field.n = 0;
}

/* The last field before the body may be a Content-Type that repeats our boundary. */
static void watch_boundary(struct cutter *c)
{
    struct text_type type;
    ptrdiff_t colon = mx_str_chr(c->field, ':');
    bool is_type = colon >= 0 && mx_str_ieq(mx_str_sub(c->field, 0, (size_t)colon),
                                            MX_STR("content-type"));
    store_field(c);
    if (!is_type || c->fields.n == 0)
        return;
    text_type_parse(c->b->arena, c->fields.v[c->fields.n - 1].value, &type);
    if (type.boundary.p && mx_str_eq(type.boundary, c->boundary))
        c->has_nested_boundary = true;
}

static void add_content(struct cutter *c, struct mx_str line)
{
    if (c->content.n == 0)
        c->content = mx_str_of(line.p, 0);
    c->content.n += line.n;
    c->has_long_line |= line.n > TEXT_PART_LINE_MAX;
}

static void read_line(struct cutter *c, struct mx_str line)
{
    if (c->is_in_body) {
        add_content(c, line);
    } else if (text_head_is_field(line, true)) {
        store_field(c);
        c->field = line;
    } else if ((line.p[0] == ' ' || line.p[0] == '\t') && c->field.n > 0) {
        c->field.n += line.n;
    } else {
        watch_boundary(c);
        c->is_in_body = true;
        if (mx_str_eq(line, MX_STR("\n")) || mx_str_eq(line, MX_STR("\r\n")))
            return;
        c->b->flags |= TEXT_MISSING_MIME_HEAD_BODY_SEPARATOR;
        add_content(c, line);
    }
}

/* Copy of ${s} with a newline behind each 2,048 bytes of a longer line. */
static struct mx_str break_lines(struct mx_arena *arena, struct mx_str s)
{
    char *p = mx_arena_alloc(arena, s.n + s.n / TEXT_PART_LINE_MAX + 1);
    size_t n = 0;
    while (s.n > 0) {
        struct mx_str line = text_head_line(s);
        if (line.n > TEXT_PART_LINE_MAX)
            line.n = TEXT_PART_LINE_MAX;
        memcpy(p + n, line.p, line.n);
        n += line.n;
        if (line.n == TEXT_PART_LINE_MAX && s.n > line.n && line.p[line.n - 1] != '\n')
            p[n++] = '\n';
        s = mx_str_sub(s, line.n, s.n);
    }
    return mx_str_of(p, n);
}

/* The child is complete: make it a part, and parse what is inside. */
static int end_child(struct cutter *c, bool is_bounded)
{
    struct builder *b = c->b;
    struct text_type type;
    struct mx_str content = c->content;
    if (need(b, content.n) < 0)
        return -1;
    if (c->has_long_line)
        content = break_lines(b->arena, content);
    if (is_bounded && content.n > 0 && content.p[content.n - 1] == '\n')
        content.n--; /* belongs to the boundary, RFC 2046 5.1.1 */
    size_t child = add_part(b, (int)c->self, &c->fields);
    struct text_part *part = &b->parts[child];
    text_type_parse(b->arena, field_value(part, "content-type"), &type);
    part->declared_type = type.type;
    if (type.is_missing &&
        mx_str_eq(b->parts[c->self].declared_type, MX_STR("multipart/digest")))
        part->declared_type = MX_STR("message/rfc822");
    part->boundary = type.boundary.n ? type.boundary : c->boundary;
    c->field = c->content = MX_STR_NONE;
    c->is_in_body = c->has_long_line = false;
    c->n_children++;
    return parse_part(b, child, content, c->levels);
}

static void look_for_epilogue(struct builder *b, struct mx_str rest)
{
    for (size_t i = 0; i < rest.n; i++)
        if (!text_char_space(rest.p[i]) && rest.p[i] != '.')
            b->flags |= TEXT_MIME_EPILOGUE_EXISTS;
}

static int parse_multipart(struct builder *b, size_t self, struct mx_str body,
                           unsigned levels)
{
    struct cutter c = {
        .b = b, .self = self, .boundary = b->parts[self].boundary, .levels = levels - 1};
    int rc = 0;
    for (struct mx_str rest = skip_preamble(&c, body); rest.n > 0 && rc == 0;) {
        struct mx_str line = text_head_line(rest);
        rest = mx_str_sub(rest, line.n, rest.n);
        enum boundary_kind kind = boundary_of(line, c.boundary);
        if (c.has_nested_boundary) {
            c.has_nested_boundary = kind != BOUNDARY_LAST;
            kind = BOUNDARY_NONE;
        }
        if (kind == BOUNDARY_NONE && rest.n > 0) {
            read_line(&c, line);
            continue;
        }
        if (kind == BOUNDARY_NONE)
            add_content(&c, line); /* the last line, of an unfinished part */
        rc = end_child(&c, kind != BOUNDARY_NONE);
        if (kind == BOUNDARY_LAST) {
            look_for_epilogue(b, rest);
            break;
        }
        if (rest.n > 0 && !text_head_is_field(text_head_line(rest), false))
            b->flags |= TEXT_MISSING_MIME_HEADERS;
        if (c.n_children == TEXT_CHILDREN_MAX || b->n >= TEXT_PARTS_MAX)
            break;
    }
    free(c.fields.v);
    return rc;
}

/* ---- a part -------------------------------------------------------------------------
 */

static int parse_leaf(struct builder *b, size_t self, struct mx_str body, unsigned levels)
{
    struct text_part *part = &b->parts[self];
    struct text_type type;
    size_t head;
    if (need(b, body.n) < 0)
        return -1;
    text_type_parse(b->arena, field_value(part, "content-type"), &type);
    if (!type.is_missing && is_multipart(type.type) && part->boundary.p == NULL)
        part->declared_type = MX_STR("text/plain");
    fill_leaf(b, part, &type, body);
    bool is_message = mx_str_eq(part->declared_type, MX_STR("message/rfc822")) ||
                      mx_str_eq(part->declared_type, MX_STR("message/global"));
    if (!is_message || levels == 0 || part->decoded.n == 0 || b->n >= TEXT_PARTS_MAX)
        return 0;
    struct mx_str inner = without_mbox_line(part->decoded);
    part->is_leaf = false;
    part->raw = part->decoded = MX_STR_NONE;
    return parse_message(b, (int)self, inner, levels - 1, &head);
}

static int parse_part(struct builder *b, size_t self, struct mx_str body, unsigned levels)
{
    const struct text_part *part = &b->parts[self];
    if (is_multipart(part->declared_type) && part->boundary.p && levels > 0)
        return parse_multipart(b, self, body, levels);
    return parse_leaf(b, self, body, levels);
}

/* With CRLF in use, a header line that ends in LF alone gets its CR (milters lose it). */
static struct mx_str mend_head(struct mx_arena *arena, struct mx_str raw, size_t *head)
{
    size_t bare = 0, n = 0;
    for (size_t i = 0; i < *head; i++)
        bare += raw.p[i] == '\n' && (i == 0 || raw.p[i - 1] != '\r');
    if (bare == 0 || !uses_crlf(raw))
        return raw;
    char *p = mx_arena_alloc(arena, raw.n + bare + 1);
    for (size_t i = 0; i < *head; i++) {
        if (raw.p[i] == '\n' && (i == 0 || raw.p[i - 1] != '\r'))
            p[n++] = '\r';
        p[n++] = raw.p[i];
    }
    memcpy(p + n, raw.p + *head, raw.n - *head);
    *head = n;
    return mx_str_of(p, raw.n + bare);
}

int text_tree_parse(struct mx_arena *arena, struct mx_str raw, struct text_tree *out,
                    struct mx_err *err)
{
    struct builder b = {.arena = arena, .err = err};
    struct mx_str pristine = without_mbox_line(raw.n ? raw : MX_STR("\n"));
    size_t head = 0;
    int rc = parse_message(&b, -1, pristine, TEXT_NESTING_MAX, &head);
    if (rc == 0 && (rc = need(&b, 2 * pristine.n)) == 0) {
        pristine = mend_head(arena, pristine, &head);
        struct text_part *parts = mx_arena_array(arena, b.n, sizeof(*parts));
        memcpy(parts, b.parts, b.n * sizeof(*parts));
        *out = (struct text_tree){
            .pristine = pristine,
            .pristine_head = mx_str_sub(pristine, 0, head),
            .pristine_body = mx_str_sub(pristine, head, pristine.n),
            .fields = parts[0].fields,
            .n_fields = parts[0].n_fields,
            .parts = parts,
            .n_parts = b.n,
            .flags = b.flags,
        };
    }
    free(b.parts);
    return rc;
}
