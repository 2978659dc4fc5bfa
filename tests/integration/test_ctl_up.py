"""mxdropctl up as a user meets it: files, Postfix, deaths, a second start, clear refusals."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import smtplib
import socket

import pytest

import harness
import mta

POSTFIX = pathlib.Path(os.environ.get("MXDROP_POSTFIX_ROOT", "/"), "usr/sbin/postfix")


@pytest.fixture(name="place")
def fixture_place():
    """An empty directory that Postfix's user may pass."""
    directory = harness.private_dir()
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


class Up:
    """One `mxdropctl up`."""

    def __init__(self, directory, *arguments):
        self.dir = directory / "c"
        self.ready = self.dir / "up.json"
        self.ready.unlink(missing_ok=True)
        self.process = harness.Process(
            [harness.program("mxdropctl"), "up", "--dir", str(self.dir), *arguments],
            directory / "up.log")
        harness.wait_until(lambda: self.ready.exists() or not self.process.running(),
                           "mxdropctl up to be ready", harness.START_S)
        assert self.process.running(), self.process.log()
        self.info = json.loads(self.ready.read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self.process.stop() == 0, self.process.log()

    def pid(self, name):
        """Of one of its processes; None between two lives."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int((self.dir / "pid" / f"{name}.pid").read_text())
        return None

    def pids(self):
        """Of all of its processes, itself left out."""
        return [self.pid(path.stem) for path in (self.dir / "pid").glob("*.pid")
                if path.stem != "up"]

    def ctl(self, *arguments):
        """Output of a command against it."""
        return harness.run([harness.program("mxdropctl"), "-c",
                            str(self.dir / "mxdrop.yaml"), *arguments]).stdout


def refused(directory, *arguments, code=1):
    """What up says when it refuses to start."""
    done = harness.run([harness.program("mxdropctl"), "up", "--dir", str(directory),
                        *arguments], check=False, timeout=60)
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.skipif(os.geteuid() != 0 or not POSTFIX.exists(),
                    reason="Postfix needs root and its programs")
def test_mail_through_postfix_reaches_the_sink(place):
    """A sender that comes back passes greylisting; foreign domains are not relayed."""
    with Up(place, "--scanners", "1") as up:
        host, port = up.info["smtp"].rsplit(":", 1)

        def send(recipient):
            with smtplib.SMTP(host, int(port), timeout=30) as session:
                try:
                    session.sendmail("me@sender.example", [recipient],
                                     mta.message("through Postfix"))
                except smtplib.SMTPRecipientsRefused as refusal:
                    return refusal.recipients[recipient][0]
            return 250

        assert send("you@demo.example") == 450
        harness.wait_until(lambda: send("you@demo.example") == 250, "greylisting to pass", 30)
        assert send("you@elsewhere.example") == 554
        sink = pathlib.Path(up.info["sink"])
        message = harness.wait_until(
            lambda: next((text for text in (p.read_text() for p in sink.iterdir())
                          if text.endswith("\n\n") or "X-Mxdrop-Status" in text), None),
            "the message in the sink", 30)
        assert "X-Rcpt-Args: <you@demo.example>" in message
        assert "X-Mxdrop-Status: clean" in message
        pids = up.pids()
        assert None not in pids and len(pids) == 6
    assert [pid for pid in pids if harness.is_alive(pid)] == []


def test_what_dies_is_started_again(place):
    """policyd and Redis killed: back by themselves, state kept; the last option counts."""
    with Up(place, "--smtp", "0", "--scanners", "1", "--no-restart", "--restart") as up:
        assert any((up.dir / "tmp").iterdir())  # scanners work there, not in /tmp
        up.ctl("lists", "deny", "system", "bad.example")
        for name in ("policyd-1", "redis"):
            before = up.pid(name)
            os.kill(before, signal.SIGKILL)
            harness.wait_until(lambda n=name, b=before: up.pid(n) not in (None, b),
                               f"{name} to be started again", 30)
            harness.wait_until(lambda n=name: f"{n} died" in up.process.log()
                               and "ready" in up.process.log().split(f"{n} died")[1],
                               f"{name} to be ready again", 30)
        assert "bad.example" in up.ctl("lists", "show", "system")


def test_second_start_keeps_configuration_and_state(place):
    """An edited mxdrop.yaml stays, and so does what Redis held."""
    with Up(place, "--smtp", "0", "--scanners", "1") as up:
        up.ctl("lists", "allow", "system", "good.example")
        conf = up.dir / "mxdrop.yaml"
        conf.write_text(conf.read_text() + "# mine\n")
    with Up(place, "--smtp", "0", "--scanners", "2", "--policyds", "2") as up:
        assert "kept as they are" in up.process.log()
        assert conf.read_text().endswith("# mine\n")
        assert "good.example" in up.ctl("lists", "show", "system")
        assert set(up.info["processes"]) == {"policyd-1", "policyd-2", "scand-1", "scand-2",
                                             "milter"}


def test_killed_up_leaves_nothing_and_the_next_one_starts(place):
    """kill -9 takes everything along; no stale lock."""
    first = Up(place, "--smtp", "0", "--scanners", "1")
    pids = first.pids()
    first.process.popen.kill()
    first.process.popen.wait()
    harness.wait_until(lambda: not any(harness.is_alive(pid) for pid in pids),
                       "everything to end", 30)
    with Up(place, "--smtp", "0", "--scanners", "1"):
        pass


def test_reload_reaches_the_copies(place):
    """SIGHUP: what was changed in mxdrop.yaml is in every process's copy."""
    with Up(place, "--smtp", "0", "--scanners", "1") as up:
        conf = up.dir / "mxdrop.yaml"
        conf.write_text(conf.read_text().replace("level: info", "level: debug"))
        os.kill(up.process.popen.pid, signal.SIGHUP)
        copy = up.dir / "conf" / "policyd-1.yaml"
        harness.wait_until(lambda: "level: debug" in copy.read_text(), "the copy", 30)
        assert all(harness.is_alive(pid) for pid in up.pids())


def test_init_writes_and_ends(place):
    """--init: files to edit, nothing started."""
    done = harness.run([harness.program("mxdropctl"), "up", "--dir", str(place / "c"),
                        "--smtp", "0", "--init"])
    assert done.stdout == f"{place}/c/mxdrop.yaml\n"
    assert not list((place / "c" / "pid").iterdir())
    harness.run([harness.program("mxdropctl"), "-c", str(place / "c" / "mxdrop.yaml"),
                 "config", "check"])


def test_a_broken_configuration_is_told(place):
    """The daemon's own words, with file and line, and exit 1."""
    harness.run([harness.program("mxdropctl"), "up", "--dir", str(place / "c"), "--smtp", "0",
                 "--init"])
    conf = place / "c" / "mxdrop.yaml"
    conf.write_text(conf.read_text().replace("policyd:\n", "policyd:\n  endpiont: x\n", 1))
    text = refused(place / "c", "--smtp", "0")
    assert "policyd-1 did not start" in text and "policyd-1.yaml:" in text
    assert "endpiont" in text


def test_long_directory_is_refused(place):
    """A UNIX socket's path has 107 bytes."""
    text = refused(place / ("d" * 100), "--smtp", "0")
    assert "107 bytes" in text and "--dir" in text


@pytest.mark.skipif(os.geteuid() != 0 or not POSTFIX.exists(),
                    reason="Postfix needs root and its programs")
def test_taken_port_is_refused(place):
    """Before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = refused(place / "c", "--smtp", str(taken.getsockname()[1]))
    assert "in use" in text and "--smtp" in text


@pytest.mark.parametrize("arguments", [["--scanners", "0"], ["--scanners", "x"],
                                       ["--smtp", "65536"], ["--nonsense"]])
def test_wrong_usage_exits_2(place, arguments):
    """And starts nothing."""
    refused(place / "c", *arguments, code=2)
    assert not (place / "c").exists()


def test_quiet_in_a_pipe(place):
    """No progress where nobody watches."""
    with Up(place, "--smtp", "0", "--scanners", "1") as up:
        assert up.process.log().startswith("mxdrop is up in ")
