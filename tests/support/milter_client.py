"""The MTA's side of the milter protocol, for machines on which Postfix cannot run.

One Session is one SMTP session as a milter sees it; it has the interface of mta.Session, so
that the demonstration and the tests need not know which of the two carries their mail. It
offers every protocol step and action, and applies none of the edits: they are kept in
Result.edits.

Source: the milter protocol, version 6 (libmilter/mfdef.h).
"""
import re
import socket
import struct

from mta import Result

VERSION, ALL_ACTIONS, ALL_STEPS = 6, 0x1FF, 0x1FFFFF
PACKET_MAX = 1 << 20  # octets of one packet of the filter; ours are far below
BODY_CHUNK = 65535

# Steps that the filter does not want (no packet), or does not answer (no reply).
SKIP = {"C": 0x1, "H": 0x2, "M": 0x4, "R": 0x8, "B": 0x10, "L": 0x20, "N": 0x40, "T": 0x200}
SILENT = {"L": 0x80, "C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000,
          "N": 0x40000, "B": 0x80000}

FINAL = {"c": (250, "2.0.0 Ok"), "a": (250, "2.0.0 Ok"), "d": (250, "2.0.0 Ok (discarded)"),
         "r": (550, "5.7.1 Command rejected"), "t": (451, "4.7.1 Service unavailable"),
         "s": (250, "2.0.0 Ok")}


class Session:
    """One SMTP session, told to the filter behind a UNIX socket."""

    def __init__(self, path, helo="client.example.org", addr="192.0.2.1", name=None, timeout=60):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self._put("O", struct.pack(">III", VERSION, ALL_ACTIONS, ALL_STEPS))
        command, data = self._get()
        if command != "O":
            raise OSError(f"the filter answers the negotiation with {command!r}")
        self.steps = struct.unpack(">III", data[:12])[2]
        self.edits = []
        self._macros("C", j="mx.example.test")
        host = name or f"[{addr}]"
        family = b"6" if ":" in addr else b"4"
        packet = host.encode() + b"\0" + family + struct.pack(">H", 25) + addr.encode() + b"\0"
        self.refusal = self._refused(self._ask("C", packet))
        self.refusal = self.refusal or self._refused(self._ask("H", helo.encode() + b"\0"))

    def send(self, sender, recipients, data):
        """One transaction; see mta.Session.send."""
        result = Result()
        self.edits = result.edits = []
        result.mail = self.refusal or self._ask("M", f"<{sender}>".encode() + b"\0")
        if result.mail[0] != 250:
            return result
        for recipient in recipients:
            result.rcpts[recipient] = self._ask("R", f"<{recipient}>".encode() + b"\0")
        if any(code == 250 for code, _ in result.rcpts.values()):
            result.data = self._message(data)
        else:
            self._put("A", b"")
        return result

    def _message(self, data):
        head, _, body = data.partition(b"\r\n\r\n")
        for step, packet in self._message_packets(head, body):
            reply = self._ask(step, packet)
            if reply[0] != 250:
                return reply
        return self._ask("E", b"")

    @staticmethod
    def _message_packets(head, body):
        yield "T", b""
        for field in re.split(rb"\r\n(?![ \t])", head) if head else ():
            name, _, value = field.partition(b":")
            yield "L", name + b"\0" + value.replace(b"\r\n", b"\n") + b"\0"
        yield "N", b""
        for at in range(0, len(body), BODY_CHUNK):
            yield "B", body[at:at + BODY_CHUNK]

    def _ask(self, step, packet):
        """Send one step; (code, text) of the reply."""
        if self.steps & SKIP.get(step, 0):
            return FINAL["c"]
        if step in "MRE":
            self._macros(step, i="0123456789")
        self._put(step, packet)
        if self.steps & SILENT.get(step, 0):
            return FINAL["c"]
        while True:
            command, data = self._get()
            if command == "y":
                text = data.rstrip(b"\0").decode("latin-1")
                return int(text[:3]), text[4:]
            if command in FINAL:
                return FINAL[command]
            if command != "p":
                self.edits.append((command, data))

    @staticmethod
    def _refused(reply):
        return reply if reply[0] != 250 else None

    def _macros(self, step, **macros):
        fields = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in macros.items())
        self._put("D", step.encode() + fields)

    def _put(self, command, data):
        self.socket.sendall(struct.pack(">I", len(data) + 1) + command.encode() + data)

    def _get(self):
        size, = struct.unpack(">I", self._read(4))
        if not 1 <= size <= PACKET_MAX:
            raise OSError(f"the filter announces a packet of {size} octets")
        packet = self._read(size)
        return chr(packet[0]), packet[1:]

    def _read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise OSError("the filter closed the connection")
            data += more
        return data

    def close(self):
        """Tell the filter that the client left."""
        try:
            self._put("Q", b"")
        except OSError:
            pass
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
