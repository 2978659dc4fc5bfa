/* The one list of detectors. */
#ifndef SCAN_TABLE_H
#define SCAN_TABLE_H

#include "scan.h"

extern const struct scan_detector det_headers;
extern const struct scan_detector det_mime;
extern const struct scan_detector det_gtube;
extern const struct scan_detector det_attachments;
extern const struct scan_detector det_clamav;
extern const struct scan_detector det_rules;

/* Ends with NULL. */
extern const struct scan_detector *const scan_table[];

/** scan_table_find(name): the detector of that name, or NULL. */
const struct scan_detector *scan_table_find(const char *name);

/** scan_table_features(arena): "headers mime ... ; GMime 3.2.13, libclamav 1.4" for -V.
 */
const char *scan_table_features(struct mx_arena *arena);

#endif
