/* How raw lines and parts of a message read. */
#ifndef EVAL_MIME_TEXT_H
#define EVAL_MIME_TEXT_H

#include <stdbool.h>

#include "rule_eval.h"

/** eval_line_next(rest, line): cut the first line with its newline off; false: none. */
bool eval_line_next(struct mx_str *rest, struct mx_str *line);

/** eval_mime_lacks_end(tree): some multipart was begun and never ended. */
bool eval_mime_lacks_end(const struct text_tree *tree);

#endif
