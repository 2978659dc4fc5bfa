/*
 * Redirectors: URIs that hold another URI behind a known pattern.
 */
#ifndef TEXT_URI_REDIRECT_H
#define TEXT_URI_REDIRECT_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_err;
struct text_list;
struct text_redirectors;

/**
 * text_redirectors_new(patterns, out, err):
 * Compile redirector_pattern lines as written, "/.../i" or "m'...'i". Their first group
 * is the target. Safe to use from one thread at a time.
 * Owner:  free with text_redirectors_free; for text_lists.redirectors.
 * Fails:  a line that is no pattern (-1, ${out} untouched).
 */
int text_redirectors_new(const struct text_list *patterns, struct text_redirectors **out,
                         struct mx_err *err);

/** text_redirectors_free(redirectors): NULL is fine. */
void text_redirectors_free(struct text_redirectors *redirectors);

/**
 * text_redirectors_match(redirectors, uri, out):
 * The target, which has a dot, by the first pattern that matches; NULL ${redirectors}
 * have none. Points into ${uri}.
 */
bool text_redirectors_match(const struct text_redirectors *redirectors, struct mx_str uri,
                            struct mx_str *out);

#endif
