/*
 * Addresses in SMTP commands: one pass over a bounded text, first cut (brackets, source
 * route, local part, domain), then judged part by part, copied into the arena last.
 *
 * The grammar is RFC 5321 4.1.2 with the widenings named in the header: a filter behind
 * an MTA must not fail on what that MTA and its users live with. No IDNA conversion, no
 * lookups, no comments as header addresses have them.
 */
#include "mx_addr.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#define LABEL_MAX 63 /* octets, RFC 1035 2.3.4 */

/* The three pieces of a path, still in the caller's text. */
struct pieces {
    struct mx_str local, domain;
    bool has_domain;
};

static int bad(struct mx_err *err, struct mx_str text, const char *why)
{
    char shown[96];
    size_t n = text.n < sizeof(shown) - 1 ? text.n : sizeof(shown) - 1;
    for (size_t i = 0; i < n; i++)
        shown[i] = text.p[i] >= ' ' && text.p[i] != 0x7f ? text.p[i] : '?';
    shown[n] = '\0';
    return mx_err_set(err, MX_ERR_INPUT, "address '%s': %s", shown, why);
}

static bool has_control(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* atext of RFC 5322 3.2.3, or a byte of a UTF-8 sequence (RFC 6531 3.3). */
static bool is_atext(char c)
{
    return is_alnum(c) || (unsigned char)c >= 0x80 ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_domain_char(char c)
{
    return is_alnum(c) || (unsigned char)c >= 0x80 || c == '-' || c == '_';
}

/* Octets of the quoted string that ${s} begins with, quotes included; 0: unfinished. */
static size_t quoted_len(struct mx_str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return 0;
}

static size_t dot_string_len(struct mx_str s)
{
    size_t i = 0;
    while (i < s.n && (is_atext(s.p[i]) || s.p[i] == '.'))
        i++;
    return i;
}

/* Each label one to 63 octets of domain characters; a single dot at the end is cut. */
static bool labels_ok(struct mx_str domain)
{
    struct mx_str label;
    if (domain.n == 0 || domain.p[domain.n - 1] == '.')
        return false;
    while (mx_str_next(&domain, '.', &label) == 0) {
        if (label.n == 0 || label.n > LABEL_MAX)
            return false;
        for (size_t i = 0; i < label.n; i++)
            if (!is_domain_char(label.p[i]))
                return false;
    }
    return true;
}

/* "[" dcontent "]", RFC 5321 4.1.3; whether it is an address of ours, mx_net says. */
static bool literal_ok(struct mx_str domain)
{
    if (domain.n < 3 || domain.p[domain.n - 1] != ']')
        return false;
    for (size_t i = 1; i < domain.n - 1; i++)
        if (!is_alnum(domain.p[i]) && strchr(".:-", domain.p[i]) == NULL)
            return false;
    return true;
}

/* "@a,@b:" in front of the mailbox means nothing any more: RFC 5321 appendix C. */
static int drop_route(struct mx_str *io_path)
{
    struct mx_str hop, route = *io_path;
    ptrdiff_t colon = mx_str_chr(route, ':');
    if (route.n == 0 || route.p[0] != '@')
        return 0;
    if (colon < 0)
        return -1;
    *io_path = mx_str_sub(route, (size_t)colon + 1, route.n);
    route = mx_str_sub(route, 0, (size_t)colon);
    while (mx_str_next(&route, ',', &hop) == 0)
        if (hop.n < 2 || hop.p[0] != '@' || !labels_ok(mx_str_sub(hop, 1, hop.n)))
            return -1;
    return 0;
}

static const char *cut(struct mx_str path, struct pieces *out)
{
    if (drop_route(&path) < 0)
        return "broken source route";
    bool is_quoted = path.n > 0 && path.p[0] == '"';
    size_t n = is_quoted ? quoted_len(path) : dot_string_len(path);
    if (n == 0)
        return is_quoted ? "the quoted local part has no end" : "no local part";
    out->local = mx_str_sub(path, 0, n);
    out->domain = mx_str_sub(path, n, path.n);
    out->has_domain = out->domain.n > 0;
    if (!out->has_domain)
        return NULL;
    if (out->domain.p[0] != '@')
        return "a character that may not stand in a local part";
    out->domain = mx_str_sub(out->domain, 1, out->domain.n);
    if (out->domain.n > 1 && out->domain.p[out->domain.n - 1] == '.')
        out->domain.n--;
    return NULL;
}

static const char *judge(const struct pieces *cuts)
{
    bool is_literal = cuts->domain.n > 0 && cuts->domain.p[0] == '[';
    if (cuts->local.n > MX_ADDR_LOCAL_MAX)
        return "the local part is too long";
    if (cuts->domain.n > MX_ADDR_DOMAIN_MAX)
        return "the domain is too long";
    if (!cuts->has_domain)
        return NULL;
    if (is_literal ? !literal_ok(cuts->domain) : !labels_ok(cuts->domain))
        return "the domain is broken";
    return NULL;
}

static struct mx_str find_detail(struct mx_str local)
{
    ptrdiff_t plus = local.p[0] == '"' ? -1 : mx_str_chr(local, '+');
    return plus > 0 ? mx_str_sub(local, (size_t)plus + 1, local.n) : mx_str("");
}

/* One copy holds local@domain; the other members are parts of it. */
static void build(struct mx_arena *arena, const struct pieces *cuts, struct mx_addr *out)
{
    size_t at = cuts->local.n;
    struct mx_str domain = mx_str_lower(arena, cuts->domain);
    const char *text = mx_arena_printf(arena, "%.*s%s%.*s", MX_STR_FMT(cuts->local),
                                       cuts->has_domain ? "@" : "", MX_STR_FMT(domain));
    struct mx_addr addr = {.text = mx_str(text)};
    addr.local = mx_str_sub(addr.text, 0, at);
    addr.domain = mx_str_sub(addr.text, at + (cuts->has_domain ? 1 : 0), domain.n);
    addr.detail = find_detail(addr.local);
    addr.is_literal = domain.n > 0 && domain.p[0] == '[';
    *out = addr;
}

int mx_addr_parse(struct mx_arena *arena, struct mx_str text, struct mx_addr *out,
                  struct mx_err *err)
{
    struct pieces cuts = {.has_domain = false};
    struct mx_str path = mx_str_trim(text);
    if (path.n > MX_ADDR_PATH_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "address of %zu octets: at most %d", path.n,
                          MX_ADDR_PATH_MAX);
    if (has_control(path) || !mx_str_is_utf8(path))
        return bad(err, path, "control characters or broken UTF-8");
    if (path.n > 0 && path.p[0] == '<') {
        if (path.p[path.n - 1] != '>')
            return bad(err, path, "'>' is missing");
        path = mx_str_trim(mx_str_sub(path, 1, path.n - 2));
    }
    if (path.n == 0) {
        struct mx_str none = mx_str("");
        *out = (struct mx_addr){
            .text = none, .local = none, .domain = none, .detail = none, .is_null = true};
        return 0;
    }
    const char *why = cut(path, &cuts);
    if (why == NULL)
        why = judge(&cuts);
    if (why)
        return bad(err, path, why);
    build(arena, &cuts, out);
    return 0;
}

static bool is_number(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

bool mx_addr_domain_ok(struct mx_str domain)
{
    struct mx_str rest = domain, label = MX_STR_NONE;
    size_t labels = 0;
    if (domain.n > MX_ADDR_DOMAIN_MAX || !labels_ok(domain) || !mx_str_is_utf8(domain))
        return false;
    for (; mx_str_next(&rest, '.', &label) == 0; labels++)
        if (label.p[0] == '-' || label.p[label.n - 1] == '-' ||
            mx_str_chr(label, '_') >= 0)
            return false;
    return labels >= 2 && !is_number(label);
}
