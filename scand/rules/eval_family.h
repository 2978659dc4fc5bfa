/* The tables of eval functions, one a family; rule_eval.c joins them. */
#ifndef EVAL_FAMILY_H
#define EVAL_FAMILY_H

#include "rule_eval.h"

/* Each table ends with a row without a name. */
extern const struct eval_function eval_header_functions[];
extern const struct eval_function eval_header_date_functions[];
extern const struct eval_function eval_header_forged_functions[];
extern const struct eval_function eval_header_rcpt_functions[];
extern const struct eval_function eval_mime_functions[];
extern const struct eval_function eval_mime_text_functions[];
extern const struct eval_function eval_html_functions[];
extern const struct eval_function eval_body_functions[];
extern const struct eval_function eval_body_diff_functions[];
extern const struct eval_function eval_relay_functions[];
extern const struct eval_function eval_freemail_functions[];
extern const struct eval_function eval_wlbl_functions[];
extern const struct eval_function eval_image_functions[];
extern const struct eval_function eval_uri_functions[];
extern const struct eval_function eval_uri_detail_functions[];
extern const struct eval_function eval_vbounce_functions[];
extern const struct eval_function eval_bayes_functions[];
extern const struct eval_function eval_network_functions[];

#endif
