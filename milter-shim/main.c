/*
 * mxdrop-milter: descriptor for the daemon skeleton. What it does is in shim_run.c.
 */
#include <stdio.h>

#include "mx_daemon.h"
#include "mxp_frame.h"
#include "shim_conf.h"
#include "shim_milter.h"
#include "shim_run.h"

static const char *features(void)
{
    static char text[128]; /* for -V, which prints it once and exits */
    snprintf(text, sizeof(text), "protocol %d; %s", MXP_MAJOR, shim_milter_version());
    return text;
}

int main(int argc, char **argv)
{
    static const struct mx_conf_section *const sections[] = {&shim_conf_section, NULL};
    static const struct mx_daemon daemon = {
        .name = "mxdrop-milter",
        .doc = "Filters mail for an MTA: asks policyd and scand, applies their answer.",
        .sections = sections,
        .features = features,
        .check = shim_conf_check,
        .run = shim_run,
    };
    return mx_daemon_main(&daemon, argc, argv);
}
