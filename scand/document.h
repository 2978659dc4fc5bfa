/* What office documents hold that policy may mind: macros, objects, links, encryption. */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include <stdbool.h>

#include "mx_str.h"

enum document_trait {
    DOCUMENT_MACROS = 1 << 0,    /* programs: VBA, Excel 4 macro sheets, StarBasic */
    DOCUMENT_ENCRYPTED = 1 << 1, /* only its password opens it */
    DOCUMENT_OBJECT = 1 << 2,    /* another file inside, which a click opens */
    DOCUMENT_LINK = 1 << 3,      /* content that is fetched when it is opened */
    DOCUMENT_LIMIT = 1 << 4,     /* more inside than is looked at */
};

/**
 * document_is(content):
 * The first octets are those of a document that document_traits looks into: a compound
 * file (OLE2: doc, xls, ppt, vbaProject.bin) or RTF.
 */
bool document_is(struct mx_str content);

/** document_traits(content): enum document_trait of such a document. */
unsigned document_traits(struct mx_str content);

/**
 * document_member_is(name):
 * A member of this name in a zip is one of the parts of OOXML and ODF that
 * document_member_traits reads: relations, the manifest.
 */
bool document_member_is(struct mx_str name);

/** document_member_traits(name, content): what a member says of its document; its name
 * alone may tell. */
unsigned document_member_traits(struct mx_str name, struct mx_str content);

/** document_start(): once in a process, before the first document: libgsf's own messages
 * are dropped. */
void document_start(void);

#endif
