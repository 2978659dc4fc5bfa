/*
 * libmilter's callbacks: find the connection behind the private pointer, hand on, map the
 * answer. No thought happens here.
 *
 * libmilter has no user pointer and one filter per process, hence the one mutable
 * file-scope structure of this program. Callbacks count themselves in and out, so that
 * the end knows when nobody uses the shim any more.
 *
 * Signals. libmilter starts a thread that takes SIGHUP, SIGTERM and SIGINT with sigwait
 * and stops at each of them, without finishing anything, and SIGHUP is our reload. It
 * would race with our own signalfd. So this program brings its own sigwait: libmilter's
 * thread waits in it until shim_milter_stop lets it go; that is also how libmilter is
 * told to stop. Nothing else in the process calls sigwait.
 *
 * A quit-new-connection ends in xxfi_close like any other; the next session on it begins
 * without negotiation. What was negotiated last is therefore kept for the process, as
 * all MTAs in front of one shim are the same program.
 *
 * Left out on purpose: xxfi_data (it would cost each message a round trip and tells
 * nothing that the end of message does not), body replacement, change of sender.
 */
#include "shim_milter.h"

#include <errno.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "mx_err.h"
#include "shim_session.h"

#define FILTER_NAME "mxdrop"
#define KICK_SIGNAL SIGUSR2 /* interrupts libmilter's poll; nobody else uses it */
#define JOIN_STEP_MS 10

static struct {
    struct shim *shim;
    _Atomic int busy;       /* callbacks at work */
    _Atomic bool is_closed; /* no callback may touch the shim any more */
    _Atomic bool is_running;
    int release_fd; /* readable: libmilter's signal thread may go */
    pthread_t thread;
} milter = {.release_fd = -1};

int sigwait(const sigset_t *restrict set, int *restrict sig)
{
    uint64_t count;
    (void)set;
    while (read(milter.release_fd, &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
    *sig = SIGTERM;
    return 0;
}

/* libmilter takes "char *" for what it only reads. */
static char *mutable(const char *text)
{
    union {
        const char *in;
        char *out;
    } u = {text};
    return u.out;
}

static const char *mta_macro(void *ctx, const char *name)
{
    return smfi_getsymval(ctx, mutable(name));
}

static int mta_reply(void *ctx, const struct shim_reply *r)
{
    char *l[SHIM_REPLY_LINES];
    for (unsigned i = 0; i < SHIM_REPLY_LINES; i++)
        l[i] = i < r->n ? mutable(r->lines[i]) : NULL;
    /* The first NULL ends the list. */
    return smfi_setmlreply(ctx, r->code, r->enhanced, l[0], l[1], l[2], l[3], l[4], l[5],
                           l[6], l[7], l[8], l[9], l[10], l[11], l[12], l[13], l[14],
                           l[15], l[16], l[17], l[18], l[19], l[20], l[21], l[22], l[23],
                           l[24], l[25], l[26], l[27], l[28], l[29], l[30], l[31], NULL);
}

static int mta_progress(void *ctx)
{
    return smfi_progress(ctx);
}

static int mta_insert_header(void *ctx, int index, const char *name, const char *value)
{
    return smfi_insheader(ctx, index, mutable(name), mutable(value));
}

static int mta_add_header(void *ctx, const char *name, const char *value)
{
    return smfi_addheader(ctx, mutable(name), mutable(value));
}

static int mta_change_header(void *ctx, const char *name, int index, const char *value)
{
    return smfi_chgheader(ctx, mutable(name), index, mutable(value));
}

static int mta_add_rcpt(void *ctx, const char *path, const char *args)
{
    return args ? smfi_addrcpt_par(ctx, mutable(path), mutable(args))
                : smfi_addrcpt(ctx, mutable(path));
}

static int mta_remove_rcpt(void *ctx, const char *path)
{
    return smfi_delrcpt(ctx, mutable(path));
}

static int mta_quarantine(void *ctx, const char *reason)
{
    return smfi_quarantine(ctx, mutable(reason));
}

static const struct shim_mta mta_calls = {
    .macro = mta_macro,
    .reply = mta_reply,
    .progress = mta_progress,
    .insert_header = mta_insert_header,
    .add_header = mta_add_header,
    .change_header = mta_change_header,
    .add_rcpt = mta_add_rcpt,
    .remove_rcpt = mta_remove_rcpt,
    .quarantine = mta_quarantine,
};

static sfsistat status_out(enum shim_status status)
{
    switch (status) {
    case SHIM_STATUS_CONTINUE: return SMFIS_CONTINUE;
    case SHIM_STATUS_REJECT: return SMFIS_REJECT;
    case SHIM_STATUS_TEMPFAIL: return SMFIS_TEMPFAIL;
    case SHIM_STATUS_DISCARD: return SMFIS_DISCARD;
    case SHIM_STATUS_ACCEPT: return SMFIS_ACCEPT;
    case SHIM_STATUS_SKIP: return SMFIS_SKIP;
    case SHIM_STATUS_NOREPLY: return SMFIS_NOREPLY;
    }
    return SMFIS_TEMPFAIL;
}

/* One callback at work. */
struct visit {
    struct shim *shim;
    struct shim_conn *conn;
    struct shim_mta mta;
};

static bool count_in(void)
{
    atomic_fetch_add(&milter.busy, 1);
    if (!atomic_load(&milter.is_closed))
        return true;
    atomic_fetch_sub(&milter.busy, 1);
    return false;
}

static sfsistat leave(enum shim_status status)
{
    atomic_fetch_sub(&milter.busy, 1);
    return status_out(status);
}

/* false: the shim is gone, or there is no connection. */
static bool enter(SMFICTX *ctx, struct visit *visit)
{
    if (!count_in())
        return false;
    *visit = (struct visit){milter.shim, smfi_getpriv(ctx), mta_calls};
    visit->mta.ctx = ctx;
    if (visit->conn == NULL)
        leave(SHIM_STATUS_TEMPFAIL);
    return visit->conn != NULL;
}

enum feature_bit {
    F_SPACE = 1,
    F_SKIP = 2,
    F_RCPT_REJ = 4,
    F_QUIET = 8,
    F_HEADER = 16,
    F_ADD_RCPT = 32,
    F_REMOVE_RCPT = 64,
    F_QUARANTINE = 128
};

static void features_unpack(uint64_t bits, struct shim_features *out)
{
    *out = (struct shim_features){
        .has_space = bits & F_SPACE,
        .has_skip = bits & F_SKIP,
        .has_rcpt_rej = bits & F_RCPT_REJ,
        .is_quiet = bits & F_QUIET,
        .can_header = bits & F_HEADER,
        .can_add_rcpt = bits & F_ADD_RCPT,
        .can_remove_rcpt = bits & F_REMOVE_RCPT,
        .can_quarantine = bits & F_QUARANTINE,
    };
}

static const struct {
    unsigned long flag;
    enum feature_bit bit;
} wanted_actions[] =
    {
        {SMFIF_ADDHDRS, 0},
        {SMFIF_CHGHDRS, F_HEADER},
        {SMFIF_ADDRCPT, F_ADD_RCPT},
        {SMFIF_ADDRCPT_PAR, 0},
        {SMFIF_DELRCPT, F_REMOVE_RCPT},
        {SMFIF_QUARANTINE, F_QUARANTINE},
        {SMFIF_SETSYMLIST, 0},
},
  wanted_protocol[] = {
      {SMFIP_HDR_LEADSPC, F_SPACE}, {SMFIP_SKIP, F_SKIP}, {SMFIP_RCPT_REJ, F_RCPT_REJ},
      {SMFIP_NR_HDR, F_QUIET},      {SMFIP_NR_EOH, 0},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* eom and eoh get the same list: older libraries swapped the two. */
static void ask_macros(SMFICTX *ctx)
{
    static const struct {
        int stage;
        const char *names;
    } lists[] = {
        {SMFIM_CONNECT,
         "j {daemon_name} {daemon_addr} {daemon_port} {client_addr} "
         "{client_name} {client_ptr} {client_port} {client_resolve} {if_addr} "
         "{mxdrop_stress}"},
        {SMFIM_HELO, "{tls_version} {cipher} {cipher_bits} {cert_subject} {tls_sni}"},
        {SMFIM_ENVFROM,
         "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} "
         "{mail_mailer}"},
        {SMFIM_ENVRCPT, "i {rcpt_addr} {rcpt_host} {rcpt_mailer}"},
        {SMFIM_EOH, "i {auth_authen}"},
        {SMFIM_EOM, "i {auth_authen}"},
    };
    for (size_t i = 0; i < COUNT(lists); i++)
        (void)smfi_setsymlist(ctx, lists[i].stage, mutable(lists[i].names));
}

static sfsistat cb_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
                             unsigned long f2, unsigned long f3,
                             unsigned long *out_actions, unsigned long *out_protocol,
                             unsigned long *out_f2, unsigned long *out_f3)
{
    uint64_t bits = 0;
    unsigned long give = 0, steps = *out_protocol;
    (void)f2;
    (void)f3;
    for (size_t i = 0; i < COUNT(wanted_actions); i++)
        if (actions & wanted_actions[i].flag) {
            give |= wanted_actions[i].flag;
            bits |= wanted_actions[i].bit;
        }
    for (size_t i = 0; i < COUNT(wanted_protocol); i++)
        if (protocol & wanted_protocol[i].flag) {
            steps |= wanted_protocol[i].flag;
            bits |= wanted_protocol[i].bit;
        }
    if (give & SMFIF_SETSYMLIST)
        ask_macros(ctx);
    *out_actions = give;
    *out_protocol = steps;
    *out_f2 = *out_f3 = 0;
    if (count_in()) {
        atomic_store(&milter.shim->features, bits);
        leave(SHIM_STATUS_CONTINUE);
    }
    return SMFIS_CONTINUE;
}

static sfsistat cb_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *sa)
{
    struct visit visit;
    struct shim_features features;
    if (!count_in())
        return SMFIS_TEMPFAIL;
    features_unpack(atomic_load(&milter.shim->features), &features);
    shim_session_close(milter.shim, smfi_getpriv(ctx));
    smfi_setpriv(ctx, shim_session_open(milter.shim, &features));
    leave(SHIM_STATUS_CONTINUE);
    if (!enter(ctx, &visit))
        return SMFIS_TEMPFAIL;
    return leave(shim_session_connect(visit.shim, visit.conn, &visit.mta, name, sa));
}

static sfsistat cb_helo(SMFICTX *ctx, char *helo)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_TEMPFAIL;
    return leave(shim_session_helo(visit.shim, visit.conn, &visit.mta, helo));
}

static sfsistat cb_mail(SMFICTX *ctx, char **argv)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_TEMPFAIL;
    return leave(shim_session_mail(visit.shim, visit.conn, &visit.mta, argv));
}

static sfsistat cb_rcpt(SMFICTX *ctx, char **argv)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_TEMPFAIL;
    return leave(shim_session_rcpt(visit.shim, visit.conn, &visit.mta, argv));
}

static sfsistat cb_header(SMFICTX *ctx, char *name, char *value)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_NOREPLY;
    return leave(shim_session_header(visit.shim, visit.conn, name, value));
}

static sfsistat cb_eoh(SMFICTX *ctx)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_NOREPLY;
    return leave(shim_session_eoh(visit.shim, visit.conn));
}

static sfsistat cb_body(SMFICTX *ctx, unsigned char *p, size_t n)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_TEMPFAIL;
    return leave(shim_session_body(visit.shim, visit.conn, &visit.mta, mx_str_of(p, n)));
}

static sfsistat cb_eom(SMFICTX *ctx)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_TEMPFAIL;
    return leave(shim_session_eom(visit.shim, visit.conn, &visit.mta));
}

static sfsistat cb_abort(SMFICTX *ctx)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_CONTINUE;
    shim_session_abort(visit.shim, visit.conn);
    return leave(SHIM_STATUS_CONTINUE);
}

static sfsistat cb_close(SMFICTX *ctx)
{
    struct visit visit;
    if (!enter(ctx, &visit))
        return SMFIS_CONTINUE; /* may be the only callback of a connection */
    smfi_setpriv(ctx, NULL);
    shim_session_close(visit.shim, visit.conn);
    return leave(SHIM_STATUS_CONTINUE);
}

static sfsistat cb_unknown(SMFICTX *ctx, const char *command)
{
    (void)ctx;
    (void)command;
    return SMFIS_CONTINUE; /* the MTA answers it */
}

static const struct smfiDesc description = {
    .xxfi_name = (char[]){FILTER_NAME},
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR |
                  SMFIF_DELRCPT | SMFIF_QUARANTINE | SMFIF_SETSYMLIST,
    .xxfi_connect = cb_connect,
    .xxfi_helo = cb_helo,
    .xxfi_envfrom = cb_mail,
    .xxfi_envrcpt = cb_rcpt,
    .xxfi_header = cb_header,
    .xxfi_eoh = cb_eoh,
    .xxfi_body = cb_body,
    .xxfi_eom = cb_eom,
    .xxfi_abort = cb_abort,
    .xxfi_close = cb_close,
    .xxfi_unknown = cb_unknown,
    .xxfi_negotiate = cb_negotiate,
};

int shim_milter_open(struct shim *shim, struct shim_socket *sock, struct mx_err *err)
{
    const struct shim_conf *conf = shim->settings->conf;
    milter.shim = shim;
    if (smfi_setconn(sock->text) != MI_SUCCESS ||
        smfi_register(description) != MI_SUCCESS)
        return mx_err_set(err, MX_ERR_SYSTEM, "libmilter: registering failed");
    (void)smfi_settimeout((int)(conf->mta_timeout_ms / 1000));
    if (smfi_setbacklog((int)conf->backlog) != MI_SUCCESS)
        return mx_err_set(err, MX_ERR_INPUT, "libmilter: backlog refused");
    if (smfi_opensocket(0) != MI_SUCCESS)
        return mx_err_errno(err, "%s: libmilter cannot listen there", sock->text);
    return 0;
}

static void on_kick(int sig)
{
    (void)sig;
}

static void *serve(void *user)
{
    (void)user;
    (void)smfi_main();
    atomic_store(&milter.is_running, false);
    return NULL;
}

int shim_milter_start(struct mx_err *err)
{
    struct sigaction kick = {.sa_handler = on_kick}; /* no SA_RESTART */
    sigaction(KICK_SIGNAL, &kick, NULL);
    milter.release_fd = eventfd(0, EFD_CLOEXEC);
    if (milter.release_fd < 0)
        return mx_err_errno(err, "eventfd");
    atomic_store(&milter.is_running, true);
    errno = pthread_create(&milter.thread, NULL, serve, NULL);
    if (errno != 0) {
        atomic_store(&milter.is_running, false);
        return mx_err_errno(err, "milter thread");
    }
    return 0;
}

bool shim_milter_is_running(void)
{
    return atomic_load(&milter.is_running);
}

static void pause_ms(int ms)
{
    struct timespec step = {.tv_nsec = ms * 1000000L};
    nanosleep(&step, NULL);
}

bool shim_milter_stop(int wait_ms)
{
    uint64_t one = 1;
    if (write(milter.release_fd, &one, sizeof(one)) < 0)
        return false;
    /* The flag is set by libmilter's own signal thread; poll is left at the next kick. */
    while (atomic_load(&milter.is_running)) {
        pthread_kill(milter.thread, KICK_SIGNAL);
        pause_ms(JOIN_STEP_MS);
    }
    pthread_join(milter.thread, NULL);
    atomic_store(&milter.is_closed, true);
    for (; wait_ms > 0 && atomic_load(&milter.busy) > 0; wait_ms -= JOIN_STEP_MS)
        pause_ms(JOIN_STEP_MS);
    return atomic_load(&milter.busy) == 0;
}

const char *shim_milter_version(void)
{
    static char text[40];
    unsigned major = 0, minor = 0, patch = 0;
    smfi_version(&major, &minor, &patch);
    snprintf(text, sizeof(text), "libmilter %u.%u.%u", major, minor, patch);
    return text;
}
