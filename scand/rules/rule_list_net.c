/*
 * Networks of rule files: an address, a prefix with a length (10.0.0.0/8, 10/8), or the
 * first bytes of an address with a dot behind (10.1.); behind "!" one that is kept out.
 * Ranges (10.0.0.1-10.0.0.9) and netmasks in words are no networks here and are refused.
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

int rule_list_net(struct mx_arena *arena, struct mx_str word, struct text_net *out,
                  struct mx_err *err)
{
    bool is_excluded = mx_str_starts(word, MX_STR("!"));
    struct mx_str text = mx_str_sub(word, is_excluded, word.n);
    ptrdiff_t slash = mx_str_chr(text, '/');
    struct mx_str length = slash < 0 ? MX_STR_NONE : mx_str_sub(text, slash, text.n);
    struct mx_str address = slash < 0 ? text : mx_str_sub(text, 0, slash);
    int bytes = 0;

    out->is_excluded = is_excluded;
    address = complete(arena, address, &bytes);
    if (slash < 0 && bytes > 0 && bytes < 4) {
        length = mx_str(mx_arena_printf(arena, "/%d", bytes * 8));
    }
    return mx_net_parse(mx_str(mx_arena_printf(arena, "%.*s%.*s", MX_STR_FMT(address),
                                               MX_STR_FMT(length))),
                        &out->net, err);
}

/* Networks of the list ${directive}; one that cannot be read is left out. */
static int fill(struct rule_set *set, const char *directive, struct text_nets *out,
                struct mx_err *err)
{
    const struct rule_list *list = rule_list_find(set, directive, MX_STR(""));
    struct text_net *v;
    int rc = 0;

    if (!list) {
        return 0;
    }
    v = mx_arena_array(set->arena, list->entries.n + 1, sizeof(*v));
    out->v = v;
    for (size_t i = 0; i < list->entries.n; i++) {
        if (rule_list_net(set->arena, list->entries.v[i], &v[out->n], err) == 0) {
            out->n++;
        } else {
            rc = mx_err_wrap(err, "%s", directive);
        }
    }
    return rc;
}

int rule_list_nets(struct rule_set *set, struct mx_err *err)
{
    struct text_settings *text = &set->text;
    int trusted = fill(set, "trusted_networks", &text->trusted, err);
    int internal = fill(set, "internal_networks", &text->internal, err);
    int msa = fill(set, "msa_networks", &text->msa, err);

    return trusted || internal || msa ? -1 : 0;
}
