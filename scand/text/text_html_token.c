/*
 * HTML tokeniser, a state machine over one buffer. What well-formed HTML means is plain;
 * the rest of this file is about what is not:
 *
 *  - Behind <script>, <style>, <title> and a few others everything is text until the
 *    matching end tag. Where that never comes, script and style take all the rest, title
 *    is closed at the next tag, the others take the rest as text.
 *  - A tag, comment or declaration without end stops the reading. The rest is then read
 *    again with comments that end at the first ">"; if that does not help, all of it is
 *    one comment.
 *  - Marked sections, <![CDATA[ ... ]]> and their nesting, are honoured.
 *  - Text at the very end is cut before its last word, as a chunk reader must, so it
 *    makes two tokens.
 *
 * Each byte is looked at a bounded number of times: a search that ran to the end is never
 * repeated. XML mode and strict names are left out.
 */
#include "text/text_html_token.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "mx_arena.h"
#include "text/text_chars.h"

#define QUEUE_MAX 4 /* tokens that one step can make */

/* In the order in which the strongest wins. */
enum section {
    SECTION_NONE,
    SECTION_INCLUDE,
    SECTION_RCDATA,
    SECTION_CDATA,
    SECTION_IGNORE
};

static const struct literal {
    const char *name;
    bool is_cdata;
    enum { AT_END_CLOSE, AT_END_PENDING, AT_END_TEXT } at_end;
} literals[] = {
    {"script", true, AT_END_CLOSE},   {"style", true, AT_END_CLOSE},
    {"xmp", true, AT_END_TEXT},       {"iframe", true, AT_END_TEXT},
    {"plaintext", true, AT_END_TEXT}, {"title", false, AT_END_PENDING},
    {"textarea", false, AT_END_TEXT},
};
#define N_LITERALS (sizeof(literals) / sizeof(literals[0]))

struct html_tokens {
    struct mx_arena *arena;
    const char *at, *end;          /* what is left; *end is NUL */
    bool is_rest, is_done;         /* reading stopped once; for good */
    const struct literal *literal; /* inside one; NULL otherwise */
    const char *pending_end;       /* end tag due before the next tag; NULL none */
    bool has_no_close[N_LITERALS]; /* searched up to the end and not found */
    bool is_cdata;                 /* text has no references */
    bool has_short_comments;       /* they end at the first ">" */
    unsigned char *sections;       /* strongest section up to each level */
    size_t n_sections, sections_room;
    enum section section;
    struct html_token queue[QUEUE_MAX];
    size_t n_queue, queue_at;
    struct html_attr attrs[HTML_ATTRS_MAX];
    size_t n_attrs;
};

static bool is_space(char c)
{
    return text_char_space((unsigned char)c);
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static bool is_word(char c) /* neither space nor ">" */
{
    return c != '>' && !is_space(c);
}

static const char *skip_space(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

static const char *find_dashes(const struct html_tokens *t, const char *from)
{
    return from < t->end ? memmem(from, (size_t)(t->end - from), "--", 2) : NULL;
}

static void set_section(struct html_tokens *t)
{
    t->section = t->n_sections == 0 ? SECTION_NONE : t->sections[t->n_sections - 1];
    t->is_cdata = t->section == SECTION_CDATA;
}

static void push_section(struct html_tokens *t, enum section section)
{
    enum section strongest = section > t->section ? section : t->section;
    t->sections = text_grow(t->arena, t->sections, t->n_sections, &t->sections_room, 1);
    t->sections[t->n_sections++] = (unsigned char)strongest;
    set_section(t);
}

static void pop_section(struct html_tokens *t)
{
    if (t->n_sections > 0)
        t->n_sections--;
    set_section(t);
}

static void queue(struct html_tokens *t, struct html_token token)
{
    if (t->section != SECTION_IGNORE && t->n_queue < QUEUE_MAX)
        t->queue[t->n_queue++] = token;
}

/* The end tag that is due comes before any markup but a comment. */
static void emit_pending(struct html_tokens *t)
{
    if (t->pending_end == NULL)
        return;
    queue(t, (struct html_token){.kind = HTML_TOKEN_END, .name = mx_str(t->pending_end)});
    t->pending_end = NULL;
}

static void emit(struct html_tokens *t, struct html_token token)
{
    if (token.kind != HTML_TOKEN_TEXT && token.kind != HTML_TOKEN_COMMENT)
        emit_pending(t);
    queue(t, token);
}

static void emit_span(struct html_tokens *t, enum html_token_kind kind, const char *from,
                      const char *to)
{
    emit(t, (struct html_token){.kind = kind,
                                .text = mx_str_of(from, (size_t)(to - from)),
                                .is_cdata = t->is_cdata});
}

static void emit_text(struct html_tokens *t, const char *from, const char *to)
{
    if (from < to)
        emit_span(t, HTML_TOKEN_TEXT, from, to);
}

/* ---- markup: each reader is given "<" and returns what is behind the token, NULL where
 * this is no markup after all, or the "<" itself where the end is missing -------------
 */

static const char *comment_to_gt(struct html_tokens *t, const char *start)
{
    const char *gt = memchr(start, '>', (size_t)(t->end - start));
    if (gt == NULL)
        return start;
    emit_span(t, HTML_TOKEN_COMMENT, start, gt + 1);
    return gt + 1;
}

/* "<!--" up to "-->", with space allowed before ">". */
static const char *read_comment(struct html_tokens *t, const char *start)
{
    if (t->has_short_comments)
        return comment_to_gt(t, start);
    const char *p = start + 4;
    while (p < t->end && (p = memchr(p, '-', (size_t)(t->end - p))) != NULL) {
        if (*++p != '-')
            continue;
        const char *gt = skip_space(p + 1);
        if (*gt == '>') {
            emit_span(t, HTML_TOKEN_COMMENT, start, gt + 1);
            return gt + 1;
        }
    }
    return start;
}

static enum section section_of(struct mx_str name)
{
    if (mx_str_ieq(name, MX_STR("include")))
        return SECTION_INCLUDE;
    if (mx_str_ieq(name, MX_STR("rcdata")))
        return SECTION_RCDATA;
    if (mx_str_ieq(name, MX_STR("cdata")))
        return SECTION_CDATA;
    return mx_str_ieq(name, MX_STR("ignore")) ? SECTION_IGNORE : SECTION_NONE;
}

/* "<![ name name [": begins a section, which has no token. */
static const char *read_section(struct html_tokens *t, const char *start)
{
    const char *p = skip_space(start + 3);
    enum section strongest = SECTION_NONE;
    bool has_name = false;
    while (is_name_start(*p) || *p == '-') {
        if (*p == '-') {
            if (p[1] != '-')
                return NULL;
            const char *close = find_dashes(t, p + 2);
            if (close == NULL)
                return start;
            p = skip_space(close + 2);
            continue;
        }
        const char *name = p;
        while (is_name(*p))
            p++;
        enum section section = section_of(mx_str_of(name, (size_t)(p - name)));
        strongest = section > strongest ? section : strongest;
        has_name = true;
        p = skip_space(p);
        if (p >= t->end)
            return start;
    }
    if (*p != '[')
        return NULL;
    emit_pending(t);
    push_section(t, has_name ? strongest : SECTION_INCLUDE);
    return p + 1;
}

/* One word, string or comment inside a declaration. Behind it; NULL: not allowed there;
 * t->end: without end. */
static const char *skip_declared(const struct html_tokens *t, const char *p)
{
    if (*p == '"' || *p == '\'') {
        const char *close = memchr(p + 1, *p, (size_t)(t->end - p - 1));
        return close == NULL ? t->end : close + 1;
    }
    if (*p == '-') {
        if (p + 1 < t->end && p[1] != '-')
            return NULL;
        const char *close = find_dashes(t, p + 2);
        return close == NULL ? t->end : close + 2;
    }
    while (p < t->end && is_word(*p))
        p++;
    return p;
}

/* <!DOCTYPE ...> or <!ENTITY ...>; anything else is a comment up to ">". */
static const char *read_declaration(struct html_tokens *t, const char *start)
{
    const char *p = start + 2;
    while (p < t->end && is_name(*p))
        p++;
    struct mx_str name = mx_str_of(start + 2, (size_t)(p - start - 2));
    if (p == t->end)
        return start;
    if (!mx_str_ieq(name, MX_STR("doctype")) && !mx_str_ieq(name, MX_STR("entity")))
        return comment_to_gt(t, start);
    for (;;) {
        p = skip_space(p);
        if (p >= t->end)
            return start;
        if (*p == '>')
            break;
        p = skip_declared(t, p);
        if (p == NULL)
            return comment_to_gt(t, start);
        if (p >= t->end)
            return start;
    }
    emit_span(t, HTML_TOKEN_DECLARATION, start, p + 1);
    return p + 1;
}

static const char *read_bang(struct html_tokens *t, const char *start)
{
    char c = start[2];
    if (c == '-') {
        if (start[3] == '-')
            return read_comment(t, start);
        return start + 3 >= t->end ? start : comment_to_gt(t, start);
    }
    if (c == '[') {
        const char *behind = read_section(t, start);
        return behind != NULL ? behind : comment_to_gt(t, start);
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return read_declaration(t, start);
    return comment_to_gt(t, start);
}

/* Behind the value that begins at ${p}, which goes to ${out}; NULL: the end is missing.
 */
static const char *read_value(const struct html_tokens *t, const char *p,
                              struct mx_str *out)
{
    if (*p == '"' || *p == '\'') {
        const char *close = memchr(p + 1, *p, (size_t)(t->end - p - 1));
        if (close == NULL)
            return NULL;
        *out = mx_str_of(p + 1, (size_t)(close - p - 1));
        return close + 1;
    }
    const char *start = p;
    while (p < t->end && is_word(*p))
        p++;
    *out = mx_str_of(start, (size_t)(p - start));
    return p;
}

/* Behind the attribute that begins at ${p}, and space; NULL: the end is missing. */
static const char *read_attr(struct html_tokens *t, const char *p)
{
    const char *start = p++;
    while (p < t->end && is_word(*p) && *p != '=')
        p++;
    struct html_attr attr = {.name = mx_str_of(start, (size_t)(p - start))};
    attr.value = attr.name;
    p = skip_space(p);
    if (*p == '=') {
        p = skip_space(p + 1);
        attr.value = MX_STR("");
        if (p < t->end && *p != '>')
            p = read_value(t, p, &attr.value);
        if (p == NULL)
            return NULL;
        p = skip_space(p);
    }
    if (t->n_attrs < HTML_ATTRS_MAX)
        t->attrs[t->n_attrs++] = attr;
    return p < t->end ? p : NULL;
}

static void enter_literal(struct html_tokens *t, struct mx_str name)
{
    for (size_t i = 0; i < N_LITERALS; i++) {
        if (mx_str_ieq(name, mx_str(literals[i].name))) {
            t->literal = &literals[i];
            t->is_cdata = literals[i].is_cdata;
            return;
        }
    }
}

static const char *read_start(struct html_tokens *t, const char *start)
{
    const char *p = start + 2;
    while (p < t->end && is_word(*p))
        p++;
    struct mx_str name = mx_str_of(start + 1, (size_t)(p - start - 1));
    t->n_attrs = 0;
    p = skip_space(p);
    while (p != NULL && p < t->end && *p != '>')
        p = read_attr(t, p);
    if (p == NULL || p >= t->end)
        return start;
    emit(t, (struct html_token){.kind = HTML_TOKEN_START,
                                .text = mx_str_of(start, (size_t)(p + 1 - start)),
                                .name = name,
                                .attrs = t->attrs,
                                .n_attrs = t->n_attrs});
    enter_literal(t, name);
    return p + 1;
}

/* The ">" that ends an end tag: quotes opened behind a space or "=" hide it. */
static const char *find_gt(const char *p, const char *end)
{
    char quote = '\0', before = ' ';
    for (; p < end; before = *p++) {
        if (*p == '>' && quote == '\0')
            return p;
        if (*p != '"' && *p != '\'')
            continue;
        if (*p == quote)
            quote = '\0';
        else if (quote == '\0' && (before == ' ' || before == '='))
            quote = *p;
    }
    return end;
}

static const char *read_end(struct html_tokens *t, const char *start)
{
    const char *p = start + 2;
    while (p < t->end && is_word(*p))
        p++;
    struct mx_str name = mx_str_of(start + 2, (size_t)(p - start - 2));
    const char *gt = find_gt(p, t->end);
    if (gt == t->end)
        return start;
    if (name.n == 0)
        emit_span(t, HTML_TOKEN_COMMENT, start, gt + 1);
    else
        emit(t, (struct html_token){.kind = HTML_TOKEN_END, .name = name});
    return gt + 1;
}

static const char *read_markup(struct html_tokens *t, const char *start)
{
    char c = start[1];
    if (is_name_start(c))
        return read_start(t, start);
    if (c == '/')
        return read_end(t, start);
    if (c == '!')
        return read_bang(t, start);
    if (c != '?')
        return NULL;
    const char *gt = memchr(start + 2, '>', (size_t)(t->end - start - 2));
    if (gt == NULL)
        return start;
    emit_pending(t); /* a processing instruction has no token of its own */
    return gt + 1;
}

/* ---- the three ways to read on; each returns false where nothing more can be read ----
 */

/* The end tag of the literal that is open: its "<"; NULL none. ${behind} is behind it. */
static const char *find_close(const struct html_tokens *t, const char **behind)
{
    size_t n = strlen(t->literal->name);
    if (strcmp(t->literal->name, "plaintext") == 0)
        return NULL;
    const char *p = t->at;
    while (p < t->end && (p = memchr(p, '<', (size_t)(t->end - p))) != NULL) {
        const char *start = p++;
        if (*p != '/' || strncasecmp(p + 1, t->literal->name, n) != 0)
            continue;
        p = skip_space(p + 1 + n);
        if (*p == '>') {
            *behind = p + 1;
            return start;
        }
    }
    return NULL;
}

static bool read_literal(struct html_tokens *t)
{
    size_t which = (size_t)(t->literal - literals);
    const char *behind = NULL;
    const char *close = t->has_no_close[which] ? NULL : find_close(t, &behind);
    if (close == NULL) {
        t->has_no_close[which] = true;
        return false;
    }
    emit_text(t, t->at, close);
    emit(t, (struct html_token){.kind = HTML_TOKEN_END,
                                .name = mx_str_of(close + 2, strlen(t->literal->name))});
    t->literal = NULL;
    t->is_cdata = false;
    t->at = behind;
    return true;
}

static bool read_section_text(struct html_tokens *t)
{
    const char *close = memmem(t->at, (size_t)(t->end - t->at), "]]>", 3);
    if (close == NULL)
        return false;
    emit_text(t, t->at, close);
    t->at = close + 3;
    pop_section(t);
    return true;
}

/* The last text: all but its last word, or but the space at its end. */
static void emit_last_text(struct html_tokens *t)
{
    const char *p = t->end;
    if (!is_space(p[-1])) {
        while (p > t->at && !is_space(p[-1]))
            p--;
    }
    while (p > t->at && is_space(p[-1]))
        p--;
    emit_text(t, t->at, p);
    t->at = p;
}

/* Text up to "<" or the end of a section; ${p} is behind the part known to be text. */
static bool read_text(struct html_tokens *t, const char *p)
{
    for (; p < t->end && *p != '<'; p++) {
        if (t->section != SECTION_NONE && p[0] == ']' && p[1] == ']' && p[2] == '>') {
            emit_text(t, t->at, p);
            t->at = p + 3;
            pop_section(t);
            return true;
        }
    }
    if (p == t->end) {
        emit_last_text(t);
        return false;
    }
    emit_text(t, t->at, p);
    t->at = p;
    return true;
}

/* Markup at "<", or text that begins with it. */
static bool read_at_lt(struct html_tokens *t)
{
    if (t->end - t->at < 3)
        return false;
    const char *behind = read_markup(t, t->at);
    if (behind == NULL)
        return read_text(t, t->at + 1);
    bool is_read = behind != t->at;
    t->at = behind;
    return is_read;
}

static bool read_on(struct html_tokens *t)
{
    if (t->at >= t->end)
        return false;
    if (t->literal != NULL)
        return read_literal(t);
    if (t->section == SECTION_CDATA || t->section == SECTION_RCDATA)
        return read_section_text(t);
    return *t->at == '<' ? read_at_lt(t) : read_text(t, t->at);
}

/* ---- what to do where reading stopped ------------------------------------------------
 */

static void emit_rest(struct html_tokens *t)
{
    emit_text(t, t->at, t->end);
    t->at = t->end;
}

/* The literal that is open has no end. Returns whether to read on. */
static bool end_literal(struct html_tokens *t)
{
    const struct literal *literal = t->literal;
    if (literal->at_end == AT_END_TEXT)
        return false;
    t->literal = NULL;
    if (literal->at_end == AT_END_PENDING) {
        t->pending_end = literal->name;
        return true;
    }
    bool is_all = !t->is_rest && t->section != SECTION_IGNORE;
    if (is_all)
        emit_rest(t);
    emit(t, (struct html_token){.kind = HTML_TOKEN_END, .name = mx_str(literal->name)});
    return !is_all;
}

/* Some markup has no end. Returns whether to read on, with comments that end earlier. */
static bool end_markup(struct html_tokens *t)
{
    if (!t->has_short_comments) {
        t->has_short_comments = true;
        return true;
    }
    const char *p = t->at + 1;
    if (p == t->end || is_name_start(*p) || *p == '/' || *p == '!' || *p == '?') {
        emit_span(t, HTML_TOKEN_COMMENT, t->at, t->end);
        t->at = t->end;
    }
    return false;
}

/* Whether to read on where reading stopped, under other rules. A literal that begins at
 * the very end stays open, but for script and style. */
static bool reads_on(struct html_tokens *t)
{
    bool is_end = t->at == t->end;
    if (t->literal != NULL &&
        (!is_end || (t->literal->at_end == AT_END_CLOSE && !t->is_rest)))
        return end_literal(t);
    return t->literal == NULL && !is_end && *t->at == '<' && end_markup(t);
}

/* Reading stopped: read on, or take the rest as it is and be done. */
static void recover(struct html_tokens *t)
{
    bool goes_on = reads_on(t);
    t->is_rest = true;
    if (goes_on)
        return;
    emit_rest(t);
    emit_pending(t);
    t->is_done = true;
}

struct html_tokens *html_tokens_new(struct mx_arena *arena, const char *source, size_t n)
{
    struct html_tokens *t = mx_arena_alloc(arena, sizeof(*t));
    t->arena = arena;
    t->at = source;
    t->end = source + n;
    return t;
}

bool html_tokens_next(struct html_tokens *t, struct html_token *out)
{
    while (t->queue_at == t->n_queue) {
        if (t->is_done)
            return false;
        t->queue_at = t->n_queue = 0;
        if (!read_on(t))
            recover(t);
    }
    *out = t->queue[t->queue_at++];
    return true;
}
