/*
 * What mail servers write into Received, as a table: one row a form, tried from top to
 * bottom, the first that fits decides. Order matters where one form also fits lines of
 * another: the marked families first, then exact forms, then looser ones, then lines
 * that are known to say nothing. SpamAssassin's parser of thirty years of mail decides
 * what the answer is; a row that could only match after another that always does is left
 * out.
 *
 * Which of two names a server puts in front (what the client said or what DNS says) is
 * the one thing a row must know.
 */
#include "text_received_forms.h"

#include <stddef.h>

static const struct {
    const char *mark; /* a pattern, found anywhere */
    enum text_form_family family;
} families[] = {
    {" SMTPSVC", FAMILY_MS_SMTPSVC},
    {" with Microsoft SMTP Server {(%p) }%n.%n.%n.%n%$", FAMILY_EXCHANGE},
    {" with Microsoft SMTP Server {(%p) }%n.%n.%n.%n ", FAMILY_EXCHANGE},
    {" with mapi id {(%p) }%n.%n.%n.%n%$", FAMILY_EXCHANGE},
    {" with mapi id {(%p) }%n.%n.%n.%n ", FAMILY_EXCHANGE},
    {"[XMail ", FAMILY_XMAIL},
    {"(ecelerity%|", FAMILY_ECELERITY},
    {"Exim", FAMILY_EXIM},
    {" (Postfix) with", FAMILY_POSTFIX},
    {"(Scalix SMTP Relay", FAMILY_SCALIX},
    {" (Lotus Domino ", FAMILY_DOMINO},
};

/* Behind "from ". */
static const struct text_received_form from_forms[] = {
    /* webmail */
    {FAMILY_ANY, FORM_FIND, " (SquirrelMail authenticated user ",
     "%i%/%8by %b with HTTP"},
    {FAMILY_ANY, FORM_FIND, " (NaSMail authenticated user ", "%i%/%8by %b with HTTP"},
    {FAMILY_ANY, FORM_FIND, "aol.com", "%i by %b (%I) with HTTP (WebMailUI)"},
    /* families */
    {FAMILY_MS_SMTPSVC, 0, NULL, "%H ([%i]%P) by %b with Microsoft SMTPSVC"},
    {FAMILY_MS_SMTPSVC, FORM_IGNORE, NULL,
     "mail pickup service by %w with Microsoft SMTPSVC%$"},
    {FAMILY_EXCHANGE, FORM_NO_ID, NULL, "%h ({[}%i{%%%z}{]}) by %b "},
    {FAMILY_XMAIL, FORM_XMAIL, NULL, "%h ({[}%i{]}:%n) by %b{ (%w)} with [XMail"},
    {FAMILY_ECELERITY, 0, NULL, "([%i:%n] helo=%h) by %b "},
    {FAMILY_ECELERITY, 0, NULL, "%w ([%i:%n]) by %b "},
    {FAMILY_EXIM, FORM_IGNORE | FORM_FIND, NULL, "with local{-%w} "},
    {FAMILY_EXIM, 0, NULL, "[%i] (%s) by %b "},
    {FAMILY_EXIM, FORM_HELO_IS_RDNS, NULL, "%r ([%i]%s) by %b "},
    {FAMILY_EXIM, FORM_HELO_IS_RDNS, NULL, "%r [%i]{:%n} by %b "},
    {FAMILY_EXIM, FORM_EXIM_LOOSE, NULL, "%w{ %~} [%i%:] %~by %b "},
    {FAMILY_POSTFIX, FORM_LOOKED_UP, NULL, "%h (%r [%i]) by %b "},
    {FAMILY_POSTFIX, FORM_LOOKED_UP, NULL, "%h (%r[%i]) by %b "},
    {FAMILY_SCALIX, 0, NULL, "%h ({ }%i) by %b"},
    {FAMILY_DOMINO, 0, NULL, "%h ([%i]) by %b (Lotus"},
    {FAMILY_ANY, 0, "with HTTP", "%i ([%I]) by %b"},
    /* sendmail and those that write like it */
    {FAMILY_ANY, FORM_LOOKED_UP | FORM_NO_QMAIL_LDAP, NULL, "%h (%r [%i]%*) by %b ("},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h (%r [%i]) by %b with %w ("},
    {FAMILY_ANY, 0, NULL, "%r ([%i] helo=%h) by %b with "},
    {FAMILY_ANY, 0, NULL, "%h (<unknown%W>[%i]) by %b "},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h (%.[%i]) by %b "},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h (%D@[%i]%*) by %b ("},
    {FAMILY_ANY, 0, ".hotmail.msn.com ", "%i %~by %b "},
    {FAMILY_ANY, 0, NULL, "%r (%e %H) (%i) by %b (qpsmtpd/%w) with %m"},
    {FAMILY_ANY, 0, NULL, "%r (LHLO %H) (%i) by %b with LMTP"},
    {FAMILY_ANY, 0, NULL, "%r (%e %H) [%i] by %b (%p) with %m"},
    {FAMILY_ANY, 0, NULL, "%h ([%i]) by %b via smtpd (for %w) with SMTP("},
    /* qmail: the name said is there only if it differs from the one looked up */
    {FAMILY_ANY, FORM_QMAIL, NULL,
     "%r (%e %H) ({%D@}{[}%i{]}){ (envelope-sender <%w>)} by %b{ (%*)} with "},
    {FAMILY_ANY, FORM_QMAIL | FORM_HELO_IS_RDNS, NULL,
     "%r ({%D@}{[}%i{]}){ (envelope-sender <%w>)} by %b{ (%*)} with "},
    /* less usual ones */
    {FAMILY_ANY, 0, NULL, "[%i] by %b via HTTP%$"},
    {FAMILY_ANY, 0, NULL, "%w ( [%i])%~ by %b "},
    {FAMILY_ANY, 0, NULL, "(%h [%i]) by %b "},
    {FAMILY_ANY, 0, NULL, "[%i] by %b "},
    {FAMILY_ANY, 0, NULL, "({[}%i{]}) by %b "},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h [%i] by %b [%I] with "},
    {FAMILY_ANY, 0, NULL, "%h [(%i)] by %b (%I) "},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h ([%i]) by %b ("},
    {FAMILY_ANY, FORM_SOFT_DNS, NULL, "%h (%r [%i])%~ by %b%|"},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h ([%i%:])%~ by %b "},
    {FAMILY_ANY, FORM_FETCHED | FORM_FIND, NULL, "with POP3"},
    {FAMILY_ANY, FORM_FETCHED | FORM_FIND, NULL, "with IMAP"},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%r (%e %x) ({%D@}{[}%i{]})%* by %b "},
    {FAMILY_ANY, FORM_LOOKED_UP | FORM_HELO_IS_RDNS, NULL, "%r ({%D@}{[}%i{]})%* by %b "},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%r(%i) by %b via smap "},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%r(%i, %e %H) by %b via smap "},
    {FAMILY_ANY, 0, NULL, "%i by %b (SMTPL%|"},
    {FAMILY_ANY, 0, NULL, "%i by %b (InterScan%|"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w by %w with BSMTP"},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%r (%e %H) ({%d@}%i%~) by %b with "},
    {FAMILY_ANY, 0, NULL, "[%i] ({account %w }%e %H) by %b ("},
    {FAMILY_ANY, FORM_LOOKED_UP | FORM_HELO_IS_RDNS, " (CommuniGate Pro",
     "%r ([%i] verified) by %b ("},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w (%w) by %w (Content Technologies "},
    {FAMILY_ANY, 0, NULL, "%h ([%i] [%w]) by %b with "},
    {FAMILY_ANY, 0, NULL, "%i by %b with "},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h (%r[%i]) by %b "},
    {FAMILY_ANY, 0, NULL, "[%i]%w (%e %H) by %b "},
    {FAMILY_ANY, 0, NULL, "%i (%e %H) by %b "},
    {FAMILY_ANY, 0, NULL, "%h [%i] by %b "},
    {FAMILY_ANY, 0, NULL, "%r(%i) by %b "},
    {FAMILY_ANY, 0, NULL, "%i (%a) by %b with "},
    {FAMILY_ANY, 0, NULL, "[%i] (%o) by %b "},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%r(%i){, claiming to be \"%h\"} via %w by %b,"},
    {FAMILY_ANY, 0, ".yahoo.com with SMTP", "%h (%w@%i with login) by %b with SMTP"},
    {FAMILY_ANY, FORM_NO_BY, NULL, "X-Originating-IP: %i%$"},
    /* hand-overs inside one host, and those without an address */
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w (%w@%l) by %w ("},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w %w by %w with local-{e}smtp "},
    {FAMILY_ANY, FORM_IGNORE, NULL, "127.0.0.1 (AVG SMTP %w [%w])"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w@%w by %w "},
    {FAMILY_ANY, FORM_IGNORE, NULL, "Unknown/Local ("},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%l ({%w@}%l)"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%l ({%w@}%l["},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w ({%w@}%l) "},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w (%w@%w [%l]) "},
    {FAMILY_ANY, FORM_IGNORE, NULL, "(AUTH: %w) by %w with "},
    {FAMILY_ANY, FORM_IGNORE, NULL, "localhost (localhost [[UNIX: localhost]]) by "},
    {FAMILY_ANY, FORM_IGNORE, NULL,
     "%w.amazon.com by %w.amazon.com with ESMTP (peer crosscheck: "},
    {FAMILY_ANY, FORM_IGNORE, NULL, "no.name.available by %w via smtpd (for "},
    {FAMILY_ANY, FORM_SCANNER, NULL, "%w by %w (%~) with qmail-scanner"},
    {FAMILY_ANY, FORM_IGNORE, NULL,
     "%w ([unix socket]) by %w (Cyrus v%n.%n.%n) with LMTPA"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w by %w with"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w by %w via"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w by %w for"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w by %w ("},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w with %w by%|"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w via %w by%|"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w for %w by%|"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w (unverified) by%|"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w (unknown) by %w (SG) with %|"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w (%w [local]) by %w (OpenSMTPD) with %|"},
    {FAMILY_ANY, FORM_IGNORE | FORM_FIND, NULL, "(LSMTP for"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "([%l]) with MailEnable "},
    {FAMILY_ANY, FORM_IGNORE, NULL,
     "facebook.com (%p) by facebook.com with Thrift id %w%$"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w named %w by gmailapi.google.com with HTTPREST%$"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w id %w%$"},
    {FAMILY_ANY, FORM_IGNORE, NULL, "[<%~ (Jetsend"},
    {FAMILY_ANY, 0, NULL, NULL},
};

/* Behind "FROM ": one mailer writes its words in capitals. */
static const struct text_received_form capital_forms[] = {
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h (%r [%i]) BY %b ID %k%$"},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL, "%h (%r [%i]) BY %b ID %k FOR <%w>%$"},
    {FAMILY_ANY, FORM_LOOKED_UP, NULL,
     "%h (%r [%i]) BY %b (%p) WITH SMTP ID %k{ FOR <%w>}%$"},
    {FAMILY_ANY, 0, NULL, NULL},
};

/* Behind "(from ". */
static const struct text_received_form paren_forms[] = {
    {FAMILY_ANY, 0, NULL, "%H [%i]) by %b (NAVGW %~) with "},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w@localhost) by %w "},
    {FAMILY_ANY, FORM_IGNORE, NULL, "%w@%p) by %w(jqueuemail) id %w"},
    {FAMILY_ANY, 0, NULL, NULL},
};

enum text_form_family text_received_family(struct mx_str line)
{
    struct text_captures ignored;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (text_match_find(families[i].mark, line, &ignored))
            return families[i].family;
    return FAMILY_ANY;
}

const struct text_received_form *text_received_forms(struct mx_str start)
{
    if (mx_str_eq(start, MX_STR("from ")))
        return from_forms;
    return mx_str_eq(start, MX_STR("FROM ")) ? capital_forms : paren_forms;
}
