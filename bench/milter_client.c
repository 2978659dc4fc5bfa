/*
 * Packets: four bytes of length, one of command, the argument. The client sends one and
 * waits for its reply; changes and progress arrive in between. Whether a reply is due,
 * and whether a step is sent at all, was negotiated: the flags are those of the milter
 * protocol, version 6.
 *
 * Left out: replacing bodies is read and dropped; there is no pipelining.
 */
#include "milter_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"

#define VERSION 6u
#define ALL_ACTIONS 0x1ffu
#define ALL_STEPS 0x1fffffu
#define NO_HEADER_SPACE_FLAG 0x100000u
#define CHUNK 65535u          /* bytes of body in one packet */
#define PACKET_MAX (1u << 20) /* bytes of a packet that we read */

struct milter_client {
    int fd, timeout_ms;
    uint32_t steps;
    char *in; /* last packet: command, argument, NUL */
    size_t in_n, in_room;
    struct milter_edit *edits;
    size_t n_edits;
    bool is_broken;
};

/* The flag that leaves a step out, and the one that leaves its reply out. */
static const struct {
    char command;
    uint32_t none, no_reply;
} steps[] = {
    {MILTER_CONNECT, 0x1, 0x1000}, {MILTER_HELO, 0x2, 0x2000},
    {MILTER_MAIL, 0x4, 0x4000},    {MILTER_RCPT, 0x8, 0x8000},
    {MILTER_BODY, 0x10, 0x80000},  {MILTER_HEADER, 0x20, 0x80},
    {MILTER_EOH, 0x40, 0x40000},   {MILTER_UNKNOWN, 0x100, 0x20000},
    {MILTER_DATA, 0x200, 0x10000},
};

static bool has_step(const struct milter_client *client, char command, bool wants_reply)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i].command == command)
            return (client->steps & (wants_reply ? steps[i].no_reply : steps[i].none)) ==
                   0;
    return command == MILTER_EOM || command == MILTER_OPTNEG || !wants_reply;
}

static int broken(struct milter_client *client, struct mx_err *err, const char *what)
{
    client->is_broken = true;
    return mx_err_set(err, MX_ERR_DOWN, "milter: %s", what);
}

static int send_all(struct milter_client *client, const void *p, size_t n, int flags,
                    struct mx_err *err)
{
    const char *at = p;
    while (n > 0) {
        ssize_t done = send(client->fd, at, n, MSG_NOSIGNAL | flags);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return broken(client, err, strerror(errno));
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

static int send_packet(struct milter_client *client, char command, struct mx_str bytes,
                       struct mx_err *err)
{
    char head[5];
    uint32_t n = htonl((uint32_t)bytes.n + 1);
    memcpy(head, &n, 4);
    head[4] = command;
    if (bytes.n == 0)
        return send_all(client, head, sizeof(head), 0, err);
    if (send_all(client, head, sizeof(head), MSG_MORE, err) < 0)
        return -1;
    return send_all(client, bytes.p, bytes.n, 0, err);
}

static int read_all(struct milter_client *client, char *p, size_t n, struct mx_err *err)
{
    while (n > 0) {
        struct pollfd fd = {.fd = client->fd, .events = POLLIN};
        int ready = poll(&fd, 1, client->timeout_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return broken(client, err, "no reply in time");
        ssize_t done = read(client->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return broken(client, err,
                          done == 0 ? "the filter hung up" : strerror(errno));
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static int read_packet(struct milter_client *client, struct mx_err *err)
{
    uint32_t n;
    if (read_all(client, (char *)&n, sizeof(n), err) < 0)
        return -1;
    n = ntohl(n);
    if (n == 0 || n > PACKET_MAX)
        return broken(client, err, "a packet of no sensible size");
    if (client->in_room < n + 1) {
        client->in = mx_xrealloc(client->in, n + 1);
        client->in_room = n + 1;
    }
    if (read_all(client, client->in, n, err) < 0)
        return -1;
    client->in[n] = '\0';
    client->in_n = n;
    return 0;
}

static void forget_edits(struct milter_client *client)
{
    for (size_t i = 0; i < client->n_edits; i++) {
        free(client->edits[i].name);
        free(client->edits[i].value);
    }
    client->n_edits = 0;
}

static void keep_edit(struct milter_client *client)
{
    if (client->n_edits == MILTER_EDITS_MAX)
        return;
    if (client->edits == NULL)
        client->edits = mx_xalloc(MILTER_EDITS_MAX * sizeof(*client->edits));
    struct milter_edit *edit = &client->edits[client->n_edits++];
    const char *p = client->in + 1, *end = client->in + client->in_n;
    *edit = (struct milter_edit){.kind = client->in[0]};
    if ((edit->kind == 'm' || edit->kind == 'i') && end - p >= 4) {
        uint32_t index;
        memcpy(&index, p, 4);
        edit->index = ntohl(index);
        p += 4;
    }
    edit->name = mx_xdup(p);
    p += strlen(p) + 1;
    edit->value = mx_xdup(p < end ? p : "");
}

static int read_reply(struct milter_client *client, struct milter_reply *out,
                      struct mx_err *err)
{
    for (;;) {
        if (read_packet(client, err) < 0)
            return -1;
        char code = client->in[0];
        if (code == 'p')
            out->progress++;
        else if (strchr("+-2himq", code))
            keep_edit(client);
        else if (strchr("bel", code) == NULL) {
            out->code = code;
            if (code == 'y')
                snprintf(out->text, sizeof(out->text), "%s", client->in + 1);
            return 0;
        }
    }
}

int milter_client_send(struct milter_client *client, enum milter_command command,
                       struct mx_str bytes, struct milter_reply *out, struct mx_err *err)
{
    struct milter_reply reply = {0};
    if (command == MILTER_MAIL)
        forget_edits(client);
    if (has_step(client, (char)command, false) &&
        (send_packet(client, (char)command, bytes, err) < 0 ||
         (has_step(client, (char)command, true) && read_reply(client, &reply, err) < 0)))
        return -1;
    *out = reply;
    return 0;
}

static void add_words(struct mx_buf *buf, const char *const *words)
{
    for (; *words; words++)
        mx_buf_add(buf, *words, strlen(*words) + 1);
}

int milter_client_words(struct milter_client *client, enum milter_command command,
                        const char *const *words, struct milter_reply *out,
                        struct mx_err *err)
{
    struct mx_buf buf = {0};
    add_words(&buf, words);
    int rc = milter_client_send(client, command, mx_str_of(buf.p, buf.n), out, err);
    mx_buf_fini(&buf);
    return rc;
}

int milter_client_macros(struct milter_client *client, enum milter_command command,
                         const char *const *pairs, struct mx_err *err)
{
    struct mx_buf buf = {0};
    char stage = (char)command;
    mx_buf_add(&buf, &stage, 1);
    add_words(&buf, pairs);
    int rc = send_packet(client, MILTER_MACRO, mx_str_of(buf.p, buf.n), err);
    mx_buf_fini(&buf);
    return rc;
}

int milter_client_connect(struct milter_client *client, const char *host, const char *ip,
                          struct milter_reply *out, struct mx_err *err)
{
    struct mx_buf buf = {0};
    mx_buf_add(&buf, host, strlen(host) + 1);
    if (ip) {
        uint16_t port = htons(25);
        mx_buf_str(&buf, strchr(ip, ':') ? "6" : "4");
        mx_buf_add(&buf, &port, sizeof(port));
        mx_buf_add(&buf, ip, strlen(ip) + 1);
    } else {
        mx_buf_str(&buf, "U");
    }
    int rc =
        milter_client_send(client, MILTER_CONNECT, mx_str_of(buf.p, buf.n), out, err);
    mx_buf_fini(&buf);
    return rc;
}

/* One header field with its folded lines, cut off the front of ${rest}. */
static int send_field(struct milter_client *client, struct mx_str *rest,
                      struct milter_reply *out, struct mx_err *err)
{
    struct mx_buf buf = {0};
    struct mx_str line;
    bool is_first = true;
    while ((is_first || (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))) &&
           mx_str_next(rest, '\n', &line) == 0) {
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (!is_first)
            mx_buf_str(&buf, "\n");
        mx_buf_add(&buf, line.p, line.n);
        is_first = false;
    }
    char *colon = buf.p ? strchr(buf.p, ':') : NULL;
    int rc = 0;
    if (colon) {
        bool has_space = client->steps & NO_HEADER_SPACE_FLAG;
        char *value = colon + 1 + (!has_space && colon[1] == ' ');
        *colon = '\0';
        const char *words[] = {buf.p, value, NULL};
        rc = milter_client_words(client, MILTER_HEADER, words, out, err);
    }
    mx_buf_fini(&buf);
    return rc;
}

static bool is_final(const struct milter_reply *reply)
{
    return reply->code && strchr("rtyda", reply->code);
}

static int send_body(struct milter_client *client, struct mx_str body,
                     struct milter_reply *out, struct mx_err *err)
{
    while (body.n > 0) {
        struct mx_str chunk = mx_str_sub(body, 0, CHUNK);
        body = mx_str_sub(body, chunk.n, body.n);
        if (milter_client_send(client, MILTER_BODY, chunk, out, err) < 0)
            return -1;
        if (is_final(out) || out->code == 's')
            return 0;
    }
    return 0;
}

int milter_client_message(struct milter_client *client, struct mx_str message,
                          struct milter_reply *out, struct mx_err *err)
{
    struct mx_str rest = message;
    *out = (struct milter_reply){0};
    while (rest.n > 0 && rest.p[0] != '\r' && rest.p[0] != '\n')
        if (send_field(client, &rest, out, err) < 0)
            return -1;
        else if (is_final(out))
            return 0;
    size_t blank = mx_str_starts(rest, MX_STR("\r\n")) ? 2 : rest.n > 0;
    if (milter_client_send(client, MILTER_EOH, MX_STR_NONE, out, err) < 0 ||
        (!is_final(out) &&
         send_body(client, mx_str_sub(rest, blank, rest.n), out, err) < 0))
        return -1;
    if (is_final(out))
        return 0;
    return milter_client_send(client, MILTER_EOM, MX_STR_NONE, out, err);
}

size_t milter_client_edits(const struct milter_client *client,
                           const struct milter_edit **out)
{
    *out = client->edits;
    return client->n_edits;
}

uint32_t milter_client_steps(const struct milter_client *client)
{
    return client->steps;
}

static int dial_unix(const char *path, struct mx_err *err)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
        mx_err_errno(err, "%s", path);
        close(fd);
        return -1;
    }
    return fd >= 0 ? fd : mx_err_errno(err, "socket");
}

static int dial_inet(const char *address, struct mx_err *err)
{
    struct mx_str rest = mx_str(address), port = MX_STR_NONE;
    struct sockaddr_in sa = {.sin_family = AF_INET};
    char host[64];
    int64_t number;
    int on = 1;
    mx_str_next(&rest, '@', &port);
    snprintf(host, sizeof(host), "%.*s", MX_STR_FMT(rest));
    if (mx_str_to_int(port, 1, 65535, &number, err) < 0 ||
        inet_pton(AF_INET, host, &sa.sin_addr) != 1)
        return mx_err_set(err, MX_ERR_INPUT, "inet:%s: write inet:PORT@IP", address);
    sa.sin_port = htons((uint16_t)number);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
        mx_err_errno(err, "inet:%s", address);
        close(fd);
        return -1;
    }
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd >= 0 ? fd : mx_err_errno(err, "socket");
}

static int negotiate(struct milter_client *client, const struct milter_offer *offer,
                     struct mx_err *err)
{
    uint32_t words[3] = {htonl(VERSION),
                         htonl(offer && offer->actions ? offer->actions : ALL_ACTIONS),
                         htonl(offer && offer->steps ? offer->steps : ALL_STEPS)};
    if (send_packet(client, MILTER_OPTNEG, mx_str_of(words, sizeof(words)), err) < 0 ||
        read_packet(client, err) < 0)
        return -1;
    if (client->in[0] != MILTER_OPTNEG || client->in_n < 1 + sizeof(words))
        return broken(client, err, "no answer to the negotiation");
    memcpy(words, client->in + 1, sizeof(words));
    client->steps = ntohl(words[2]);
    return 0;
}

int milter_client_open(const char *address, int timeout_ms,
                       const struct milter_offer *offer, struct milter_client **out,
                       struct mx_err *err)
{
    const char *colon = strchr(address, ':');
    bool is_inet = strncmp(address, "inet:", 5) == 0;
    int fd =
        is_inet ? dial_inet(colon + 1, err) : dial_unix(colon ? colon + 1 : address, err);
    if (fd < 0)
        return -1;
    struct milter_client *client = mx_xalloc(sizeof(*client));
    client->fd = fd;
    client->timeout_ms = timeout_ms;
    if (negotiate(client, offer, err) < 0) {
        milter_client_close(client);
        return -1;
    }
    *out = client;
    return 0;
}

void milter_client_close(struct milter_client *client)
{
    if (client == NULL)
        return;
    if (!client->is_broken)
        (void)send_packet(client, MILTER_QUIT, MX_STR_NONE, NULL);
    forget_edits(client);
    free(client->edits);
    free(client->in);
    close(client->fd);
    free(client);
}
