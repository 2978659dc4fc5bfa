/*
 * The texts that uri rules match: every address of a message in every form.
 */
#ifndef TEXT_URI_H
#define TEXT_URI_H

#include "text/text_uri_redirect.h"

struct mx_arena;
struct text_settings;
struct texts;

#define TEXT_URIS_MAX 10000 /* different addresses of a message that are looked at */

/** text_uri_kind(tag): the kind of addresses in attributes of ${tag}; 0 none. */
unsigned text_uri_kind(const char *tag);

/** text_uri_kind_name(i): of the kind 1 << ${i}: "parsed", or the tag. */
const char *text_uri_kind_name(unsigned i);

/**
 * text_uri_form(arena, settings, texts):
 * Form ${texts->uris} and ${texts->uri_details} from ${texts->body} and the HTML results
 * of the parts.
 * Owner:  the arena; addresses for which it has no room are left out.
 */
void text_uri_form(struct mx_arena *arena, const struct text_settings *settings,
                   struct texts *texts);

#endif
