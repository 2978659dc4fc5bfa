"""Every metric that a test of its own does not look at moves when it should."""
import concurrent.futures
import signal

import pytest

import harness
import milter_client
import mta
from test_policyd import site, stalled, wire  # noqa: F401 pylint: disable=unused-import


def settings(conf):
    """A scanner that takes its time, no greylisting, and a score between tag and refuse."""
    conf["policyd"].setdefault("greylist", {})["mode"] = "off"
    conf["scand"].update(scan_delay="700ms", workers=1, scores=["GTUBE 1000"])


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster():
    """One of each."""
    with harness.Cluster(policyds=1, scanners=1, edit=settings) as cluster:
        yield cluster


def send(cluster, data, recipient="bob@example.test"):
    """One message in a session of its own."""
    with milter_client.Session(cluster.dir / "milter.sock") as session:
        return session.send("a@example.org", [recipient], data)


def test_gauges_show_what_is_under_way(cluster):
    """Three messages and one worker: one is scanned, two wait, and then none."""
    held = {"scand-1": ("mxdrop_scan_busy", "mxdrop_scan_queued", "mxdrop_scan_bytes"),
            "milter": ("mxdrop_shim_scans_in_flight", "mxdrop_shim_sessions",
                       "mxdrop_shim_spool_bytes")}
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        running = [pool.submit(send, cluster, mta.message(str(i))) for i in range(3)]
        for name, metrics in held.items():
            for metric in metrics:
                harness.wait_until(lambda n=name, m=metric: cluster.metric(n, m) > 0, metric)
        assert [one.result().data[0] for one in running] == [250] * 3
    for name, metrics in held.items():
        for metric in metrics:
            harness.wait_until(lambda n=name, m=metric: cluster.metric(n, m) == 0, metric)
    assert cluster.metric("scand-1", "mxdrop_scan_workers") == 1
    assert cluster.metric("scand-1", "mxdrop_scan_generation") >= 1


def test_counters_and_times_of_a_message(cluster):
    """What each kind of message adds."""
    counters = {
        "policyd-1": ("mxdrop_policy_requests_total", "mxdrop_policy_spam_scanned_total",
                      "mxdrop_policy_store_commands", "mxdrop_policy_virus_total",
                      "mxdrop_policy_spam_block_total", "mxdrop_policy_sa_spamnodnsbl_total"),
        "scand-1": ("mxdrop_scan_viruses_total",),
        "milter": ("mxdrop_shim_connections_total", "mxdrop_shim_forged_headers_total",
                   "mxdrop_shim_recipients_total", "mxdrop_shim_spooled_bytes_total")}
    times = {"policyd-1": ("mxdrop_policy_request_seconds", "mxdrop_policy_module_seconds"),
             "scand-1": ("mxdrop_scan_seconds", "mxdrop_scan_wait_seconds",
                         "mxdrop_scan_detector_seconds"),
             "milter": ("mxdrop_shim_stage_seconds",)}
    names = [(name, metric) for name, metrics in counters.items() for metric in metrics]
    names += [(name, f"{metric}_count") for name, metrics in times.items() for metric in metrics]
    before = {key: cluster.metric(*key) for key in names}
    send(cluster, b"X-Mxdrop-Score: 0\r\n" + mta.message("plain"))
    assert send(cluster, mta.eicar_message("eicar")).data[0] == 550
    assert send(cluster, mta.message("gtube", mta.GTUBE + "\r\n")).data[0] == 550

    def unmoved():
        return [key for key in names if cluster.metric(*key) <= before[key]]
    harness.wait_until(lambda: not unmoved(), unmoved)
    exact = {("policyd-1", "mxdrop_policy_virus_total"), ("scand-1", "mxdrop_scan_viruses_total"),
             ("policyd-1", "mxdrop_policy_spam_block_total"),
             ("milter", "mxdrop_shim_forged_headers_total")}
    assert {key: cluster.metric(*key) - before[key] for key in exact} == dict.fromkeys(exact, 1)


def test_spam_that_is_tagged_is_counted(cluster):
    """Between tag_score and refuse_score."""
    before = cluster.metric("policyd-1", "mxdrop_policy_spam_realtag_total")
    path = cluster.dir / "mxdrop.yaml"
    path.write_text(path.read_text().replace("GTUBE 1000", "GTUBE 6"))
    seen = cluster.log("scand-1").count("engine.ready")
    cluster.up.popen.send_signal(signal.SIGHUP)
    cluster.wait_log("scand-1", "engine.ready", seen=seen)
    assert send(cluster, mta.message("gtube", mta.GTUBE + "\r\n")).data[0] == 250
    assert cluster.metric("policyd-1", "mxdrop_policy_spam_realtag_total") == before + 1
    cluster.ctl("prefs", "set", "junk@example.test", "spam_action=folder")
    assert send(cluster, mta.message("gtube", mta.GTUBE + "\r\n"),
                "junk@example.test").data[0] == 250
    assert cluster.metric("policyd-1", "mxdrop_policy_spam_realdir_total") == 1


def count(policyd, metric):
    """A metric as StatusReply has it."""
    return wire.counter(policyd.status(), metric)


def test_requests_that_cannot_be_served_are_counted(site):  # noqa: F811
    """Unreadable, garbage, too many, too late, while ending."""
    process, policyd, first = stalled(site, in_flight=1)
    harness.wait_until(lambda: count(policyd, "mxdrop_policy_in_flight") == 1, "the gauge")
    asked = wire.rcpt_request("a@s.example", "d@example.org")
    policyd.receive(policyd.send(wire.POLICY_REQUEST, asked))
    assert count(policyd, "mxdrop_policy_overloaded_total") == 1
    policyd.socket.send_multipart([b"garbage"])
    harness.wait_until(lambda: count(policyd, "mxdrop_policy_wire_faults_total") == 1, "garbage")
    process.popen.terminate()
    harness.wait_until(lambda: policyd.status().node.is_draining, "the drain")
    policyd.receive(policyd.send(wire.POLICY_REQUEST, asked))
    assert count(policyd, "mxdrop_policy_draining_total") == 1
    site.redis.process.popen.send_signal(signal.SIGCONT)
    policyd.receive(first)


def test_store_trouble_is_counted(site):  # noqa: F811
    """Unreadable requests, answers nobody waited for, questions without an answer."""
    _, policyd, first = stalled(site)
    kind, _ = policyd.receive(policyd.send(wire.POLICY_REQUEST, b"\xff\xff"))
    assert kind == wire.ERROR and count(policyd, "mxdrop_policy_bad_total") == 1

    def is_late():
        # Again each time: on a busy machine one may be too late before it is even read.
        policyd.send(wire.POLICY_REQUEST, wire.rcpt_request("a@s.example", "e@example.org"),
                     deadline_ms=50)
        return count(policyd, "mxdrop_policy_late_total") > 0

    harness.wait_until(is_late, "too late")
    site.redis.kill()
    policyd.receive(first)
    policyd.rcpt("a@s.example", "f@example.org")
    harness.wait_until(lambda: count(policyd, "mxdrop_policy_store_unknown") > 0, "no answer")
