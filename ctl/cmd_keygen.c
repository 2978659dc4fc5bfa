/*
 * mxdropctl keygen: a CURVE key pair, as YAML for the section of a daemon. The secret
 * goes into a file of its own where one is named, as section "milter" wants it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "ctl.h"
#include "mx_err.h"
#include "mxp_server.h"

struct keygen {
    struct ctl *ctl;
    const char *secret_path;
};

static const struct argp_option options[] = {
    {"secret-file", 's', "FILE", 0,
     "Write the secret key there (a new file, mode 0600) instead of printing it", 1},
    CTL_OPTION_CONFIG,
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct keygen *keygen = state->input;

    if (key != 's')
        return ctl_option(keygen->ctl, key, arg);
    keygen->secret_path = arg;
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .doc = "A new CURVE key pair for tcp:// between hosts, as YAML.\v"
           "The public key goes into allowed_keys of whoever is to be asked. Secret keys "
           "stay on their host."};

static int write_secret(const char *path, const char *secret, struct mx_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int status = 0;

    if (fd < 0)
        return mx_err_errno(err, "%s", path);
    if (dprintf(fd, "%s\n", secret) < 0)
        status = mx_err_errno(err, "%s", path);
    if (close(fd) != 0 && status == 0)
        status = mx_err_errno(err, "%s", path);
    if (status != 0)
        unlink(path);
    return status;
}

int cmd_keygen(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct keygen keygen = {.ctl = ctl};
    char public_key[41], secret_key[41];

    argp_parse(&argp, argc, argv, 0, NULL, &keygen);
    if (mxp_keygen(public_key, secret_key, err) != 0)
        return mx_err_wrap(err, "keygen");
    if (keygen.secret_path && write_secret(keygen.secret_path, secret_key, err) != 0)
        return mx_err_wrap(err, "keygen");
    fprintf(ctl->out, "public_key: \"%s\"\n", public_key);
    if (keygen.secret_path)
        fprintf(ctl->out, "secret_key_file: \"%s\"\n", keygen.secret_path);
    else
        fprintf(ctl->out, "secret_key: \"%s\"  # keep it to yourself\n", secret_key);
    return 0;
}
