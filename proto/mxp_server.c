/*
 * A bound ROUTER that hands out whole, checked requests.
 *
 * Message: [peer identity, from ZeroMQ][magic][header][payload] and maybe [body]. The
 * payload and body of a request stay in ZeroMQ's own memory and go when the request is
 * freed. ZeroMQ refuses a frame above the larger of our two limits while only its length
 * was read, and closes that connection; the rest is checked here.
 *
 * The one descriptor is an epoll set over the ROUTER, its monitor and, with CURVE, the
 * ZAP socket. All three are served in mxp_server_next. ZeroMQ closes a connection whose
 * frames announce too much without saying why, so mxp_server counts on the monitor: a
 * connection that ends before it brought one whole message is reported as a fault.
 *
 * Left out: a bound on the number of frames of one message before ZeroMQ shows it to us.
 * The library collects a message whole, so the bound is the memory of the process; who
 * may connect at all (file mode, key list) is what protects from that.
 */
#include "mxp_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "admin.pb-c.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_address.h"
#include "mxp_curve.h"
#include "mxp_monitor.h"

#define FAULTS_PER_CALL 256
#define LINGER_MS 200  /* for replies at close */
#define QUEUE_MAX 8192 /* messages each way and peer: above in_flight_max of a client */
#define HEARTBEAT_MS 5000  /* a client that is silent for three of them is gone */
#define HANDSHAKE_MS 5000  /* who does not finish its greeting by then is closed */
#define SILENT_MAX 64      /* connections watched until their first message */
#define SPOKEN_SLOTS 1024  /* connections known to have brought one, by descriptor */
#define LOOK_EVERY 256     /* messages in a row; between them new clients wait */
#define ERROR_TEXT_MAX 256 /* octets of text in an ErrorReply, cut */
#define FRAMES_MAX 5       /* identity, magic, header, payload, body */
#define IPC_MODE 0660

struct mxp_server {
    void *context, *router;
    struct mxp_monitor *monitor;
    struct mxp_zap *zap;
    int epoll_fd;
    size_t payload_max, body_max;
    const struct mx_clock *clock;
    void (*on_fault)(void *user, const char *peer, enum mx_err_code code,
                     const char *reason);
    void *user;
    int silent[SILENT_MAX];
    size_t n_silent;
    int spoken[SPOKEN_SLOTS]; /* descriptor + 1; a newer one displaces another */
    unsigned in_a_row;        /* messages found one behind the other; 0: none was there */
    bool was_told;            /* the last event of the monitor was a complaint */
};

struct request {
    struct mxp_request pub;
    zmq_msg_t peer, payload, body;
};

/* Frames of one message as they came in. */
struct arrival {
    zmq_msg_t frames[FRAMES_MAX];
    size_t n; /* how many there were; those above FRAMES_MAX are dropped */
};

/* ---- opening ---------------------------------------------------------------------- */

static int zmq_fail(struct mx_err *err, const char *what)
{
    return mx_err_set(err, MX_ERR_SYSTEM, "%s: %s", what, zmq_strerror(zmq_errno()));
}

static int set_int(void *socket, int option, int value, struct mx_err *err)
{
    if (zmq_setsockopt(socket, option, &value, sizeof(value)) != 0)
        return zmq_fail(err, "socket option");
    return 0;
}

static int set_options(void *router, int64_t frame_max, struct mx_err *err)
{
    static const struct {
        int option, value;
    } ints[] = {
        {ZMQ_LINGER, LINGER_MS},
        {ZMQ_SNDHWM, QUEUE_MAX},
        {ZMQ_RCVHWM, QUEUE_MAX},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, 3 * HEARTBEAT_MS},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_IPV6, 1},
        {ZMQ_BACKLOG, 1024},
    };
    for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
        if (set_int(router, ints[i].option, ints[i].value, err) != 0)
            return -1;
    }
    if (zmq_setsockopt(router, ZMQ_MAXMSGSIZE, &frame_max, sizeof(frame_max)) != 0)
        return zmq_fail(err, "ZMQ_MAXMSGSIZE");
    return 0;
}

static int watch(struct mxp_server *server, int fd, struct mx_err *err)
{
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return mx_err_errno(err, "epoll_ctl");
    return 0;
}

static int watch_all(struct mxp_server *server, struct mx_err *err)
{
    int fd;
    size_t size = sizeof(fd);
    if (zmq_getsockopt(server->router, ZMQ_FD, &fd, &size) != 0)
        return zmq_fail(err, "ZMQ_FD");
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll_fd < 0)
        return mx_err_errno(err, "epoll_create1");
    if (watch(server, fd, err) != 0 ||
        watch(server, mxp_monitor_fd(server->monitor), err) != 0)
        return -1;
    return server->zap ? watch(server, mxp_zap_fd(server->zap), err) : 0;
}

static int bind_router(struct mxp_server *server,
                       const struct mxp_server_options *options, struct mx_err *err)
{
    const char *path = mxp_address_path(options->endpoint);
    if (path && mxp_address_clear(path, err) != 0)
        return mx_err_wrap(err, "%s", options->endpoint);
    if (zmq_bind(server->router, options->endpoint) != 0)
        return zmq_fail(err, options->endpoint);
    if (path == NULL)
        return 0;
    if (chmod(path, options->ipc_mode ? options->ipc_mode : IPC_MODE) != 0)
        return mx_err_errno(err, "%s: chmod", path);
    return 0;
}

static int open_all(struct mxp_server *server, const struct mxp_server_options *options,
                    struct mx_err *err)
{
    bool has_keys = options->keys.secret_key != NULL;
    if (mxp_address_check(options->endpoint, has_keys, err) != 0)
        return -1;
    server->context = zmq_ctx_new();
    if (server->context == NULL)
        return zmq_fail(err, "ZeroMQ");
    server->router = zmq_socket(server->context, ZMQ_ROUTER);
    if (server->router == NULL)
        return zmq_fail(err, "ZeroMQ");
    size_t frame_max =
        server->payload_max > server->body_max ? server->payload_max : server->body_max;
    if (set_options(server->router, (int64_t)frame_max, err) != 0)
        return -1;
    if (has_keys &&
        (mxp_zap_open(server->context, options->allowed_keys, &server->zap, err) != 0 ||
         mxp_curve_server(server->router, &options->keys, err) != 0))
        return mx_err_wrap(err, "%s", options->endpoint);
    if (mxp_monitor_open(server->context, server->router, &server->monitor, err) != 0 ||
        watch_all(server, err) != 0)
        return -1;
    return bind_router(server, options, err);
}

int mxp_server_open(const struct mxp_server_options *options, struct mxp_server **out,
                    struct mx_err *err)
{
    struct mxp_server *server = mx_xalloc(sizeof(*server));
    server->epoll_fd = -1;
    server->payload_max = options->payload_max ? options->payload_max : MXP_PAYLOAD_MAX;
    server->body_max = options->body_max;
    server->clock = options->clock ? options->clock : &mx_clock_real;
    server->on_fault = options->on_fault;
    server->user = options->user;
    if (open_all(server, options, err) != 0) {
        mxp_server_close(server);
        return -1;
    }
    *out = server;
    return 0;
}

void mxp_server_close(struct mxp_server *server)
{
    if (server == NULL)
        return;
    mxp_monitor_close(server->monitor);
    if (server->router)
        zmq_close(server->router);
    mxp_zap_close(server->zap);
    if (server->context)
        zmq_ctx_term(server->context);
    if (server->epoll_fd >= 0)
        close(server->epoll_fd);
    free(server);
}

int mxp_server_fd(const struct mxp_server *server)
{
    return server->epoll_fd;
}

/* ---- connections ------------------------------------------------------------------- */

static void fault(struct mxp_server *server, const char *peer, enum mx_err_code code,
                  const char *reason)
{
    if (server->on_fault)
        server->on_fault(server->user, peer && peer[0] ? peer : "unknown", code, reason);
}

static bool silent_remove(struct mxp_server *server, int fd)
{
    for (size_t i = 0; i < server->n_silent; i++) {
        if (server->silent[i] == fd) {
            server->silent[i] = server->silent[--server->n_silent];
            return true;
        }
    }
    return false;
}

static int *spoken_slot(struct mxp_server *server, int fd)
{
    return &server->spoken[(unsigned)fd % SPOKEN_SLOTS];
}

static bool has_spoken(struct mxp_server *server, int fd)
{
    return *spoken_slot(server, fd) == fd + 1;
}

static void forget_spoken(struct mxp_server *server, int fd)
{
    if (has_spoken(server, fd))
        *spoken_slot(server, fd) = 0;
}

/*
 * What an event says against the peer; NULL: nothing. ZeroMQ reports a failed handshake
 * and then, next, the end of the same connection: that is one fault.
 */
static const char *complaint(struct mxp_server *server,
                             const struct mxp_monitor_event *event)
{
    bool was_told = server->was_told;
    server->was_told = false;
    switch (event->kind) {
    case MXP_MONITOR_ACCEPTED:
        silent_remove(server, event->fd);
        forget_spoken(server, event->fd);
        if (server->n_silent < SILENT_MAX)
            server->silent[server->n_silent++] = event->fd;
        return NULL;
    case MXP_MONITOR_LOST:
        forget_spoken(server, event->fd);
        if (!silent_remove(server, event->fd) || was_told)
            return NULL;
        return "connection ended before its first whole message (frame too large, or "
               "half a message)";
    case MXP_MONITOR_DENIED: server->was_told = true; return "key not in the allow-list";
    case MXP_MONITOR_GARBAGE:
        server->was_told = true;
        return "does not speak our protocol (ZMTP handshake failed)";
    case MXP_MONITOR_EXHAUSTED: return "connection not accepted: out of descriptors?";
    default: return NULL;
    }
}

static unsigned run_connections(struct mxp_server *server)
{
    unsigned faults = 0;
    struct mxp_monitor_event event;
    if (server->zap)
        mxp_zap_run(server->zap);
    while (faults < FAULTS_PER_CALL &&
           mxp_monitor_next(server->monitor, &event) != MXP_MONITOR_NOTHING) {
        const char *reason = complaint(server, &event);
        if (reason)
            fault(server, event.address, MX_ERR_INPUT, reason);
        faults += reason != NULL;
    }
    return faults;
}

/* ---- messages ---------------------------------------------------------------------- */

static struct mx_str slice(zmq_msg_t *frame)
{
    return mx_str_of(zmq_msg_data(frame), zmq_msg_size(frame));
}

/* Reads one message whole. Fails: none there (-1). */
static int receive(struct mxp_server *server, struct arrival *arrival)
{
    zmq_msg_t extra;
    arrival->n = 0;
    for (size_t i = 0; i < FRAMES_MAX; i++)
        zmq_msg_init(&arrival->frames[i]);
    zmq_msg_init(&extra);
    zmq_msg_t *frame;
    do {
        frame = arrival->n < FRAMES_MAX ? &arrival->frames[arrival->n] : &extra;
        if (zmq_msg_recv(frame, server->router, ZMQ_DONTWAIT) < 0)
            break;
        arrival->n++;
    } while (zmq_msg_more(frame));
    zmq_msg_close(&extra);
    return arrival->n > 0 ? 0 : -1;
}

static void arrival_fini(struct arrival *arrival)
{
    for (size_t i = 0; i < FRAMES_MAX; i++)
        zmq_msg_close(&arrival->frames[i]);
}

/* A copy of ${peer} goes in front, so that one request can be answered many times. */
static void send_frames(struct mxp_server *server, zmq_msg_t *peer,
                        const struct mxp_header *header, struct mx_str payload)
{
    uint8_t magic[MXP_MAGIC_SIZE], head[MXP_HEADER_SIZE];
    mxp_magic_encode(magic);
    mxp_header_encode(header, head);
    zmq_msg_t identity;
    zmq_msg_init(&identity);
    zmq_msg_copy(&identity, peer);
    /* Without ZMQ_ROUTER_MANDATORY a peer that left, or does not read, swallows it. */
    if (zmq_msg_send(&identity, server->router, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&identity);
        return;
    }
    zmq_send(server->router, magic, sizeof(magic), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(server->router, head, sizeof(head), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(server->router, payload.p, payload.n, ZMQ_DONTWAIT);
}

static void send_error(struct mxp_server *server, zmq_msg_t *peer, uint64_t id, int code,
                       const char *text)
{
    char cut[ERROR_TEXT_MAX];
    snprintf(cut, sizeof(cut), "%s", text);
    Mxp__ErrorReply reply;
    mxp__error_reply__init(&reply);
    reply.code = (Mxp__ErrorCode)code;
    reply.text = cut;
    uint8_t payload[ERROR_TEXT_MAX + 16];
    size_t n = mxp__error_reply__pack(&reply, payload);
    struct mxp_header header = {.type = MXP_ERROR, .id = id};
    send_frames(server, peer, &header, mx_str_of(payload, n));
}

/* What is wrong with an arrival: an error code and a text, or 0. */
static int check_sizes(const struct mxp_server *server, struct arrival *arrival,
                       const char **reason)
{
    if (arrival->n < 4) {
        *reason = "half a message";
        return MXP__ERROR_CODE__ERROR_BAD_REQUEST;
    }
    if (arrival->n > FRAMES_MAX) {
        *reason = "too many frames";
        return MXP__ERROR_CODE__ERROR_BAD_REQUEST;
    }
    if (zmq_msg_size(&arrival->frames[3]) > server->payload_max) {
        *reason = "payload too large";
        return MXP__ERROR_CODE__ERROR_TOO_LARGE;
    }
    if (arrival->n == FRAMES_MAX &&
        zmq_msg_size(&arrival->frames[4]) > server->body_max) {
        *reason = server->body_max ? "body too large" : "no body belongs here";
        return MXP__ERROR_CODE__ERROR_TOO_LARGE;
    }
    return 0;
}

/*
 * Where the frames show who asks, an error goes back. The header of another major version
 * may look different; its id is our best guess there.
 */
static int check_arrival(struct mxp_server *server, struct arrival *arrival,
                         struct mxp_header *header)
{
    struct mx_err err = {.code = MX_ERR_NONE};
    const char *reason = err.text;
    int code;
    int magic_rc = mxp_magic_check(slice(&arrival->frames[1]), &err);
    bool is_ours = magic_rc == 0 || err.code == MX_ERR_VERSION;
    int header_rc = mxp_header_decode(slice(&arrival->frames[2]), header,
                                      magic_rc == 0 ? &err : NULL);
    if (magic_rc != 0)
        code = MXP__ERROR_CODE__ERROR_VERSION;
    else if (arrival->n >= 3 && header_rc != 0)
        code = MXP__ERROR_CODE__ERROR_BAD_REQUEST;
    else
        code = check_sizes(server, arrival, &reason);
    if (code == 0)
        return 0;
    if (is_ours && header_rc == 0)
        send_error(server, &arrival->frames[0], header->id, code, reason);
    fault(server, zmq_msg_gets(&arrival->frames[0], "Peer-Address"),
          magic_rc != 0 && is_ours ? MX_ERR_VERSION : MX_ERR_INPUT, reason);
    return -1;
}

static struct mxp_request *take_request(const struct mxp_server *server,
                                        struct arrival *arrival,
                                        const struct mxp_header *header)
{
    struct request *request = mx_xalloc(sizeof(*request));
    zmq_msg_init(&request->peer);
    zmq_msg_init(&request->payload);
    zmq_msg_init(&request->body);
    zmq_msg_move(&request->peer, &arrival->frames[0]);
    zmq_msg_move(&request->payload, &arrival->frames[3]);
    zmq_msg_move(&request->body, &arrival->frames[4]);
    request->pub.header = *header;
    request->pub.payload = slice(&request->payload);
    request->pub.body = arrival->n == FRAMES_MAX ? slice(&request->body) : MX_STR_NONE;
    request->pub.arrived_us = mx_mono_us();
    request->pub.expires_ms = mx_mono_ms(server->clock) + header->deadline_ms;
    return &request->pub;
}

/*
 * The connection has brought a message: its end will not be a fault. A look at the
 * monitor that finds nothing costs two system calls, so only the first message of a
 * connection has one, as the event of its beginning must be taken before.
 */
static unsigned note_spoken(struct mxp_server *server, zmq_msg_t *frame)
{
    int fd = zmq_msg_get(frame, ZMQ_SRCFD);
    if (has_spoken(server, fd))
        return 0;
    unsigned faults = run_connections(server);
    silent_remove(server, fd);
    *spoken_slot(server, fd) = fd + 1;
    return faults;
}

struct mxp_request *mxp_server_next(struct mxp_server *server, bool *more)
{
    struct arrival arrival;
    struct mxp_header header;
    struct mxp_request *request = NULL;
    bool is_due = server->in_a_row % LOOK_EVERY == 0;
    unsigned faults = is_due ? run_connections(server) : 0;
    while (request == NULL && faults < FAULTS_PER_CALL) {
        if (receive(server, &arrival) != 0)
            break;
        faults += note_spoken(server, &arrival.frames[1]);
        if (check_arrival(server, &arrival, &header) != 0 || header.deadline_ms == 0)
            faults++;
        else
            request = take_request(server, &arrival, &header);
        arrival_fini(&arrival);
    }
    server->in_a_row = request ? server->in_a_row + 1 : 0;
    if (more)
        *more = request != NULL || faults >= FAULTS_PER_CALL;
    return request;
}

/* ---- replies ----------------------------------------------------------------------- */

/* The public part is the first member; whoever reads it keeps it const. */
static struct request *whole(const struct mxp_request *request)
{
    return (struct request *)(uintptr_t)request;
}

void mxp_server_reply_bytes(struct mxp_server *server, const struct mxp_request *request,
                            enum mxp_type type, struct mx_str payload)
{
    struct mxp_header header = {.type = (uint16_t)type, .id = request->header.id};
    send_frames(server, &whole(request)->peer, &header, payload);
}

void mxp_server_reply(struct mxp_server *server, const struct mxp_request *request,
                      enum mxp_type type, const ProtobufCMessage *message)
{
    uint8_t small[2048];
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *p = n <= sizeof(small) ? small : mx_xalloc(n);
    protobuf_c_message_pack(message, p);
    mxp_server_reply_bytes(server, request, type, mx_str_of(p, n));
    if (p != small)
        free(p);
}

void mxp_server_error(struct mxp_server *server, const struct mxp_request *request,
                      int code, const char *text)
{
    send_error(server, &whole(request)->peer, request->header.id, code, text);
}

void mxp_request_forget(struct mxp_request *request)
{
    struct request *r = whole(request);
    zmq_msg_close(&r->payload);
    zmq_msg_close(&r->body);
    zmq_msg_init(&r->payload);
    zmq_msg_init(&r->body);
    request->payload = request->body = MX_STR_NONE;
}

void mxp_request_free(struct mxp_request *request)
{
    if (request == NULL)
        return;
    struct request *r = whole(request);
    zmq_msg_close(&r->peer);
    zmq_msg_close(&r->payload);
    zmq_msg_close(&r->body);
    free(r);
}
