"""The shim alone: a real mxdrop-milter between a milter client and a faked cluster."""
import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

pytest.importorskip("google.protobuf")
import fake_cluster  # noqa: E402
import harness  # noqa: E402
import milter_client  # noqa: E402
from fake_cluster import policy  # noqa: E402

MAIL = (b"From: a@example.com\r\nTo:  two spaces\r\nX-Mxdrop-Score: 99\r\n"
        b"Subject: folded\r\n\tline\r\n\r\nbody\r\n")


class Shim:
    """mxdrop-milter, its cluster and its directory."""

    def __init__(self, policyds=1, **settings):
        self.directory = harness.private_dir()
        self.cluster = fake_cluster.Cluster(self.directory, policyds)
        self.socket = self.directory / "milter.sock"
        self.config = self.directory / "mxdrop.yaml"
        self.settings = {
            "socket": f'"unix:{self.socket}"', "allow_root": "true", "metrics": '""',
            "policyd": "[" + ", ".join(f'"{self.cluster.policyd_endpoint(i)}"'
                                       for i in range(policyds)) + "]",
            "envelope_timeout": "2s", "scan_timeout": "4s", "scan_attempt": "2s",
            "drain_timeout": "5s", "topology_interval": "200ms", **settings}
        self.starts = 0
        self.write()
        self.process = self.start()

    def write(self):
        """The configuration file, from self.settings."""
        lines = [f"  {key}: {value}" for key, value in self.settings.items()]
        self.config.write_text("milter:\n" + "\n".join(lines) + "\nlog:\n  level: debug\n")

    def start(self):
        """Start it and wait until it knows the scanner."""
        self.starts += 1
        process = harness.Process([harness.program("mxdrop-milter"), "-c", self.config],
                                  self.directory / f"log-{self.starts}")
        harness.wait_until(lambda: "scanners=1" in process.log() or not process.running(),
                           "the shim to know its scanner")
        return process

    def wait_log(self, text):
        """Until it has logged that."""
        harness.wait_until(lambda: text in self.process.log(), text)

    def session(self, **options):
        """One SMTP session."""
        return milter_client.Session(self.socket, **options)

    def send(self, data=MAIL, recipients=("x@example.org",)):
        """One message in a session of its own."""
        with self.session() as session:
            return session.send("a@example.com", list(recipients), data)

    def close(self):
        """Stop; a sanitizer report or a crash is a failure."""
        status = self.process.stop()
        self.cluster.close()
        log = self.process.log()
        shutil.rmtree(self.directory, ignore_errors=True)
        assert status == 0, log
        assert "Sanitizer" not in log and "runtime error" not in log, log


@pytest.fixture
def shim_of():
    """shim_of(setting=...): a shim that ends with the test."""
    started = []

    def start(**settings):
        started.append(Shim(**settings))
        return started[-1]
    yield start
    for shim in started:
        shim.close()


def edits(result):
    """Edits as (command, data)."""
    return [(command, data) for command, data in result.edits]


def test_accept_applies_edits_and_hides_forged_headers(shim_of):
    """What policyd wants is done, and nothing else; the scanner sees the exact bytes."""
    shim = shim_of()

    def decide(request, reply):
        if request.stage == policy.STAGE_CONTENT:
            reply.edits.add(kind=policy.EDIT_ADD_HEADER, name=b"X-Mxdrop-Score", value=b"1.5")
            reply.edits.add(kind=policy.EDIT_REMOVE_RCPT, name=b"<y@example.org>")
    shim.cluster.on_policy = decide
    result = shim.send(recipients=("x@example.org", "y@example.org"))
    assert result.data[0] == 250
    assert edits(result) == [
        ("m", struct.pack(">I", 1) + b"X-Mxdrop-Score\0\0"),
        ("h", b"X-Mxdrop-Score\0 1.5\0"),
        ("-", b"<y@example.org>\0")]
    request, body = shim.cluster.scanned[0]
    assert body == MAIL.replace(b"X-Mxdrop-Score: 99\r\n", b"")
    assert list(request.recipients) == [b"<x@example.org>", b"<y@example.org>"]
    content = shim.cluster.asked[-1]
    assert [list(r.marks) for r in content.rcpts] == [["seen=1"]] * 2


def test_refusals_carry_code_and_text(shim_of):
    """Each stage; '%' arrives as libmilter wants it, doubled."""
    shim = shim_of()

    def decide(request, reply):
        if request.stage == policy.STAGE_RCPT and request.rcpt.path == b"<no@example.org>":
            reply.action = policy.ACTION_REJECT
            reply.reply.code, reply.reply.enhanced, reply.reply.text = 550, "5.1.1", b"100% no"
        if request.stage == policy.STAGE_CONTENT:
            reply.action = policy.ACTION_TEMPFAIL
            reply.reply.code, reply.reply.enhanced, reply.reply.text = 451, "4.7.1", b"later"
    shim.cluster.on_policy = decide
    result = shim.send(recipients=("no@example.org", "x@example.org"))
    assert result.rcpts["no@example.org"] == (550, "5.1.1 100%% no")
    assert result.rcpts["x@example.org"][0] == 250
    assert result.data == (451, "4.7.1 later")


def test_policyd_gone_and_back(shim_of):
    """451 4.3.0 as configured, the socket stays, recovery is by itself."""
    shim = shim_of()
    assert shim.send().data[0] == 250
    shim.cluster.policyds[0].stop()
    with shim.session() as session:
        refused = session.send("a@example.com", ["x@example.org"], MAIL)
        assert refused.mail[0] == 451 and refused.mail[1].startswith("4.3.0")
        shim.cluster.revive_policyd(0)
        harness.wait_until(
            lambda: session.send("a@example.com", ["x@example.org"], MAIL).mail[0] == 250,
            "policyd to be asked again")
    assert shim.process.log().count("shim.policyd-down") == 1


def test_one_policyd_of_two_gone_fails_no_message(shim_of):
    """The other one answers within the budget."""
    shim = shim_of(policyds=2)
    assert shim.send().data[0] == 250
    shim.cluster.policyds[0].stop()
    for _ in range(20):
        assert shim.send().data[0] == 250


def test_scand_gone_as_configured(shim_of):
    """Temporary failure, or policyd without findings after a reload."""
    shim = shim_of(scan_timeout="300ms")
    shim.cluster.scanner.stop()
    refused = shim.send().data
    assert refused[0] == 451 and refused[1].startswith("4.3.2")
    shim.settings["scand_down"] = "accept-unscanned"
    shim.write()
    shim.process.popen.send_signal(signal.SIGHUP)
    shim.wait_log("shim.reload done=1")
    assert shim.send().data[0] == 250
    assert shim.cluster.asked[-1].scan_fault in ("down", "timeout")
    assert not shim.cluster.asked[-1].HasField("scan")


def test_progress_while_a_scan_lasts(shim_of):
    """The MTA hears something before its own timeout."""
    shim = shim_of(progress="100ms")
    shim.cluster.on_scan = lambda *_: time.sleep(1)
    packets = []
    with shim.session() as session:
        get = session._get  # pylint: disable=protected-access
        session._get = lambda: packets.append(get()) or packets[-1]
        assert session.send("a@example.com", ["x@example.org"], MAIL).data[0] == 250
    assert sum(command == "p" for command, _ in packets) >= 5


def test_hung_scanner_costs_its_timeout(shim_of):
    """No answer at all: the configured reply, not a dropped socket."""
    shim = shim_of(scan_timeout="500ms")
    release = threading.Event()
    shim.cluster.on_scan = lambda *_: release.wait(20)
    with shim.session() as session:
        assert session.send("a@example.com", ["x@example.org"], MAIL).data[0] == 451
        release.set()


def test_large_message_arrives_byte_by_byte(shim_of):
    """Through the file behind the memory buffer."""
    shim = shim_of(body_memory="4KiB")
    body = os.urandom(3_000_000).replace(b"\r", b"r").replace(b"\n", b"\r\n")
    head = b"Subject: big\r\n\r\n"
    assert shim.send(head + body).data[0] == 250
    assert shim.cluster.scanned[-1][1] == head + body


def test_oversized_message_is_scanned_in_part(shim_of):
    """Header and first bytes."""
    shim = shim_of(scan_limit="1MiB", oversize_head="1KiB")
    assert shim.send(b"Subject: huge\r\n\r\n" + b"x" * 3_000_000).data[0] == 250
    request, body = shim.cluster.scanned[-1]
    assert request.is_truncated
    assert body == b"Subject: huge\r\n\r\n" + b"x" * 1024


def test_drain_finishes_what_runs(shim_of):
    """SIGTERM: a message under way is answered, a new one is sent away, the socket goes."""
    shim = shim_of()
    with shim.session() as session:
        ask = session._ask  # pylint: disable=protected-access
        assert ask("M", b"<a@example.com>\0")[0] == 250
        assert ask("R", b"<x@example.org>\0")[0] == 250
        shim.process.popen.send_signal(signal.SIGTERM)
        harness.wait_until(lambda: not shim.socket.exists(), "the socket to go")
        assert ask("N", b"")[0] == 250
        assert ask("B", b"text\r\n")[0] == 250
        assert ask("E", b"")[0] == 250
        assert ask("M", b"<a@example.com>\0")[0] == 421
    harness.wait_until(lambda: not shim.process.running(), "the end of the drain")


def test_reload_says_what_needs_a_restart(shim_of):
    """A broken file keeps the old settings."""
    shim = shim_of()
    shim.settings["backlog"] = "77"
    shim.write()
    shim.process.popen.send_signal(signal.SIGHUP)
    shim.wait_log("key=backlog needs=restart")
    shim.settings["nonsense"] = "1"
    shim.write()
    shim.process.popen.send_signal(signal.SIGHUP)
    shim.wait_log("nonsense")
    assert shim.send().data[0] == 250


def test_garbage_from_the_mta_harms_nobody(shim_of):
    """Half packets, huge lengths, nonsense, and hanging up in every place."""
    shim = shim_of()
    for garbage in (b"", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\x01O", b"\0\0\0\x05Zabcd",
                    os.urandom(5000), b"GET / HTTP/1.0\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(shim.socket))
            with contextlib.suppress(OSError):
                peer.sendall(garbage)
    for cut in range(1, 6):
        session = shim.session()
        ask = session._ask  # pylint: disable=protected-access
        steps = [("M", b"<a@example.com>\0"), ("R", b"<x@example.org>\0"),
                 ("L", b"Subject\0 x\0"), ("N", b""), ("B", b"half a mess")]
        for step, packet in steps[:cut]:
            ask(step, packet)
        session.socket.close()
    assert shim.send().data[0] == 250


def test_many_messages_on_one_connection(shim_of):
    """Nothing of one message is left in the next."""
    shim = shim_of()
    with shim.session() as session:
        for i in range(20):
            names = [f"u{i}-{n}@example.org" for n in range(i % 4 + 1)]
            assert session.send("a@example.com", names, MAIL).data[0] == 250
            assert [r.path.decode() for r in shim.cluster.asked[-1].rcpts] == [
                f"<{name}>" for name in names]


def run_once(shim, timeout=10):
    """Start another one with the same configuration; (status, what it said)."""
    done = subprocess.run([harness.program("mxdrop-milter"), "-c", shim.config], timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return done.returncode, done.stdout


def test_start_refuses_what_cannot_work(shim_of):
    """A socket in use, a port in use, root, an address that is none."""
    shim = shim_of()
    status, said = run_once(shim)
    assert status == 1 and "in use" in said and "milter.socket" in said
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shim.settings["socket"] = f'"inet:{taken.getsockname()[1]}@127.0.0.1"'
        shim.write()
        status, said = run_once(shim)
        assert status == 1 and "already in use" in said
    shim.settings["socket"] = '"nowhere"'
    shim.write()
    status, said = run_once(shim)
    assert status == 1 and "unix:PATH" in said
    if os.geteuid() == 0:
        shim.settings["allow_root"] = "false"
        shim.write()
        status, said = run_once(shim)
        assert status == 1 and "milter.user" in said


def test_stale_socket_is_replaced(shim_of):
    """After kill -9 the file is still there."""
    shim = shim_of()
    shim.process.popen.kill()
    shim.process.popen.wait()
    assert shim.socket.exists()
    shim.process = shim.start()
    assert shim.send().data[0] == 250
