"""The failure matrix (docs/failure-modes.md): each part is hurt while mail flows.

Every test names what the client sees, what an operator sees (log, /healthz, metric,
`mxdropctl status`), and that the part is used again by itself. kill -9 and SIGSTOP (slow,
not dead) hurt processes; Redis is also made to load for long, to be a replica, to forget.
"""
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import resource
import signal
import sys
import time

import pytest

import harness
import mta
from conftest import with_postfix
from test_failures import Load, quick

sys.path.insert(0, str(harness.TOP / "bench"))
import nothing_lost  # noqa: E402  pylint: disable=wrong-import-position

SENDER, RECIPIENT = "alice@example.org", "bob@example.test"


def settings(conf):
    """Budgets for a test, a greylist that learns, a small scan limit."""
    quick(conf)
    conf["policyd"]["greylist"] = {"delay": "1s", "learn_period": "1h"}
    conf["milter"].update(scan_limit="64KiB", oversize_head="8KiB")
    conf["scand"]["clamav"]["max_age"] = "2d"


@pytest.fixture(name="pair", scope="module")
def fixture_pair():
    """Two policyds, two scanners, Postfix in front."""
    with harness.Cluster(policyds=2, scanners=2, edit=settings) as cluster:
        cluster.port, cluster.sink = with_postfix(cluster)
        yield cluster


@contextlib.contextmanager
def load(cluster, sessions=4):
    """Mail all the while; leaves with an error if one message was refused."""
    running = Load(cluster.port, sessions)
    try:
        running.more(sessions)
        yield running
        running.more(2 * sessions)
    finally:
        running.stop()
    assert running.failures == []


@contextlib.contextmanager
def stopped(cluster, name):
    """SIGSTOP: there, but it does not answer."""
    pid = cluster.pid(name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def send(cluster, subject, **options):
    """One clean message from a client outside; its Result."""
    return mta.send(cluster.port, options.get("sender", SENDER), [RECIPIENT],
                    options.get("data") or mta.message(subject),
                    addr=options.get("addr", "192.0.2.77"), name="client.example.org")


def works_again(cluster, subject):
    """Send until a message is accepted, and wait until it has arrived."""
    harness.wait_until(lambda: send(cluster, subject).accepted, f"recovery ({subject})", 60)
    cluster.sink.wait_for(lambda ds: any(subject in d.headers("Subject") for d in ds), subject)


def degraded(cluster, name):
    """{check: reason} of a process, from /healthz."""
    return json.loads(cluster.http(name, "/healthz")[1])["degraded"]


def in_status(cluster, role):
    """The degraded checks of all nodes of a role, as `mxdropctl status` has them."""
    out = cluster.ctl("status", "--json", "--policyd", f"ipc://{cluster.dir}/policyd.sock",
                      check=False).stdout
    nodes = json.loads(out)["nodes"]
    return {check for node in nodes if node["role"] == role
            for check in node.get("degraded", {})}


def is_sound(cluster, name, check):
    """Wait until a check runs again."""
    harness.wait_until(lambda: check not in degraded(cluster, name), f"{check} to recover", 30)


# -- store --------------------------------------------------------------------------------


def test_store_killed_under_load(pair):
    """kill -9: checks are neutral and marked; the lists work again when it is back."""
    lines = pair.log("policyd-1").count("store.down")
    with load(pair) as running:
        pair.kill("redis")
        running.more(8)
        harness.wait_until(lambda: "store" in degraded(pair, "policyd-1"), "degraded=store")
        assert "store" in degraded(pair, "policyd-2")
        harness.wait_until(lambda: "store" in in_status(pair, "policyd"), "it in status")
        assert pair.metric("policyd-1", "mxdrop_policy_module_total", outcome="fail") > 0
        pair.wait_log("policyd-1", r"store\.down", seen=lines)
        pair.revive("redis")
    for name in ("policyd-1", "policyd-2"):
        is_sound(pair, name, "store")
    assert pair.log("policyd-1").count("store.down") - lines <= 10, "one line a change"


def test_store_dead_lists_seen_lately(pair):
    """A worker that saw a sender on a list refuses him while the store is down; the
    number of messages makes sure that each worker of both policyds saw him."""
    def denied():
        return mta.send(pair.port, "denied@example.org", [RECIPIENT], mta.message("denied"),
                        addr="192.0.2.78").rcpts[RECIPIENT][0] == 550
    pair.ctl("lists", "deny", RECIPIENT, "denied@example.org")
    assert all(denied() for _ in range(60))
    pair.kill("redis")
    try:
        assert all(denied() for _ in range(8))
    finally:
        pair.revive("redis")
    is_sound(pair, "policyd-1", "store")


def test_store_slow_under_load(pair):
    """SIGSTOP: each check waits its budget for the store and no longer."""
    with load(pair) as running, stopped(pair, "redis"):
        running.more(8)
        began = time.monotonic()
        assert send(pair, "while the store hangs").accepted
        assert time.monotonic() - began < 10
        harness.wait_until(lambda: degraded(pair, "policyd-1") or degraded(pair, "policyd-2"),
                           "a degraded check")
    for name in ("policyd-1", "policyd-2"):
        is_sound(pair, name, "store")
        is_sound(pair, name, "greylist")


def test_store_loading(pair):
    """LOADING: as if down, until it has loaded."""
    conf = pair.dir / "conf" / "redis.conf"
    if not conf.exists():
        conf = next(pair.dir.glob("**/redis.conf"))
    original = conf.read_text()
    pair.redis("EVAL", "for i = 1, 1500 do redis.call('SET', 'fill:' .. i, "
               "string.rep('x', 2048), 'EX', 600) end", "0")
    with load(pair) as running:
        pair.kill("redis")
        conf.write_text(original + "\nkey-load-delay 2000\n"
                        "loading-process-events-interval-bytes 1024\n")
        os.kill(pair.up.popen.pid, signal.SIGUSR1)
        harness.wait_until(lambda: "LOADING" in pair.redis("GET", "x"), "Redis to load")
        running.more(8)
        assert send(pair, "while the store loads").accepted
        conf.write_text(original)
        harness.wait_until(lambda: pair.redis("PING") == "PONG", "Redis to have loaded", 60)
    is_sound(pair, "policyd-1", "store")


def test_store_is_a_replica(pair):
    """READONLY: what cannot be recorded is degraded, mail flows, the scanners stay known."""
    with load(pair) as running:
        pair.redis("REPLICAOF", "127.0.0.1", "1")
        try:
            running.more(8)
            # What was registered runs out (REGISTRY_TTL_MS) and cannot be renewed.
            listed = harness.wait_until(lambda: pair.log("policyd-1").count("topology.changed"),
                                        "a first list")
            time.sleep(16)
            running.more(8)
            assert pair.log("policyd-1").count("topology.changed") == listed
            assert send(pair, "while the store is read-only").accepted
        finally:
            pair.redis("REPLICAOF", "NO", "ONE")
    is_sound(pair, "policyd-1", "store")
    works_again(pair, "after READONLY")


def test_store_empty_after_data_loss(cluster_of):
    """FLUSHALL: the greylist learns again, says so, and ends by itself."""
    def learns(conf):
        quick(conf)
        conf["policyd"]["greylist"] = {"delay": "1s", "learn_period": "6s"}
    cluster = cluster_of(policyds=1, scanners=1, edit=learns)
    cluster.port, cluster.sink = with_postfix(cluster)

    def stranger(number):
        return send(cluster, f"from {number}", sender=f"x@s{number}.example",
                    addr=f"198.{18 + number // 250}.{number % 250}.1").final[0]

    numbers = itertools.count(1)
    assert stranger(next(numbers)) == 250

    def is_over():
        """Each worker of policyd notices with its next message."""
        return stranger(next(numbers)) == 450 and \
            "greylist-state" not in degraded(cluster, "policyd-1")
    harness.wait_until(is_over, "the first learning to end")
    cluster.redis("FLUSHALL")
    assert stranger(next(numbers)) == 250
    assert "young" in degraded(cluster, "policyd-1")["greylist-state"]
    # The registry was lost as well: everybody registers again.
    harness.wait_until(lambda: "greylist-state" in in_status(cluster, "policyd"),
                       "the status to show it", 10)
    cluster.wait_log("policyd-1", r"policy\.notice module=greylist")
    harness.wait_until(is_over, "learning to end")


# -- policyd ------------------------------------------------------------------------------


def test_policyd_slow_under_load(pair):
    """SIGSTOP: one retry on the other one, inside the budget; the breaker opens."""
    with load(pair) as running:
        with stopped(pair, "policyd-2"):
            running.more(16)
            pair.wait_log("milter", r"shim\.endpoint .*policyd-?2\S* state=down")
        pair.wait_log("milter", r"shim\.endpoint .*policyd-?2\S* state=up")


def test_policyds_dead(pair):
    """kill -9 of both: 451 4.3.0, degraded; both are used again."""
    for name in ("policyd-1", "policyd-2"):
        pair.kill(name)
    code, text = send(pair, "no policyd").final
    assert (code, text[:5]) == (451, "4.3.0"), text
    assert "policyd" in degraded(pair, "milter")
    assert pair.metric("milter", "mxdrop_shim_degraded_total", check="policyd") > 0
    pair.revive("policyd-1", "policyd-2")
    works_again(pair, "policyds back")
    is_sound(pair, "milter", "policyd")
    pair.wait_log("milter", r"shim\.recovered check=policyd")


# -- scand --------------------------------------------------------------------------------


def test_scand_slow_under_load(pair):
    """SIGSTOP: the other one is asked after scan_attempt; no message fails."""
    with load(pair) as running, stopped(pair, "scand-2"):
        running.more(16)
    works_again(pair, "scanner goes on")


def test_scands_dead(pair):
    """kill -9 of both: 451 4.3.2, degraded; `status` still answers; both are used again."""
    for name in ("scand-1", "scand-2"):
        pair.kill(name)
    code, text = send(pair, "no scanner").final
    assert (code, text[:5]) == (451, "4.3.2"), text
    assert "scand" in degraded(pair, "milter")
    assert pair.metric("milter", "mxdrop_shim_degraded_total", check="scand") > 0
    status = pair.ctl("status", check=False)
    assert status.returncode == 1 and "no answer" in status.stdout
    harness.wait_until(lambda: "scand" in in_status(pair, "milter"), "it in status")
    pair.revive("scand-1", "scand-2")
    works_again(pair, "scanners back")
    is_sound(pair, "milter", "scand")


def test_signatures_stale(pair):
    """Old signatures serve, and the scanners say that they are old."""
    files = list((pair.dir / "signatures").iterdir())
    old = time.time() - 3 * 86400
    for path in files:
        os.utime(path, (old, old))
    harness.wait_until(lambda: "signatures" in degraded(pair, "scand-1"), "stale signatures")
    pair.wait_log("scand-1", r"degraded check=signatures")
    assert "signatures" in in_status(pair, "scand")
    assert pair.metric("scand-1", "mxdrop_scan_signature_age_seconds") >= 3 * 86400 - 3600
    result = send(pair, "stale", data=mta.eicar_message("stale"))
    assert 500 <= result.final[0] < 600, result.final
    for path in files:
        os.utime(path)
    is_sound(pair, "scand-1", "signatures")


def test_signatures_reload_under_load(pair):
    """A new engine is loaded beside the old one: no message waits for it or fails."""
    reloads = pair.metric("scand-1", "mxdrop_scan_reloads_total", result="done")
    with load(pair) as running:
        for name in ("scand-1", "scand-2"):
            os.kill(pair.pid(name), signal.SIGHUP)
        running.more(8)
        harness.wait_until(lambda: pair.metric("scand-1", "mxdrop_scan_reloads_total",
                                               result="done") > reloads, "the reload", 60)


def test_oversize_is_scanned_in_part(pair):
    """A message over the scan limit is judged by header and beginning: never a 4xx."""
    before = pair.metric("milter", "mxdrop_shim_oversized_total")
    text = "All work and no play makes Jack a dull boy.\r\n" * 8000
    result = send(pair, "large", data=mta.message("large", text))
    assert result.accepted, result.final
    assert pair.metric("milter", "mxdrop_shim_oversized_total") == before + 1
    pair.sink.wait_for(lambda ds: any("large" in d.headers("Subject") for d in ds), "large")
    assert len(pair.sink.with_subject("large")[0].data) >= len(text)


def busy_worker(cluster):
    """Process id of a scanner's worker that has a message, or None."""
    nodes = json.loads(cluster.ctl("status", "--json").stdout)["nodes"]
    return next((counter["value"] for node in nodes for counter in node.get("counters", ())
                 if counter["name"] == "worker_pid" and 'state="busy"' in counter["labels"]), None)


def test_poison_is_held(cluster_of):
    """A message that kills two workers is answered 250 and held, never deferred for ever."""
    def slow(conf):
        quick(conf)
        conf["scand"].update(workers=1, scan_delay="2s")
    cluster = cluster_of(policyds=1, scanners=1, edit=slow)
    cluster.port, cluster.sink = with_postfix(cluster)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        reply = pool.submit(send, cluster, "poison")
        for _ in range(2):
            victim = harness.wait_until(lambda: busy_worker(cluster), "a worker at work")
            os.kill(victim, signal.SIGKILL)
            harness.wait_until(lambda pid=victim: busy_worker(cluster) != pid,
                               "the worker to be missed")
        assert reply.result().final[0] == 250, reply.result().final
    assert cluster.metric("scand-1", "mxdrop_scan_messages_total", outcome="poison") == 1
    assert cluster.metric("milter", "mxdrop_shim_messages_total", outcome="hold") == 1
    held = cluster.dir / "postfix" / "queue" / "hold"
    harness.wait_until(lambda: any(p.is_file() for p in held.rglob("*")), "the held message")
    assert any((cluster.dir / "poison").iterdir()), "a sample is kept"
    works_again(cluster, "after poison")


def test_policyd_out_of_memory_under_load(pair):
    """No address space left: it may die of it (and is started again), mail does not."""
    linked = harness.run(["ldd", harness.program("mxdrop-policyd")]).stdout
    if "asan" in linked:
        pytest.skip("AddressSanitizer needs the address space that this test takes away")
    pid = pair.pid("policyd-2")
    size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * 4096
    with load(pair, 8) as running:
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))
        running.more(60)
        if harness.is_alive(pid):
            pair.kill("policyd-2")
        running.more(8)
        pair.revive("policyd-2")
    works_again(pair, "after no memory")
