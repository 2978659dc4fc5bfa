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

enum shim_status shim_session_connect(struct shim *shim, struct shim_conn *conn,
                                      const struct shim_mta *mta, const char *name,
                                      const struct sockaddr *sa);
enum shim_status shim_session_helo(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, const char *helo);
enum shim_status shim_session_mail(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, char **argv);
enum shim_status shim_session_rcpt(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, char **argv);
enum shim_status shim_session_header(struct shim *shim, struct shim_conn *conn,
                                     const char *name, const char *value);
enum shim_status shim_session_eoh(struct shim *shim, struct shim_conn *conn);
enum shim_status shim_session_body(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, struct mx_str bytes);
enum shim_status shim_session_eom(struct shim *shim, struct shim_conn *conn,
                                  const struct shim_mta *mta);

/** shim_session_abort(shim, conn): the message ended early, the connection goes on. */
void shim_session_abort(struct shim *shim, struct shim_conn *conn);

#endif
