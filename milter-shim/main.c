/*
 * mxdrop-milter: descriptor for the daemon skeleton. What it does is in shim_run.c.
 */
#include "mx_daemon.h"
#include "shim_conf.h"
#include "shim_milter.h"
#include "shim_run.h"

static const char *features(void)
{
    return shim_milter_version();
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
