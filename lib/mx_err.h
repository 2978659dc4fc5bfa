/* Error value: a code for programs, a text for people. */
#ifndef MX_ERR_H
#define MX_ERR_H

#include <stddef.h>

enum mx_err_code {
    MX_ERR_NONE,
    MX_ERR_INPUT,   /* what we were given is wrong: syntax, range, unknown name */
    MX_ERR_LIMIT,   /* larger than a bound of ours */
    MX_ERR_SYSTEM,  /* a system call or library failed */
    MX_ERR_TIMEOUT, /* the deadline passed */
    MX_ERR_DOWN,    /* the other side is not there */
    MX_ERR_VERSION, /* the other side speaks another major version */
};

#define MX_ERR_TEXT_MAX 1024 /* bytes; longer texts are cut */

struct mx_err {
    enum mx_err_code code;
    char text[MX_ERR_TEXT_MAX];
};

/**
 * mx_err_set(err, code, fmt, ...):
 * Say what went wrong. Replaces what ${err} held.
 * Owner:  ${err} is the caller's; NULL means that nobody asks.
 * Fails:  always returns -1, so that "return mx_err_set(...)" reads well.
 */
int mx_err_set(struct mx_err *err, enum mx_err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * mx_err_errno(err, fmt, ...):
 * As mx_err_set with MX_ERR_SYSTEM, followed by ": " and strerror(errno).
 * Fails:  always returns -1.
 */
int mx_err_errno(struct mx_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * mx_err_wrap(err, fmt, ...):
 * Put "<fmt>: " in front of the text; the code stays.
 * Fails:  always returns -1.
 */
int mx_err_wrap(struct mx_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
