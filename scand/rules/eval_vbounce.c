/*
 * Evals on bounces (VBounce): a bounce that quotes a Received line of one of our own
 * relays answers mail that really came from us.
 */
#include "eval_family.h"

#include "text/text_chars.h"

#include "eval_mime_text.h"
#include "eval_util.h"

static const struct eval_words *own_relays(const struct eval_context *context)
{
    return eval_shared_words(context->shared, "welcomelist_bounce_relays", MX_STR(""));
}

static int have_any_bounce_relays(struct eval_context *context, const struct mx_str *args,
                                  size_t n_args)
{
    (void)args;
    (void)n_args;
    return own_relays(context) != NULL;
}

/* Some word of ${line} with a dot inside is a relay of ours. */
static bool names_own(struct eval_context *context, struct mx_str line,
                      enum eval_pattern pattern)
{
    const struct eval_regex *regex = eval_shared_fixed(context->shared, pattern);
    struct mx_str groups[EVAL_REGEX_CAPTURES];

    for (size_t at = 0; eval_regex_find(regex, line, at, groups);
         at = (size_t)(groups[0].p - line.p) + groups[0].n) {
        if (eval_words_match(own_relays(context),
                             mx_str_lower(context->arena, groups[1]))) {
            return true;
        }
    }
    return false;
}

static bool is_received(const struct eval_context *context, struct mx_str line)
{
    return eval_hit(context, EVAL_BOUNCE_RECEIVED, line);
}

static bool search_body(struct eval_context *context)
{
    const struct text_list *body = &context->texts->body;

    for (size_t i = 0; i < body->n; i++) {
        if (is_received(context, body->v[i]) &&
            names_own(context, body->v[i], EVAL_BOUNCE_WORD)) {
            return true;
        }
    }
    return false;
}

static bool is_continued(struct mx_str rest)
{
    return rest.n > 0 && rest.p[0] != '\n' && text_char_space((unsigned char)rest.p[0]);
}

/* Quoted header fields as they stand in the source, each with the lines that continue
   it. */
static bool search_source(struct eval_context *context)
{
    struct mx_str rest = context->texts->tree.pristine_body, line;

    while (eval_line_next(&rest, &line)) {
        const char *begin = line.p;

        if (!is_received(context, line)) {
            continue;
        }
        while (is_continued(rest)) {
            eval_line_next(&rest, &line);
        }
        if (names_own(context, mx_str_of(begin, (size_t)(line.p + line.n - begin)),
                      EVAL_BOUNCE_HEADER_WORD)) {
            return true;
        }
    }
    return false;
}

static int check_welcomelist_bounce_relays(struct eval_context *context,
                                           const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return own_relays(context) && (search_body(context) || search_source(context));
}

const struct eval_function eval_vbounce_functions[] = {
    {"have_any_bounce_relays", have_any_bounce_relays, false, 0, 0},
    {"check_welcomelist_bounce_relays", check_welcomelist_bounce_relays, false, 0, 0},
    {"check_whitelist_bounce_relays", check_welcomelist_bounce_relays, false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
