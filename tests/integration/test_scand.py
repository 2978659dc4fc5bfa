"""mxdrop-scand as a whole: real processes, the real wire, a private Redis.

Signatures are the small set in tests/signatures; viruses are the EICAR file and, where
Debian's clamav-testfiles is installed, ClamAV's own test program.
"""
import base64
import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import scand_wire as wire  # noqa: E402

ROOT = os.path.join(HERE, "..", "..")
BUILD = os.environ.get("MX_BUILD_DIR", os.path.join(ROOT, "build"))
SCAND = os.path.join(BUILD, "bin", "mxdrop-scand")
SIGNATURES = os.path.join(HERE, "..", "signatures")
WAIT = 20  # seconds that anything may take on a busy machine

# In pieces, so that no scanner takes this file for a virus or for spam.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
HEAD = (b"From: <a@example.org>\r\nTo: <b@example.net>\r\nSubject: test\r\n"
        b"Date: Mon, 1 Jun 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n")
HAM = HEAD + b"\r\nHello.\r\n"


def with_attachment(data, name=b"file.bin", encoding="base64"):
    if encoding == "base64":
        data = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return (HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n"
            b"\r\n--b1\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--b1\r\n"
            b"Content-Type: application/octet-stream; name=\"" + name + b"\"\r\n"
            b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" +
            data + b"\r\n--b1--\r\n")


def zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eicar.com", data)
    return out.getvalue()


def until(what, timeout=WAIT):
    """Wait for an event: the first true value of what()."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"nothing after {timeout} s: {what.__name__}")


class Scand:
    """A scanner in a directory of its own."""

    def __init__(self, directory, redis=None, **settings):
        self.dir = directory
        self.log_path = os.path.join(directory, "log")
        self.config = os.path.join(directory, "mxdrop.yaml")
        self.settings = {"endpoint": f"ipc://{directory}/scand.sock", "workers": 2,
                         "reload_interval": "0", "temp_dir": directory,
                         "node": "test-1"}
        self.settings.update(settings)
        self.clamav = {"signatures": self.settings.pop("signatures", SIGNATURES),
                       **self.settings.pop("clamav", {})}
        self.redis = redis or os.path.join(directory, "nobody.sock")
        self.process = None
        self.client = None

    def write_config(self, **settings):
        self.settings.update(settings)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("scand:\n")
            for key, value in self.settings.items():
                if isinstance(value, dict):  # a group
                    value = "".join(f"\n    {k}: {v}" for k, v in value.items())
                f.write(f"  {key}: {value}\n")
            f.write("  clamav:\n")
            for key, value in self.clamav.items():
                f.write(f"    {key}: {value}\n")
            f.write(f"redis:\n  address: unix:{self.redis}\n")

    def start(self):
        self.write_config()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([SCAND, "-c", self.config], stderr=log)
        self.client = wire.Scanner(self.settings["endpoint"])
        self.wait_log("worker.started")
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_log(self, pattern, count=1):
        def found():
            assert self.process.poll() is None or "daemon.end" in pattern, self.log()
            return len(re.findall(pattern, self.log())) >= count
        found.__name__ = f"log line {pattern}\n{self.log()}"
        until(found)

    def busy_worker(self):
        return until(lambda: wire.workers(self.client.status(), "busy"))[0]

    def stop(self):
        if self.client:
            self.client.close()
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(WAIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise


@pytest.fixture(name="scand")
def scand_fixture(tmp_path):
    """Makes scanners; at the end all are stopped and their logs are searched for the
    reports of sanitizers."""
    if not os.access(SCAND, os.X_OK):
        pytest.skip(f"{SCAND} is not built")
    made = []

    def make(**settings):
        directory = tmp_path / f"s{len(made)}"
        directory.mkdir()
        made.append(Scand(str(directory), **settings))
        return made[-1].start()

    yield make
    for one in made:
        one.stop()
    for one in made:
        assert "Sanitizer" not in one.log(), one.log()
        assert not [n for n in os.listdir(one.dir) if n.startswith("mxdrop-scand-")], \
            "temporary directories are left behind"


@pytest.fixture(name="redis")
def redis_fixture(tmp_path):
    socket = str(tmp_path / "redis.sock")
    with subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "",
             "--dir", str(tmp_path)], stdout=subprocess.DEVNULL) as process:
        until(lambda: os.path.exists(socket))
        yield socket
        process.terminate()


# What is found

def test_ham_has_no_finding_and_is_not_degraded(scand):
    reply = scand().client.scan(HAM, id="ham")
    assert wire.symbols(reply) == {}
    assert (reply.score, list(reply.viruses), list(reply.degraded)) == (0, [], [])
    assert reply.scanner == "test-1" and reply.required == 5.0


@pytest.mark.parametrize("message", [
    with_attachment(EICAR), with_attachment(EICAR, encoding="7bit"),
    with_attachment(zipped(EICAR), b"eicar.zip"), HEAD + b"\r\n" + EICAR + b"\r\n",
    b"x-a: b\r\ncontent-type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n"
    b"content-transfer-encoding: base64\r\n\r\n" + base64.b64encode(zipped(EICAR)) +
    b"\r\n--b1--\r\n",
], ids=["base64", "7bit", "zip", "body", "not-like-mail"])
def test_eicar_is_found(scand, message):
    reply = scand().client.scan(message, id="eicar")
    assert wire.symbols(reply)["VIRUS"] == 1000
    assert list(reply.viruses) == ["Mxdrop.Test.Eicar.UNOFFICIAL"]


def test_clamav_test_program_is_found(scand):
    path = "/usr/share/clamav-testfiles/clam.exe"
    if not os.path.exists(path):
        pytest.skip("clamav-testfiles is not installed")
    with open(path, "rb") as f:
        reply = scand().client.scan(with_attachment(f.read()))
    assert list(reply.viruses) == ["Mxdrop.Test.ClamExe.UNOFFICIAL"]


def test_gtube_scores_1000_also_when_encoded(scand):
    client = scand().client
    encoded = base64.encodebytes(GTUBE + b"\n").replace(b"\n", b"\r\n")
    for body in (b"\r\n" + GTUBE, b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded):
        assert wire.symbols(client.scan(HEAD + body)) == {"GTUBE": 1000}


def test_only_runs_what_was_asked_for(scand):
    client = scand().client
    reply = client.scan(with_attachment(EICAR), only=["headers"], profile=True)
    assert [cost.detector for cost in reply.costs] == ["headers"]
    assert not reply.viruses and not reply.degraded
    reply = client.scan(HAM, only=["nonsense"])
    assert list(reply.degraded) == ["nonsense"]


def test_truncated_message_is_scanned_and_marked(scand):
    whole = with_attachment(b"x" * 9000)
    reply = scand().client.scan(whole[:600], is_truncated=True)
    assert wire.symbols(reply) == {"MX_TRUNCATED": 0}


def test_scores_are_configurable(scand):
    one = scand(scores='["GTUBE 3.5"]')
    assert one.client.scan(HEAD + b"\r\n" + GTUBE).score == 3.5


def test_without_signatures_is_degraded_and_said(scand):
    one = scand(signatures="/nonexistent/signatures")
    reply = one.client.scan(with_attachment(EICAR))
    assert list(reply.degraded) == ["clamav"] and not reply.viruses
    failures = ("mxdrop_scan_detector_failures_total", 'detector="clamav"')
    assert wire.counters(one.client.status())[failures] == 1
    one.wait_log(r"degraded check=detectors .*/nonexistent/signatures")
    assert [d.check for d in one.client.status().degraded if d.check == "detectors"]


# Workers that die

def test_killed_worker_costs_one_retry(scand):
    one = scand(scan_delay="500ms")
    request = one.client.send_scan(with_attachment(EICAR), id="victim")
    os.kill(one.busy_worker(), signal.SIGKILL)
    _, reply = one.client.receive(request)
    assert list(reply.viruses) and not reply.is_poison
    one.wait_log(r"scan.retry id=victim reason=crash")
    one.wait_log(r"scan.done id=victim .*tries=2")
    assert wire.counters(one.client.status())[("mxdrop_scan_retries_total", "")] == 1
    until(lambda: len(wire.workers(one.client.status())) == 2)


def test_hanging_worker_is_killed_and_the_message_retried(scand):
    one = scand(scan_delay="300ms", scan_timeout="1s")
    request = one.client.send_scan(HAM, id="hang", deadline_ms=60000)
    pid = one.busy_worker()
    os.kill(pid, signal.SIGSTOP)
    kind, reply = one.client.receive(request)
    assert kind == wire.SCAN_REPLY and not reply.is_poison
    one.wait_log(r"scan.retry id=hang reason=hang")
    one.wait_log(rf"worker.ended pid={pid} signal=9")


def test_message_that_kills_two_workers_is_poison(scand, tmp_path):
    samples = tmp_path / "samples"
    samples.mkdir()
    one = scand(scan_delay="400ms", poison_dir=str(samples))
    request = one.client.send_scan(HAM, id="poison")
    first = one.busy_worker()
    os.kill(first, signal.SIGKILL)

    def second():
        return [pid for pid in wire.workers(one.client.status(), "busy") if pid != first]
    os.kill(until(second)[0], signal.SIGKILL)
    _, reply = one.client.receive(request)
    assert reply.is_poison and "MX_POISON" in wire.symbols(reply)
    files = list(samples.iterdir())
    assert [f.read_bytes() for f in files] == [HAM]
    assert oct(files[0].stat().st_mode & 0o777) == "0o600"
    # The same again costs nobody's life; another message is scanned.
    done = time.monotonic()
    assert one.client.scan(HAM, id="again").is_poison
    assert time.monotonic() - done < 0.4
    assert not one.client.scan(HAM + b"other\r\n").is_poison


def test_message_that_needs_too_much_memory_is_poison(scand):
    linked = subprocess.run(["ldd", SCAND], check=True, capture_output=True, text=True)
    if "asan" in linked.stdout:
        pytest.skip("AddressSanitizer needs the address space that this test takes away")
    one = scand(worker_memory="64MiB")
    huge = HEAD + b"\r\n" + (b"x" * 70 + b"\r\n") * 600000
    assert one.client.scan(huge, id="huge", deadline_ms=20000).is_poison
    assert len(re.findall("worker.lost .*id=huge", one.log())) == 2
    assert not one.client.scan(HAM).is_poison


def test_engine_that_dies_is_replaced_without_blame(scand):
    one = scand(scan_delay="300ms")
    request = one.client.send_scan(HAM, id="orphan")
    one.busy_worker()
    engine = int(re.search(r"engine.ready generation=1 pid=(\d+)", one.log())[1])
    os.kill(engine, signal.SIGKILL)
    _, reply = one.client.receive(request)
    assert not reply.is_poison and not reply.degraded
    one.wait_log(r"engine.ready generation=2")


def test_workers_that_die_idle_are_started_ever_more_slowly(scand):
    one = scand(workers=1)
    deaths = 0
    while deaths < 4:
        os.kill(until(lambda: wire.workers(one.client.status(), "idle"))[0],
                signal.SIGKILL)
        deaths += 1
        one.wait_log("worker.lost", count=deaths)
    one.wait_log("worker.backoff failures=4 wait_ms=400")
    assert not one.client.scan(HAM).degraded


def test_request_without_message_is_refused(scand):
    client = scand().client
    request = client.send(wire.SCAN_REQUEST, wire.scan.ScanRequest(id="none"))
    kind, reply = client.receive(request)
    assert (kind, reply.code) == (wire.ERROR, wire.BAD_REQUEST)
    kind, reply = client.receive(client.send(99, wire.scan.ScanRequest(), HAM))
    assert (kind, reply.code) == (wire.ERROR, wire.UNKNOWN_TYPE)
    assert not wire.symbols(client.scan(HAM))


def test_killed_supervisor_leaves_nothing_behind(scand):
    one = scand(scan_delay="20s", scan_timeout="60s")
    one.client.send_scan(HAM, deadline_ms=120000)
    pids = [one.busy_worker(), *wire.workers(one.client.status())]
    pids.append(int(re.search(r"engine.ready generation=1 pid=(\d+)", one.log())[1]))
    one.process.kill()
    one.process.wait()

    def gone():
        return not any(os.path.exists(f"/proc/{pid}/exe") for pid in pids)
    until(gone)
    until(lambda: not [n for n in os.listdir(one.dir) if n.startswith("mxdrop-scand-")])


def test_worker_is_recycled_after_its_messages(scand):
    one = scand(workers=1, recycle_messages=3)
    for _ in range(7):
        one.client.scan(HAM)
    one.wait_log("worker.started", count=3)
    got = wire.counters(one.client.status())
    assert got[("mxdrop_scan_workers_recycled_total", "")] == 2
    assert got[("mxdrop_scan_workers_lost_total", 'cause="crash"')] == 0


# Load, reload, leaving

def test_full_queue_is_refused_at_once(scand):
    one = scand(workers=1, queue_length=1, scan_delay="700ms")
    sent = [one.client.send_scan(HAM + b"%d" % i) for i in range(4)]
    got = [one.client.receive(request) for request in sent]
    assert [kind for kind, _ in got] == [wire.SCAN_REPLY] * 2 + [wire.ERROR] * 2
    assert all(reply.code == wire.OVERLOADED for _, reply in got[2:])


def test_expired_request_is_dropped(scand):
    one = scand(workers=1, scan_delay="400ms")
    first = one.client.send_scan(HAM, id="first")
    late = one.client.send_scan(HAM + b"late", deadline_ms=100, id="late")
    assert one.client.receive(first)[0] == wire.SCAN_REPLY
    one.wait_log("scan.expired id=late")
    with pytest.raises(TimeoutError):
        one.client.receive(late, timeout=0.5)


def test_new_signatures_are_loaded_without_restart(scand, tmp_path):
    signatures = tmp_path / "sigs"
    signatures.mkdir()
    (signatures / "a.ndb").write_text("Other.Thing:0:*:6e6576657268657265\n")
    one = scand(signatures=str(signatures), reload_interval="100ms")
    message = with_attachment(EICAR)
    assert not one.client.scan(message).viruses
    (signatures / "b.ndb").write_text(f"New.Eicar:0:0:{EICAR.hex()}\n")
    one.wait_log("engine.ready generation=2")
    until(lambda: one.client.scan(message).viruses)
    one.wait_log("engine.ended generation=1 status=0")


def test_broken_signatures_keep_the_old_engine(scand, tmp_path):
    signatures = tmp_path / "sigs"
    signatures.mkdir()
    (signatures / "a.ndb").write_text(f"Old.Eicar:0:0:{EICAR.hex()}\n")
    one = scand(signatures=str(signatures), reload_interval="100ms")
    (signatures / "b.ndb").write_text("this is no signature\n")
    one.wait_log("reload.refused generation=2 .*generation 1 keeps serving")
    reply = one.client.scan(with_attachment(EICAR))
    assert list(reply.viruses) == ["Old.Eicar.UNOFFICIAL"] and not reply.degraded


def test_sighup_takes_new_settings_without_losing_a_message(scand):
    one = scand(scan_delay="300ms")
    sent = [one.client.send_scan(HAM + b"%d" % i) for i in range(4)]
    one.write_config(scores='["GTUBE 7"]', workers=3)
    one.process.send_signal(signal.SIGHUP)
    one.wait_log("engine.ready generation=2")
    for request in sent:
        kind, reply = one.client.receive(request)
        assert kind == wire.SCAN_REPLY and not reply.degraded
    assert one.client.scan(HEAD + b"\r\n" + GTUBE).score == 7
    until(lambda: len(wire.workers(one.client.status(), "idle")) == 3)


def test_sigterm_finishes_what_was_accepted(scand):
    one = scand(scan_delay="600ms", workers=1)
    sent = [one.client.send_scan(HAM + b"%d" % i) for i in range(2)]
    one.busy_worker()
    one.process.terminate()
    one.wait_log("draining")
    kind, reply = one.client.receive(one.client.send_scan(HAM))
    assert (kind, reply.code) == (wire.ERROR, wire.DRAINING)
    assert all(one.client.receive(request)[0] == wire.SCAN_REPLY for request in sent)
    assert one.process.wait(WAIT) == 0


def registered(redis):
    out = subprocess.run(["redis-cli", "-s", redis, "--scan"], check=True,
                         capture_output=True, text=True).stdout.split()
    for key in out:
        for command in ("HKEYS", "SMEMBERS", "ZRANGE"):
            extra = ["0", "-1"] if command == "ZRANGE" else []
            got = subprocess.run(["redis-cli", "-s", redis, command, key, *extra],
                                 check=False, capture_output=True, text=True).stdout
            if "test-1" in got.split():
                return True
    return False


def test_registry_knows_it_and_forgets_it(scand, redis):
    one = scand(redis=redis)
    until(lambda: registered(redis))
    assert not [d for d in one.client.status().degraded if d.check == "registry"]
    one.process.terminate()
    assert one.process.wait(WAIT) == 0
    assert not registered(redis)


def test_without_redis_it_scans_and_says_so(scand):
    one = scand()
    one.wait_log("degraded check=registry")
    assert not one.client.scan(HAM).degraded


def test_rule_at_its_limit_is_logged_and_counted(scand, tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "site.cf").write_text("body SITE_DEAR /^(a+)+$/\nbody SITE_CHEAP /cheap/\n")
    one = scand(detectors='["rules"]', rules={"dirs": f'["{rules}"]', "cache_dir": '""'})
    for _ in range(2):
        reply = one.client.scan(HEAD + b"\r\n" + b"a" * 60 + b" cheap\r\n")
        assert set(wire.symbols(reply)) == {"SITE_CHEAP", "MX_RULES_LIMIT"}
    one.wait_log(r"scan\.limited id=\S+ rule=\S*SITE_DEAR\S* rules=1")
    assert wire.counters(one.client.status())[("mxdrop_scan_rule_limits_total", "")] == 2
    assert one.log().count("scan.limited") == 1  # one line a minute, however many meet it


# What must not start

@pytest.mark.parametrize("line, complaint", [
    ("detectors: [headers, nonsense]", 'no detector "nonsense"'),
    ('scores: ["NO_SUCH_SYMBOL 1"]', "NO_SUCH_SYMBOL"),
    ('scores: ["GTUBE nan"]', "is not a number"),
    ("colour: blue", "colour"),
])
def test_wrong_settings_are_refused(tmp_path, line, complaint):
    path = tmp_path / "mxdrop.yaml"
    path.write_text(f"scand:\n  {line}\n")
    for option in ([], ["-t"]):
        done = subprocess.run([SCAND, "-c", str(path), *option], check=False,
                              capture_output=True, text=True, timeout=WAIT)
        assert done.returncode == 1 and complaint in done.stderr, done.stderr


def test_endpoint_in_use_is_refused(scand):
    one = scand()
    done = subprocess.run([SCAND, "-c", one.config], check=False, capture_output=True,
                          text=True, timeout=WAIT)
    assert done.returncode == 1 and "scand.endpoint" in done.stderr, done.stderr
