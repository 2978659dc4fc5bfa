/*
 * One Received line. First what most forms share (id, "helo=", "by", envelope sender,
 * signs of a login), then the table of forms (text_received_forms) for the address and
 * the names, then cleaning: a relay is shown to rules as one line of "key=value", so
 * bytes that would let a sender write keys of its own become "!".
 *
 * A line that no form fits but that has an address in brackets and a "by" still is a
 * hop; one without is counted as unparseable by the caller.
 */
#include "text_received.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text_chars.h"
#include "text/text_received_auth.h"
#include "text/text_received_forms.h"

#define ID_MIN_BYTES 3

struct facts {
    struct mx_str ip, rdns, helo, by, id, ident;
    struct mx_str sender; /* p NULL: not said */
    bool has_lookup;
};

static struct mx_str word_at(struct mx_str s, size_t from)
{
    size_t end = from;
    while (end < s.n && s.p[end] != ' ')
        end++;
    return mx_str_sub(s, from, end - from);
}

/* ---- the line -----------------------------------------------------------------------
 */

/* Copy with single spaces, none at the ends, no semicolon at the end. */
static struct mx_str squeeze(struct mx_arena *arena, struct mx_str s)
{
    char *p = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!text_char_space(s.p[i]))
            p[n++] = s.p[i];
        else if (n > 0 && p[n - 1] != ' ')
            p[n++] = ' ';
    }
    while (n > 0 && p[n - 1] == ' ')
        n--;
    while (n > 0 && p[n - 1] == ';') {
        n--;
        n -= n > 0 && p[n - 1] == ' ';
    }
    return mx_str_of(p, n);
}

/* Cut the last word off ${s}; the blank in front of it goes, too. */
static struct mx_str last_word(struct mx_str *s)
{
    ptrdiff_t space = mx_str_rchr(*s, ' ');
    struct mx_str word = mx_str_sub(*s, (size_t)(space + 1), s->n);
    *s = mx_str_sub(*s, 0, space < 0 ? 0 : (size_t)space);
    return word;
}

static bool is_number(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isdigit((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

static bool is_clock(struct mx_str s)
{
    struct mx_str part;
    unsigned n = 0;
    for (; mx_str_next(&s, ':', &part) == 0; n++)
        if (!is_number(part))
            return false;
    return n == 2 || n == 3;
}

static bool is_name_of(const char *names, struct mx_str s)
{
    return s.n == 3 && !memchr(s.p, ' ', 3) && mx_str_find(mx_str(names), s) >= 0;
}

/* Without "; Thu, 13 Mar 2003 20:39:56 -0800" at its end. */
static struct mx_str without_date(struct mx_str line)
{
    struct mx_str rest = line, head;
    last_word(&rest); /* zone: any word */
    if (rest.n == 0 || !is_clock(last_word(&rest)) || !is_number(last_word(&rest)) ||
        !is_name_of("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", last_word(&rest)))
        return line;
    ptrdiff_t day = (ptrdiff_t)rest.n;
    while (day > 0 && isdigit((unsigned char)rest.p[day - 1]))
        day--;
    if (day == (ptrdiff_t)rest.n || day == 0)
        return line;
    rest.n = (size_t)day;
    if (mx_str_iends(rest, MX_STR(", ")) && rest.n > 5 &&
        is_name_of("Mon Tue Wed Thu Fri Sat Sun", mx_str_sub(rest, rest.n - 5, 3)) &&
        strchr(" ;", rest.p[rest.n - 6]))
        rest.n -= 5;
    head = rest;
    while (head.n > 0 && strchr(" ;", head.p[head.n - 1]) && head.p[head.n - 1])
        head.n--;
    return head.n < rest.n ? head : line;
}

/* ")by" of one server is ") by". */
static struct mx_str mend_by(struct mx_arena *arena, struct mx_str line)
{
    ptrdiff_t at = mx_str_find(line, MX_STR(")by "));
    if (at < 0)
        return line;
    size_t head = (size_t)at + 1;
    char *p = mx_arena_alloc(arena, line.n + 2);
    memcpy(p, line.p, head);
    p[head] = ' ';
    memcpy(p + head + 1, line.p + head, line.n - head);
    return mx_str_of(p, line.n + 1);
}

/* Lines that say nothing of a hop, seen at once. */
static bool is_ignored(struct mx_str line)
{
    struct text_captures c;
    struct mx_str lower_by = MX_STR(" by ");
    if (!mx_str_istarts(line, MX_STR("from ")) && !mx_str_istarts(line, MX_STR("(from ")))
        return true;
    if (text_match_find("with local for%|", line, &c))
        return true;
    if (line.p[0] == '(')
        return false;
    struct mx_str name = word_at(line, 5);
    size_t at = 5 + name.n;
    if (name.n == 0 || !mx_str_istarts(mx_str_sub(line, at, line.n), lower_by))
        return false;
    for (at += lower_by.n; at < line.n && line.p[at] != ' ' && line.p[at] != ';'; at++)
        ;
    bool ends =
        at < line.n && (line.p[at] == ';' || (at + 1 < line.n && line.p[at + 1] == ';'));
    if (!ends || line.p[at - 1] == ' ')
        return false;
    for (size_t i = 1; i + 1 < name.n; i++)
        if (!isdigit((unsigned char)name.p[i]) && name.p[i] != '.')
            return true;
    return name.n < 3 || name.p[0] != '[' || name.p[name.n - 1] != ']';
}

/* ---- facts that need no form --------------------------------------------------------
 */

static struct mx_str find_id(struct mx_str line)
{
    for (size_t i = 0; i + 4 < line.n; i++) {
        if (!mx_str_starts(mx_str_sub(line, i, line.n), MX_STR(" id ")))
            continue;
        size_t from = i + 4 + (line.p[i + 4] == '<'), end = from;
        while (end < line.n && line.p[end] && !strchr(" <>;", line.p[end]))
            end++;
        if (end - from >= ID_MIN_BYTES)
            return mx_str_sub(line, from, end - from);
    }
    return MX_STR("");
}

static bool is_helo_byte(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("-.^+_&:=?!@%*$\\/", c));
}

/* The name behind ${mark}, which starts a word. */
static struct mx_str find_helo_behind(struct mx_str line, const char *mark)
{
    size_t n = strlen(mark);
    for (size_t i = 0; i + n < line.n; i++) {
        if ((i > 0 && text_char_word(line.p[i - 1])) ||
            !mx_str_starts(mx_str_sub(line, i, line.n), mx_str(mark)))
            continue;
        size_t end = i + n;
        while (end < line.n && is_helo_byte(line.p[end]))
            end++;
        if (end > i + n)
            return mx_str_sub(line, i + n, end - i - n);
    }
    return MX_STR("");
}

static struct mx_str find_helo(struct mx_str line)
{
    struct mx_str helo = find_helo_behind(line, "helo=");
    struct mx_str said = helo.n ? helo : find_helo_behind(line, "HELO ");
    struct mx_str ehlo = helo.n ? helo : find_helo_behind(line, "EHLO ");
    if (helo.n)
        return helo;
    return said.n && (!ehlo.n || said.p < ehlo.p) ? said : ehlo;
}

/* Bytes of the mark of an envelope sender at ${s}, 0 if there is none. */
static size_t sender_mark(struct mx_str s)
{
    static const char *const marks[] = {"return-path: ",
                                        "return-path ",
                                        "envelope-sender ",
                                        "envelope-sender=",
                                        "envelope-from ",
                                        "envelope-from=",
                                        NULL};
    for (const char *const *mark = marks; *mark; mark++)
        if (mx_str_istarts(s, mx_str(*mark)))
            return strlen(*mark);
    return 0;
}

/* Length of the longest start of line[from, from + n) that ends where a word does. */
static size_t to_word_end(struct mx_str line, size_t from, size_t n)
{
    while (n > 0 && text_char_word(line.p[from + n - 1]) ==
                        (from + n < line.n && text_char_word(line.p[from + n])))
        n--;
    return n;
}

static struct mx_str find_sender(struct mx_str line)
{
    for (size_t i = 0; i < line.n; i++) {
        size_t mark = sender_mark(mx_str_sub(line, i, line.n));
        size_t n = mark ? to_word_end(line, i + mark, word_at(line, i + mark).n) : 0;
        if (n > 0)
            return mx_str_sub(line, i + mark, n);
    }
    return MX_STR_NONE;
}

static void find_facts(struct mx_str line, struct facts *out)
{
    ptrdiff_t by = mx_str_find(line, MX_STR(" by "));
    *out = (struct facts){
        .ip = MX_STR(""),
        .rdns = MX_STR(""),
        .helo = find_helo(line),
        .by = by < 0 ? MX_STR("") : word_at(line, (size_t)by + 4),
        .id = find_id(line),
        .ident = MX_STR(""),
    };
}

/* ---- forms --------------------------------------------------------------------------
 */

static void keep(struct mx_str *fact, struct mx_str captured)
{
    if (captured.p)
        *fact = captured;
}

static struct mx_str without_angles(struct mx_str s)
{
    if (s.n > 0 && s.p[0] == '<')
        s = mx_str_sub(s, 1, s.n);
    s.n -= s.n > 1 && s.p[s.n - 1] == '>';
    return s;
}

/* "helo=name ident=user" of Exim. */
static void keep_options(struct facts *facts, struct mx_str options)
{
    struct text_captures c;
    if (text_match_find("helo=%k", options, &c))
        facts->helo = c.v[CAPTURE_WORD];
    if (text_match_find("ident=%D", options, &c))
        facts->ident = c.v[CAPTURE_IDENT];
}

/* sendmail writes "IDENT:user@name" where it asked for the user. */
static void split_ident(struct facts *facts)
{
    ptrdiff_t at = mx_str_chr(facts->rdns, '@');
    if (at < 0)
        return;
    facts->ident = mx_str_sub(facts->rdns, 0, (size_t)at);
    if (mx_str_starts(facts->ident, MX_STR("IDENT:")))
        facts->ident = mx_str_sub(facts->ident, 6, facts->ident.n);
    facts->rdns = mx_str_sub(facts->rdns, (size_t)at + 1, facts->rdns.n);
}

static void keep_xmail(struct facts *facts, struct mx_str line)
{
    struct text_captures c;
    if (text_match_find(" id <%k>", line, &c))
        facts->id = c.v[CAPTURE_WORD];
    if (text_match_find(" from <%k>", line, &c))
        facts->sender = c.v[CAPTURE_WORD];
}

/* Names of an Exim line in no form of Exim's: the first word, a word in a comment. */
static void guess_exim(struct mx_str line, const struct text_received_form *form,
                       struct facts *facts)
{
    struct text_captures c;
    bool has_own_form =
        form && form->family == FAMILY_EXIM && !(form->flags & FORM_EXIM_LOOSE);
    if (has_own_form || text_received_family(line) != FAMILY_EXIM)
        return;
    if (text_match_at("%r ", line, 0, &c))
        facts->rdns = c.v[CAPTURE_RDNS];
    if (text_match_find(" (%h) ", line, &c))
        facts->helo = c.v[CAPTURE_HELO];
}

static void apply_form(const struct text_received_form *form,
                       const struct text_captures *c, struct mx_str line,
                       struct facts *facts)
{
    keep(&facts->ip, c->v[CAPTURE_IP]);
    keep(&facts->rdns, c->v[CAPTURE_RDNS]);
    keep(&facts->by, c->v[CAPTURE_BY]);
    keep(&facts->ident, c->v[CAPTURE_IDENT]);
    keep(&facts->helo, c->v[CAPTURE_HELO]);
    keep(&facts->id, without_angles(c->v[CAPTURE_WORD]));
    facts->has_lookup = form->flags & FORM_LOOKED_UP;
    if (form->flags & FORM_HELO_IS_RDNS)
        facts->helo = facts->rdns;
    if (form->flags & FORM_NO_ID)
        facts->id = MX_STR("");
    if (form->flags & FORM_NO_BY)
        facts->by = MX_STR("");
    if (form->flags & FORM_NO_QMAIL_LDAP)
        split_ident(facts);
    if (form->flags & FORM_XMAIL)
        keep_xmail(facts, line);
    if (form->flags & FORM_QMAIL)
        facts->has_lookup = !mx_str_eq(facts->rdns, MX_STR("unknown"));
    if (form->flags & FORM_SOFT_DNS) {
        facts->has_lookup = !mx_str_eq(facts->rdns, MX_STR("softdnserr"));
        if (!facts->has_lookup)
            facts->rdns = MX_STR("");
    }
    keep_options(facts, c->v[CAPTURE_OPTIONS]);
}

/* qmail's protocol is a plain "SMTP" or "QMQP" and no id stands behind it. */
static bool is_qmail(struct mx_str line, size_t from)
{
    struct text_captures c;
    for (size_t i = from; i + 4 <= line.n; i++) {
        if (i > from && line.p[i - 1] != ' ')
            continue;
        if ((text_match_at("SMTP", line, i, &c) || text_match_at("QMQP", line, i, &c)) &&
            !text_match_at(" id ", line, c.end, &c))
            return true;
    }
    return false;
}

/* The form that fits ${line}, NULL if none does. */
static const struct text_received_form *find_form(struct mx_str start, struct mx_str line,
                                                  struct text_captures *out)
{
    struct text_captures ignored;
    enum text_form_family family = text_received_family(line);
    const struct text_received_form *form = text_received_forms(start);
    for (; form->pattern; form++) {
        if (form->family != FAMILY_ANY && form->family != family)
            continue;
        if (form->mark && mx_str_find(line, mx_str(form->mark)) < 0)
            continue;
        if (!(form->flags & FORM_FIND ? text_match_find(form->pattern, line, out)
                                      : text_match_at(form->pattern, line, 0, out)))
            continue;
        if ((form->flags & FORM_QMAIL) && !is_qmail(line, out->end))
            continue;
        if ((form->flags & FORM_NO_QMAIL_LDAP) &&
            text_match_find(" by %w (qmail-%w) with ", line, &ignored))
            continue;
        return form;
    }
    return NULL;
}

/* ---- cleaning -----------------------------------------------------------------------
 */

struct mx_str text_received_clean(struct mx_arena *arena, struct mx_str s)
{
    char *p = mx_arena_dup(arena, s.p ? s.p : "", s.n);
    for (size_t i = 0; i < s.n; i++)
        if (text_char_space(p[i]) || p[i] == '\0' || strchr("#[]()<>|", p[i]))
            p[i] = '!';
    return mx_str_of(p, s.n);
}

/* Without brackets, "IPv6:", a zone, and "::ffff:" of a mapped address. */
static struct mx_str plain_ip(struct mx_str ip)
{
    if (ip.n > 0 && ip.p[0] == '[')
        ip = mx_str_sub(ip, 1, ip.n);
    if (ip.n > 0 && ip.p[ip.n - 1] == ']')
        ip.n--;
    if (mx_str_istarts(ip, MX_STR("ipv6:")))
        ip = mx_str_sub(ip, 5, ip.n);
    ptrdiff_t colon = mx_str_rchr(ip, ':');
    if (colon < 0 || mx_str_chr(ip, '.') < 0)
        return ip;
    struct mx_str head = mx_str_sub(ip, 0, (size_t)colon);
    if (!mx_str_iends(head, MX_STR(":ffff")))
        return ip;
    for (size_t i = 0; i + 5 < head.n; i++)
        if (head.p[i] != '0' && head.p[i] != ':')
            return ip;
    return mx_str_sub(ip, (size_t)colon + 1, ip.n);
}

static struct mx_str plain_rdns(struct mx_str rdns)
{
    while (rdns.n > 0 && rdns.p[rdns.n - 1] == '.')
        rdns.n--;
    bool is_none = mx_str_ieq(rdns, MX_STR("unknown")) || (rdns.n && rdns.p[0] == '[');
    return is_none ? MX_STR("") : rdns;
}

static struct mx_str plain_sender(struct mx_str s)
{
    while (s.n > 0 && text_char_space(s.p[0]))
        s = mx_str_sub(s, 1, s.n);
    while (s.n > 0 && s.p[0] == '<')
        s = mx_str_sub(s, 1, s.n);
    while (s.n > 0 && text_char_space(s.p[s.n - 1]))
        s.n--;
    while (s.n > 0 && s.p[s.n - 1] == '>')
        s.n--;
    return s;
}

static void finish(struct mx_arena *arena, const struct facts *facts, struct mx_str auth,
                   struct text_relay *out)
{
    struct mx_str by = facts->by, rdns = plain_rdns(facts->rdns);
    if (by.n > 0 && by.p[by.n - 1] == ';')
        by.n--;
    *out = (struct text_relay){
        .ip = text_received_clean(arena, plain_ip(facts->ip)),
        .rdns = text_received_clean(arena, rdns),
        .helo = text_received_clean(arena, facts->helo),
        .by = text_received_clean(arena, by),
        .ident = text_received_clean(arena, facts->ident),
        .envfrom = text_received_clean(arena, plain_sender(facts->sender)),
        .id = mx_str_dup(arena, facts->id),
        .auth = mx_str_dup(arena, auth),
        .has_no_rdns = rdns.n == 0 && facts->has_lookup,
        .has_envfrom = facts->sender.p != NULL,
    };
}

/* ---- entry --------------------------------------------------------------------------
 */

/* What can be had from a line that no form fits. */
static bool guess_facts(struct mx_str start, struct mx_str line, struct facts *facts)
{
    struct text_captures c;
    if (facts->helo.n == 0 && mx_str_eq(start, MX_STR("from "))) {
        struct mx_str word = word_at(line, 0);
        if (word.n == line.n && word.n > 0)
            word.n--;
        while (word.n > 1 &&
               (isalnum((unsigned char)word.p[word.n]) || strchr("-.", word.p[word.n])))
            word.n--;
        facts->helo = word;
    }
    if (text_match_find("[%i]", line, &c))
        facts->ip = c.v[CAPTURE_IP];
    return facts->ip.n > 0 && facts->by.n > 0;
}

enum text_received_kind text_received_parse(struct mx_arena *arena, struct mx_str value,
                                            struct text_relay *out,
                                            struct mx_str *out_sender)
{
    static const char *const starts[] = {"from ", "FROM ", "(from ", NULL};
    struct mx_str line = squeeze(arena, value), start = MX_STR_NONE;
    struct text_captures captures;
    struct facts facts;
    *out_sender = MX_STR_NONE;
    if (is_ignored(line))
        return TEXT_RECEIVED_IGNORED;
    line = mend_by(arena, without_date(line));
    find_facts(line, &facts);
    struct mx_str auth = text_received_auth(arena, line);
    for (const char *const *one = starts; *one; one++)
        if (mx_str_starts(line, mx_str(*one)))
            start = mx_str(*one);
    const struct text_received_form *form = NULL;
    line = mx_str_sub(line, start.n, line.n);
    if (mx_str_eq(start, MX_STR("from ")))
        facts.sender = find_sender(line);
    if (start.n)
        form = find_form(start, line, &captures);
    if (form && form->flags & FORM_FETCHED)
        return TEXT_RECEIVED_FETCHED;
    if (form && form->flags & FORM_SCANNER)
        *out_sender = facts.sender.p
                          ? text_received_clean(arena, plain_sender(facts.sender))
                          : MX_STR_NONE;
    if (form && form->flags & (FORM_IGNORE | FORM_SCANNER))
        return TEXT_RECEIVED_IGNORED;
    guess_exim(line, form, &facts);
    if (form)
        apply_form(form, &captures, line, &facts);
    else if (!guess_facts(start, line, &facts))
        return TEXT_RECEIVED_UNKNOWN;
    finish(arena, &facts, auth, out);
    return TEXT_RECEIVED_RELAY;
}
