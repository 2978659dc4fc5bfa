/*
 * Signs of a login in Received lines. RFC 3848 gave protocols an "A" for it; servers
 * older than that, and some younger, say it in comments of their own. The answer is the
 * token that SpamAssassin writes into "auth=" of a relay, as rules match on it.
 *
 * Left out: nothing is believed here; whether the server that wrote the line may be
 * believed is a matter of trust (text_relays).
 */
#include "text_received_auth.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text_match.h"

static bool has(struct mx_str line, const char *text)
{
    return mx_str_find(line, mx_str(text)) >= 0;
}

/* Ends a protocol's name: space, ";" or the end of the line. */
static bool ends_at(struct mx_str line, size_t i)
{
    return i == line.n || line.p[i] == ' ' || line.p[i] == ';';
}

/* "with ESMTPSA" and its kin. */
static struct mx_str by_protocol(struct mx_str line)
{
    static const char *const names[] = {
        "ESMTPA",     "ESMTPSA",   "LMTPA",      "LMTPSA", "UTF8SMTPA",
        "UTF8SMTPSA", "UTF8LMTPA", "UTF8LMTPSA", "ASMTP",  "HTTP",
        "HTTPS",      "HTTPU",     NULL};
    for (size_t i = 0; i + 6 < line.n; i++) {
        if (line.p[i] != ' ' ||
            !mx_str_istarts(mx_str_sub(line, i, line.n), MX_STR(" with ")))
            continue;
        struct mx_str rest = mx_str_sub(line, i + 6, line.n);
        for (const char *const *name = names; *name; name++)
            if (mx_str_istarts(rest, mx_str(*name)) && ends_at(rest, strlen(*name)))
                return mx_str_sub(rest, 0, strlen(*name));
    }
    return MX_STR_NONE;
}

/* Each text in order, anything between. */
static bool has_in_order(struct mx_str line, const char *const *texts)
{
    for (; *texts; texts++) {
        ptrdiff_t at = mx_str_find(line, mx_str(*texts));
        if (at < 0)
            return false;
        line = mx_str_sub(line, (size_t)at + strlen(*texts), line.n);
    }
    return true;
}

/* An address in brackets, then a comment with the word in it. */
static bool has_sendmail_comment(struct mx_str line)
{
    static const char *const closed[] = {")] ", "(", "authenticated", ")", " by", NULL};
    static const char *const plain[] = {"]) ", "(", "authenticated", ")", " by", NULL};
    static const char *const said[] = {"] (", ")) ", "(", "authenticated",
                                       ")",   " by", NULL};
    return has(line, "authenticated") &&
           (has_in_order(line, plain) || has_in_order(line, closed) ||
            has_in_order(line, said));
}

/* One provider names a session "...smNNN.." and tells version and cipher. */
static bool is_gmail_id(struct mx_str id)
{
    size_t i = 0, digits = 0;
    while (i < id.n && isalnum((unsigned char)id.p[i]))
        i++;
    if (i < 9 || i > 18 || i == id.n)
        return false;
    for (size_t at = 1; at + 1 < i; at++)
        if (id.p[at] == 's' && id.p[at + 1] == 'm' && at <= 4)
            for (i = at + 2; i < id.n; i++)
                digits += isdigit((unsigned char)id.p[i]) != 0;
    return digits >= 2 + 1 + 4 + 10;
}

static struct mx_str by_gmail(struct mx_arena *arena, struct mx_str line)
{
    struct text_captures c, v;
    if (!text_match_find(" by mx.google.com with ESMTPS id %k ", line, &c) ||
        !is_gmail_id(c.v[CAPTURE_WORD]) ||
        !text_match_find("(version=%h cipher=%q)", line, &v))
        return MX_STR_NONE;
    return mx_str(mx_arena_printf(arena, "GMail - transport=%.*s cipher=%.*s",
                                  MX_STR_FMT(v.v[CAPTURE_HELO]),
                                  MX_STR_FMT(v.v[CAPTURE_WORD])));
}

static struct mx_str by_courier(struct mx_str line)
{
    static const char *const methods[] = {"LOGIN", "PLAIN", "DIGEST-MD5", "CRAM-MD5",
                                          NULL};
    struct text_captures c;
    if (!text_match_find("]) (AUTH: %k %w{, %~}) by ", line, &c) &&
        !text_match_find(")] (AUTH: %k %w{, %~}) by ", line, &c))
        return MX_STR_NONE;
    for (const char *const *method = methods; *method; method++)
        if (mx_str_eq(c.v[CAPTURE_WORD], mx_str(*method)))
            return c.v[CAPTURE_WORD];
    return MX_STR_NONE;
}

static struct mx_str by_gmx(struct mx_arena *arena, struct mx_str line)
{
    static const char *const hosts[] = {"mail.gmx.net", "mail.gmx.com", NULL};
    struct text_captures c;
    if (!text_match_find("from %W (%e %W) [%I] by %b (%p) with %m", line, &c))
        return MX_STR_NONE;
    struct mx_str head = mx_str_sub(line, 0, c.end);
    const char *protocol = mx_str_iends(head, MX_STR(" ESMTP")) ? "ESMTP" : "SMTP";
    for (const char *const *host = hosts; *host; host++)
        if (mx_str_eq(c.v[CAPTURE_BY], mx_str(*host)))
            return mx_str(mx_arena_printf(arena, "GMX (%s / %s)", protocol, *host));
    return MX_STR_NONE;
}

static struct mx_str by_postfix(struct mx_arena *arena, struct mx_str line)
{
    struct text_captures c;
    if (!text_match_find(") (Authenticated sender: %w) by %w (%q) with ", line, &c))
        return MX_STR_NONE;
    struct mx_str name = c.v[CAPTURE_WORD];
    if (mx_str_eq(name, MX_STR("Postfix")))
        return name;
    return mx_str(mx_arena_printf(arena, "Postfix (%.*s)", MX_STR_FMT(name)));
}

static bool is_communigate(struct mx_str line)
{
    return has(line, " (account ") &&
           (has(line, "CommuniGate Pro HTTP") || has(line, "CommuniGate Pro SMTP") ||
            has(line, "CommuniGate Pro XIMSS") || has(line, "CommuniGate Pro IMAP"));
}

/* "(via HTTP)" in a comment. */
static struct mx_str by_via_http(struct mx_str line)
{
    for (size_t i = 0; i + 11 <= line.n; i++) {
        struct mx_str rest = mx_str_sub(line, i, line.n);
        if (!mx_str_istarts(rest, MX_STR(" (via HTTP")))
            continue;
        size_t end = rest.p[10] == ')' ? 10 : 11;
        if (end < rest.n && rest.p[end] == ')' && ends_at(rest, end + 1))
            return mx_str_sub(rest, 6, end - 6);
    }
    return MX_STR_NONE;
}

static bool is_critical_path(struct mx_str line)
{
    struct text_captures c;
    return has(line, " (authenticated as ") &&
           text_match_find(") by %~ (%n.%n.%n{.%n}) (authenticated as %*) id ", line, &c);
}

struct mx_str text_received_auth(struct mx_arena *arena, struct mx_str line)
{
    struct mx_str found;
    if (has(line, " by ") && (found = by_protocol(line)).p)
        return found;
    if ((found = by_gmail(arena, line)).p || (found = by_courier(line)).p)
        return found;
    if (has_sendmail_comment(line))
        return MX_STR("Sendmail");
    if ((found = by_gmx(arena, line)).p)
        return found;
    if (is_critical_path(line))
        return MX_STR("CriticalPath");
    if ((found = by_postfix(arena, line)).p)
        return found;
    if (is_communigate(line))
        return MX_STR("Communigate");
    if (has(line, " with Microsoft Exchange Server HTTP-DAV"))
        return MX_STR("HTTP-DAV");
    found = has(line, " by ") ? by_via_http(line) : MX_STR_NONE;
    return found.p ? found : MX_STR("");
}
