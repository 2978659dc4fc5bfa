/*
 * The texts that body and rawbody rules match.
 */
#ifndef TEXT_BODY_H
#define TEXT_BODY_H

struct mx_arena;
struct texts;

#define TEXT_LINE_MAX 2048           /* bytes of an element of body */
#define TEXT_BODY_PART_MAX 50000     /* characters of a rendered part */
#define TEXT_RAWBODY_PART_MAX 500000 /* bytes of a decoded part */
#define TEXT_CUT_SEARCH 1024         /* how far behind these a good place may be */

/**
 * text_body_form(arena, texts):
 * Render the parts of ${texts->tree}, then form ${texts->body}: Subject, then one
 * element a paragraph. Fills rendered and html of each part.
 * Owner:  the arena; where it has no room for a part, the part stays empty.
 */
void text_body_form(struct mx_arena *arena, struct texts *texts);

/**
 * text_rawbody_form(arena, texts):
 * Form ${texts->rawbody}: decoded text and message parts, in pieces.
 * Owner:  elements point into the parts.
 */
void text_rawbody_form(struct mx_arena *arena, struct texts *texts);

#endif
