/* The one list of modules: from it come configuration keys, chains, metrics and docs. */
#include "policy_table.h"

#include <string.h>

extern const struct policy_module mod_access;
extern const struct policy_module mod_fq_rcpt;
extern const struct policy_module mod_change_recipient;
extern const struct policy_module mod_quota_check;
extern const struct policy_module mod_rate_limit;
extern const struct policy_module mod_user_lists;
extern const struct policy_module mod_greylist;
extern const struct policy_module mod_virus;
extern const struct policy_module mod_block_partial;
extern const struct policy_module mod_bad_filename;
extern const struct policy_module mod_suspicious_chars;
extern const struct policy_module mod_findings;
extern const struct policy_module mod_spam;
extern const struct policy_module mod_change_recipient_end;

const struct policy_module *const policy_table[] = {
    &mod_access,
    &mod_fq_rcpt,
    &mod_change_recipient,
    &mod_quota_check,
    &mod_rate_limit,
    &mod_user_lists,
    &mod_greylist,
    &mod_virus,
    &mod_block_partial,
    &mod_bad_filename,
    &mod_suspicious_chars,
    &mod_findings,
    &mod_spam,
    &mod_change_recipient_end,
    NULL,
};

const struct policy_module *policy_table_find(const char *name, size_t *out_index)
{
    for (size_t i = 0; policy_table[i]; i++) {
        if (strcmp(policy_table[i]->name, name) == 0) {
            *out_index = i;
            return policy_table[i];
        }
    }
    return NULL;
}
