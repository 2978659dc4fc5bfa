/* Patterns that eval functions bring themselves. */
#ifndef EVAL_PATTERN_H
#define EVAL_PATTERN_H

enum eval_pattern {
    /* dates and trace fields */
    EVAL_RECEIVED_DATE,
    EVAL_RECEIVED_FOR,
    EVAL_RECEIVED_LOCAL,
    EVAL_RECEIVED_FETCHMAIL,
    EVAL_IP_ADDRESS,
    /* providers whose mail is forged: eval_header_forged.c */
    EVAL_AOL_RELAY,
    EVAL_AOL_OWN,
    EVAL_EZMLM_LIST,
    EVAL_EZMLM_DELIVERED,
    EVAL_QMAIL_INVOKED,
    EVAL_MSN_GROUPS_RELAY,
    EVAL_MSN_GROUPS_TO,
    EVAL_MSN_GROUPS_PICKUP,
    EVAL_HOTMAIL_ORIGINATOR,
    EVAL_HOTMAIL_BY_IP,
    EVAL_HOTMAIL_BY_ORG,
    EVAL_HOTMAIL_HELO,
    EVAL_EUDORAMAIL_BY,
    EVAL_YAHOO_RDNS_TRUSTED,
    EVAL_YAHOO_RDNS_UNTRUSTED,
    EVAL_YAHOO_RECEIVED,
    EVAL_YAHOO_MAILER,
    EVAL_JUNO_RECEIVED,
    EVAL_GMAIL_X_RECEIVED,
    EVAL_GMAIL_RECEIVED,
    EVAL_GW05,
    /* other headers: eval_header.c */
    EVAL_OUTLOOK_ID,
    EVAL_SUBJECT_PREFIX,
    EVAL_CAPS_CHARSET_WORD,
    EVAL_CAPS_CHARSET,
    EVAL_TEMPLATE,
    EVAL_TEMPLATE_EXEMPT,
    EVAL_RATWARE_ID,
    EVAL_SRS,
    EVAL_LEAVE_LIST,
    EVAL_ENCODED_WORD,
    /* bodies */
    EVAL_ASCII_CHARSET,
    EVAL_ISO_CHARSET,
    EVAL_ISO_CHARSET_KNOWN,
    EVAL_CONTENT_TYPE_CHARSET,
    EVAL_BASE64_LINES,
    EVAL_SHIFT_JIS,
    EVAL_STOCK_LINE,
    EVAL_STOCK_WORD,
    EVAL_SIGNATURE,
    /* relays, lists */
    EVAL_DOTCOM_HELO,
    EVAL_TRAIL_HOST,
    EVAL_HELO_IPV4,
    EVAL_BOUNCE_WORD,
    EVAL_BOUNCE_HEADER_WORD,
    EVAL_BOUNCE_RECEIVED,
    /* addresses: eval_freemail.c */
    EVAL_FREEMAIL_ROLE,
    EVAL_FREEMAIL_BULK,
    EVAL_EMAIL,
    EVAL_URL_WITH_EMAIL,
    EVAL_QUOTE_WORD,
    /* addresses in HTML */
    EVAL_DKIM_DOMAIN,
    EVAL_HTTPS_TEXT,
    EVAL_HTTPS_IP,
    EVAL_HTTP_IP,
    EVAL_REDIRECTOR,
    EVAL_PATTERNS
};

struct eval_pattern_row {
    const char *text;
    unsigned flags; /* enum eval_regex_flag */
};

/** eval_pattern_row(pattern): its text and flags. */
const struct eval_pattern_row *eval_pattern_row(enum eval_pattern pattern);

#endif
