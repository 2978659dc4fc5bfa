/*
 * Eval functions by name: the one place that knows all families. Looked up when rules are
 * read, not when they run.
 */
#include "rule_eval.h"

#include "eval_family.h"

static const struct eval_function *const families[] = {
    eval_header_functions,      eval_header_date_functions, eval_header_forged_functions,
    eval_header_rcpt_functions, eval_mime_functions,        eval_mime_text_functions,
    eval_html_functions,        eval_body_functions,        eval_body_diff_functions,
    eval_relay_functions,       eval_freemail_functions,    eval_wlbl_functions,
    eval_image_functions,       eval_uri_functions,         eval_uri_detail_functions,
    eval_vbounce_functions,     eval_bayes_functions,       eval_network_functions,
};

const struct eval_function *rule_eval_find(struct mx_str name)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
        for (const struct eval_function *row = families[i]; row->name; row++) {
            if (mx_str_eq(name, mx_str(row->name))) {
                return row;
            }
        }
    }
    return NULL;
}
