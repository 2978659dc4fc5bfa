/* The one list of modules. A new module is one line in policy_table.c. */
#ifndef POLICY_TABLE_H
#define POLICY_TABLE_H

#include <stddef.h>

#include "policy.h"

#define POLICY_TABLE_MAX 64 /* modules */

/* Ends with NULL. */
extern const struct policy_module *const policy_table[];

/** policy_table_find(name, out_index): NULL: no such module. */
const struct policy_module *policy_table_find(const char *name, size_t *out_index);

#endif
