/*
 * Evals on the Bayes probability: ranges. Without a probability none hits; where it comes
 * from is not known here.
 */
#include "eval_family.h"

#include "eval_util.h"

/* (MIN, MAX): above MIN, or MIN is 0; up to MAX, or MAX is "undef". */
static int check_bayes(struct eval_context *context, const struct mx_str *args,
                       size_t n_args)
{
    double min = eval_number(args[0]);

    return context->bayes >= 0 && (min == 0 || context->bayes > min) &&
           (eval_is_undef(args, n_args, 1) || context->bayes <= eval_number(args[1]));
}

const struct eval_function eval_bayes_functions[] = {
    {"check_bayes", check_bayes, false, 0, 2},
    {NULL, NULL, false, 0, 0},
};
