"""Speaks the wire of mxdrop-policyd from Python; schemas are compiled when first used."""
import atexit
import importlib
import ipaddress
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import zmq

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
ERROR, POLICY_REQUEST, POLICY_REPLY = 0, 1, 2
TOPOLOGY_REQUEST, TOPOLOGY_REPLY, STATUS_REQUEST, STATUS_REPLY = 5, 6, 7, 8
BAD_REQUEST, UNKNOWN_TYPE, OVERLOADED, DRAINING = 1, 2, 5, 6


def _schemas():
    out = tempfile.mkdtemp(prefix="mxdrop-schema-")
    atexit.register(shutil.rmtree, out, True)
    subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={out}", "scan.proto",
                    "admin.proto", "policy.proto"], check=True, cwd=PROTO)
    sys.path.insert(0, out)
    return importlib.import_module("policy_pb2"), importlib.import_module("admin_pb2")


policy, admin = _schemas()
REPLIES = {ERROR: admin.ErrorReply, POLICY_REPLY: policy.PolicyReply,
           TOPOLOGY_REPLY: admin.TopologyReply, STATUS_REPLY: admin.StatusReply}
CONTINUE, REJECT, TEMPFAIL = (policy.ACTION_CONTINUE, policy.ACTION_REJECT,
                              policy.ACTION_TEMPFAIL)


class Policyd:
    """One DEALER to one policyd; send() and receive() may be mixed freely.

    keys, for tcp://: policyd's public key, our public and our secret one.
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
        """Forget it."""
        self.socket.close()

    def send(self, kind, payload, deadline_ms=5000):
        """Send a request (a message, or bytes as they are); returns its id."""
        self.last_id += 1
        header = struct.pack("!HHQI", kind, 0, self.last_id, deadline_ms)
        if not isinstance(payload, bytes):
            payload = payload.SerializeToString()
        self.socket.send_multipart([b"MXD\x01", header, payload])
        return self.last_id

    def receive(self, request_id, timeout=10):
        """(type, decoded message) of that request's reply."""
        end = time.monotonic() + timeout
        while request_id not in self.waiting:
            left = end - time.monotonic()
            if left <= 0 or not self.socket.poll(left * 1000):
                raise TimeoutError(f"no answer to request {request_id}")
            frames = self.socket.recv_multipart()
            kind, _, got, _ = struct.unpack("!HHQI", frames[1][:16])
            message = REPLIES[kind]()
            message.ParseFromString(frames[2])
            self.waiting[got] = (kind, message)
        return self.waiting.pop(request_id)

    def call(self, kind, payload, wanted):
        """One request; anything but the wanted type of reply is an AssertionError."""
        got, reply = self.receive(self.send(kind, payload))
        assert got == wanted, f"type {got}: {reply}"
        return reply

    def rcpt(self, sender, rcpt, client="192.0.2.1", **fields):
        """The reply at RCPT."""
        return self.call(POLICY_REQUEST, rcpt_request(sender, rcpt, client, **fields),
                         POLICY_REPLY)

    def status(self):
        """The StatusReply."""
        return self.call(STATUS_REQUEST, admin.StatusRequest(), STATUS_REPLY)

    def topology(self):
        """The TopologyReply."""
        return self.call(TOPOLOGY_REQUEST, admin.TopologyRequest(), TOPOLOGY_REPLY)


def rcpt_request(sender, rcpt, client="192.0.2.1", **fields):
    """A PolicyRequest of stage RCPT."""
    return policy.PolicyRequest(
        stage=policy.STAGE_RCPT, client_addr=ipaddress.ip_address(client).packed,
        helo=b"mx.example", sender=f"<{sender}>".encode(),
        rcpt=policy.Recipient(path=f"<{rcpt}>".encode()), **{"id": "T1", **fields})


def counter(status, name):
    """Sum of a counter over its labels."""
    return sum(c.value for c in status.counters if c.name == name)
