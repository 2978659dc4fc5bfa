/*
 * HTML tokens as Perl's HTML::Parser finds them, whose reading of broken markup the
 * rules were written against. No tree, no nesting: start tags, end tags, text, comments
 * and declarations in order.
 */
#ifndef TEXT_HTML_TOKEN_H
#define TEXT_HTML_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"
#include "text/text_html_markup.h"

struct mx_arena;

enum html_token_kind {
    HTML_TOKEN_TEXT,
    HTML_TOKEN_START,
    HTML_TOKEN_END,
    HTML_TOKEN_COMMENT,
    HTML_TOKEN_DECLARATION,
};

struct html_token {
    enum html_token_kind kind;
    struct mx_str text; /* all of it; of text its characters, references not resolved */
    bool is_cdata;      /* text without references: inside script, style, ... */
    struct mx_str name; /* of tags, as written */
    const struct html_attr *attrs; /* until the next token */
    size_t n_attrs;
};

struct html_tokens;

/**
 * html_tokens_new(arena, source, n):
 * Begin to read ${n} bytes of markup at ${source}, which stay and have a NUL behind them.
 */
struct html_tokens *html_tokens_new(struct mx_arena *arena, const char *source, size_t n);

/**
 * html_tokens_next(tokens, out):
 * The next token; false at the end (${out} untouched). All tokens together take time
 * linear in the source.
 */
bool html_tokens_next(struct html_tokens *tokens, struct html_token *out);

#endif
