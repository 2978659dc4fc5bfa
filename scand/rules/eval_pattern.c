/*
 * The fixed patterns of eval functions: what trace fields of big providers look like, how
 * list software marks its mail, which words a stock tip has. They are facts about mail,
 * compiled once at load. All run on bytes.
 */
#include "eval_pattern.h"

#include "eval_regex.h"

#define BYTE "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]\\d|\\d)"
#define IPV4 BYTE "(?:\\." BYTE "){3}"
#define IPV6                                                                             \
    "(?i:(?:IPv6:|(?<![a-f0-9:]))(?:[a-f0-9]{0,4}:){2,7}(?:" IPV4                        \
    "|[a-f0-9]{0,4})(?![a-f0-9:]))"
#define IP "(?:\\b(?<!:)" IPV4 "\\b|" IPV6 ")"
#define CASELESS EVAL_REGEX_CASELESS
#define LINES EVAL_REGEX_LINES
#define CAPS_CHARSET                                                                     \
    "[-_a-z0-9]*(?:koi|jp|jis|euc|gb|big5|isoir|cp1251|windows-1251|georgianps|pt154|"   \
    "tis)[-_a-z0-9]*"
#define ATOM "[a-z0-9!#$%&'*+/=?^_`{|}~-]"

static const struct eval_pattern_row rows[EVAL_PATTERNS] = {
    [EVAL_RECEIVED_DATE] = {"(\\s.?\\d+ \\S\\S\\S \\d+ \\d+:\\d+:\\d+ \\S+)", 0},
    [EVAL_RECEIVED_FOR] = {" for <?(\\S+@[^\\s>;.]+\\.[^\\s>;]+?)>?;", 0},
    [EVAL_RECEIVED_LOCAL] =
        {"\\bfrom (?:localhost\\s|(?:\\S+ ){1,2}\\S*\\b127\\.0\\.0\\.1"
         "\\b)|qmail \\d+ invoked by uid \\d+",
         0},
    [EVAL_RECEIVED_FETCHMAIL] = {"\\bby localhost with \\w+ \\(fetchmail-[\\d.]", 0},
    [EVAL_IP_ADDRESS] = {IP, 0},

    [EVAL_AOL_RELAY] = {" rly-[a-z][a-z]\\d\\d\\.", CASELESS},
    [EVAL_AOL_OWN] =
        {"/AOL-\\d+\\.\\d+\\.\\d+\\)|ESMTP id (?:MAIL)?RELAY|ESMTP id MAILIN", 0},
    [EVAL_EZMLM_LIST] = {"^contact \\S+@\\S+; run by ezmlm$", LINES},
    [EVAL_EZMLM_DELIVERED] = {"^mailing list \\S+@\\S+", LINES},
    [EVAL_QMAIL_INVOKED] = {"qmail \\d+ invoked (?:from network|by .{3,20})\\); \\d+ ... "
                            "\\d+",
                            0},
    [EVAL_MSN_GROUPS_RELAY] = {"from groups\\.msn\\.com \\(\\S+\\.msn\\.com ", 0},
    [EVAL_MSN_GROUPS_TO] = {"<(\\S+)@groups\\.msn\\.com>", CASELESS},
    [EVAL_MSN_GROUPS_PICKUP] = {"from mail pickup service by (p\\d\\d\\.groups\\.msn\\."
                                "com)\\b",
                                0},
    [EVAL_HOTMAIL_ORIGINATOR] = {"hotmail\\.com|msonline-outlook", 0},
    [EVAL_HOTMAIL_BY_IP] = {"from (?:(?:\\S*\\.)?hotmail.com \\(\\S+\\.hotmail(?:\\.msn)?"
                            "\\.com[ )]|\\S*\\.hotmail.com \\(\\[" IP "\\][ ):]"
                            "|\\S+ by \\S+\\.hotmail(?:\\.msn)?\\.com with HTTP;"
                            "|\\[66\\.218.\\S+\\] by \\S+\\.yahoo\\.com)",
                            0},
    [EVAL_HOTMAIL_BY_ORG] =
        {"from \\S*\\.(?:outbound\\.protection\\.outlook\\.com \\(\\S+"
         "\\.outbound\\.protection\\.outlook\\.com[ )]"
         "|(?:eur|nam)prd\\d+\\.prod\\.outlook\\.com \\(" IP "\\))",
         0},
    [EVAL_HOTMAIL_HELO] = {"(?:from |HELO |helo=)\\S*hotmail\\.com\\b", 0},
    [EVAL_EUDORAMAIL_BY] = {"by \\S*whowhere.com;", 0},
    [EVAL_YAHOO_RDNS_TRUSTED] = {" rdns=\\S+\\.yahoo\\.com ", 0},
    [EVAL_YAHOO_RDNS_UNTRUSTED] = {"^[^\\]]+ rdns=\\S+\\.yahoo\\.com ", 0},
    [EVAL_YAHOO_RECEIVED] = {"by (?:web\\S+\\.mail\\S*\\.yahoo\\.com via HTTP"
                             "|sonic\\S+\\.consmr\\.mail\\S*\\.yahoo\\.com with HTTP"
                             "|smtp\\S+\\.yahoo\\.com with SMTP"
                             "|\\w+\\.\\w+\\.yahoo\\.com \\(\\d+\\.\\d+\\.\\d+/\\d+\\."
                             "\\d+\\.\\d+\\)(?: with ESMTP)? id \\w)"
                             "|from \\[" IP "\\] by \\S+\\.(?:groups|scd|dcn)\\.yahoo\\."
                             "com with NNFMP",
                             0},
    [EVAL_YAHOO_MAILER] = {"\\bmailer\\d+\\.bulk\\.scd\\.yahoo\\.com\\b", 0},
    [EVAL_JUNO_RECEIVED] = {"from.*\\b(?:juno|untd)\\.com.*[\\[(]" IP "[\\])].*by"
                            "| cookie\\.(?:juno|untd)\\.com ",
                            0},
    [EVAL_GMAIL_X_RECEIVED] = {"by (?:10\\.|2002:a\\d\\d:\\w+:)\\S+ with SMTP id \\S", 0},
    [EVAL_GMAIL_RECEIVED] = {"by smtp\\.googlemail\\.com with ESMTPSA id \\S", 0},
    [EVAL_GW05] = {"\\nfrom\\s(\\S+)\\sby\\s([^\\s.]+)\\swith\\sESMTP;\\s+\\S\\S\\S,\\s+"
                   "\\d+\\s+\\S\\S\\S\\s+\\d{4}\\s+\\d\\d:\\d\\d:\\d\\d\\s+[-+]*\\d{4}"
                   "\\n$",
                   0},

    [EVAL_OUTLOOK_ID] = {"^<[0-9a-f]{4}([0-9a-f]{8})\\$[0-9a-f]{8}\\$[0-9a-f]{8}@", 0},
    [EVAL_SUBJECT_PREFIX] = {"^(?:(?:Re|Fwd|Fw|Aw|Antwort|WG|SV|VB|VS|VL):\\s*)+",
                             CASELESS},
    [EVAL_CAPS_CHARSET_WORD] = {"=\\?" CAPS_CHARSET "\\?", CASELESS},
    [EVAL_CAPS_CHARSET] = {"^" CAPS_CHARSET "$", CASELESS},
    [EVAL_TEMPLATE] = {"%[A-Z][A-Z_-]", 0},
    [EVAL_TEMPLATE_EXEMPT] = {"^(?:X-VMS-To|X-UIDL|X-Face|To|Cc|From|Subject|References|"
                              "In-Reply-To|(?:X-|Resent-|X-Original-)?Message-Id):",
                              CASELESS},
    [EVAL_RATWARE_ID] = {"<[A-Z]{28}\\.([^>]+?)>", 0},
    [EVAL_SRS] = {"^SRS\\d[=+-]", CASELESS},
    [EVAL_LEAVE_LIST] = {"<mailto:(?:leave-\\S+|\\S+-unsubscribe)@\\S+>$", CASELESS},
    [EVAL_ENCODED_WORD] = {"=\\?(.+?)\\?.\\?.*?\\?=", 0},

    [EVAL_ASCII_CHARSET] =
        {"us-ascii|ansi_x3\\.4-1968|iso-ir-6|ansi_x3\\.4-1986|iso_646\\"
         ".irv:1991|ascii|iso646-us|us|ibm367|cp367|csascii",
         0},
    [EVAL_ISO_CHARSET] = {"iso-\\S+-\\S+\\b", CASELESS},
    [EVAL_ISO_CHARSET_KNOWN] = {"iso-(?:8859-\\d{1,2}|2022-(?:jp|kr))\\b", 0},
    [EVAL_CONTENT_TYPE_CHARSET] = {"charset=(?|\"([^\"]+)\"|'([^']+)'|(\\S+))", CASELESS},
    [EVAL_BASE64_LINES] = {"^(?:[A-Za-z0-9+/=]{60,76} ){2}", 0},
    [EVAL_SHIFT_JIS] = {"(?s)\\x1b\\$B.*\\x1b\\(B", 0},
    [EVAL_STOCK_LINE] = {"^\\s*([^:\\s][^:\\n]{2,29})\\s*:\\s*\\S", LINES},
    [EVAL_STOCK_WORD] = {"(^trad(?:e|ing)date|company(?:name)?"
                         "|s\\w?(?:t\\w?o\\w?c\\w?k|y\\w?m(?:\\w?b\\w?o\\w?l)?)"
                         "|t(?:arget|icker)|(?:opening|current)p(?:rice)?"
                         "|p(?:rojected|osition)|expectations|weeks?high"
                         "|marketperformance|(?:year|week|month|day|price)(?:target|"
                         "estimates?)|sector|r(?:ecommendation|ating))$",
                         0},
    [EVAL_SIGNATURE] = {"^-- ?\\r?$", LINES},

    [EVAL_DOTCOM_HELO] = {"(?:\\.|^)(?:(?:lycos|hotmail|localhost|excite|caramail|cs|aol|"
                          "msn|yahoo|drizzle)\\.com|lycos\\.co\\.uk)$",
                          CASELESS},
    [EVAL_TRAIL_HOST] = {"^\\w+(?:[\\w.-]+\\.)+\\w+$", 0},
    [EVAL_HELO_IPV4] = {"\\bhelo=(" IPV4 ")(?=[\\x00-\\x20,;\\[()<>]|\\z)", CASELESS},
    [EVAL_BOUNCE_WORD] = {" (\\S+\\.\\S+) ", 0},
    [EVAL_BOUNCE_HEADER_WORD] = {"\\s(\\S+\\.\\S+)\\s", 0},
    [EVAL_BOUNCE_RECEIVED] = {"^[> ]*Received:", CASELESS},

    [EVAL_FREEMAIL_ROLE] = {"^(?:abuse|support|sales|info|helpdesk|contact|kontakt"
                            "|(?:post|host|domain)master|undisclosed.*"
                            "|request-[a-f0-9]{16}|bounced?-"
                            "|[a-f0-9]{8}(?:\\.[a-f0-9]{8}|(?:-[a-f0-9]{4}){3}-"
                            "[a-f0-9]{12})|.+=.+=.+)@",
                            CASELESS},
    [EVAL_FREEMAIL_BULK] = {"(?:^(?:post|host|domain)master|^double-bounce"
                            "|^(?:sentto|owner|return|(?:gr)?bounced?)-.+"
                            "|-(?:request|bounces?|admin|owner)"
                            "|\\b(?:do[._-t]?)?no[._-t]?repl(?:y|ies)|.+=.+)@",
                            CASELESS},
    [EVAL_EMAIL] = {"(?=.{0,64}@)(?<!" ATOM ")(" ATOM "+(?:\\." ATOM "+)*@"
                    "(?:[a-z0-9](?:[a-z0-9-]{0,59}[a-z0-9])?\\.){1,4}([a-z0-9-]+)(?!-|[a-"
                    "z0-9]|\\.[a-z0-9]))",
                    CASELESS},
    [EVAL_URL_WITH_EMAIL] = {"<?https?://\\S{0,255}(?:@|%40)\\S{0,255}", CASELESS},
    [EVAL_QUOTE_WORD] = {"^(?:>|\\s{1,10}(?!(?:fa(?:x|csi)|tel|phone|e?-?mail))"
                         "[a-z]{2,11}:)",
                         CASELESS},

    [EVAL_DKIM_DOMAIN] = {"\\bd\\s*=\\s*([^;]+)", 0},
    [EVAL_HTTPS_TEXT] = {"https://([^\\s/:?#]+)", CASELESS},
    [EVAL_HTTPS_IP] = {"^https:/*(?:[^@/]+@)?\\d+\\.\\d+\\.\\d+\\.\\d+", CASELESS},
    [EVAL_HTTP_IP] = {"^https?:/*(?:[^@/]+@)?\\d+\\.\\d+\\.\\d+\\.\\d+", CASELESS},
    [EVAL_REDIRECTOR] = {"^https?://([^/:?]+).+?(https?:/{0,2}?([^/:?]+).*)$", CASELESS},
};

const struct eval_pattern_row *eval_pattern_row(enum eval_pattern pattern)
{
    return &rows[pattern];
}
