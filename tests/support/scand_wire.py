"""Speaks the wire of mxdrop-scand from Python: for tests that want to see every byte.

The schemas are compiled by protoc into a temporary directory when the module is first
used; frames are built by hand, as proto/PROTOCOL.md describes them.
"""
import atexit
import importlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import zmq

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "proto")
ERROR, SCAN_REQUEST, SCAN_REPLY, STATUS_REQUEST, STATUS_REPLY = 0, 3, 4, 7, 8
BAD_REQUEST, UNKNOWN_TYPE, OVERLOADED, DRAINING = 1, 2, 5, 6


def _schemas():
    out = tempfile.mkdtemp(prefix="mxdrop-schema-")
    atexit.register(shutil.rmtree, out, True)
    names = ["scan.proto", "admin.proto"]
    subprocess.run(["protoc", "-I", PROTO, "--python_out", out, *names],
                   check=True, cwd=PROTO)
    sys.path.insert(0, out)
    return importlib.import_module("scan_pb2"), importlib.import_module("admin_pb2")


scan, admin = _schemas()


class Scanner:
    """One DEALER to one scanner. send() and receive() may be mixed freely.

    keys, for tcp://: the scanner's public key, our public and our secret one.
    """

    def __init__(self, endpoint, keys=None):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        if keys:
            self.socket.curve_serverkey = keys[0]
            self.socket.curve_publickey, self.socket.curve_secretkey = keys[1:]
        self.socket.connect(endpoint)
        self.last_id = 0
        self.waiting = {}

    def close(self):
        self.socket.close()

    def send(self, kind, payload, body=None, deadline_ms=10000):
        self.last_id += 1
        header = struct.pack("!HHQI", kind, 0, self.last_id, deadline_ms)
        frames = [b"MXD\x01", header, payload.SerializeToString()]
        self.socket.send_multipart(frames + ([] if body is None else [body]))
        return self.last_id

    def send_scan(self, body, deadline_ms=10000, **fields):
        request = scan.ScanRequest(size=len(body), **fields)
        return self.send(SCAN_REQUEST, request, body, deadline_ms)

    def receive(self, request_id, timeout=15):
        """The reply to that request: (type, decoded message); TimeoutError without one."""
        end = time.monotonic() + timeout
        while request_id not in self.waiting:
            left = end - time.monotonic()
            if left <= 0 or not self.socket.poll(left * 1000):
                raise TimeoutError(f"no answer to request {request_id}")
            frames = self.socket.recv_multipart()
            kind, _, got, _ = struct.unpack("!HHQI", frames[1][:16])
            message = {ERROR: admin.ErrorReply, SCAN_REPLY: scan.ScanReply,
                       STATUS_REPLY: admin.StatusReply}[kind]()
            message.ParseFromString(frames[2])
            self.waiting[got] = (kind, message)
        return self.waiting.pop(request_id)

    def scan(self, body, deadline_ms=10000, **fields):
        """Scan and return the ScanReply; anything else is an AssertionError."""
        kind, reply = self.receive(self.send_scan(body, deadline_ms, **fields))
        assert kind == SCAN_REPLY, f"type {kind}: {reply}"
        return reply

    def status(self, timeout=5):
        kind, reply = self.receive(self.send(STATUS_REQUEST, admin.StatusRequest()),
                                   timeout)
        assert kind == STATUS_REPLY, f"type {kind}: {reply}"
        return reply


def symbols(reply):
    return {finding.symbol: finding.score for finding in reply.findings}


def counters(status):
    return {(c.name, c.labels): c.value for c in status.counters}


def workers(status, state=None):
    """Process ids of workers, of those in that state: starting, idle, busy."""
    return [c.value for c in status.counters if c.name == "worker_pid" and
            (state is None or f'state="{state}"' in c.labels)]
