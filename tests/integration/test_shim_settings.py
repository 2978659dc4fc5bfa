"""Settings of mxdrop-milter that only a running shim shows, each beside its default."""
import os
import pwd
import signal
import socket
import stat
import time

import pytest
import yaml
import zmq

pytest.importorskip("google.protobuf")
import harness  # noqa: E402
import milter_client  # noqa: E402
from fake_cluster import policy  # noqa: E402
from test_policyd import site  # noqa: E402,F401 pylint: disable=unused-import
from test_shim import shim_of  # noqa: E402,F401 pylint: disable=unused-import

SLOW = 1.0  # s, longer than the shortened budgets and than the default at HELO


def start_message(session):
    """Sender and recipient of a message that does not end."""
    ask = session._ask  # pylint: disable=protected-access
    assert ask("M", b"<a@example.com>\0")[0] == 250
    assert ask("R", b"<x@example.org>\0")[0] == 250
    return ask


@pytest.mark.parametrize("setting, value, stage, is_in_time", [
    ("envelope_timeout", "10s", policy.STAGE_MAIL, True),
    ("rcpt_timeout", "200ms", policy.STAGE_RCPT, False),
    ("content_timeout", "200ms", policy.STAGE_CONTENT, False)])
def test_each_stage_has_its_budget(shim_of, setting, value, stage, is_in_time):
    """policyd takes a second: too long, or not."""
    shim = shim_of(**{"envelope_timeout": "500ms", setting: value})
    shim.cluster.on_policy = lambda request, _: request.stage == stage and time.sleep(SLOW)
    result = shim.send()
    replies = [result.mail, *result.rcpts.values(), result.data]
    codes = {reply[0] for reply in replies if reply}
    assert codes == {250} if is_in_time else 451 in codes, replies


def test_ask_at_names_the_stages(shim_of):
    """The others are not asked at; the content always is."""
    shim = shim_of(ask_at="[rcpt]")
    assert shim.send().data[0] == 250
    assert [r.stage for r in shim.cluster.asked] == [policy.STAGE_RCPT, policy.STAGE_CONTENT]


def test_scan_off_scans_nothing(shim_of):
    """policyd decides without findings."""
    shim = shim_of(scan="false")
    assert shim.send().data[0] == 250
    assert shim.cluster.asked[-1].stage == policy.STAGE_CONTENT
    assert not shim.cluster.scanned


def test_body_budget_is_for_all_messages(shim_of):
    """What does not fit is put off, what does is taken."""
    shim = shim_of(body_budget="64KiB")
    refused = shim.send(b"Subject: big\r\n\r\n" + b"x" * 200_000).data
    assert refused[0] == 452 and refused[1].startswith("4.3.1")
    assert shim.send().data[0] == 250


def test_body_memory_needs_no_file(shim_of):
    """Up to that size a spool directory that is gone hurts nobody."""
    shim = shim_of(body_memory="1MiB", spool_dir="/nonexistent/spool")
    assert shim.send(b"Subject: a\r\n\r\n" + b"x" * 700_000).data[0] == 250
    assert shim.send(b"Subject: b\r\n\r\n" + b"x" * 2_000_000).data[0] == 452


def test_topology_interval_is_how_often_policyd_is_asked(shim_of):
    """Twenty questions within the time that any test may wait; by default ten."""
    seen = []
    shim = shim_of(topology_interval="100ms")
    node = shim.cluster.policyds[0]
    answer = node.answer

    def count(kind, payload, body):
        reply = answer(kind, payload, body)
        seen.append(kind)
        return reply
    node.answer = count
    harness.wait_until(lambda: len(seen) >= 20, "twenty questions")


def test_drain_timeout_ends_the_wait_for_a_message(shim_of):
    """A client that never ends its message does not hold the restart up."""
    shim = shim_of(drain_timeout="200ms")
    with shim.session() as session:
        start_message(session)
        shim.process.popen.terminate()
        shim.process.popen.wait(15)


def test_socket_mode_and_backlog(shim_of):
    """Who may connect, and how many may wait while it does not accept."""
    shim = shim_of(socket_mode='"0606"', backlog=2)
    assert stat.S_IMODE(os.stat(shim.socket).st_mode) == 0o606
    shim.process.popen.send_signal(signal.SIGSTOP)
    waiting = []
    try:
        with pytest.raises(BlockingIOError):
            for _ in range(20):
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].setblocking(False)
                waiting[-1].connect(str(shim.socket))
    finally:
        shim.process.popen.send_signal(signal.SIGCONT)
        for one in waiting:
            one.close()


def test_mta_timeout_gives_a_silent_connection_up(shim_of):
    """Half a packet and nothing more: seen at once, not at libmilter's next round."""
    shim = shim_of(mta_timeout="10s")
    with shim.session() as session:
        start_message(session)
        session.socket.sendall(b"\0\0")
        session.socket.settimeout(30)
        assert session.socket.recv(1) == b""


def test_user_is_who_it_becomes(shim_of):
    """Started as root it is somebody else once the socket is bound."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    shim = shim_of()
    shim.settings.update(user="nobody", allow_root="false",
                         socket=f'"unix:{shim.directory}/other.sock"')
    shim.write()
    other = harness.Process([harness.program("mxdrop-milter"), "-c", shim.config],
                            shim.directory / "log-other")
    nobody = str(pwd.getpwnam("nobody").pw_uid)

    def uids():
        with open(f"/proc/{other.popen.pid}/status", encoding="ascii") as f:
            return set(next(line for line in f if line.startswith("Uid:")).split()[1:])
    try:
        harness.wait_until(lambda: uids() == {nobody}, "the milter to be nobody")
    finally:
        other.popen.kill()
        other.popen.wait()


@pytest.mark.parametrize("is_known", [True, False])
def test_keys_reach_policyd_over_tcp(site, is_known):  # noqa: F811
    """With our keys on its list policyd decides; with others it is as if it were down."""
    (public, secret), (ours, our_secret), (listed, _) = (
        [key.decode() for key in zmq.curve_keypair()] for _ in range(3))
    endpoint = f"tcp://127.0.0.1:{harness.free_port()}"
    site.policyd(endpoint=endpoint, public_key=public, secret_key=secret,
                 allowed_keys=[ours if is_known else listed])
    config = site.dir / "milter.yaml"
    config.write_text(yaml.safe_dump({"milter": {
        "socket": f"unix:{site.dir}/milter.sock", "allow_root": True, "public_key": ours,
        "secret_key": our_secret, "policyd": [f"{endpoint} {public}"], "ask_at": ["rcpt"]}}))
    milter = harness.Process([harness.program("mxdrop-milter"), "-c", config],
                             site.dir / "milter.log")
    try:
        harness.wait_until((site.dir / "milter.sock").exists, "the milter's socket")
        with milter_client.Session(site.dir / "milter.sock") as session:
            reply = session.send("a@s.example", ["bob"], b"\r\n").rcpts["bob"]
        assert reply[0] == (550 if is_known else 451), (reply, milter.log())
    finally:
        milter.stop()
