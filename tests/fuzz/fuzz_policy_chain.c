/*
 * Settings of every policy module: any bytes as a configuration file; what is taken must
 * make a chain, or be refused in words. Modules parse words of their own here: limits of
 * rates, actions on findings, specifications of maps.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mx_conf.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "mx_time.h"
#include "policy_chain.h"
#include "policy_maps.h"
#include "policyd_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(const void *data, size_t size, const struct mx_conf_section *section,
                struct mx_conf **out)
{
    const struct mx_conf_section *sections[] = {section, NULL};
    char path[64];
    struct mx_err err = {.code = MX_ERR_NONE};
    int fd = memfd_create("conf", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int status = mx_conf_load(path, sections, mx_daemon_section_names, out, &err);
    close(fd);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_clock_fake clock;
    struct mx_conf_section *section = policyd_conf_section_new();
    struct policy_map_files *files = policy_map_files_new();
    struct policy_chain *chain = NULL;
    struct mx_conf *conf = NULL;
    struct mx_err err = {.code = MX_ERR_NONE};
    mx_clock_fake_init(&clock, 1700000000000);
    struct policy_chain_env env = {.clock = &clock.clock, .files = files};
    if (size < 65536 && load(data, size, section, &conf) == 0 &&
        policy_chain_new(conf, &env, &chain, &err) < 0)
        assert(chain == NULL && err.code != MX_ERR_NONE && *err.text != '\0');
    policy_chain_unref(chain);
    mx_conf_free(conf);
    policy_map_files_free(files);
    policyd_conf_section_free(section);
    return 0;
}
