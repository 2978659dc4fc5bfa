/*
 * The sandbox of a worker: called once, when everything is open and before the first
 * message is read.
 *
 * It does what costs nothing: no new privileges, not dumpable (no core, no ptrace by the
 * same user), resource limits. It leaves out the system call filter (seccomp) and the
 * file system view (Landlock): both are to be added in this function, and nothing in a
 * worker has to change for them, as after this call it only uses its socket, memory
 * files passed to it, its temporary directory, and memory. A trial of rules
 * (engine_trial) is confined alike, but reads its sample from files.
 */
#include "worker_confine.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mx_err.h"
#include "mx_str.h"
#include "scan_conf.h"

#define DESCRIPTORS_MAX 512 /* libclamav opens one or two for each level of nesting */

static int limit(int resource, rlim_t value, const char *name, struct mx_err *err)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
        return mx_err_errno(err, "reading the limit of %s", name);
    if (now.rlim_max < value)
        value = now.rlim_max;
    struct rlimit wanted = {.rlim_cur = value, .rlim_max = value};
    if (setrlimit((__rlimit_resource_t)resource, &wanted) < 0)
        return mx_err_errno(err, "limiting %s", name);
    return 0;
}

/* Octets of address space that this process has mapped: the engines above all. */
static rlim_t mapped_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    if (fd >= 0)
        close(fd);
    struct mx_str rest = mx_str_of(text, n > 0 ? (size_t)n : 0), field;
    int64_t pages = 0;
    if (mx_str_next(&rest, ' ', &field) == 0)
        mx_str_to_int(field, 0, INT64_MAX / 65536, &pages, NULL);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* AddressSanitizer maps terabytes in advance; a limit of ours would only break it. */
static int limit_memory(const struct scan_conf *conf, struct mx_err *err)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)conf, (void)err;
    (void)mapped_bytes;
    return 0;
#else
    return limit(RLIMIT_AS, mapped_bytes() + (rlim_t)conf->worker_memory, "address space",
                 err);
#endif
}

int worker_confine(const struct scan_conf *conf, struct mx_err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return mx_err_errno(err, "giving up new privileges");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return mx_err_errno(err, "giving up core dumps");
    signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit fails instead of killing */
    rlim_t file_size = (rlim_t)conf->clamav.max_scan_size;
    if (limit(RLIMIT_CORE, 0, "core dumps", err) < 0 ||
        limit(RLIMIT_NPROC, 0, "processes", err) < 0 ||
        limit(RLIMIT_FSIZE, file_size, "file size", err) < 0 ||
        limit(RLIMIT_NOFILE, DESCRIPTORS_MAX, "descriptors", err) < 0)
        return -1;
    return limit_memory(conf, err);
}
