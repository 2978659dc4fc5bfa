/* How findings are shown: a line of JSON, or a table for people. */
#ifndef CTL_SCAN_H
#define CTL_SCAN_H

#include <stdio.h>

#include "scan.pb-c.h"

struct mx_arena;

struct ctl_scan {
    const char *file; /* as it was named */
    const Mxp__ScanReply *reply;
};

/**
 * ctl_scan_json(arena, show, out):
 * One object: file, score, required, symbols [{name,score,detail,detector}], viruses,
 * parts, ms, and where there is something to tell: degraded, is_poison, scanner, scopes,
 * costs. No newline behind it.
 */
void ctl_scan_json(struct mx_arena *arena, const struct ctl_scan *show, FILE *out);

/** ctl_scan_text(arena, show, out): the same for people, text from mail made harmless. */
void ctl_scan_text(struct mx_arena *arena, const struct ctl_scan *show, FILE *out);

#endif
