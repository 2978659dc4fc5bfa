/*
 * Frames, and the wire as it was released: tests/golden/v1-<type>.bin hold one message of
 * each type, each frame behind its length in four octets, network order. These files
 * never change; a new major version gets files of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admin.pb-c.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_frame.h"
#include "mxp_pack.h"
#include "policy.pb-c.h"
#include "scan.pb-c.h"

static char *text(const char *s) /* protobuf-c's strings are not const */
{
    return (char *)(uintptr_t)s;
}

/* ---- one message of each type
 * ---------------------------------------------------------- */

static struct mx_str make_policy_request(struct mx_arena *arena)
{
    static const uint8_t addr[] = {192, 0, 2, 25};
    Mxp__Recipient rcpt = MXP__RECIPIENT__INIT;
    rcpt.path = mxp_bytes(MX_STR("<user@example.org>"));
    Mxp__PolicyRequest m = MXP__POLICY_REQUEST__INIT;
    m.stage = MXP__STAGE__STAGE_RCPT;
    m.id = text("4XyZ12");
    m.connection = text("c-1");
    m.client_addr = mxp_bytes(mx_str_of(addr, sizeof(addr)));
    m.client_name = mxp_bytes(MX_STR("mail.example.com"));
    m.helo = mxp_bytes(MX_STR("mail.example.com"));
    m.sender = mxp_bytes(MX_STR("<a@example.com>"));
    m.rcpt = &rcpt;
    m.size = 12345;
    m.topology = 7;
    return mxp_pack(arena, &m.base);
}

static struct mx_str make_policy_reply(struct mx_arena *arena)
{
    Mxp__SmtpReply reply = MXP__SMTP_REPLY__INIT;
    reply.code = 450;
    reply.enhanced = text("4.7.1");
    reply.text = mxp_bytes(MX_STR("try again in 5 minutes"));
    Mxp__PolicyReply m = MXP__POLICY_REPLY__INIT;
    m.action = MXP__ACTION__ACTION_TEMPFAIL;
    m.reply = &reply;
    m.module = text("greylist");
    m.reason = text("first-seen");
    m.topology = 7;
    return mxp_pack(arena, &m.base);
}

static struct mx_str make_scan_request(struct mx_arena *arena)
{
    ProtobufCBinaryData rcpt = mxp_bytes(MX_STR("<user@example.org>"));
    char *mailbox = text("user@example.org");
    Mxp__ScanRequest m = MXP__SCAN_REQUEST__INIT;
    m.id = text("4XyZ12");
    m.sender = mxp_bytes(MX_STR("<a@example.com>"));
    m.n_recipients = 1;
    m.recipients = &rcpt;
    m.n_mailboxes = 1;
    m.mailboxes = &mailbox;
    m.size = 27;
    m.received_at_ms = 1700000000000;
    return mxp_pack(arena, &m.base);
}

static struct mx_str make_scan_reply(struct mx_arena *arena)
{
    Mxp__Finding finding = MXP__FINDING__INIT, *findings = &finding;
    finding.symbol = text("GTUBE");
    finding.score = 1000;
    finding.detector = text("rules");
    char *virus = text("Eicar-Test-Signature");
    Mxp__ScanReply m = MXP__SCAN_REPLY__INIT;
    m.n_findings = 1;
    m.findings = &findings;
    m.score = 1000;
    m.required = 5;
    m.n_viruses = 1;
    m.viruses = &virus;
    m.scanner = text("scand@host-1");
    m.us = 4200;
    return mxp_pack(arena, &m.base);
}

static struct mx_str make_topology_request(struct mx_arena *arena)
{
    Mxp__TopologyRequest m = MXP__TOPOLOGY_REQUEST__INIT;
    return mxp_pack(arena, &m.base);
}

static struct mx_str make_topology_reply(struct mx_arena *arena)
{
    Mxp__Node node = MXP__NODE__INIT, *nodes = &node;
    node.id = text("scand@host-1");
    node.endpoint = text("tcp://192.0.2.7:9611");
    node.public_key = text("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
    node.workers = 4;
    node.since_ms = 1700000000000;
    Mxp__TopologyReply m = MXP__TOPOLOGY_REPLY__INIT;
    m.version = 7;
    m.n_scanners = 1;
    m.scanners = &nodes;
    return mxp_pack(arena, &m.base);
}

static struct mx_str make_status_request(struct mx_arena *arena)
{
    Mxp__StatusRequest m = MXP__STATUS_REQUEST__INIT;
    return mxp_pack(arena, &m.base);
}

static struct mx_str make_status_reply(struct mx_arena *arena)
{
    Mxp__Degraded degraded = MXP__DEGRADED__INIT, *checks = &degraded;
    degraded.check = text("redis");
    degraded.reason = text("down for 3 s");
    Mxp__StatusReply m = MXP__STATUS_REPLY__INIT;
    m.program = text("mxdrop-policyd");
    m.uptime_ms = 60000;
    m.is_ready = 1;
    m.n_degraded = 1;
    m.degraded = &checks;
    return mxp_pack(arena, &m.base);
}

static struct mx_str make_error(struct mx_arena *arena)
{
    Mxp__ErrorReply m = MXP__ERROR_REPLY__INIT;
    m.code = MXP__ERROR_CODE__ERROR_OVERLOADED;
    m.text = text("no idle worker");
    return mxp_pack(arena, &m.base);
}

static const struct golden {
    uint16_t type;
    uint32_t deadline_ms;
    struct mx_str (*make)(struct mx_arena *arena);
    const ProtobufCMessageDescriptor *descriptor;
    const char *body;
} GOLDEN[] = {
    {MXP_ERROR, 0, make_error, &mxp__error_reply__descriptor, NULL},
    {MXP_POLICY_REQUEST, 5000, make_policy_request, &mxp__policy_request__descriptor,
     NULL},
    {MXP_POLICY_REPLY, 0, make_policy_reply, &mxp__policy_reply__descriptor, NULL},
    {MXP_SCAN_REQUEST, 120000, make_scan_request, &mxp__scan_request__descriptor,
     "Subject: hello\r\n\r\nworld\r\n\r\n"},
    {MXP_SCAN_REPLY, 0, make_scan_reply, &mxp__scan_reply__descriptor, NULL},
    {MXP_TOPOLOGY_REQUEST, 1000, make_topology_request,
     &mxp__topology_request__descriptor, NULL},
    {MXP_TOPOLOGY_REPLY, 0, make_topology_reply, &mxp__topology_reply__descriptor, NULL},
    {MXP_STATUS_REQUEST, 1000, make_status_request, &mxp__status_request__descriptor,
     NULL},
    {MXP_STATUS_REPLY, 0, make_status_reply, &mxp__status_reply__descriptor, NULL},
};
#define GOLDEN_N (sizeof(GOLDEN) / sizeof(GOLDEN[0]))
#define GOLDEN_ID 0x0102030405060708ULL
#define FILE_MAX 4096

static size_t add_frame(uint8_t *out, size_t at, const void *p, size_t n)
{
    const uint8_t length[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                               (uint8_t)n};
    assert_true(at + sizeof(length) + n <= FILE_MAX);
    memcpy(out + at, length, sizeof(length));
    if (n > 0)
        memcpy(out + at + sizeof(length), p, n);
    return at + sizeof(length) + n;
}

static size_t encode_golden(const struct golden *golden, uint8_t out[static FILE_MAX])
{
    uint8_t magic[MXP_MAGIC_SIZE], head[MXP_HEADER_SIZE];
    struct mx_arena *arena = mx_arena_new(65536);
    struct mxp_header header = {
        .type = golden->type, .id = GOLDEN_ID, .deadline_ms = golden->deadline_ms};
    mxp_magic_encode(magic);
    mxp_header_encode(&header, head);
    struct mx_str payload = golden->make(arena);
    size_t n = add_frame(out, 0, magic, sizeof(magic));
    n = add_frame(out, n, head, sizeof(head));
    n = add_frame(out, n, payload.p, payload.n);
    if (golden->body)
        n = add_frame(out, n, golden->body, strlen(golden->body));
    mx_arena_free(arena);
    return n;
}

static size_t read_golden(const struct golden *golden, uint8_t out[static FILE_MAX])
{
    char path[512];
    snprintf(path, sizeof(path), "%s/tests/golden/v1-%s.bin", MX_SOURCE_DIR,
             mxp_type_name(golden->type));
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s is missing", path);
    size_t n = fread(out, 1, FILE_MAX, f);
    fclose(f);
    return n;
}

static struct mx_str next_frame(const uint8_t *p, size_t n, size_t *at)
{
    assert_true(*at + 4 <= n);
    size_t length = (size_t)p[*at] << 24 | (size_t)p[*at + 1] << 16 |
                    (size_t)p[*at + 2] << 8 | p[*at + 3];
    *at += 4;
    assert_true(length <= n - *at);
    struct mx_str frame = mx_str_of(p + *at, length);
    *at += length;
    return frame;
}

/* ---- tests ------------------------------------------------------------------------- */

static void test_golden_encodes_byte_by_byte(void **state)
{
    (void)state;
    uint8_t ours[FILE_MAX], theirs[FILE_MAX];
    for (size_t i = 0; i < GOLDEN_N; i++) {
        size_t n = encode_golden(&GOLDEN[i], ours);
        assert_int_equal(read_golden(&GOLDEN[i], theirs), n);
        assert_memory_equal(ours, theirs, n);
    }
}

static void test_golden_decodes(void **state)
{
    (void)state;
    uint8_t bytes[FILE_MAX];
    for (size_t i = 0; i < GOLDEN_N; i++) {
        size_t n = read_golden(&GOLDEN[i], bytes), at = 0;
        struct mx_arena *arena = mx_arena_new(65536);
        struct mxp_header header;
        assert_int_equal(mxp_magic_check(next_frame(bytes, n, &at), NULL), 0);
        assert_int_equal(mxp_header_decode(next_frame(bytes, n, &at), &header, NULL), 0);
        assert_int_equal(header.type, GOLDEN[i].type);
        assert_int_equal(header.deadline_ms, GOLDEN[i].deadline_ms);
        assert_true(header.id == GOLDEN_ID);
        struct mx_str payload = next_frame(bytes, n, &at);
        assert_non_null(mxp_unpack(arena, GOLDEN[i].descriptor, payload, NULL));
        if (GOLDEN[i].body)
            assert_true(mx_str_eq(next_frame(bytes, n, &at), mx_str(GOLDEN[i].body)));
        assert_int_equal(at, n);
        mx_arena_free(arena);
    }
}

static void test_magic_check(void **state)
{
    (void)state;
    struct mx_err err = {0};
    assert_int_equal(mxp_magic_check(MX_STR("MXD\x01"), &err), 0);
    assert_int_equal(mxp_magic_check(MX_STR("MXD\x02"), &err), -1);
    assert_int_equal(err.code, MX_ERR_VERSION);
    const struct mx_str bad[] = {MX_STR("MXD"), MX_STR("MXD\x01\x01"), MX_STR("mxd\x01"),
                                 MX_STR(""), MX_STR_NONE};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(mxp_magic_check(bad[i], &err), -1);
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
}

static void test_header_round_trip_of_extremes(void **state)
{
    (void)state;
    const struct mxp_header headers[] = {
        {0, 0, 0, 0},
        {UINT16_MAX, UINT16_MAX, UINT64_MAX, MXP_DEADLINE_MAX_MS},
        {MXP_SCAN_REQUEST, 1, 1ULL << 63, 1}};
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[MXP_HEADER_SIZE];
        struct mxp_header back;
        mxp_header_encode(&headers[i], bytes);
        assert_int_equal(mxp_header_decode(mx_str_of(bytes, 16), &back, NULL), 0);
        assert_int_equal(back.type, headers[i].type);
        assert_int_equal(back.flags, headers[i].flags);
        assert_true(back.id == headers[i].id);
        assert_int_equal(back.deadline_ms, headers[i].deadline_ms);
    }
}

static void test_header_decode_bounds(void **state)
{
    (void)state;
    uint8_t bytes[MXP_HEADER_SIZE + 8];
    struct mxp_header header = {.type = 99};
    memset(bytes, 0xff, sizeof(bytes));
    for (size_t n = 0; n < MXP_HEADER_SIZE; n++)
        assert_int_equal(mxp_header_decode(mx_str_of(bytes, n), &header, NULL), -1);
    assert_int_equal(header.type, 99); /* untouched */
    assert_int_equal(mxp_header_decode(mx_str_of(bytes, sizeof(bytes)), &header, NULL),
                     0); /* a later minor version's header */
    assert_int_equal(header.deadline_ms, MXP_DEADLINE_MAX_MS);
}

static void test_type_name(void **state)
{
    (void)state;
    assert_string_equal(mxp_type_name(MXP_SCAN_REPLY), "scan-reply");
    assert_string_equal(mxp_type_name(MXP_STATUS_REPLY), "status-reply");
    assert_string_equal(mxp_type_name(MXP_STATUS_REPLY + 1), "unknown");
    assert_string_equal(mxp_type_name(UINT16_MAX), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_encodes_byte_by_byte),
        cmocka_unit_test(test_golden_decodes),
        cmocka_unit_test(test_magic_check),
        cmocka_unit_test(test_header_round_trip_of_extremes),
        cmocka_unit_test(test_header_decode_bounds),
        cmocka_unit_test(test_type_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
