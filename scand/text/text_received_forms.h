/* The forms of Received lines: a table for text_received. */
#ifndef TEXT_RECEIVED_FORMS_H
#define TEXT_RECEIVED_FORMS_H

#include "text/text_match.h"

enum text_form_flag {
    FORM_FIND = 1 << 0,         /* anywhere in the line, not only at its start */
    FORM_IGNORE = 1 << 1,       /* the line is known and says nothing */
    FORM_FETCHED = 1 << 2,      /* a mailbox was read here */
    FORM_LOOKED_UP = 1 << 3,    /* this MTA looks names up: no rdns means there is none */
    FORM_HELO_IS_RDNS = 1 << 4, /* one name stands for both */
    FORM_NO_ID = 1 << 5,        /* what follows "id" is no message id here */
    FORM_XMAIL = 1 << 6,        /* id and sender in "<>" behind */
    FORM_QMAIL = 1 << 7,        /* rdns may be "unknown" */
    FORM_SOFT_DNS = 1 << 8,     /* rdns may be "softdnserr" */
    FORM_NO_QMAIL_LDAP = 1 << 9, /* not where qmail-ldap wrote the line */
    FORM_SCANNER = 1 << 10,      /* qmail-scanner: keep the sender for the next line */
    FORM_NO_BY = 1 << 11,        /* our own synthetic line */
    FORM_EXIM_LOOSE = 1 << 12,   /* names are where Exim usually has them */
};

/* Programs whose lines are known by a mark; forms of others are not tried on them. */
enum text_form_family {
    FAMILY_ANY,
    FAMILY_MS_SMTPSVC,
    FAMILY_EXCHANGE,
    FAMILY_XMAIL,
    FAMILY_ECELERITY,
    FAMILY_EXIM,
    FAMILY_POSTFIX,
    FAMILY_SCALIX,
    FAMILY_DOMINO,
};

struct text_received_form {
    enum text_form_family family;
    unsigned flags;      /* enum text_form_flag */
    const char *mark;    /* text that the line must hold; NULL none */
    const char *pattern; /* text_match.h, behind "from " */
};

/** text_received_family(line): by the first mark that fits; FAMILY_ANY: none. */
enum text_form_family text_received_family(struct mx_str line);

/**
 * text_received_forms(start): the forms behind a line's first word, in order of trial,
 * ended by a NULL pattern. ${start} is "from ", "FROM " or "(from ".
 */
const struct text_received_form *text_received_forms(struct mx_str start);

#endif
