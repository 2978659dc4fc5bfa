/*
 * A libmilter filter that does nothing: the floor that the shim is compared with. It
 * hears the same steps as the shim and answers each with "continue".
 */
#include <libmilter/mfapi.h>
#include <stdio.h>

static sfsistat cb_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *sa)
{
    (void)ctx;
    (void)name;
    (void)sa;
    return SMFIS_CONTINUE;
}

static sfsistat cb_text(SMFICTX *ctx, char *text)
{
    (void)ctx;
    (void)text;
    return SMFIS_CONTINUE;
}

static sfsistat cb_argv(SMFICTX *ctx, char **argv)
{
    (void)ctx;
    (void)argv;
    return SMFIS_CONTINUE;
}

static sfsistat cb_header(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx;
    (void)name;
    (void)value;
    return SMFIS_CONTINUE;
}

static sfsistat cb_body(SMFICTX *ctx, unsigned char *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return SMFIS_CONTINUE;
}

static sfsistat cb_plain(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    struct smfiDesc filter = {
        .xxfi_name = (char[]){"empty"},
        .xxfi_version = SMFI_VERSION,
        .xxfi_connect = cb_connect,
        .xxfi_helo = cb_text,
        .xxfi_envfrom = cb_argv,
        .xxfi_envrcpt = cb_argv,
        .xxfi_header = cb_header,
        .xxfi_eoh = cb_plain,
        .xxfi_body = cb_body,
        .xxfi_eom = cb_plain,
        .xxfi_abort = cb_plain,
        .xxfi_close = cb_plain,
    };
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: %s unix:PATH|inet:PORT@HOST\n", argv[0]);
        return 2;
    }
    if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS ||
        smfi_setbacklog(1024) != MI_SUCCESS) {
        fprintf(stderr, "%s: libmilter refused %s\n", argv[0], argv[1]);
        return 1;
    }
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
