/*
 * Reads one section of the node's file, so that tools need no configuration of their own.
 * The other sections are checked by their daemons (mxdropctl config check), not here.
 */
#include "ctl_store.h"

#include "ctl.h"
#include "mx_conf.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "registry.h"
#include "store_admin.h"
#include "store_redis.h"

int ctl_store_settings(struct ctl *ctl, const struct store_redis_settings **out,
                       struct mx_err *err)
{
    static const struct mx_conf_section *const sections[] = {&store_redis_section, NULL};

    if (!ctl->conf && mx_conf_load(ctl_conf_path(ctl), sections, mx_daemon_section_names,
                                   &ctl->conf, err) != 0)
        return -1;
    *out = mx_conf_get(ctl->conf, store_redis_section.name);
    return 0;
}

int ctl_store_open(struct ctl *ctl, struct store_admin **out, struct mx_err *err)
{
    const struct store_redis_settings *settings;

    if (ctl_store_settings(ctl, &settings, err) != 0)
        return -1;
    return store_admin_open(settings, out, err);
}

int ctl_store_topology(struct ctl *ctl, Mxp__TopologyReply **out, struct mx_err *err)
{
    const struct store_redis_settings *settings;

    if (ctl_store_settings(ctl, &settings, err) != 0)
        return -1;
    return registry_read(settings, ctl->arena, out, err);
}
