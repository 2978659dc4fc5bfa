/*
 * One callback of the MTA, from state through question to answer. shim_milter.c calls
 * these from libmilter, tests and fuzz targets with fakes; any order of calls is fine.
 * Every function returns what to tell the MTA, its reply text already handed over.
 */
#ifndef SHIM_SESSION_H
#define SHIM_SESSION_H

#include "shim.h"

struct sockaddr;

/**
 * shim_session_open(shim, features): a connection, with the settings of now.
 * Owner:  shim_session_close, which takes NULL.
 */
struct shim_conn *shim_session_open(struct shim *shim,
                                    const struct shim_features *features);
void shim_session_close(struct shim *shim, struct shim_conn *conn);

/** shim_session_connect(shim, conn, mta, name, sa): never refuses; see shim_session_helo.
 * ${sa} may be NULL. */
enum shim_status shim_session_connect(struct shim *shim, struct shim_conn *conn,
                                      const struct shim_mta *mta, const char *name,
                                      const struct sockaddr *sa);

/** shim_session_helo(shim, conn, mta, helo): with the refusal of CONNECT, if there was
 * one. */
enum shim_status shim_session_helo(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, const char *helo);

/** shim_session_mail(shim, conn, mta, argv): begins a message; one that was open is
 * aborted. */
enum shim_status shim_session_mail(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, char **argv);

/** shim_session_rcpt(shim, conn, mta, argv): a refusal concerns this recipient alone. */
enum shim_status shim_session_rcpt(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, char **argv);

/**
 * shim_session_header(shim, conn, name, value), shim_session_eoh(shim, conn):
 * NOREPLY where that was negotiated; what goes wrong is answered later.
 */
enum shim_status shim_session_header(struct shim *shim, struct shim_conn *conn,
                                     const char *name, const char *value);
enum shim_status shim_session_eoh(struct shim *shim, struct shim_conn *conn);

/** shim_session_body(shim, conn, mta, bytes): SKIP once enough is known; may end the
 * message. */
enum shim_status shim_session_body(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, struct mx_str bytes);

/** shim_session_eom(shim, conn, mta): scan, outcome, edits; the message is over
 * afterwards. */
enum shim_status shim_session_eom(struct shim *shim, struct shim_conn *conn,
                                  const struct shim_mta *mta);

/** shim_session_abort(shim, conn): the message ended early, the connection goes on. */
void shim_session_abort(struct shim *shim, struct shim_conn *conn);

#endif
