/*
 * mxdrop-scand: the content scanner. This file is the descriptor for the daemon skeleton;
 * with ENGINE_ARG as first argument the program is an engine parent instead (engine.c).
 */
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "mx_arena.h"
#include "mx_conf.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "mx_str.h"
#include "mxp_address.h"
#include "mxp_client.h"
#include "mxp_frame.h"
#include "scan_chain.h"
#include "scan_conf.h"
#include "scan_table.h"
#include "store_redis.h"
#include "supervisor.h"

static const char *features(void)
{
    static char text[512]; /* for -V, which prints it once and exits */
    struct mx_arena *arena = mx_arena_new(1 << 16);
    snprintf(text, sizeof(text), "protocol %d; %s", MXP_MAJOR,
             scan_table_features(arena));
    mx_arena_free(arena);
    return text;
}

/* The chain names the setting; we know where it stands. */
static int tell_where(const struct mx_conf *conf, struct mx_err *err)
{
    static const char *const keys[] = {"detectors", "scores"};
    const char *dotted = "scand";
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (mx_str_starts(mx_str(err->text), mx_str(keys[i])))
            dotted = i == 0 ? "scand.detectors" : "scand.scores";
    return mx_err_wrap(err, "%s: scand", mx_conf_where(conf, dotted));
}

static int check_addresses(const struct mx_conf *conf, struct mx_err *err)
{
    const struct scan_conf *own = mx_conf_get(conf, "scand");
    const struct mxp_keys keys = {own->public_key, own->secret_key};
    if (mxp_address_check_server(conf, "scand", own->endpoint, &keys, err) < 0)
        return -1;
    return store_redis_check_conf(conf, err);
}

static int check(const struct mx_conf *conf, struct mx_err *err)
{
    if (check_addresses(conf, err) < 0)
        return -1;
    return scan_chain_check(mx_conf_get(conf, "scand"), err) < 0 ? tell_where(conf, err)
                                                                 : 0;
}

static int check_running(const struct mx_conf *conf, struct mx_err *err)
{
    if (check_addresses(conf, err) < 0)
        return -1;
    return scan_chain_check_names(mx_conf_get(conf, "scand"), err) < 0
               ? tell_where(conf, err)
               : 0;
}

int main(int argc, char **argv)
{
    static const struct mx_conf_section *const sections[] = {&scan_conf_section,
                                                             &store_redis_section, NULL};
    static const struct mx_daemon daemon = {
        .name = "mxdrop-scand",
        .doc = "Scans messages for the mail filters of a cluster.",
        .sections = sections,
        .features = features,
        .check = check,
        .check_running = check_running,
        .run = supervisor_run,
    };
    if (argc > 1 && strcmp(argv[1], ENGINE_ARG) == 0)
        return engine_main(argc, argv);
    return mx_daemon_main(&daemon, argc, argv);
}
