/*
 * Section "scand": one table, from which defaults, checks, dump and documentation come.
 * A detector with settings adds a group here and its offset to its descriptor.
 */
#include "scan_conf.h"

#include <stddef.h>

#define MIB (1024 * 1024)
#define AT(member) offsetof(struct scan_conf, member)
#define CLAM(member) offsetof(struct clamav_settings, member)

static const struct mx_conf_key clamav_keys[] = {
    {.name = "signatures", .type = MX_CONF_STRING, .offset = CLAM(signatures),
     .def = "/var/lib/clamav",
     .doc = "Directory of the ClamAV signature files, as freshclam keeps it. While it is "
            "missing or empty, messages are scanned without and marked degraded."},
    {.name = "max_scan_size", .type = MX_CONF_SIZE, .offset = CLAM(max_scan_size),
     .min = 65536, .max = 4LL * 1024 * MIB, .def = "100MiB",
     .doc = "How much of one message is looked at, archives unpacked."},
    {.name = "max_file_size", .type = MX_CONF_SIZE, .offset = CLAM(max_file_size),
     .min = 65536, .max = 2047LL * MIB, .def = "64MiB",
     .doc = "Larger files inside a message are skipped (symbol MX_CLAMAV_LIMITS)."},
    {.name = "max_recursion", .type = MX_CONF_INT, .offset = CLAM(max_recursion),
     .min = 1, .max = 100, .def = "17", .doc = "Archives within archives."},
    {.name = "max_files", .type = MX_CONF_INT, .offset = CLAM(max_files), .min = 1,
     .max = 1000000, .def = "10000", .doc = "Files in one message, archives unpacked."},
    {.name = "heuristics", .type = MX_CONF_BOOL, .offset = CLAM(heuristics),
     .def = "true", .doc = "Run libclamav's heuristic checks (phishing and others)."},
    {0},
};

static const struct mx_conf_key keys[] = {
    {.name = "endpoint", .type = MX_CONF_STRING, .offset = AT(endpoint),
     .def = "ipc:///run/mxdrop/scand.sock",
     .doc = "Where requests arrive: ipc:// on one host, tcp:// (with keys) between "
            "hosts. A change needs a restart."},
    {.name = "advertise", .type = MX_CONF_STRING, .offset = AT(advertise), .def = "",
     .doc = "The endpoint as shims reach it, when it differs (address translation, "
            "wildcard address). Empty: endpoint."},
    {.name = "node", .type = MX_CONF_STRING, .offset = AT(node), .max = 64, .def = "",
     .doc = "Name of this scanner in the cluster. Empty: scand@HOST-PID."},
    {.name = "public_key", .type = MX_CONF_STRING, .offset = AT(public_key), .max = 40,
     .def = "", .doc = "CURVE public key (Z85, from mxdropctl keygen)."},
    {.name = "secret_key", .type = MX_CONF_STRING, .offset = AT(secret_key), .max = 40,
     .def = "", .doc = "CURVE secret key that belongs to it. Keep the file private."},
    {.name = "allowed_keys", .type = MX_CONF_STRINGS, .offset = AT(allowed_keys),
     .max = 1024, .def = "", .doc = "Public keys of the shims that may ask."},
    {.name = "metrics", .type = MX_CONF_STRING, .offset = AT(metrics), .def = "",
     .doc = "Where /metrics and /healthz are served, 127.0.0.1:9602. Empty: nowhere."},
    {.name = "workers", .type = MX_CONF_INT, .offset = AT(workers), .min = 0, .max = 256,
     .def = "0", .doc = "Worker processes, one message each at a time. 0: one per CPU."},
    {.name = "queue_length", .type = MX_CONF_INT, .offset = AT(queue_length), .min = 0,
     .max = 100000, .def = "256",
     .doc = "Messages that may wait for a worker. Beyond it, requests are answered "
            "\"overloaded\" at once, and the shim asks another scanner."},
    {.name = "queue_bytes", .type = MX_CONF_SIZE, .offset = AT(queue_bytes), .min = MIB,
     .max = 64LL * 1024 * MIB, .def = "256MiB",
     .doc = "Octets of messages that are waiting or being scanned, at most."},
    {.name = "max_body", .type = MX_CONF_SIZE, .offset = AT(max_body), .min = 65536,
     .max = 1024LL * MIB, .def = "64MiB", .doc = "Largest message that is accepted."},
    {.name = "scan_timeout", .type = MX_CONF_DURATION, .offset = AT(scan_timeout_ms),
     .min = 100, .max = 600000, .def = "20s",
     .doc = "A worker that is silent on one message for this long is killed; the "
            "message gets one retry. Requests with less time left get less."},
    {.name = "drain_timeout", .type = MX_CONF_DURATION, .offset = AT(drain_timeout_ms),
     .min = 0, .max = 600000, .def = "30s",
     .doc = "After SIGTERM: how long accepted messages may take to finish."},
    {.name = "recycle_messages", .type = MX_CONF_INT, .offset = AT(recycle_messages),
     .min = 1, .max = 1000000000, .def = "5000",
     .doc = "A worker is replaced after this many messages."},
    {.name = "recycle_growth", .type = MX_CONF_SIZE, .offset = AT(recycle_growth),
     .min = MIB, .max = 64LL * 1024 * MIB, .def = "192MiB",
     .doc = "A worker is replaced when its memory has grown by this much."},
    {.name = "worker_memory", .type = MX_CONF_SIZE, .offset = AT(worker_memory),
     .min = 64LL * MIB, .max = 64LL * 1024 * MIB, .def = "1GiB",
     .doc = "Address space a worker may take beyond the shared engines. A message that "
            "needs more kills its worker, and only it."},
    {.name = "reload_interval", .type = MX_CONF_DURATION, .offset = AT(reload_interval_ms),
     .min = 0, .max = 86400000, .def = "1m",
     .doc = "How often the signature directory is looked at; a change that has been "
            "stable for one interval starts a reload. 0: only SIGHUP reloads."},
    {.name = "poison_dir", .type = MX_CONF_STRING, .offset = AT(poison_dir), .def = "",
     .doc = "Where a copy of each message that killed two workers is kept. Empty: none."},
    {.name = "poison_samples", .type = MX_CONF_INT, .offset = AT(poison_samples),
     .min = 1, .max = 100000, .def = "100",
     .doc = "Copies kept there at most; with so many there, no more are written."},
    {.name = "poison_ttl", .type = MX_CONF_DURATION, .offset = AT(poison_ttl_ms),
     .min = 0, .max = 604800000, .def = "1h",
     .doc = "How long such a message is remembered and answered without a scan."},
    {.name = "temp_dir", .type = MX_CONF_STRING, .offset = AT(temp_dir), .def = "/tmp",
     .doc = "Where libclamav unpacks, best a tmpfs. Each worker has a directory of its "
            "own in it, removed with the worker."},
    {.name = "scan_delay", .type = MX_CONF_DURATION, .offset = AT(scan_delay_ms),
     .min = 0, .max = 600000, .def = "0",
     .doc = "For load tests only: each scan waits this long first."},
    {.name = "required_score", .type = MX_CONF_DOUBLE, .offset = AT(required_score),
     .min = -1000000, .max = 1000000, .def = "5.0",
     .doc = "Shown beside the score; what happens to spam is policyd's decision."},
    {.name = "detectors", .type = MX_CONF_STRINGS, .offset = AT(detectors), .max = 16,
     .def = "headers, mime, gtube, attachments, clamav",
     .doc = "Detectors that run, in any order: the chain runs the cheap ones first."},
    {.name = "scores", .type = MX_CONF_STRINGS, .offset = AT(scores), .max = 10000,
     .def = "", .doc = "Scores that differ from the defaults: \"SYMBOL NUMBER\" each."},
    {.name = "clamav", .type = MX_CONF_GROUP, .offset = AT(clamav), .sub = clamav_keys,
     .doc = "The clamav detector."},
    {0},
};

const struct mx_conf_section scan_conf_section = {
    .name = "scand",
    .doc = "The content scanner, mxdrop-scand.",
    .size = sizeof(struct scan_conf),
    .keys = keys,
};
