/*
 * Colours in HTML attributes and style declarations.
 */
#ifndef TEXT_HTML_COLOR_H
#define TEXT_HTML_COLOR_H

#include <stdbool.h>
#include <stdint.h>

#include "mx_str.h"

/* 0xRRGGBB, or one of these. */
#define HTML_COLOR_INVALID 0x1000000u /* cannot be read */
#define HTML_COLOR_EMPTY 0x2000000u   /* "#" without digits */

/** html_color_parse(text): of a name, #digits or rgb(). Case does not matter. */
uint32_t html_color_parse(struct mx_str text);

/** html_color_parse_rgb(text): of what holds "rgb": its first three numbers. */
uint32_t html_color_parse_rgb(struct mx_str text);

/**
 * html_color_parse_background(text):
 * The first readable colour in the last layer of a CSS background property, or
 * HTML_COLOR_INVALID.
 * Source: CSS Backgrounds and Borders Level 3, 2.10.
 */
uint32_t html_color_parse_background(struct mx_str text);

/** html_color_is_close(a, b): text in one can hardly be read on the other. */
bool html_color_is_close(uint32_t a, uint32_t b);

#endif
