/* Questions to policyd and scand, and what to do without an answer. */
#ifndef SHIM_ASK_H
#define SHIM_ASK_H

#include "shim.h"

/* The end of a message, as far as it was asked about. */
struct shim_findings {
    Mxp__ScanReply *scan; /* NULL: not scanned */
    const char *fault;    /* why not; "" when all is well */
    bool must_hold;       /* configured: into the hold queue, whatever policyd says */
    uint64_t scan_us;
};

/**
 * shim_ask_envelope(shim, conn, stage, rcpt, out):
 * Ask policyd at CONNECT, HELO, MAIL or RCPT. At RCPT ${rcpt} is the recipient in
 * question and is given what policyd says of it; NULL otherwise.
 * Nobody answers: as policyd_down says; at CONNECT and HELO the stage is marked missed
 * and the session goes on, as the question is asked again at MAIL.
 * Owner:  texts of ${out} and ${rcpt} live in ${conn}->scratch, until the next question.
 */
void shim_ask_envelope(struct shim *shim, struct shim_conn *conn, Mxp__Stage stage,
                       struct shim_rcpt *rcpt, struct shim_verdict *out);

/**
 * shim_ask_missed(shim, conn, out):
 * Ask the stages again that nobody answered; ${out} is the first refusal among them.
 */
void shim_ask_missed(struct shim *shim, struct shim_conn *conn, struct shim_verdict *out);

/**
 * shim_ask_scan(shim, conn, mta, out, verdict):
 * Have the message scanned; the MTA hears progress. The spool is empty afterwards.
 * Nobody answers: as scand_down or scand_down_submission says; ${verdict} is then a
 * refusal, or left alone.
 */
void shim_ask_scan(struct shim *shim, struct shim_conn *conn, const struct shim_mta *mta,
                   struct shim_findings *out, struct shim_verdict *verdict);

/**
 * shim_ask_content(shim, conn, mta, findings, verdict):
 * The outcome of the message from policyd, stage CONTENT. Nobody answers: as
 * policyd_down says, but what is known to be a virus or poison is held.
 * Returns the reply with the edits, in ${conn}->scratch, or NULL.
 */
Mxp__PolicyReply *shim_ask_content(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta,
                                   const struct shim_findings *findings,
                                   struct shim_verdict *verdict);

#endif
