/* What modules of CONTENT share: the action that a site chooses for a kind of finding. */
#ifndef POLICY_CONTENT_H
#define POLICY_CONTENT_H

#include "policy.h"

enum policy_content_action {
    POLICY_CONTENT_OFF,
    POLICY_CONTENT_REFUSE,
    POLICY_CONTENT_HOLD,
    POLICY_CONTENT_DISCARD,
};

/* "off", "refuse", "hold", "discard": words of an MX_CONF_ENUM key. */
extern const char *const policy_content_words[];

/* What a finding leads to. */
struct policy_content_row {
    struct mx_str symbol;
    int action; /* enum policy_content_action, as the site chose */
    const char *reason, *text;
};

/** policy_content_find(scan, symbol): the finding of that symbol, or NULL. */
const struct policy_finding *policy_content_find(const struct policy_scan *scan,
                                                 struct mx_str symbol);

/**
 * policy_content_verdict(req, action, detail, out):
 * ${out}->text and ->reason are the caller's; the rest comes from ${action}. ${detail}
 * (of the message: bounded and cleaned here) is put behind the text in brackets. The
 * verdict is for everybody.
 * Returns POLICY_NEXT for POLICY_CONTENT_OFF, else POLICY_DONE.
 */
enum policy_step policy_content_verdict(const struct policy_req *req, int action,
                                        struct mx_str detail, struct policy_verdict *out);

/**
 * policy_content_rows(req, rows, n, out):
 * The verdict of the first row that is not off and whose symbol was found; the reply
 * shows the finding's detail.
 * Returns POLICY_DONE, POLICY_NEXT where no row applies, POLICY_FAIL (with a reason) for
 * a message that was not scanned.
 */
enum policy_step policy_content_rows(const struct policy_req *req,
                                     const struct policy_content_row *rows, size_t n,
                                     struct policy_verdict *out);

#endif
