/*
 * The error value. Texts are built with vsnprintf into the caller's fixed buffer, so
 * that reporting an error can neither fail nor allocate. A text that is too long is cut;
 * a wrap keeps its own words and cuts the tail of the text it wraps.
 * There is no list of causes and no translation: one code, one line.
 */
#include "mx_err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mx_err_set(struct mx_err *err, enum mx_err_code code, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    /* An argument may be err->text itself, so format aside first. */
    char text[MX_ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err->code = code;
    memcpy(err->text, text, sizeof(text));
    return -1;
}

int mx_err_errno(struct mx_err *err, const char *fmt, ...)
{
    int saved = errno;
    if (err == NULL)
        return -1;
    char text[MX_ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    mx_err_set(err, MX_ERR_SYSTEM, "%s: %s", text, strerror(saved));
    errno = saved;
    return -1;
}

int mx_err_wrap(struct mx_err *err, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    char text[MX_ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return mx_err_set(err, err->code, "%s: %s", text, err->text);
}
