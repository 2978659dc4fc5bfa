/*
 * mx_conf_load on any bytes: it may refuse them with a text, or give a snapshot whose
 * dump loads again. The file is a memory file, for mx_conf reads files.
 */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mx_conf.h"
#include "mx_err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct inner {
    int64_t delay;
    int mode;
};

struct settings {
    bool is_on;
    int64_t n, size;
    double weight;
    const char *name;
    struct mx_conf_strings list;
    struct inner inner;
};

static const char *const modes[] = {"on", "warn", "off", NULL};

static const struct mx_conf_key inner_keys[] = {
    {"delay", MX_CONF_DURATION, offsetof(struct inner, delay), 1, 1 << 30, "5m", NULL,
     NULL, ""},
    {"mode", MX_CONF_ENUM, offsetof(struct inner, mode), 0, 0, "on", modes, NULL, ""},
    {.type = MX_CONF_END},
};

static const struct mx_conf_key keys[] = {
    {"is_on", MX_CONF_BOOL, offsetof(struct settings, is_on), 0, 0, "no", NULL, NULL, ""},
    {"n", MX_CONF_INT, offsetof(struct settings, n), 0, 0, "1", NULL, NULL, ""},
    {"size", MX_CONF_SIZE, offsetof(struct settings, size), 0, 0, "1KiB", NULL, NULL, ""},
    {"weight", MX_CONF_DOUBLE, offsetof(struct settings, weight), 0, 0, "1", NULL, NULL,
     ""},
    {"name", MX_CONF_STRING, offsetof(struct settings, name), 0, 0, NULL, NULL, NULL, ""},
    {"list", MX_CONF_STRINGS, offsetof(struct settings, list), 0, 0, "a, b", NULL, NULL,
     ""},
    {"inner", MX_CONF_GROUP, offsetof(struct settings, inner), 0, 0, NULL, NULL,
     inner_keys, ""},
    {.type = MX_CONF_END},
};

static const struct mx_conf_section section = {"s", "", sizeof(struct settings), keys};
static const struct mx_conf_section *const sections[] = {&section, NULL};
static const char *const foreign[] = {"redis", NULL};

static int load(const void *data, size_t size, struct mx_conf **out, struct mx_err *err)
{
    char path[64];
    int fd = memfd_create("conf", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int status = mx_conf_load(path, sections, foreign, out, err);
    close(fd);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_conf *conf = NULL, *again = NULL;
    struct mx_buf first = {.max = 0}, second = {.max = 0};
    struct mx_err err = {.code = MX_ERR_NONE};
    if (load(data, size, &conf, &err) < 0) {
        assert(conf == NULL && err.code != MX_ERR_NONE);
        return 0;
    }
    mx_conf_dump(conf, false, &first);
    if (load(first.p, first.n, &again, &err) == 0) {
        mx_conf_dump(again, false, &second);
        assert(mx_str_eq(mx_str_of(first.p, first.n), mx_str_of(second.p, second.n)));
    } else {
        /* Escaping may make a text longer than a file or a value may be; nothing else. */
        assert(err.code == MX_ERR_LIMIT);
    }
    mx_buf_fini(&first);
    mx_buf_fini(&second);
    mx_conf_free(conf);
    mx_conf_free(again);
    return 0;
}
