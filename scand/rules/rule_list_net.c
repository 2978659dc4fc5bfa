/*
 * Networks of rule files: an address, a prefix with a length (10.0.0.0/8, 10/8), or the
 * first bytes of an address with a dot behind (10.1.). Exclusions (!10.1.2.3) have no
 * place in our settings and are refused, as taking them for the opposite would trust
 * whom the administrator does not.
 */
#include "rule_list_net.h"

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_net.h"

#include "rule_set.h"

/* "10.", "10.1" -> "10.0.0.0", "10.1.0.0"; ${bytes} is how many were there. Anything but
   the beginning of an IPv4 address comes back as it is, with 0. */
static struct mx_str complete(struct mx_arena *arena, struct mx_str text, int *bytes)
{
    static const char *const zeros[] = {"", ".0.0.0", ".0.0", ".0", ""};
    int n = 0;
    struct mx_str rest = text, field;

    while (mx_str_next(&rest, '.', &field) == 0) {
        int64_t value;

        if (field.n == 0 || ++n > 4 || mx_str_to_int(field, 0, 255, &value, NULL)) {
            *bytes = 0;
            return text;
        }
    }
    *bytes = n;
    if (text.n > 0 && text.p[text.n - 1] == '.') {
        text.n--;
    }
    return mx_str(mx_arena_printf(arena, "%.*s%s", MX_STR_FMT(text), zeros[n]));
}

static int parse(struct mx_arena *arena, struct mx_str word, struct mx_net *out,
                 struct mx_err *err)
{
    ptrdiff_t slash = mx_str_chr(word, '/');
    struct mx_str length = slash < 0 ? MX_STR_NONE : mx_str_sub(word, slash, word.n);
    struct mx_str address = slash < 0 ? word : mx_str_sub(word, 0, slash);
    int bytes = 0;

    address = complete(arena, address, &bytes);
    if (slash < 0 && bytes > 0 && bytes < 4) {
        length = mx_str(mx_arena_printf(arena, "/%d", bytes * 8));
    }
    return mx_net_parse(mx_str(mx_arena_printf(arena, "%.*s%.*s", MX_STR_FMT(address),
                                               MX_STR_FMT(length))),
                        out, err);
}

/* Networks of the list ${directive} into ${out}, ${n}. */
static int fill(struct rule_set *set, const char *directive, struct mx_net **out,
                size_t *n, struct mx_err *err)
{
    const struct rule_list *list = rule_list_find(set, directive, MX_STR(""));
    int rc = 0;

    if (!list) {
        return 0;
    }
    *out = mx_arena_array(set->arena, list->entries.n + 1, sizeof(**out));
    for (size_t i = 0; i < list->entries.n; i++) {
        if (parse(set->arena, list->entries.v[i], &(*out)[*n], err) == 0) {
            (*n)++;
        } else {
            rc = mx_err_wrap(err, "%s", directive);
        }
    }
    return rc;
}

int rule_list_nets(struct rule_set *set, struct mx_err *err)
{
    struct text_settings *text = &set->text;
    int rc = fill(set, "trusted_networks", &text->trusted, &text->n_trusted, err);

    if (fill(set, "internal_networks", &text->internal, &text->n_internal, err)) {
        rc = -1;
    }
    text->has_trusted = text->n_trusted > 0;
    text->has_internal = text->n_internal > 0;
    return rc;
}
