"""A private cluster for a test: `mxdropctl up` in a directory of its own, with the handles
a test needs to hurt it: kill one process, start what is down, join another scanner, read
logs, metrics and pid files. Everything that was started is stopped, also after a failure.

Tests wait for events (a line in a log, a file, a port), never for time to pass.
"""
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import yaml

import mta
import sendmail

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MX_BUILD_DIR", TOP / "build"))
START_S = 90  # signatures, sanitizers and a busy machine included


def program(name):
    """Path of one of our programs."""
    return str(BUILD / "bin" / name)


def wait_until(predicate, what, timeout=30):
    """Poll until predicate() is true; returns its value. what: text, or a function for it."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what() if callable(what) else what}")
        time.sleep(0.02)


def free_port():
    """A TCP port of 127.0.0.1 that nobody uses, below those that the kernel gives to
    outgoing connections: such a one could be taken before we listen."""
    while True:
        with socket.socket() as probe:
            port = random.randrange(12000, 31000)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


def private_dir():
    """A directory with a short name (UNIX sockets) that Postfix's user can pass."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="mxt."))
    path.chmod(0o755)
    return path


class Process:
    """A program that we run directly, with its output in a file."""

    def __init__(self, arguments, log, env=None):
        self.log_path = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=out, env=env, start_new_session=True)

    def log(self):
        """What it said so far."""
        return self.log_path.read_text(errors="replace")

    def running(self):
        """Whether it still runs."""
        return self.popen.poll() is None

    def stop(self, timeout=30):
        """SIGTERM, then SIGKILL; returns the exit status."""
        if self.running():
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.popen.pid, signal.SIGKILL)
        return self.popen.wait()


def is_alive(pid):
    """Whether a process exists and is more than a zombie."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class Cluster:
    """`mxdropctl up --smtp 0 --no-restart` and what belongs to it.

    edit(conf) changes the configuration before the first start.
    """

    def __init__(self, policyds=1, scanners=2, edit=None):
        self.dir = private_dir()
        self.scanners = scanners
        self.extra = []
        self.sinks = []
        self.up = None
        self.arguments = [program("mxdropctl"), "up", "--dir", str(self.dir), "--smtp", "0",
                          "--policyds", str(policyds), "--scanners", str(scanners),
                          "--no-restart"]
        try:
            self._edit(edit)
            self.start()
        except BaseException:
            self.close()
            raise

    def _edit(self, edit):
        run([*self.arguments, "--init"])
        path = self.dir / "mxdrop.yaml"
        conf = yaml.safe_load(path.read_text())
        if edit:
            edit(conf)
        path.write_text(yaml.safe_dump(conf))

    def start(self):
        """Start everything and wait until it is ready."""
        self.ready_file.unlink(missing_ok=True)
        self.up = Process(self.arguments, self.dir / "up.log")
        wait_until(lambda: self.ready_file.exists() or not self.up.running(),
                   "mxdropctl up to be ready", START_S)
        assert self.up.running(), f"mxdropctl up ended:\n{self.up.log()}\n{self.all_logs()}"
        self.wait_scanners(self.scanners)

    def wait_scanners(self, number):
        """Wait until the milter has heard of so many scanners."""
        def last_list():
            found = re.findall(r"shim\.topology .*scanners=(\d+)", self.log("milter"))
            return found and int(found[-1]) == number
        wait_until(last_list, f"the milter to know {number} scanners", START_S)

    @property
    def ready_file(self):
        """up.json: written when everything is ready."""
        return self.dir / "up.json"

    @property
    def info(self):
        """What up.json says."""
        return json.loads(self.ready_file.read_text())

    # -- processes -----------------------------------------------------------------

    def pid(self, name):
        """Process id by name: policyd-1, scand-1, milter, redis."""
        return int((self.dir / "pid" / f"{name}.pid").read_text())

    def kill(self, name, number=signal.SIGKILL):
        """Kill one process; returns when it is gone and mxdropctl up knows of it."""
        pid = self.pid(name)
        news = f"{name} died"
        before = self.up.log().count(news)
        os.kill(pid, number)
        wait_until(lambda: not is_alive(pid) and self.up.log().count(news) > before,
                   f"{name} to end")

    def revive(self, *names):
        """Start what is down; returns when the named ones are ready again."""
        for name in names:  # it is down once mxdropctl up has seen it, not as soon as it died
            wait_until(lambda n=name: self._is_noticed(n), f"the end of {name} to be noticed")
        os.kill(self.up.popen.pid, signal.SIGUSR1)
        for name in names:
            ready = self._redis_answers if name == "redis" else lambda n=name: self.is_ready(n)
            wait_until(ready, lambda: f"mxdropctl up to start what was killed:\n"
                       f"{self.up.log()}{self.all_logs()}", START_S)

    def _is_noticed(self, name):
        """Whether a process lives, or its pid file is gone with it."""
        try:
            return is_alive(self.pid(name))
        except FileNotFoundError:
            return True

    def join(self, name):
        """Start one more scanner or policyd that the cluster was not told of."""
        kind = name.split("-")[0]
        conf = yaml.safe_load((self.dir / "mxdrop.yaml").read_text())
        conf[kind]["endpoint"] = f"ipc://{self.dir}/{name}.sock"
        conf[kind]["metrics"] = f"127.0.0.1:{free_port()}"
        path = self.dir / "conf" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(conf))
        process = Process([program(f"mxdrop-{kind}"), "-c", str(path)],
                          self.dir / "log" / f"{name}.log")
        self.extra.append(process)
        (self.dir / "pid" / f"{name}.pid").write_text(f"{process.popen.pid}\n")
        wait_until(lambda: self.is_ready(name) or not process.running(),
                   f"{name} to be ready", START_S)
        assert process.running(), process.log()
        return process

    # -- what they say -------------------------------------------------------------

    def log(self, name):
        """The log of a process."""
        path = self.dir / "log" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def all_logs(self):
        """The end of every log, for the message of a failed start."""
        return "\n".join(f"-- {p.name}\n" + p.read_text(errors="replace")[-2000:]
                         for p in sorted((self.dir / "log").glob("*")))

    def wait_log(self, name, pattern, timeout=30, seen=0):
        """Wait until more than `seen` lines match; returns the last such line."""
        def matching():
            lines = [x for x in self.log(name).splitlines() if re.search(pattern, x)]
            return lines[-1] if len(lines) > seen else None
        return wait_until(matching, f"{pattern!r} in the log of {name}", timeout)

    def metrics_address(self, name):
        """Host and port of a process's metrics."""
        path = self.dir / "conf" / f"{name}.yaml"
        section = yaml.safe_load(path.read_text())[name.split("-")[0]]
        host, port = section["metrics"].rsplit(":", 1)
        return host, int(port)

    def http(self, name, path):
        """(status, text) of a GET from the metrics port of a process."""
        connection = http.client.HTTPConnection(*self.metrics_address(name), timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def is_ready(self, name):
        """Whether a process runs and says that it is ready to serve."""
        try:
            return is_alive(self.pid(name)) and self.http(name, "/healthz")[0] == 200
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def metric(self, name, metric, **labels):
        """Sum of a metric's samples that carry these labels; 0 if there is none."""
        total = 0.0
        for line in self.http(name, "/metrics")[1].splitlines():
            match = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if match and match[1] == metric:
                found = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
                if all(found.get(k) == v for k, v in labels.items()):
                    total += float(match[3])
        return total

    def ctl(self, *arguments, check=True, data=None):
        """Run mxdropctl against this cluster."""
        return run([program("mxdropctl"), "-c", str(self.dir / "mxdrop.yaml"), *arguments],
                   check=check, data=data)

    def redis(self, *arguments):
        """redis-cli against the private server."""
        return run(["redis-cli", "-s", str(self.dir / "redis.sock"), *arguments],
                   check=False).stdout.strip()

    def _redis_answers(self):
        return (self.dir / "redis.sock").exists() and self.redis("PING") == "PONG"

    # -- mail ----------------------------------------------------------------------

    def postfix(self):
        """A private Postfix in front, a sink behind it; (port, sink)."""
        sink, port = self._sink(), free_port()
        directory = self.dir / "postfix"
        master, environment = mta.write_postfix(directory, port, sink.port,
                                                f"unix:{self.dir}/milter.sock")
        self._start_mta([master, "-s"], directory, port, environment)
        return port, sink

    def sendmail(self):
        """A private Sendmail in front, a sink behind it; (port, sink)."""
        sink, port = self._sink(), free_port()
        directory = self.dir / "sendmail"
        command = sendmail.write_sendmail(directory, port, sink.port, self.dir, run)
        self._start_mta(command, directory, port)
        return port, sink

    def _sink(self):
        self.sinks.append(mta.Sink())
        return self.sinks[-1]

    def _start_mta(self, command, directory, port, environment=None):
        process = Process(command, directory / "out.log", environment)
        self.extra.append(process)
        wait_until(lambda: mta.is_listening(port) or not process.running(), "the MTA to listen")
        assert process.running(), process.log()

    def close(self):
        """Stop everything; keep the directory only if MX_TEST_KEEP is set."""
        problems = []
        for process in reversed(self.extra):
            process.stop()
        for sink in self.sinks:
            sink.close()
        if self.up:
            self.up.stop()
            problems = self.sanitizer_reports()
        if os.environ.get("MX_TEST_KEEP"):
            print(f"kept: {self.dir}", file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        assert not problems, "\n".join(problems)

    def sanitizer_reports(self):
        """What a sanitizer or an assertion wrote into any log."""
        pattern = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|Assertion .* failed")
        return [f"{p.name}: {line}" for p in sorted((self.dir / "log").glob("*"))
                for line in p.read_text(errors="replace").splitlines() if pattern.search(line)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run(arguments, check=True, data=None, timeout=120):
    """Run a program to its end; returns it with stdout and stderr as text."""
    done = subprocess.run(arguments, input=data, stdin=None if data else subprocess.DEVNULL,
                          capture_output=True, text=data is None or isinstance(data, str),
                          timeout=timeout, check=False)
    assert not check or done.returncode == 0, \
        f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done


@contextlib.contextmanager
def corpus():
    """Directory of the unpacked corpus of real messages; None where there is none here."""
    unpack = TOP.parent / "shared" / "corpus" / "unpack.sh"
    if os.environ.get("MX_CORPUS"):
        yield pathlib.Path(os.environ["MX_CORPUS"])
    elif not unpack.exists() or not shutil.which("zstd"):
        yield None
    else:
        directory = private_dir()
        try:
            done = run([str(unpack), str(directory / "corpus")])
            yield pathlib.Path(done.stdout.strip())
        finally:
            shutil.rmtree(directory)


NO_CORPUS = "no corpus here (../shared/corpus and zstd, or MX_CORPUS)"
