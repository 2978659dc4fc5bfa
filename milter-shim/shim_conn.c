/*
 * Connection and message state. Strings from the MTA end in NUL (libmilter) but are of
 * any length and bytes: each is cut or refused here, so that nobody behind has to ask.
 * The arenas have caps that a peer can never reach: whoever adds something first looks
 * at the room that is left (has_room).
 *
 * Left out: asking (shim_ask.c), answering (shim_reply.c), the order of things
 * (shim_session.c).
 */
#include "shim_conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"

#define CONN_ARENA (128u << 10) /* octets: names and macros of one connection */
#define ARENA_RESERVE                                                                    \
    (256u << 10) /* octets of the message arena kept for our own notes */

/* Octets for one question: request and reply, each encoded (SHIM_WIRE_MAX at most, the
   message arena on top) and decoded (eight times that, mxp_unpack). */
#define SCRATCH_ARENA (256u << 20)
#define RESULT_MAX (64u << 10) /* octets that policyd may say of one recipient */

static const struct mx_str own_prefix = {"X-Mxdrop-", 9};

struct shim_conn *shim_conn_new(struct shim_settings *settings,
                                struct shim_budget *budget,
                                const struct shim_features *features, uint64_t serial)
{
    struct shim_conn *conn = mx_xalloc(sizeof(*conn));
    conn->settings = shim_settings_hold(settings);
    conn->budget = budget;
    conn->features = *features;
    conn->arena = mx_arena_new(CONN_ARENA);
    conn->helo_arena = mx_arena_new(CONN_ARENA);
    conn->scratch = mx_arena_new(SCRATCH_ARENA);
    snprintf(conn->id, sizeof(conn->id), "c%012" PRIx64, serial & 0xffffffffffffu);
    return conn;
}

void shim_conn_free(struct shim_conn *conn)
{
    if (conn == NULL)
        return;
    shim_conn_reset(conn);
    mx_arena_free(conn->msg.arena);
    mx_arena_free(conn->scratch);
    mx_arena_free(conn->helo_arena);
    mx_arena_free(conn->arena);
    shim_settings_drop(conn->settings);
    free(conn);
}

static struct mx_str word(struct mx_arena *arena, const char *text)
{
    return mx_str_dup(arena, mx_str_sub(mx_str(text), 0, SHIM_WORD_MAX));
}

/* For the wire's "string" fields, which must be UTF-8: other bytes become '?'. */
static const char *utf8_word(struct mx_arena *arena, const char *text)
{
    struct mx_str s = word(arena, text);
    if (s.n == 0)
        return "";
    char *copy = mx_arena_dup(arena, s.p, s.n);
    if (!mx_str_is_utf8(s))
        for (char *p = copy; *p; p++)
            if ((unsigned char)*p >= 0x80)
                *p = '?';
    return copy;
}

void shim_conn_connect(struct shim_conn *conn, const char *name,
                       const struct sockaddr *sa)
{
    struct mx_str s = mx_str(name);
    bool is_name = s.n > 0 && s.p[0] != '[' && !mx_str_ieq(s, MX_STR("unknown"));
    conn->client_name = is_name ? word(conn->arena, name) : MX_STR_NONE;
    if (sa == NULL || mx_net_from_sockaddr(sa, &conn->addr) < 0)
        conn->addr = (struct mx_net){0};
}

void shim_conn_helo(struct shim_conn *conn, const char *helo)
{
    conn->n_macros = conn->n_connect_macros;
    mx_arena_reset(conn->helo_arena);
    conn->helo = word(conn->helo_arena, helo);
}

void shim_conn_macro(struct shim_conn *conn, const char *name, const char *value)
{
    if (value == NULL || *value == '\0' || conn->n_macros == SHIM_MACROS_MAX)
        return;
    bool is_helo = conn->helo.p != NULL;
    struct mx_str copy = word(is_helo ? conn->helo_arena : conn->arena, value);
    conn->macros[conn->n_macros++] = (struct shim_macro){name, copy};
    if (!is_helo)
        conn->n_connect_macros = conn->n_macros;
}

static bool has_room(const struct shim_msg *msg, size_t n)
{
    return mx_arena_left(msg->arena) > ARENA_RESERVE &&
           mx_arena_left(msg->arena) - ARENA_RESERVE > n;
}

/* Room for one more element of ${size} bytes; arrays double, old ones stay in the arena.
 */
static void *grow(struct shim_msg *msg, void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return array;
    size_t wanted = *room ? *room * 2 : 8;
    if (!has_room(msg, wanted * size))
        return NULL;
    void *bigger = mx_arena_array(msg->arena, wanted, size);
    if (n > 0)
        memcpy(bigger, array, n * size);
    *room = wanted;
    return bigger;
}

static size_t count_args(char **argv)
{
    size_t n = 0;
    while (n < SHIM_ARGS_MAX && argv[0] && argv[n + 1])
        n++;
    return n;
}

static struct mx_str *copy_args(struct mx_arena *arena, char **argv, size_t n)
{
    struct mx_str *args = mx_arena_array(arena, n, sizeof(*args));
    for (size_t i = 0; i < n; i++)
        args[i] = word(arena, argv[i + 1]);
    return args;
}

static uint64_t size_arg(const struct mx_str *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t size;
        if (mx_str_istarts(args[i], MX_STR("SIZE=")) &&
            mx_str_to_int(mx_str_sub(args[i], 5, args[i].n), 0, INT64_MAX, &size, NULL) ==
                0)
            return (uint64_t)size;
    }
    return 0;
}

static void spool_init(struct shim_conn *conn)
{
    const struct shim_conf *conf = conn->settings->conf;
    struct shim_spool_limits limits = {
        .memory = (size_t)conf->body_memory,
        .full = (size_t)conf->scan_limit,
        .head = (size_t)conf->oversize_head,
        .dir = conf->spool_dir,
    };
    shim_spool_init(&conn->msg.spool, conn->budget, &limits);
}

int shim_conn_mail(struct shim_conn *conn, char **argv, struct mx_err *err)
{
    shim_conn_reset(conn);
    if (shim_budget_full(conn->budget))
        return mx_err_set(err, MX_ERR_LIMIT, "the message budget is used up");
    struct shim_msg *msg = &conn->msg;
    if (msg->arena == NULL)
        msg->arena = mx_arena_new(SHIM_MSG_ARENA);
    msg->is_open = true;
    snprintf(msg->id, sizeof(msg->id), "%s.%u", conn->id, ++conn->messages);
    msg->sender = word(msg->arena, argv[0]);
    msg->n_sender_args = count_args(argv);
    msg->sender_args = copy_args(msg->arena, argv, msg->n_sender_args);
    msg->size_said = size_arg(msg->sender_args, msg->n_sender_args);
    msg->auth_user = msg->auth_type = "";
    msg->began_us = mx_mono_us();
    spool_init(conn);
    return 0;
}

void shim_conn_auth(struct shim_conn *conn, const char *user, const char *type)
{
    conn->msg.auth_user = utf8_word(conn->msg.arena, user);
    conn->msg.auth_type = utf8_word(conn->msg.arena, type);
}

void shim_conn_queue_id(struct shim_conn *conn, const char *id)
{
    struct shim_msg *msg = &conn->msg;
    if (msg->is_open && msg->queue_id.n == 0 && id && *id && has_room(msg, SHIM_WORD_MAX))
        msg->queue_id = mx_str(utf8_word(msg->arena, id));
}

/* What one recipient may cost at most: its path, its arguments, what policyd says. */
static size_t rcpt_cost(char **argv)
{
    size_t n = 4 * SHIM_WORD_MAX + sizeof(struct shim_rcpt) + strlen(argv[0]);
    for (size_t i = 0; i < count_args(argv); i++)
        n += sizeof(struct mx_str) + strlen(argv[i + 1]) + 64;
    return n;
}

struct shim_rcpt *shim_conn_rcpt(struct shim_conn *conn, char **argv, struct mx_err *err)
{
    struct shim_msg *msg = &conn->msg;
    bool is_full = msg->n_rcpts >= (size_t)conn->settings->conf->max_recipients;
    if (is_full || !has_room(msg, rcpt_cost(argv))) {
        mx_err_set(err, MX_ERR_LIMIT, "too many recipients");
        return NULL;
    }
    struct mx_str path = mx_str(argv[0]);
    if (path.n > SHIM_WORD_MAX) {
        /* A cut path could not be taken out of the envelope again. */
        mx_err_set(err, MX_ERR_INPUT, "the address is too long");
        return NULL;
    }
    size_t size = sizeof(*msg->rcpts);
    struct shim_rcpt *grown = grow(msg, msg->rcpts, msg->n_rcpts, &msg->rcpts_room, size);
    if (grown == NULL) {
        mx_err_set(err, MX_ERR_LIMIT, "too many recipients");
        return NULL;
    }
    msg->rcpts = grown;
    struct shim_rcpt *rcpt = mx_arena_alloc(msg->arena, sizeof(*rcpt));
    rcpt->path = mx_str_dup(msg->arena, path);
    rcpt->n_args = count_args(argv);
    rcpt->args = copy_args(msg->arena, argv, rcpt->n_args);
    rcpt->split_class = "";
    return rcpt;
}

/* Copies of ${n} texts of ours from policyd. */
static char **copy_texts(struct mx_arena *arena, char *const *texts, size_t n)
{
    char **copy = mx_arena_array(arena, n, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = mx_arena_dup(arena, texts[i], strlen(texts[i]));
    return copy;
}

static size_t texts_cost(char *const *texts, size_t n)
{
    size_t sum = n * sizeof(char *);
    for (size_t i = 0; i < n; i++)
        sum += strlen(texts[i]) + 64;
    return sum;
}

int shim_conn_rcpt_keep(struct shim_conn *conn, const struct shim_rcpt *rcpt,
                        struct mx_err *err)
{
    struct shim_msg *msg = &conn->msg;
    size_t cost = texts_cost(rcpt->mailboxes, rcpt->n_mailboxes) +
                  texts_cost(rcpt->marks, rcpt->n_marks) + rcpt->rewritten.n +
                  strlen(rcpt->split_class) + 256;
    if (cost > RESULT_MAX || !has_room(msg, cost))
        return mx_err_set(err, MX_ERR_LIMIT, "policyd said too much of a recipient");
    struct shim_rcpt *kept = &msg->rcpts[msg->n_rcpts++];
    *kept = *rcpt;
    kept->mailboxes = copy_texts(msg->arena, rcpt->mailboxes, rcpt->n_mailboxes);
    kept->marks = copy_texts(msg->arena, rcpt->marks, rcpt->n_marks);
    kept->rewritten = mx_str_dup(msg->arena, rcpt->rewritten);
    kept->split_class =
        mx_arena_dup(msg->arena, rcpt->split_class, strlen(rcpt->split_class));
    return 0;
}

bool shim_conn_is_own(struct mx_str name)
{
    return mx_str_istarts(name, own_prefix);
}

static int forged_add(struct shim_msg *msg, struct mx_str name)
{
    for (size_t i = 0; i < msg->n_forged; i++)
        if (mx_str_ieq(msg->forged[i].name, name)) {
            msg->forged[i].count++;
            return 0;
        }
    size_t size = sizeof(*msg->forged);
    struct shim_forged *grown =
        grow(msg, msg->forged, msg->n_forged, &msg->forged_room, size);
    if (grown == NULL)
        return -1;
    msg->forged = grown;
    msg->forged[msg->n_forged++] = (struct shim_forged){name, 1};
    return 0;
}

static int header_note(struct shim_msg *msg, struct mx_str name, struct mx_err *err)
{
    size_t size = sizeof(*msg->header_names);
    struct mx_str *grown =
        grow(msg, msg->header_names, msg->n_headers, &msg->headers_room, size);
    if (grown == NULL || !has_room(msg, name.n + 64))
        return mx_err_set(err, MX_ERR_INPUT, "the header is too large");
    msg->header_names = grown;
    struct mx_str copy = mx_str_dup(msg->arena, name);
    msg->header_names[msg->n_headers++] = copy;
    if (shim_conn_is_own(name) && forged_add(msg, copy) < 0)
        return mx_err_set(err, MX_ERR_INPUT, "the header is too large");
    return 0;
}

int shim_conn_header(struct shim_conn *conn, const char *name, const char *value,
                     struct mx_err *err)
{
    struct shim_msg *msg = &conn->msg;
    const struct shim_conf *conf = conn->settings->conf;
    struct mx_str n = mx_str(name), v = mx_str(value);
    msg->header_bytes += n.n + v.n + 3;
    if (msg->n_headers >= (size_t)conf->max_headers ||
        msg->header_bytes > (size_t)conf->max_header_bytes)
        return mx_err_set(err, MX_ERR_INPUT, "the header is too large");
    if (header_note(msg, n, err) < 0)
        return -1;
    if (shim_conn_is_own(n))
        return 0;
    return shim_spool_header(&msg->spool, n, v, conn->features.has_space, err);
}

int shim_conn_end_header(struct shim_conn *conn, struct mx_err *err)
{
    if (conn->msg.is_header_ended)
        return 0;
    conn->msg.is_header_ended = true;
    return shim_spool_end_header(&conn->msg.spool, err);
}

int shim_conn_body(struct shim_conn *conn, struct mx_str bytes, struct mx_err *err)
{
    if (shim_conn_end_header(conn, err) < 0)
        return -1;
    return shim_spool_add(&conn->msg.spool, bytes, err);
}

void shim_conn_degraded(struct shim_conn *conn, const char *what)
{
    struct shim_msg *msg = &conn->msg;
    if (!msg->is_open || !has_room(msg, SHIM_WORD_MAX))
        return;
    struct mx_str cut = mx_str_sub(mx_str(what), 0, 64);
    if (msg->degraded == NULL)
        msg->degraded = mx_str_dup(msg->arena, cut).p;
    else if (strstr(msg->degraded, what) == NULL && strlen(msg->degraded) < 512)
        msg->degraded =
            mx_arena_printf(msg->arena, "%s,%.*s", msg->degraded, MX_STR_FMT(cut));
}

unsigned shim_conn_header_count(const struct shim_msg *msg, struct mx_str name)
{
    unsigned count = 0;
    for (size_t i = 0; i < msg->n_headers; i++)
        count += mx_str_ieq(msg->header_names[i], name);
    return count;
}

void shim_conn_reset(struct shim_conn *conn)
{
    struct mx_arena *arena = conn->msg.arena;
    shim_spool_fini(&conn->msg.spool);
    if (arena)
        mx_arena_reset(arena);
    conn->msg = (struct shim_msg){.arena = arena};
}
