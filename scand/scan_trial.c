/*
 * Runs a sample through a chain. Signatures are left out: they say "virus", not how much
 * a message looks like spam, and they take most of the time. A message that cannot be
 * read is left out, too: the other run cannot read it either.
 *
 * Scores go from one engine to the next as a file: for each message the length of a
 * ScanReply in four octets of the machine's order, then the reply, in which "scanner" is
 * the message's name.
 */
#include "scan_trial.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_mail.h"
#include "mx_time.h"
#include "mxp_pack.h"
#include "scan_local.h"
#include "scan_once.h"

#define FILE_MAX (256u << 20)     /* octets of all scores */
#define MESSAGE_ARENA (64u << 20) /* to read or write those of one message */

struct trial {
    struct scan_chain *chain;
    const struct scan_conf *conf;
    struct scan_sample *out;
    char *only[SCAN_DETECTORS_MAX];
    size_t n_only;
};

/* ---- running ----------------------------------------------------------------------- */

static void choose_detectors(struct trial *trial)
{
    const struct mx_conf_strings *on = &trial->conf->detectors;
    for (size_t i = 0; i < on->n && trial->n_only < SCAN_DETECTORS_MAX; i++)
        if (strcmp(on->v[i], "clamav") != 0)
            trial->only[trial->n_only++] = (char *)(uintptr_t)on->v[i];
}

static int score_one(void *user, const char *name, struct mx_str text, const char *fault)
{
    struct trial *trial = user;
    const struct scan_conf *conf = trial->conf;
    if (fault != NULL)
        return 0;
    Mxp__ScanRequest request = MXP__SCAN_REQUEST__INIT;
    request.only = trial->only;
    request.n_only = trial->n_only;
    struct scan_once once = {
        .request = &request,
        .raw = mx_str_sub(text, 0, (size_t)conf->max_body),
        .deadline_ms = mx_mono_us() / 1000 + conf->scan_timeout_ms,
        .scanner = "trial",
    };
    struct mx_arena *arena = mx_arena_new(scan_local_arena_size(once.raw.n));
    struct scan_result result;
    Mxp__ScanReply *reply = NULL;
    scan_once_run(trial->chain, conf, arena, &once, &result, &reply);
    scan_sample_add(trial->out, name, reply);
    mx_arena_free(arena);
    return (int64_t)trial->out->n < conf->rules.trial_messages ? 0 : -1;
}

int scan_trial_run(struct scan_chain *chain, const struct scan_conf *conf,
                   struct scan_sample *out, struct mx_err *err)
{
    struct trial trial = {.chain = chain, .conf = conf, .out = out};
    char *names[] = {(char *)(uintptr_t)conf->rules.trial_sample};
    struct mx_err why = {0};
    choose_detectors(&trial);
    /* It ends early when it has enough; what went wrong before then counts. */
    if (mx_mail_each(names, 1, score_one, &trial, &why) < 0 && out->n == 0)
        return mx_err_set(err, why.code, "trial_sample: %s", why.text);
    if (out->n == 0)
        return mx_err_set(err, MX_ERR_INPUT, "trial_sample: %s: no message in it",
                          names[0]);
    return 0;
}

/* ---- between two engines ----------------------------------------------------------- */

static struct mx_str pack(struct mx_arena *arena,
                          const struct scan_sample_message *message)
{
    Mxp__ScanReply reply = MXP__SCAN_REPLY__INIT;
    reply.score = message->score;
    reply.scanner = (char *)(uintptr_t)message->name;
    reply.findings = mx_arena_array(arena, message->n_hits + 1, sizeof(void *));
    for (size_t i = 0; i < message->n_hits; i++) {
        Mxp__Finding *finding = mx_arena_alloc(arena, sizeof(*finding));
        mxp__finding__init(finding);
        finding->symbol = (char *)(uintptr_t)message->hits[i].symbol;
        finding->score = message->hits[i].score;
        reply.findings[reply.n_findings++] = finding;
    }
    return mxp_pack(arena, &reply.base);
}

int scan_trial_write(const struct scan_sample *sample, int fd, struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(MESSAGE_ARENA);
    struct mx_buf all = {.max = FILE_MAX};
    int rc = 0;
    for (size_t i = 0; i < sample->n; i++) {
        struct mx_str packed = pack(arena, &sample->messages[i]);
        uint32_t n = (uint32_t)packed.n;
        mx_buf_add(&all, &n, sizeof(n));
        mx_buf_add(&all, packed.p, packed.n);
        mx_arena_reset(arena);
    }
    if (all.is_overflown)
        rc = mx_err_set(err, MX_ERR_LIMIT, "scores of a trial: over %u octets", FILE_MAX);
    else if (pwrite(fd, all.p, all.n, 0) != (ssize_t)all.n)
        rc = mx_err_errno(err, "writing scores of a trial");
    mx_arena_free(arena);
    mx_buf_fini(&all);
    return rc;
}

/* The next reply of ${all}; NULL: it is broken. */
static const Mxp__ScanReply *take(struct mx_arena *arena, struct mx_str *all)
{
    uint32_t n = 0;
    if (all->n < sizeof(n))
        return NULL;
    memcpy(&n, all->p, sizeof(n));
    *all = mx_str_sub(*all, sizeof(n), all->n);
    if (n > all->n)
        return NULL;
    struct mx_str packed = mx_str_sub(*all, 0, n);
    *all = mx_str_sub(*all, n, all->n);
    return (const Mxp__ScanReply *)mxp_unpack(arena, &mxp__scan_reply__descriptor, packed,
                                              NULL);
}

static int take_all(struct mx_str all, struct scan_sample *out, struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(MESSAGE_ARENA);
    bool is_broken = false;
    while (all.n > 0 && !is_broken) {
        const Mxp__ScanReply *reply = take(arena, &all);
        is_broken = reply == NULL;
        if (reply != NULL)
            scan_sample_add(out, reply->scanner, reply);
        mx_arena_reset(arena);
    }
    mx_arena_free(arena);
    return is_broken ? mx_err_set(err, MX_ERR_INPUT, "scores of a trial: broken") : 0;
}

int scan_trial_read(int fd, struct scan_sample *out, struct mx_err *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0 || info.st_size < 0 || info.st_size > (off_t)FILE_MAX)
        return mx_err_set(err, MX_ERR_INPUT, "scores of a trial: no file of theirs");
    size_t n = (size_t)info.st_size;
    char *all = mx_xalloc(n + 1);
    int rc = pread(fd, all, n, 0) == (ssize_t)n
                 ? take_all(mx_str_of(all, n), out, err)
                 : mx_err_errno(err, "reading scores of a trial");
    free(all);
    return rc;
}
