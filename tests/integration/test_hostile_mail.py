"""Bad input at scale: every message and envelope is answered for good, in time, by
processes that live on, and is logged once.

Sessions speak the milter protocol themselves: an MTA in front would clean some of it up.
"""
import io
import re
import time
import zipfile

import pytest

import harness
import milter_client
import mta
from test_failures import quick

SENDER, RECIPIENT = "alice@example.org", "bob@example.test"
ANSWERED = {250, 550, 552, 554}  # for good: a 4xx would come again for ever
TIME_S = 30
LINES_MAX = 12  # of all daemons about one message, its one summary line included
DAEMONS = ("policyd-1", "scand-1", "milter")


def settings(conf):
    """Default limits, and time for a sanitized build."""
    quick(conf)
    conf["milter"].update(scan_timeout="40s", scan_attempt="30s", max_recipients=1000)
    # libclamav's time for HTML grows with the square of it where memory is checked.
    conf["scand"]["clamav"]["max_html_size"] = "64KiB"
    conf["policyd"]["findings"] = {"text": "Not like this", "actions": [
        "MX_CLAMAV_LIMITS refuse", "MX_MIME_NO_END refuse", "MX_MIME_NO_BOUNDARY refuse",
        "MX_MIME_BAD_TYPE refuse", "MX_MIME_HIDDEN refuse"]}
    conf["policyd"]["block_partial"] = {"ambiguous": "refuse"}


@pytest.fixture(name="node", scope="module")
def fixture_node():
    """One of each, nobody in front."""
    with harness.Cluster(policyds=1, scanners=1, edit=settings) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def everybody_survives(node):
    """No process and no worker dies of a message."""
    pids = [node.pid(name) for name in DAEMONS]
    lost = node.metric("scand-1", "mxdrop_scan_workers_lost_total")
    yield
    assert [node.pid(name) for name in DAEMONS] == pids
    assert all(harness.is_alive(pid) for pid in pids)
    assert node.metric("scand-1", "mxdrop_scan_workers_lost_total") == lost


def session(node, **options):
    """One SMTP session, as the milter sees it."""
    return milter_client.Session(node.dir / "milter.sock", timeout=90, **options)


def lines(node, name, pattern):
    """How many lines of a log match."""
    return len(re.findall(pattern, node.log(name), re.M))


def send(node, data, sender=SENDER, recipients=(RECIPIENT,)):
    """The last reply to a message; it took its time at most and made one summary line."""
    told = lines(node, "milter", r"shim\.message ")
    written = sum(lines(node, name, "^") for name in DAEMONS)
    began = time.monotonic()
    with session(node) as one:
        final = one.send(sender, list(recipients), data).final
    assert time.monotonic() - began < TIME_S
    harness.wait_until(lambda: lines(node, "milter", r"shim\.message ") > told, "the summary")
    assert lines(node, "milter", r"shim\.message ") == told + 1
    assert sum(lines(node, name, "^") for name in DAEMONS) - written < LINES_MAX
    return final


def headed(kind, body):
    """A message of this Content-Type."""
    return mta.message("hostile").replace(b"text/plain; charset=utf-8", kind).replace(
        b"Hello.\r\n", body)


def many_parts(number):
    """One multipart with so many parts."""
    part = b"--b\r\nContent-Type: text/plain; name=a.txt\r\n\r\nx\r\n"
    return headed(b"multipart/mixed; boundary=b", part * number + b"--b--\r\n")


def nested(levels):
    """Multiparts within multiparts."""
    opening = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n"
                       % (n, n + 1) for n in range(levels))
    closing = b"".join(b"--b%d--\r\n" % n for n in range(levels, -1, -1))
    return headed(b"multipart/mixed; boundary=b0", opening + closing)


def attached(levels):
    """Messages within messages."""
    return headed(b"message/rfc822", b"Content-Type: message/rfc822\r\n\r\n" * levels + b"end\r\n")


def bomb(depth):
    """A zip of zips of 64 MiB of nothing."""
    inner, name = bytes(64 << 20), "zeros.bin"
    for level in range(depth):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(8 if level else 1):
                archive.writestr(f"{number}-{name}", inner)
        inner, name = out.getvalue(), f"level{level}.zip"
    return headed(b"application/zip; name=bomb.zip\r\nContent-Transfer-Encoding: 8bit", inner)


def with_header(line):
    """A header field that is not as it should be."""
    return line + b"\r\n" + mta.message("hostile")


HOSTILE = {
    "nul-body": lambda: headed(b"text/plain", b"a\0b\0\0\r\n" * 5000),
    "8-bit-body": lambda: headed(b"text/plain; charset=utf-8", bytes(range(128, 256)) * 500),
    "8-bit-header": lambda: with_header(b"Subject: " + bytes(range(128, 256)) * 4),
    "long-lines": lambda: headed(b"text/plain", (b"x" * 10000 + b"\r\n") * 200),
    "one-line": lambda: headed(b"text/html", b"y" * 2000000),
    "unclosed-tags": lambda: headed(b"text/html", b"<a href=" * 250000),
    "long-header": lambda: with_header(b"X-Long: " + b"y" * 10000),
    "long-address-list": lambda: with_header(b"To: " + b"a@b.example, " * 4500),
    "folded-header": lambda: with_header(b"X-Fold: a" + b"\r\n b" * 10000),
    "bare-cr-and-lf": lambda: headed(b"text/plain", b"a\rb\nc\r\r\n" * 5000),
    "10000-parts": lambda: many_parts(10000),
    "1000-levels": lambda: nested(1000),
    "1000-messages": lambda: attached(1000),
    "endless-boundary": lambda: headed(b"multipart/mixed; boundary=" + b"-" * 5000, b"-" * 500000),
    "2231-parameters": lambda: headed(b"text/plain; " + b"; ".join(
        b"name*%d=a" % n for n in range(5000)), b"x\r\n"),
    "zip-bomb": lambda: bomb(1),
    "zip-bomb-nested": lambda: bomb(3),
    "over-the-scan-limit": lambda: headed(b"text/plain", (b"z" * 70 + b"\r\n") * 400000),
    "no-header": lambda: b"\r\n\r\nonly a body\r\n",
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_message(node, name):
    """Answered for good, in time; a clean message right behind it is accepted."""
    code, text = send(node, HOSTILE[name]())
    assert code in ANSWERED, (code, text)
    assert send(node, mta.message("after " + name))[0] == 250


def test_html_that_scanning_cannot_be_stopped_in(node):
    """2 MB of open tags: what was left out is a finding, which the site acts on; no worker
    is lost, and the message behind it is scanned at once."""
    code, text = send(node, HOSTILE["unclosed-tags"]())
    assert code == 550 and "Not like this" in text and "max_html_size" in text, text
    began = time.monotonic()
    assert send(node, mta.message("at once"))[0] == 250
    assert time.monotonic() - began < 5


AMBIGUOUS = {
    "two-boundaries": (b"multipart/mixed; boundary=b; boundary=c",
                       b"--b\r\n\r\nx\r\n--b--\r\n", "two boundaries"),
    "boundary-2231": (b"multipart/mixed; boundary=b; boundary*0=c",
                      b"--b\r\n\r\nx\r\n--b--\r\n", "two boundaries"),
    "two-types": (b"text/plain\r\nContent-Type: text/html", b"x\r\n", "two Content-Type"),
    "two-encodings": (b"text/plain\r\nContent-Transfer-Encoding: base64\r\n"
                      b"Content-Transfer-Encoding: 7bit", b"eA==\r\n", "two Content-Tr"),
    "two-charsets": (b"text/plain; charset=utf-8; charset=utf-7", b"x\r\n", "two charsets"),
    "in-a-part": (b"multipart/mixed; boundary=b", b"--b\r\nContent-Type: text/plain\r\n"
                  b"Content-Type: text/html\r\n\r\nx\r\n--b--\r\n", "two Content-Type"),
    "no-end": (b"multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n", "Not like this"),
    "no-boundary": (b"multipart/mixed", b"--b\r\n\r\nx\r\n--b--\r\n", "Not like this"),
    "bad-type": (b"nonsense", b"x\r\n", "Not like this"),
    "hidden": (b"image/png\r\nContent-Transfer-Encoding: base64", b"QQ==\r\nQkM=\r\n",
               "Not like this"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous(node, name):
    """Structure that readers see differently: a finding each, and policy acts on it."""
    kind, body, said = AMBIGUOUS[name]
    message = headed(kind, body).replace(b"Content-Transfer-Encoding: 8bit\r\n", b"", 1)
    code, text = send(node, message)
    assert code == 550 and said in text, (code, text)


def test_too_much_header(node):
    """More header than the configured limits: refused for good."""
    many = b"".join(b"X-%d: y\r\n" % n for n in range(5000))
    assert send(node, many + mta.message("many"))[0] == 552
    wide = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 60000) for n in range(30))
    assert send(node, wide + mta.message("wide"))[0] == 552


@pytest.mark.parametrize("address", [
    "", "@", "a@", "@b", "a b@c", '"a@b', "a@b@c", "a" * 2000 + "@b.example", "a@" + "b." * 1000,
    "\xff\xfe@example.org", "a@[1.2.3.4", "a@[IPv6:::::]", "<<a@b>>", "a@b>\t<c@d", "%s%n%x@b",
    "a\x01\x1b[31m@example.org"])
def test_bad_address(node, address):
    """As sender and as recipient: any answer but a crash, and the session goes on."""
    written = sum(lines(node, name, "^") for name in DAEMONS)
    with session(node) as one:
        one.send(address, [RECIPIENT], mta.message("bad sender"))
        result = one.send(SENDER, [address, RECIPIENT], mta.message("bad recipient"))
        assert result.rcpts[RECIPIENT][0] == 250, result.rcpts
        assert result.final[0] == 250, result.final
    assert sum(lines(node, name, "^") for name in DAEMONS) - written < 2 * LINES_MAX
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", node.log("milter")), "escaped in the log"


def test_100000_recipients(node):
    """The limit's worth is taken, the others get 452 4.5.3 at once; one summary line."""
    told = lines(node, "milter", r"shim\.message ")
    answers = {}
    with session(node) as one:
        assert one._ask("M", f"<{SENDER}>".encode() + b"\0")[0] == 250
        for number in range(100000):
            code, text = one._ask("R", b"<u%d@example.test>\0" % number)
            key = (code, text[:5])
            answers[key] = answers.get(key, 0) + 1
        assert one._message(mta.message("to everybody"))[0] == 250
    taken = sum(n for (code, _), n in answers.items() if code == 250)
    assert (taken, answers[452, "4.5.3"]) == (1000, 99000), answers
    node.wait_log("milter", r"shim\.message .*rcpts=1000 refused=99000")
    assert lines(node, "milter", r"shim\.message ") == told + 1


class Huge(milter_client.Session):
    """A message of 2 GiB that is made while it is sent; told to skip the rest, it does."""

    def __init__(self, *args, **options):
        self.sent, self.is_skipped = 0, False
        super().__init__(*args, **options)

    def _message_packets(self, head, body):
        yield "L", b"Subject\0 huge\0"
        yield "N", b""
        chunk = bytes(milter_client.BODY_CHUNK)
        while self.sent < 2 << 30 and not self.is_skipped:
            self.sent += len(chunk)
            yield "B", chunk

    def _get(self):
        command, data = super()._get()
        self.is_skipped |= command == "s"
        return command, data


def resident(node):
    """Resident MiB of the milter."""
    with open(f"/proc/{node.pid('milter')}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) >> 10


@pytest.mark.parametrize("knows_skip", [True, False])
def test_2_gib(node, monkeypatch, knows_skip):
    """Only header and beginning are kept: 250, one summary line, and memory stays where it
    was, also with an MTA that sends all of it."""
    if not knows_skip:
        monkeypatch.setattr(milter_client, "ALL_STEPS", 0x1FFFFF & ~0x400)
    before, large = resident(node), node.metric("milter", "mxdrop_shim_oversized_total")
    told, began = lines(node, "milter", r"shim\.message "), time.monotonic()
    with Huge(node.dir / "milter.sock", timeout=90) as one:
        assert one.send(SENDER, [RECIPIENT], b"").final[0] == 250
        assert one.sent < 200 << 20 if knows_skip else one.sent >= 2 << 30
    seconds, growth = time.monotonic() - began, resident(node) - before
    assert node.metric("milter", "mxdrop_shim_oversized_total") == large + 1
    harness.wait_until(lambda: lines(node, "milter", r"shim\.message ") > told, "the summary")
    assert lines(node, "milter", r"shim\.message ") == told + 1
    assert growth < 300
    print(f"{one.sent >> 20} MiB in {seconds:.1f} s, the milter grew by {growth} MiB")
