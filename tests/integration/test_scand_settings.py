"""Settings of mxdrop-scand that only a running scanner shows, each beside its default."""
import io
import os
import signal
import struct
import zipfile

import pytest
import zmq

import harness
import scand_wire as wire
from test_scand import (EICAR, GTUBE, HAM, HEAD, redis_fixture,  # noqa: F401 pylint: disable=unused-import
                        scand_fixture, until, with_attachment)


def big(size, letter=b"x"):
    """A message of so many octets."""
    line = letter * 70 + b"\r\n"
    return HEAD + b"\r\n" + line * (size // len(line))


def zipped(*members):
    """A zip with these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(members):
            archive.writestr(f"{number}.bin", data)
    return out.getvalue()


def nested(depth):
    """EICAR in so many zips."""
    data = EICAR
    for _ in range(depth):
        data = zipped(data)
    return data


# A cursor whose header has the wrong size, which libclamav's heuristics know.
CURSOR = b"RIFF" + struct.pack("<I", 200) + b"ACONanih" + struct.pack("<I", 100) + bytes(180)
NOISE = os.urandom(50_000)


@pytest.mark.parametrize("setting, value, attachment, found, not_found", [
    ("max_recursion", 4, nested(7), "VIRUS", "MX_CLAMAV_LIMITS"),
    ("max_files", 3, zipped(*[NOISE + b"%d" % i for i in range(6)], EICAR), "VIRUS",
     "MX_CLAMAV_LIMITS"),
    ("max_file_size", "64KiB", bytes(200_000) + EICAR, "", "MX_CLAMAV_LIMITS"),
    ("max_scan_size", "64KiB", zipped(NOISE, NOISE[1:], NOISE[2:], EICAR), "VIRUS",
     "MX_CLAMAV_LIMITS"),
    ("heuristics", "false", CURSOR, "VIRUS", "")], ids=lambda v: str(v)[:16].strip("b'\\"))
def test_clamav_limits(scand, setting, value, attachment, found, not_found):
    """What is found within the default limits is not within this one, and that is said."""
    message = with_attachment(attachment)
    symbols = [set(wire.symbols(scand(clamav=settings).client.scan(message)))
               & {"VIRUS", "MX_CLAMAV_LIMITS"} for settings in ({}, {setting: value})]
    assert symbols == [{found} - {""}, {not_found} - {""}], symbols


MANY_FILES = (HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
              + b"--b\r\n\r\nx\r\n" * 900 + b"--b--\r\n")
LARGE_HTML = HEAD + b"Content-Type: text/html\r\n\r\n" + b"<p>text</p>\r\n" * 500


@pytest.mark.parametrize("setting, value, message", [
    ("max_html_size", "4KiB", LARGE_HTML), ("max_scan_time", "10ms", MANY_FILES)],
    ids=["max_html_size", "max_scan_time"])
def test_clamav_time(scand, setting, value, message):
    """What libclamav does not finish, or not begin, is said."""
    found = [set(wire.symbols(scand(clamav=settings).client.scan(message)))
             for settings in ({}, {setting: value})]
    assert ["MX_CLAMAV_LIMITS" in symbols for symbols in found] == [False, True], found



def test_queue_bytes_bounds_what_is_held(scand):
    """There is room for one of them, however long the queue may be."""
    one = scand(workers=1, queue_bytes="1MiB", scan_delay="700ms")
    sent = [one.client.send_scan(big(700_000)) for _ in range(2)]
    got = [one.client.receive(request) for request in sent]
    assert [kind for kind, _ in got] == [wire.SCAN_REPLY, wire.ERROR]
    assert got[1][1].code == wire.OVERLOADED and "octets" in got[1][1].text


def test_max_body_is_refused_and_the_next_is_scanned(scand):
    """A message over the limit gets an error, not a scan."""
    one = scand(max_body="64KiB")
    kind, _ = one.client.receive(one.client.send_scan(big(100_000)))
    assert kind == wire.ERROR
    assert not wire.symbols(one.client.scan(HAM))


def test_recycle_growth_ends_a_worker_that_grew(scand):
    """One large message is enough at the lowest limit."""
    one = scand(workers=1, recycle_growth="1MiB")
    one.client.scan(big(8_000_000))
    one.wait_log("worker.started", count=2)
    recycled = ("mxdrop_scan_workers_recycled_total", "")
    assert wire.counters(one.client.status())[recycled] == 1


def kill_two_workers(one, body):
    """Send it; both workers that try it die. The reply."""
    request = one.client.send_scan(body)
    first = one.busy_worker()
    os.kill(first, signal.SIGKILL)
    second = until(lambda: [pid for pid in wire.workers(one.client.status(), "busy")
                            if pid != first])[0]
    os.kill(second, signal.SIGKILL)
    return one.client.receive(request)[1]


def test_poison_samples_and_poison_ttl(scand, tmp_path):
    """One sample at most; without a memory the same message is scanned again."""
    samples = tmp_path / "samples"
    samples.mkdir()
    one = scand(scan_delay="400ms", poison_dir=str(samples), poison_samples=1,
                poison_ttl="0")
    assert kill_two_workers(one, HAM).is_poison
    assert kill_two_workers(one, HAM + b"other\r\n").is_poison
    one.wait_log("scan.no_sample")
    assert [f.read_bytes() for f in samples.iterdir()] == [HAM]
    assert not one.client.scan(HAM).is_poison


def test_drain_timeout_ends_the_wait(scand):
    """What is not finished by then is not waited for."""
    one = scand(workers=1, scan_delay="10s", scan_timeout="30s", drain_timeout="100ms")
    one.client.send_scan(HAM, deadline_ms=60000)
    one.busy_worker()
    one.process.terminate()
    assert one.process.wait(8) == 0


def test_required_score_and_temp_dir(scand, tmp_path):
    """The threshold goes along with the score; working files are where they should be."""
    place = tmp_path / "work"
    place.mkdir()
    one = scand(required_score=3.5, temp_dir=str(place))
    assert one.client.scan(HAM).required == 3.5
    assert [name for name in os.listdir(place) if name.startswith("mxdrop-scand-")]


def test_node_and_advertise_are_what_the_registry_has(scand, redis):
    """Shims hear of the address that they can reach."""
    one = scand(redis=redis, node="scan-7", advertise="tcp://192.0.2.77:7777")

    def nodes():
        out = ""
        for key in harness.run(["redis-cli", "-s", redis, "--scan"]).stdout.split():
            out += harness.run(["redis-cli", "-s", redis, "--no-raw", "HGETALL", key],
                               check=False).stdout
        return out
    until(lambda: "scan-7" in nodes())
    assert one.process.poll() is None
    assert "tcp://192.0.2.77:7777" in nodes()


def test_keys_say_who_may_ask(scand):
    """tcp:// with CURVE: the key on the list is served, another one is not heard."""
    server, friend, stranger = (zmq.curve_keypair() for _ in range(3))
    public, secret = (key.decode() for key in server)
    one = scand(endpoint=f"tcp://127.0.0.1:{harness.free_port()}", public_key=f"'{public}'",
                secret_key=f"'{secret}'", allowed_keys=f"['{friend[0].decode()}']")
    for pair, is_heard in ((friend, True), (stranger, False)):
        client = wire.Scanner(one.settings["endpoint"], keys=(server[0], *pair))
        try:
            request = client.send_scan(HEAD + b"\r\n" + GTUBE)
            if is_heard:
                assert client.receive(request)[0] == wire.SCAN_REPLY
            else:
                with pytest.raises(TimeoutError):
                    client.receive(request, timeout=1)
        finally:
            client.close()


RULES = """
loadplugin Mail::SpamAssassin::Plugin::RelayEval
header SITE_TRUSTED  X-Spam-Relays-Trusted =~ /192\\.0\\.2\\.1/
header SITE_INTERNAL X-Spam-Relays-Internal =~ /192\\.0\\.2\\.1/
body   SITE_NEAR     /near the top/
rawbody SITE_FAR     /far below/
score  SITE_NEAR     2
"""
RELAYED = (b"Received: from a.example (a.example [192.0.2.1]) by mx.example.net with ESMTP;\r\n"
           b" Mon, 1 Jun 2026 10:00:00 +0000\r\n" + HEAD + b"\r\nnear the top\r\n" +
           (b"x" * 70 + b"\r\n") * 2000 + b"\r\nfar below\r\n")


@pytest.mark.parametrize("setting, value, expected", [
    ("cache_dir", "''", {"SITE_NEAR": 2, "SITE_FAR": 1}),
    ("trusted_networks", "['192.0.2.0/24', '198.51.100.0/24']",
     {"SITE_TRUSTED": 1, "SITE_INTERNAL": 1, "SITE_NEAR": 2, "SITE_FAR": 1}),
    ("internal_networks", "['198.51.100.0/24']", {"SITE_NEAR": 2, "SITE_FAR": 1}),
    ("max_size", "64KiB", {"SITE_NEAR": 2}),
    ("overlay", None, {"SITE_NEAR": 4.5, "SITE_FAR": 1})])
def test_rules_settings(scand, tmp_path, setting, value, expected):
    """Rules of a directory of the site's own, and what each setting changes."""
    rules, cache = tmp_path / "rules", tmp_path / "cache"
    rules.mkdir()
    cache.mkdir()
    (rules / "site.cf").write_text(RULES)
    (tmp_path / "overlay.cf").write_text("score SITE_NEAR 4.5\n")
    settings = {"dirs": f"['{rules}']", "cache_dir": f"'{cache}'",
                setting: value or f"'{tmp_path}/overlay.cf'"}
    if setting == "internal_networks":
        settings["trusted_networks"] = "['192.0.2.0/24']"
        expected = {**expected, "SITE_TRUSTED": 1}
    flow = ", ".join(f"{key}: {what}" for key, what in settings.items())
    one = scand(detectors="[rules]", rules="{" + flow + "}")
    assert wire.symbols(one.client.scan(RELAYED)) == expected
    assert bool(os.listdir(cache)) == (setting != "cache_dir")
