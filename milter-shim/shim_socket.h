/* The socket that the MTA connects to: libmilter opens it, this looks after the rest. */
#ifndef SHIM_SOCKET_H
#define SHIM_SOCKET_H

#include <sys/types.h>

struct mx_err;

#define SHIM_SOCKET_TEXT_MAX 280 /* bytes of an address in libmilter's form with NUL */

struct shim_socket {
    char text[SHIM_SOCKET_TEXT_MAX]; /* "unix:/path", "inet:1234@host" */
    const char *path;                /* inside text; NULL: not a UNIX socket */
    int fd;                          /* libmilter's listening descriptor; -1 unknown */
    dev_t dev;
    ino_t ino;
};

/**
 * shim_socket_prepare(address, out, err):
 * Bring ${address} into libmilter's form and make way: a stale socket file is removed,
 * one that somebody listens on is not.
 * Fails:  not an address, in use, no such directory (-1; the text says what to do).
 */
int shim_socket_prepare(const char *address, struct shim_socket *out, struct mx_err *err);

/**
 * shim_socket_adopt(sock, mode, err):
 * After libmilter has bound it: find its descriptor, set the mode of a socket file.
 * Fails:  chmod (-1).
 */
int shim_socket_adopt(struct shim_socket *sock, mode_t mode, struct mx_err *err);

/**
 * shim_socket_deafen(sock):
 * Take no more connections while libmilter goes on with those it has: its descriptor
 * becomes one that nobody can connect to. The socket file goes, so that a successor may
 * bind.
 */
void shim_socket_deafen(struct shim_socket *sock);

#endif
