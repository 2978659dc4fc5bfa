"""A policyd and a scanner that answer as a test says, for tests of the shim alone.

Each node is a thread with a ROUTER socket. Schemas are compiled by protoc into a temporary
directory; frames are built by hand, as proto/PROTOCOL.md describes them.
"""
import atexit
import importlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading

import zmq

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "proto")
MAGIC = b"MXD\x01"
POLICY_REPLY, SCAN_REPLY, TOPOLOGY_REQUEST, TOPOLOGY_REPLY = 2, 4, 5, 6


def _schemas():
    out = tempfile.mkdtemp(prefix="mxdrop-schema-")
    atexit.register(shutil.rmtree, out, True)
    names = ["policy", "scan", "admin"]
    subprocess.run(["protoc", "-I", PROTO, "--python_out", out,
                    *(name + ".proto" for name in names)], check=True, cwd=PROTO)
    sys.path.insert(0, out)
    return [importlib.import_module(name + "_pb2") for name in names]


policy, scan, admin = _schemas()


class Node(threading.Thread):
    """One endpoint. answer(type, payload, body) gives (type, message), or None: silence."""

    def __init__(self, endpoint, answer):
        super().__init__(daemon=True)
        self.endpoint, self.answer = endpoint, answer
        self.requests = []
        self.stopping = threading.Event()
        self.socket = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(endpoint)
        self.start()

    def run(self):
        while not self.stopping.is_set():
            if not self.socket.poll(20):
                continue
            peer, _, header, payload, *body = self.socket.recv_multipart()
            kind, _, number, _ = struct.unpack(">HHQI", header[:16])
            reply = self.answer(kind, payload, body[0] if body else b"")
            if reply:
                head = struct.pack(">HHQI", reply[0], 0, number, 0)
                self.socket.send_multipart([peer, MAGIC, head,
                                            reply[1].SerializeToString()])
        self.socket.close()

    def stop(self):
        """Be gone, as if killed."""
        self.stopping.set()
        self.join()


class Cluster:
    """Policyds and one scanner below a directory; hooks change what they say."""

    def __init__(self, directory, policyds=1):
        self.directory = directory
        self.on_policy = lambda request, reply: None
        self.on_scan = lambda request, body, reply: None
        self.asked, self.scanned = [], []
        self.policyds = [Node(self.policyd_endpoint(i), self._policyd) for i in range(policyds)]
        self.scanner = Node(self.scanner_endpoint(), self._scanner)

    def policyd_endpoint(self, i):
        """Where policyd number i is."""
        return f"ipc://{self.directory}/policyd-{i}.sock"

    def scanner_endpoint(self):
        """Where the scanner is."""
        return f"ipc://{self.directory}/scand.sock"

    def revive_policyd(self, i):
        """The same endpoint again."""
        self.policyds[i] = Node(self.policyd_endpoint(i), self._policyd)

    def revive_scanner(self):
        """The same endpoint again."""
        self.scanner = Node(self.scanner_endpoint(), self._scanner)

    def _policyd(self, kind, payload, _):
        if kind == TOPOLOGY_REQUEST:
            reply = admin.TopologyReply(version=7)
            reply.scanners.add(id="scan", endpoint=self.scanner_endpoint())
            return TOPOLOGY_REPLY, reply
        request, reply = policy.PolicyRequest.FromString(payload), policy.PolicyReply(topology=7)
        self.asked.append(request)
        if request.stage == policy.STAGE_RCPT:
            reply.rcpt.path = request.rcpt.path
            reply.rcpt.marks.append("seen=1")
        self.on_policy(request, reply)
        return POLICY_REPLY, reply

    def _scanner(self, _, payload, body):
        request, reply = scan.ScanRequest.FromString(payload), scan.ScanReply(scanner="scan")
        self.scanned.append((request, body))
        self.on_scan(request, body, reply)
        return SCAN_REPLY, reply

    def close(self):
        """Stop all nodes."""
        for node in [*self.policyds, self.scanner]:
            if not node.stopping.is_set():
                node.stop()
