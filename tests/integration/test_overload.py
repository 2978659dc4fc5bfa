"""Overload, a full disk, and restarts while mail flows.

Sessions speak the milter protocol themselves where the reply to CONNECT matters; restarts
run under load through Postfix, and a ledger tells what became of each message.
"""
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import threading

import pytest

import harness
import milter_client
import mta
from conftest import with_postfix
from test_failures import Load, quick
from test_failure_matrix import nothing_lost

SENDER, RECIPIENT = "alice@example.org", "bob@example.test"
MESSAGES = int(os.environ.get("MX_TEST_MESSAGES", "1000")) // 4
KNOWN, STRANGER = "192.0.2.10", "198.51.100.10"


def settings(conf):
    """One slow scanner: limits, alarms and the early refusal are reached soon."""
    quick(conf)
    conf["scand"].update(workers=1, queue_length=8, scan_delay="500ms")
    conf["milter"].update(shed_load=2, shed_load_all=4, scand_down_early=True,
                          tempfail_alarm_share=50, tempfail_alarm_after="5s",
                          body_memory="4KiB", scan_timeout="20s", scan_attempt="15s")


@pytest.fixture(name="slow", scope="module")
def fixture_slow():
    """A cluster with one scanner of one slow worker; nobody stands in front."""
    with harness.Cluster(policyds=1, scanners=1, edit=settings) as cluster:
        yield cluster


def session(cluster, addr):
    """One SMTP session, as the milter sees it."""
    return milter_client.Session(cluster.dir / "milter.sock", addr=addr)


def refused(cluster, addr):
    """The refusal that a new session of a client gets, or None."""
    with session(cluster, addr) as one:
        return one.refusal


def send(cluster, addr=KNOWN, data=None):
    """The last reply to one message of a client: (code, text)."""
    with session(cluster, addr) as one:
        return one.send(SENDER, [RECIPIENT], data or mta.message("overload")).final


def degraded(cluster, name):
    """{check: reason} of a process."""
    return json.loads(cluster.http(name, "/healthz")[1])["degraded"]


class Crowd:
    """So many known clients with a message at its end; leaving waits for their replies."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.sessions, self.replies = [], []
        self.pool = concurrent.futures.ThreadPoolExecutor(number)

    def __enter__(self):
        assert send(self.cluster, KNOWN)[0] == 250
        self.sessions = [session(self.cluster, KNOWN) for _ in range(self.number)]
        self.replies = [self.pool.submit(one.send, SENDER, [RECIPIENT], mta.message("crowd"))
                        for one in self.sessions]
        return self

    def __exit__(self, *_):
        finals = [reply.result().final for reply in self.replies]
        for one in self.sessions:
            one.close()
        self.pool.shutdown()
        assert all(code == 250 for code, _ in finals), "what began is finished"


def test_overload_turns_strangers_away_first(slow):
    """Busy: 421 4.3.2 for the unknown, the known and those inside are served."""
    shed = slow.metric("milter", "mxdrop_shim_shed_total", cause="busy")
    with Crowd(slow, 4):
        refusal = harness.wait_until(lambda: refused(slow, STRANGER),
                                     "a stranger to be turned away")
        assert (refusal[0], refusal[1][:5]) == (421, "4.3.2"), refusal
        assert refused(slow, KNOWN) is None
    assert slow.metric("milter", "mxdrop_shim_shed_total", cause="busy") >= shed + 1
    harness.wait_until(lambda: send(slow, STRANGER)[0] == 250, "the door to open again")


def test_overload_turns_all_away_in_the_end(slow):
    """Twice as busy: the known as well; health and log say so, and say when it is over."""
    with Crowd(slow, 8):
        harness.wait_until(lambda: refused(slow, KNOWN), "the known to be turned away")
        harness.wait_until(lambda: "admission" in degraded(slow, "milter"), "degraded=admission")
        slow.wait_log("milter", r"shim\.admission state=busy")
    slow.wait_log("milter", r"shim\.admission state=open")
    harness.wait_until(lambda: "admission" not in degraded(slow, "milter"), "the end of it")


def test_queue_is_bounded_and_everybody_is_answered(slow):
    """More messages at once than worker and queue hold: 250 or 451 4.3.2, each in time."""
    sessions = [session(slow, "127.0.0.1") for _ in range(16)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        finals = [r.final for r in pool.map(
            lambda one: one.send(SENDER, [RECIPIENT], mta.message("queue")), sessions)]
    for one in sessions:
        one.close()
    codes = [code for code, _ in finals]
    assert set(codes) == {250, 451} and codes.count(250) >= 8, finals
    assert all(text.startswith("4.3.2") for code, text in finals if code == 451), finals
    assert slow.metric("scand-1", "mxdrop_scan_messages_total", outcome="overloaded") > 0
    harness.wait_until(lambda: send(slow, KNOWN)[0] == 250, "the queue to be empty")


@pytest.mark.parametrize("policyd_down, code", [("tempfail", 451), ("continue", 250)])
def test_policyd_in_flight_is_answered_as_configured(policyd_down, code):
    """Redis hangs and one check holds the only place: further clients get what
    policyd_down says, at once, and policyd counts them."""
    def one_place(conf):
        quick(conf)
        conf["redis"]["timeout"] = "10s"
        conf["policyd"].update(in_flight=1, deadline={"rcpt": "20s"})
        conf["milter"].update(policyd_down=policyd_down, envelope_timeout="15s")

    def seen(name):
        return cluster.metric("policyd-1", f"mxdrop_policy_{name}")

    with harness.Cluster(policyds=1, scanners=1, edit=one_place) as cluster, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert send(cluster)[0] == 250
        redis = cluster.pid("redis")
        os.kill(redis, signal.SIGSTOP)
        try:
            first = pool.submit(send, cluster)
            harness.wait_until(lambda: seen("in_flight") == 1, "the first check to hang")
            overloaded = seen("overloaded_total")
            assert send(cluster, STRANGER)[0] == code
            assert seen("overloaded_total") > overloaded
            assert not first.done()
        finally:
            os.kill(redis, signal.SIGCONT)
        assert first.result()[0] in (250, 451)
        harness.wait_until(lambda: send(cluster)[0] == 250, "policyd to serve again")


def test_no_scanner_early_refusal_and_alarm(slow):
    """All scanners dead, scand_down_early: 421 at connect, one session a second finds out;
    the alarm for standing temporary failures is raised, and ends."""
    slow.kill("scand-1")
    slow.wait_log("milter", r"shim\.admission state=down")
    shed = slow.metric("milter", "mxdrop_shim_shed_total", cause="down")
    stop = threading.Event()

    def client():
        while not stop.wait(0.05):
            code, text = send(slow, KNOWN)
            assert (code, text[:5]) in ((421, "4.3.2"), (451, "4.3.2")), text
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        clients = pool.submit(client)
        try:
            harness.wait_until(lambda: "tempfail" in degraded(slow, "milter") or clients.done(),
                               "the alarm", 60)
        finally:
            stop.set()
        clients.result()
    assert "shim/scand-down" in degraded(slow, "milter")["tempfail"]
    assert slow.metric("milter", "mxdrop_shim_tempfail_alarm") == 1
    assert slow.metric("milter", "mxdrop_shim_shed_total", cause="down") > shed
    assert len([x for x in slow.log("milter").splitlines() if "state=raised" in x]) == 1
    slow.revive("scand-1")
    harness.wait_until(lambda: send(slow, KNOWN)[0] == 250, "mail to be accepted again", 60)
    harness.wait_until(lambda: "tempfail" not in degraded(slow, "milter"), "the alarm's end")


# -- disk ---------------------------------------------------------------------------------


@pytest.fixture(name="small_disk")
def fixture_small_disk(tmp_path):
    """A file system of 256 KiB."""
    path = tmp_path / "spool"
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(path)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_spool_full(cluster_of, small_disk):
    """No room for a body: 452 4.3.1, counted and said; what fits goes through."""
    def edit(conf):
        quick(conf)
        conf["milter"].update(spool_dir=str(small_disk), body_memory="4KiB")
    cluster = cluster_of(policyds=1, scanners=1, edit=edit)
    large = mta.message("large", "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 7000)
    code, text = send(cluster, data=large)
    assert (code, text[:5]) == (452, "4.3.1"), text
    assert cluster.metric("milter", "mxdrop_shim_degraded_total", check="spool") == 1
    cluster.wait_log("milter", r"shim\.spool-full .*instead=tempfail")
    harness.wait_until(lambda: "spool" in degraded(cluster, "milter"), "degraded=spool")
    harness.wait_until(lambda: re.search(r"^milter +degraded(?s:.*)degraded: spool: no room",
                                         cluster.ctl("status").stdout, re.M), "it in status")
    assert send(cluster, data=mta.message("small", "z" * 20000))[0] == 250
    (small_disk / "filler").write_bytes(bytes(200 << 10))
    medium = mta.message("medium", ("m" * 70 + "\r\n") * 1500)
    assert send(cluster, data=medium)[0] == 452
    (small_disk / "filler").unlink()
    assert send(cluster, data=medium)[0] == 250


# -- restarts -----------------------------------------------------------------------------


@pytest.fixture(name="pair", scope="module")
def fixture_pair():
    """Two of each, Postfix in front."""
    with harness.Cluster(policyds=2, scanners=2, edit=quick) as cluster:
        cluster.port, cluster.sink = with_postfix(cluster)
        yield cluster


@pytest.mark.parametrize("name", ["policyd-1", "policyd-2", "scand-1", "scand-2"])
def test_rolling_restart(pair, name):
    """SIGTERM and start again under load: drained, and no message fails."""
    load = Load(pair.port, 6)
    try:
        load.more(12)
        pair.kill(name, signal.SIGTERM)
        load.more(12)
        pair.revive(name)
        load.more(12)
    finally:
        load.stop()
    assert load.failures == []
    assert name.startswith("policyd") or "drain" in pair.log(name)


def test_rolling_restart_of_the_milter(pair):
    """Messages under way finish; new ones are put off, repeated, and arrive once."""
    harness.wait_until(lambda: not mta.queue_files(pair.dir / "postfix"), "an empty queue")
    pair.sink.deliveries.clear()
    ledger = nothing_lost.Ledger(MESSAGES)
    clients = [threading.Thread(target=nothing_lost.client, args=(pair.port, i, ledger))
               for i in range(6)]
    for thread in clients:
        thread.start()
    harness.wait_until(lambda: ledger.next > 20, "mail to flow")
    pair.kill("milter", signal.SIGTERM)
    pair.wait_log("milter", r"shim\.drained .*messages=0")
    assert ledger.next < MESSAGES, "the load ended before the restart"
    pair.revive("milter")
    for thread in clients:
        thread.join()
    assert not any(nothing_lost.balance(pair, ledger).values())
    assert len(ledger.accepted) + len(ledger.refused) == MESSAGES


def test_reload_of_every_daemon_under_load(pair):
    """SIGHUP to all at once: nobody notices."""
    load = Load(pair.port, 4)
    try:
        load.more(8)
        for name in ("policyd-1", "policyd-2", "scand-1", "scand-2", "milter"):
            os.kill(pair.pid(name), signal.SIGHUP)
        load.more(24)
    finally:
        load.stop()
    assert load.failures == []
