/*
 * mxdrop-policyd: every decision of the filter. This file is the descriptor for the
 * daemon skeleton; the main thread is policyd.c.
 */
#include <stdio.h>
#include <string.h>

#include "mx_daemon.h"
#include "mxp_frame.h"
#include "policy_table.h"
#include "policyd.h"
#include "policyd_conf.h"
#include "store_redis.h"

static const char *features(void)
{
    static char text[1024]; /* for -V, which prints it once and exits */
    size_t n = 0;
    n += (size_t)snprintf(text, sizeof(text), "protocol %d; modules:", MXP_MAJOR);
    for (size_t i = 0; policy_table[i] && n < sizeof(text); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", policy_table[i]->name);
    return text;
}

int main(int argc, char **argv)
{
    struct mx_conf_section *section = policyd_conf_section_new();
    const struct mx_conf_section *const sections[] = {section, &store_redis_section,
                                                      NULL};
    const struct mx_daemon daemon = {
        .name = "mxdrop-policyd",
        .doc = "Decides on connections, envelopes and findings for the mail filters of a "
               "cluster.",
        .sections = sections,
        .features = features,
        .check = policyd_check,
        .run = policyd_run,
    };
    int status = mx_daemon_main(&daemon, argc, argv);
    policyd_conf_section_free(section);
    return status;
}
