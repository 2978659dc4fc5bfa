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
 * repeated. What one piece of markup is, text_html_markup says.
 */
#include "text/text_html_token.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "mx_arena.h"
#include "text/text_chars.h"

#define QUEUE_MAX 4 /* tokens that one step can make */

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
    enum html_section section;
    struct html_token queue[QUEUE_MAX];
    size_t n_queue, queue_at;
    struct html_markup markup; /* the last one */
};

static bool is_space(char c)
{
    return text_char_space((unsigned char)c);
}

static const char *skip_space(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

static void set_section(struct html_tokens *t)
{
    t->section = t->n_sections == 0 ? HTML_SECTION_NONE : t->sections[t->n_sections - 1];
    t->is_cdata = t->section == HTML_SECTION_CDATA;
}

static void push_section(struct html_tokens *t, enum html_section section)
{
    enum html_section strongest = section > t->section ? section : t->section;
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
    if (t->section != HTML_SECTION_IGNORE && t->n_queue < QUEUE_MAX)
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
        if (t->section != HTML_SECTION_NONE && p[0] == ']' && p[1] == ']' &&
            p[2] == '>') {
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

/* Make the token of what was read. */
static void take_markup(struct html_tokens *t)
{
    const struct html_markup *m = &t->markup;
    struct html_token token = {.text = m->text, .name = m->name, .is_cdata = t->is_cdata};
    switch (m->kind) {
    case HTML_MARKUP_START:
        token.kind = HTML_TOKEN_START;
        token.attrs = m->attrs;
        token.n_attrs = m->n_attrs;
        emit(t, token);
        enter_literal(t, m->name);
        break;
    case HTML_MARKUP_END:
        token.kind = HTML_TOKEN_END;
        emit(t, token);
        break;
    case HTML_MARKUP_COMMENT:
        token.kind = HTML_TOKEN_COMMENT;
        emit(t, token);
        break;
    case HTML_MARKUP_DECLARATION:
        token.kind = HTML_TOKEN_DECLARATION;
        emit(t, token);
        break;
    case HTML_MARKUP_SECTION:
        emit_pending(t);
        push_section(t, m->section);
        break;
    case HTML_MARKUP_PROCESS: emit_pending(t); break;
    }
}

/* Markup at "<", or text that begins with it. */
static bool read_at_lt(struct html_tokens *t)
{
    if (t->end - t->at < 3)
        return false;
    const char *behind =
        html_markup_read(t->at, t->end, t->has_short_comments, &t->markup);
    if (behind == NULL)
        return read_text(t, t->at + 1);
    if (behind == t->at)
        return false;
    t->at = behind;
    take_markup(t);
    return true;
}

static bool read_on(struct html_tokens *t)
{
    if (t->at >= t->end)
        return false;
    if (t->literal != NULL)
        return read_literal(t);
    if (t->section == HTML_SECTION_CDATA || t->section == HTML_SECTION_RCDATA)
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
    bool is_all = !t->is_rest && t->section != HTML_SECTION_IGNORE;
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
    if (p == t->end || html_is_name_start(*p) || *p == '/' || *p == '!' || *p == '?') {
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
