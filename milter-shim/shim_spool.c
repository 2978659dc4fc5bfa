/*
 * The message buffer. Bytes go into one growing heap buffer; when that would pass the
 * memory limit they move to a file that has no name: a memory file (sealed before it is
 * handed out, so that no holder can change what was scanned), or an O_TMPFILE in the
 * spool directory where the operator prefers disk.
 *
 * Budget: room is reserved in steps before bytes are written, with one atomic add; who
 * gets beyond the maximum takes it back and fails. A message that passes the scan limit
 * is cut at once, so that an oversized message costs the budget no more than its head.
 *
 * Left out: this file knows nothing of SMTP; what a full budget means is said elsewhere.
 */
#include "shim_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_client.h"

#define SPOOL_STEP 16384u /* bytes; room and budget grow at least by this */

/* What keeps the bytes of a handed-out body alive. */
struct held {
    struct shim_budget *budget;
    size_t reserved;
    void *p;
    size_t n;
    bool is_mapped;
};

static int budget_take(struct shim_budget *budget, size_t n, struct mx_err *err)
{
    int64_t before = atomic_fetch_add(&budget->used, (int64_t)n);
    if (before + (int64_t)n <= budget->max)
        return 0;
    atomic_fetch_sub(&budget->used, (int64_t)n);
    return mx_err_set(err, MX_ERR_LIMIT, "the message budget is used up");
}

static void budget_give(struct shim_budget *budget, size_t n)
{
    atomic_fetch_sub(&budget->used, (int64_t)n);
}

bool shim_budget_full(const struct shim_budget *budget)
{
    return budget->used + (int64_t)SPOOL_STEP > budget->max;
}

void shim_spool_init(struct shim_spool *spool, struct shim_budget *budget,
                     const struct shim_spool_limits *limits)
{
    *spool = (struct shim_spool){.budget = budget, .limits = *limits, .fd = -1};
}

void shim_spool_fini(struct shim_spool *spool)
{
    if (spool->budget == NULL)
        return;
    free(spool->memory);
    if (spool->fd >= 0)
        close(spool->fd);
    budget_give(spool->budget, spool->reserved);
    shim_spool_init(spool, spool->budget, &spool->limits);
}

/* Reserve budget for ${want} bytes in all: doubling, so that a long message asks seldom.
 */
static int reserve(struct shim_spool *spool, size_t want, struct mx_err *err)
{
    if (want <= spool->reserved)
        return 0;
    size_t goal = spool->reserved * 2 > want ? spool->reserved * 2 : want;
    goal = (goal + SPOOL_STEP - 1) / SPOOL_STEP * SPOOL_STEP;
    if (budget_take(spool->budget, goal - spool->reserved, NULL) < 0) {
        goal = want; /* the last bytes of the budget are good for somebody */
        if (budget_take(spool->budget, goal - spool->reserved, err) < 0)
            return -1;
    }
    spool->reserved = goal;
    return 0;
}

static int write_all(int fd, const char *p, size_t n, struct mx_err *err)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return mx_err_errno(err, "writing the message buffer");
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static int file_open(const char *dir, struct mx_err *err)
{
    bool is_disk = dir != NULL && *dir != '\0';
    int fd = is_disk ? open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600)
                     : memfd_create("mxdrop-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return mx_err_errno(err, "message file in %s", is_disk ? dir : "memory");
    return fd;
}

/* From the heap to a file. */
static int spill(struct shim_spool *spool, struct mx_err *err)
{
    int fd = file_open(spool->limits.dir, err);
    if (fd < 0)
        return -1;
    if (write_all(fd, spool->memory, spool->n, err) < 0) {
        close(fd);
        return -1;
    }
    free(spool->memory);
    spool->memory = NULL;
    spool->room = 0;
    spool->fd = fd;
    return 0;
}

static void memory_add(struct shim_spool *spool, struct mx_str bytes)
{
    if (spool->room - spool->n < bytes.n) {
        size_t room = spool->reserved;
        if (room > spool->limits.memory)
            room = spool->limits.memory;
        spool->memory = mx_xrealloc(spool->memory, room);
        spool->room = room;
    }
    memcpy(spool->memory + spool->n, bytes.p, bytes.n);
}

/* Keep ${bytes}, wherever there is room for them. */
static int keep(struct shim_spool *spool, struct mx_str bytes, struct mx_err *err)
{
    if (bytes.n == 0)
        return 0;
    if (reserve(spool, spool->n + bytes.n, err) < 0)
        return -1;
    if (spool->fd < 0 && spool->n + bytes.n > spool->limits.memory &&
        spill(spool, err) < 0)
        return -1;
    if (spool->fd < 0)
        memory_add(spool, bytes);
    else if (write_all(spool->fd, bytes.p, bytes.n, err) < 0)
        return -1;
    spool->n += bytes.n;
    return 0;
}

/* Give back all but header and head of the body. */
static int cut(struct shim_spool *spool, struct mx_err *err)
{
    size_t size = spool->header_n + spool->limits.head;
    spool->is_truncated = true;
    if (size >= spool->n)
        return 0;
    if (spool->fd >= 0 && (ftruncate(spool->fd, (off_t)size) < 0 ||
                           lseek(spool->fd, (off_t)size, SEEK_SET) < 0))
        return mx_err_errno(err, "cutting the message buffer");
    spool->n = size;
    size_t held = spool->fd >= 0 ? size : spool->room;
    if (spool->reserved > held) {
        budget_give(spool->budget, spool->reserved - held);
        spool->reserved = held;
    }
    return 0;
}

/* A message that is cut right now still keeps its head, wherever this chunk ends. */
static int keep_head(struct shim_spool *spool, struct mx_str bytes, struct mx_err *err)
{
    size_t size = spool->header_n + spool->limits.head;
    size_t missing = size > spool->n ? size - spool->n : 0;
    if (keep(spool, mx_str_sub(bytes, 0, missing), err) < 0)
        return -1;
    return cut(spool, err);
}

int shim_spool_add(struct shim_spool *spool, struct mx_str bytes, struct mx_err *err)
{
    spool->total += bytes.n;
    if (spool->is_truncated)
        return 0;
    if (spool->total > spool->limits.full)
        return keep_head(spool, bytes, err);
    return keep(spool, bytes, err);
}

int shim_spool_header(struct shim_spool *spool, struct mx_str name, struct mx_str value,
                      bool has_space, struct mx_err *err)
{
    struct mx_str colon = has_space ? MX_STR(":") : MX_STR(": ");
    if (shim_spool_add(spool, name, err) < 0 || shim_spool_add(spool, colon, err) < 0)
        return -1;
    while (value.n > 0) {
        ptrdiff_t lf = mx_str_chr(value, '\n');
        size_t line = lf < 0 ? value.n : (size_t)lf;
        bool has_cr = lf > 0 && value.p[lf - 1] == '\r';
        struct mx_str part = mx_str_sub(value, 0, has_cr ? line - 1 : line);
        if (shim_spool_add(spool, part, err) < 0)
            return -1;
        if (lf < 0)
            break;
        if (shim_spool_add(spool, MX_STR("\r\n"), err) < 0)
            return -1;
        value = mx_str_sub(value, line + 1, value.n);
    }
    return shim_spool_add(spool, MX_STR("\r\n"), err);
}

int shim_spool_end_header(struct shim_spool *spool, struct mx_err *err)
{
    int rc = shim_spool_add(spool, MX_STR("\r\n"), err);
    spool->header_n = spool->n;
    return rc;
}

static void held_release(void *user)
{
    struct held *held = user;
    if (held->is_mapped)
        munmap(held->p, held->n);
    else
        free(held->p);
    budget_give(held->budget, held->reserved);
    free(held);
}

static int map_file(struct shim_spool *spool, void **out, struct mx_err *err)
{
    bool is_memory = spool->limits.dir == NULL || *spool->limits.dir == '\0';
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (is_memory && fcntl(spool->fd, F_ADD_SEALS, seals) < 0)
        return mx_err_errno(err, "sealing the message buffer");
    void *p = mmap(NULL, spool->n, PROT_READ, MAP_SHARED, spool->fd, 0);
    if (p == MAP_FAILED)
        return mx_err_errno(err, "mapping the message buffer");
    *out = p;
    return 0;
}

int shim_spool_take(struct shim_spool *spool, struct mxp_body **out, struct mx_err *err)
{
    void *p = spool->memory;
    bool is_mapped = spool->fd >= 0 && spool->n > 0;
    if (is_mapped && map_file(spool, &p, err) < 0)
        return -1;
    struct held *held = mx_xalloc(sizeof(*held));
    *held = (struct held){spool->budget, spool->reserved, p, spool->n, is_mapped};
    *out = mxp_body_new(p ? p : "", spool->n, held_release, held);
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
    spool->memory = NULL;
    spool->room = spool->n = spool->reserved = 0;
    return 0;
}
