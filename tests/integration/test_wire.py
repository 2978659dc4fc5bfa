"""Hostile peers on the ZeroMQ sockets of policyd and scand: garbage, half frames, sizes that
nobody can hold, other versions. Each is logged at most once a minute, the peer is ignored,
and the service answers everybody else.
"""
import re
import socket
import struct
import threading
import time

import pytest
import zmq

import harness

DAEMONS = ["policyd-1", "scand-1"]
MAGIC, STATUS_REQUEST, STATUS_REPLY, ERROR_REPLY = b"MXD\x01", 7, 8, 0
REPEATS = 300
GREETING = (b"\xff" + bytes(7) + b"\x01\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") +
            b"\0" + bytes(31))


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster():
    """One policyd, one scanner; no mail is needed."""
    with harness.Cluster(policyds=1, scanners=1) as cluster:
        yield cluster


def socket_path(cluster, name):
    """The UNIX socket of a daemon."""
    return cluster.info["processes"][name]["endpoint"].removeprefix("ipc://")


def header(kind=STATUS_REQUEST, number=1, deadline_ms=10000):
    """The second frame of a request."""
    return struct.pack("!HHQI", kind, 0, number, deadline_ms)


class Dealer:
    """A peer that speaks ZeroMQ, though perhaps not our wire."""

    def __init__(self, cluster, name):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(f"ipc://{socket_path(cluster, name)}")

    def send(self, *frames):
        """One message of these frames."""
        self.socket.send_multipart(frames)

    def receive(self, timeout_s=10):
        """Frames of the next reply, or None."""
        if not self.socket.poll(int(timeout_s * 1000)):
            return None
        return self.socket.recv_multipart()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def assert_serves(cluster, name):
    """The daemon lives and answers a good request."""
    pid = cluster.pid(name)
    with Dealer(cluster, name) as peer:
        peer.send(MAGIC, header(number=4711), b"")
        reply = peer.receive()
    assert reply and reply[0] == MAGIC, f"{name} gives no answer"
    kind, _, number, _ = struct.unpack("!HHQI", reply[1][:16])
    assert (kind, number) == (STATUS_REPLY, 4711)
    assert harness.is_alive(pid) and cluster.pid(name) == pid


def fault_lines(cluster, name):
    """Log lines about peers that cannot be understood."""
    return [line for line in cluster.log(name).splitlines()
            if re.search(r"wire\.fault|bad_request|wire\.version", line)]


def assert_quiet(cluster, name, before, minutes=1):
    """At most one line a minute and kind of fault since then."""
    new = fault_lines(cluster, name)[before:]
    kinds = {re.sub(r"^.*?(\w+\.\w+) .*", r"\1", line) for line in new}
    assert len(new) <= max(1, len(kinds)) * (minutes + 1), "\n".join(new[:20])


def zmtp(cluster, name):
    """A raw connection that has gone through the ZMTP handshake as a DEALER."""
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    raw.settimeout(10)
    raw.connect(socket_path(cluster, name))
    raw.sendall(GREETING)
    metadata = (b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER" +
                b"\x08Identity" + struct.pack(">I", 0))
    raw.sendall(b"\x04" + bytes([len(metadata)]) + metadata)
    received = b""
    while b"READY" not in received:
        more = raw.recv(4096)
        assert more, "the handshake failed"
        received += more
    return raw


def is_closed(raw):
    """Whether the other side closed a raw connection."""
    try:
        while raw.recv(65536):
            pass
    except socket.timeout:
        return False
    except OSError:
        pass
    return True


BAD_MESSAGES = {
    "another major version": [b"MXD\x63", header(), b""],
    "not our magic": [b"HTTP", header(), b""],
    "magic too short": [b"MX", header(), b""],
    "empty frames": [b"", b"", b""],
    "one frame": [MAGIC],
    "no payload": [MAGIC, header()],
    "header too short": [MAGIC, header()[:15], b""],
    "unknown type": [MAGIC, header(kind=999), b""],
    "a reply as a request": [MAGIC, header(kind=2), b""],
    "payload that is no protobuf": [MAGIC, header(kind=1), b"\xff" * 64],
    "scan payload that is no protobuf": [MAGIC, header(kind=3), b"\x0a\xff\xff\xff\xff\x0f", b"x"],
    "too many frames": [MAGIC, header(), b"", b"", b"", b"", b""],
    "past its deadline": [MAGIC, header(deadline_ms=0), b""],
}


@pytest.mark.parametrize("name", DAEMONS)
@pytest.mark.parametrize("what", BAD_MESSAGES)
def test_bad_message_is_ignored_or_answered_with_an_error(cluster, name, what):
    """300 times the same bad message: the service goes on and the log stays short."""
    before = len(fault_lines(cluster, name))
    with Dealer(cluster, name) as peer:
        for _ in range(REPEATS):
            peer.send(*BAD_MESSAGES[what])
        peer.send(MAGIC, header(number=99), b"")  # in order: once answered, all was read
        while True:
            reply = peer.receive()
            assert reply is not None, "no answer behind the bad messages"
            kind, _, number, _ = struct.unpack("!HHQI", reply[1][:16])
            if number == 99 and kind == STATUS_REPLY:
                break
            assert kind == ERROR_REPLY, f"a bad message got a reply of type {kind}"
    assert_serves(cluster, name)
    assert_quiet(cluster, name, before)


@pytest.mark.parametrize("name", DAEMONS)
def test_other_version_is_told_and_logged(cluster, name):
    """Another major version gets an error in our version, and one clear line."""
    with Dealer(cluster, name) as peer:
        peer.send(b"MXD\x63", header(number=5), b"")
        reply = peer.receive()
    assert reply and reply[0] == MAGIC
    assert struct.unpack("!H", reply[1][:2])[0] == ERROR_REPLY
    assert re.search(r"version", "\n".join(fault_lines(cluster, name)))


@pytest.mark.parametrize("name", DAEMONS)
def test_garbage_instead_of_zmtp(cluster, name):
    """Bytes that are no ZMTP at all, from many connections."""
    before = len(fault_lines(cluster, name))
    for data in (b"GET / HTTP/1.0\r\n\r\n", b"\0" * 4096, b"\xff" * 4096, GREETING[:30],
                 GREETING + b"\xff" * 200, b"EHLO x\r\n" * 100):
        for _ in range(20):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as raw:
                raw.connect(socket_path(cluster, name))
                try:
                    raw.sendall(data)
                except OSError:
                    pass  # closed while we wrote: as it should be
    assert_serves(cluster, name)
    assert_quiet(cluster, name, before)


@pytest.mark.parametrize("name", DAEMONS)
@pytest.mark.parametrize("size", [2 << 30, (1 << 63) - 1, (1 << 64) - 1])
def test_announced_size_that_nobody_can_hold(cluster, name, size):
    """A frame of 2 GB and more is announced: the connection ends, memory does not grow."""
    before = resident(cluster, name)
    raw = zmtp(cluster, name)
    try:
        raw.sendall(b"\x03" + struct.pack(">Q", size) + b"x" * 1000)
        assert is_closed(raw)
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        raw.close()
    assert_serves(cluster, name)
    assert resident(cluster, name) < before + 64 * 1024


def resident(cluster, name):
    """Resident memory in KiB."""
    with open(f"/proc/{cluster.pid(name)}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


@pytest.mark.parametrize("name", DAEMONS)
def test_half_a_message_and_gone(cluster, name):
    """Peers that leave in the middle of a frame, many times."""
    before = len(fault_lines(cluster, name))
    for _ in range(50):
        raw = zmtp(cluster, name)
        raw.sendall(b"\x01\x04" + MAGIC + b"\x01\x10" + header()[:7])
        raw.close()
    assert_serves(cluster, name)
    assert_quiet(cluster, name, before)


@pytest.mark.parametrize("name", DAEMONS)
def test_good_requests_are_served_during_a_flood(cluster, name):
    """One peer floods with garbage, another gets its answers all the while."""
    stop = threading.Event()

    def flood():
        with Dealer(cluster, name) as peer:
            while not stop.is_set():
                try:
                    peer.socket.send_multipart([b"garbage"] * 3, zmq.DONTWAIT)
                except zmq.Again:
                    stop.wait(0.001)
                while peer.socket.poll(0):
                    peer.socket.recv_multipart()

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        began = time.monotonic()
        for _ in range(50):
            assert_serves(cluster, name)
        assert time.monotonic() - began < 50
    finally:
        stop.set()
        thread.join()
