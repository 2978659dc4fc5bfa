"""Wrong configuration: every program refuses to start, and its one line names file, line
and what to do."""
import os
import re
import shutil
import signal
import socket

import pytest
import yaml

import harness

DAEMONS = ["mxdrop-policyd", "mxdrop-scand", "mxdrop-milter"]
SECTION = {"mxdrop-policyd": "policyd", "mxdrop-scand": "scand", "mxdrop-milter": "milter"}
NUMBER = {"mxdrop-policyd": "in_flight", "mxdrop-scand": "workers", "mxdrop-milter": "backlog"}


@pytest.fixture(name="site")
def fixture_site():
    """A directory with a sound configuration that no process uses; Site."""
    directory = harness.private_dir()
    yield Site(directory)
    shutil.rmtree(directory, ignore_errors=True)


class Site:
    """Configuration of a node in a directory of its own."""

    def __init__(self, directory):
        self.dir = directory
        (directory / "signatures").mkdir()
        signature = harness.TOP / "deploy" / "up" / "eicar.ndb"
        (directory / "signatures" / "test.ndb").write_bytes(signature.read_bytes())
        self.conf = {
            "redis": {"address": f"unix:{directory}/redis.sock"},
            "policyd": {"endpoint": f"ipc://{directory}/policyd.sock"},
            "scand": {"endpoint": f"ipc://{directory}/scand.sock", "workers": 1,
                      "clamav": {"signatures": f"{directory}/signatures"}},
            "milter": {"socket": f"unix:{directory}/milter.sock", "allow_root": True,
                       "policyd": [f"ipc://{directory}/policyd.sock"]},
        }
        self.path = directory / "mxdrop.yaml"
        self.write()

    def write(self):
        """Write the configuration as it is now."""
        self.path.write_text(yaml.safe_dump(self.conf, sort_keys=False))

    def line_of(self, text):
        """Number of the one line that contains a text."""
        numbers = [n for n, line in enumerate(self.path.read_text().splitlines(), 1)
                   if text in line]
        assert len(numbers) == 1, f"{text!r} is on lines {numbers}"
        return numbers[0]

    def refuses(self, program, *options):
        """Start it; it must end with 1 and one line, which is returned."""
        done = harness.run([harness.program(program), "-c", str(self.path), *options],
                           check=False, timeout=30)
        assert done.returncode == 1, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        lines = [x for x in done.stderr.splitlines() if x.startswith(f"{program}: ")]
        assert len(lines) == 1, done.stderr
        return lines[0]


@pytest.mark.parametrize("program", DAEMONS)
def test_sound_configuration_is_accepted(site, program):
    """-t says nothing wrong and exits 0; -n prints only what differs from defaults."""
    harness.run([harness.program(program), "-c", str(site.path), "-t"])
    effective = harness.run([harness.program(program), "-c", str(site.path), "-n"]).stdout
    shown = yaml.safe_load(effective)
    section = SECTION[program]
    assert set(shown[section]) <= set(site.conf[section]), effective


@pytest.mark.parametrize("options", [[], ["-t"]])
@pytest.mark.parametrize("program", DAEMONS)
def test_unknown_key(site, program, options):
    """Misspelt key: file, line, its name."""
    site.conf[SECTION[program]]["mispelt_key"] = 1
    site.write()
    text = site.refuses(program, *options)
    assert f"{site.path}:{site.line_of('mispelt_key')}" in text and "mispelt_key" in text


@pytest.mark.parametrize("program", DAEMONS)
def test_unknown_section(site, program):
    """A section that no program has."""
    site.conf["sacnd"] = {"workers": 1}
    site.write()
    text = site.refuses(program)
    assert f"{site.path}:{site.line_of('sacnd')}" in text and "sacnd" in text


@pytest.mark.parametrize("value", ["many", [1, 2], {"a": 1}, -5, 10**12])
@pytest.mark.parametrize("program", DAEMONS)
def test_wrong_type_or_range(site, program, value):
    """Where a number is wanted: a word, a list, a map, one out of range."""
    key = NUMBER[program]
    site.conf[SECTION[program]][key] = value
    site.write()
    text = site.refuses(program)
    first = site.line_of(f"{key}:")
    line = int(re.search(re.escape(str(site.path)) + r":(\d+)", text)[1])
    assert first <= line <= first + 1 and key in text, text


@pytest.mark.parametrize("program", DAEMONS)
def test_not_yaml(site, program):
    """Broken syntax: the line where it breaks."""
    site.path.write_text("redis:\n  address: [unclosed\nscand: {}\n")
    assert re.search(re.escape(str(site.path)) + r":[23]\b", site.refuses(program))


@pytest.mark.parametrize("program, text, said", [
    ("mxdrop-scand", "redis: {}\nscand:\n\tworkers: 1", ":3:1: not YAML: .*indent with spaces"),
    ("mxdrop-policyd", "redis:\n  address: localhost:redis", ":2: redis.address: "),
    ("mxdrop-scand", "redis:\n  dovecot:\n    address: localhost:0", ":3: redis.dovecot.address: "),
    ("mxdrop-policyd", "policyd:\n  public_key: abc", ":2: policyd.public_key: .*mxdropctl keygen"),
    ("mxdrop-scand", "scand:\n  endpoint: tcp://192.0.2.1:9", ":2: scand.endpoint: .*keygen"),
    ("mxdrop-milter", "milter:\n  policyd: ['tcp://192.0.2.1:9']", ":2: milter.policyd: .*keygen"),
    ("mxdrop-policyd", "policyd:\n  chain:\n    rcpt: [greylst]", ":3: .*known here: .*greylist"),
    ("mxdrop-scand", "scand:\n  detectors: [rule]", ":2: scand: detectors: .*mxdrop-scand -V"),
    ("mxdrop-scand", "scand:\n  scores: ['NO_SUCH 3']", ":2: scand: scores: .*NO_SUCH")])
def test_each_message_has_place_and_way_out(site, program, text, said):
    """What only the daemon can judge is told by -t, too, with file and line."""
    site.path.write_text(text + "\n")
    assert re.search(re.escape(str(site.path)) + said, site.refuses(program, "-t"))


@pytest.mark.parametrize("program", DAEMONS)
def test_missing_file(site, program):
    """No such configuration: its name and why."""
    site.path.unlink()
    text = site.refuses(program)
    assert str(site.path) in text and re.search("No such file|does not exist", text)


@pytest.mark.parametrize("program", DAEMONS)
def test_usage_error(program):
    """An unknown option is a usage error: exit 2."""
    assert harness.run([harness.program(program), "--no-such-option"],
                       check=False).returncode == 2


@pytest.mark.parametrize("program", DAEMONS)
def test_version_and_help(program):
    """-V names version and protocol, --help every option."""
    version = harness.run([harness.program(program), "-V"]).stdout
    assert re.search(r"\d+\.\d+\.\d+", version) and "protocol" in version
    text = harness.run([harness.program(program), "--help"]).stdout
    for option in ("--config", "--check", "--effective", "--version"):
        assert option in text


@pytest.fixture(name="redis")
def fixture_redis(site):
    """redis(password=None): a server on the socket that the configuration names."""
    started = []

    def start(*options):
        path = site.dir / "redis.sock"
        process = harness.Process(["redis-server", "--port", "0", "--unixsocket", str(path),
                                   "--save", "", "--dir", str(site.dir), *options],
                                  site.dir / "redis.log")
        started.append(process)
        harness.wait_until(path.exists, "Redis to listen")
        return process
    yield start
    for process in started:
        process.stop()


@pytest.mark.parametrize("program", ["mxdrop-policyd", "mxdrop-scand"])
def test_wrong_redis_password(site, redis, program):
    """Told at once: file, line of the password, never the password itself."""
    redis("--requirepass", "right-password")
    site.conf["redis"]["password"] = "wrong-password"
    site.write()
    text = site.refuses(program)
    assert f"{site.path}:" in text and "password" in text
    assert "wrong-password" not in text and "right-password" not in text


@pytest.mark.parametrize("program", ["mxdrop-policyd", "mxdrop-scand"])
def test_endpoint_in_use(site, redis, program):
    """Another process answers on our endpoint: it is left alone."""
    redis()
    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    port.listen()
    site.conf[SECTION[program]]["endpoint"] = f"tcp://127.0.0.1:{port.getsockname()[1]}"
    site.write()
    text = site.refuses(program)
    assert "in use" in text and str(port.getsockname()[1]) in text
    port.close()


def test_milter_socket_in_use(site):
    """A TCP port that somebody has, and a UNIX socket on which somebody listens."""
    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    port.listen()
    site.conf["milter"]["socket"] = f"inet:{port.getsockname()[1]}@127.0.0.1"
    site.write()
    assert "in use" in site.refuses("mxdrop-milter")
    port.close()

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(site.dir / "milter.sock"))
    listener.listen()
    site.conf["milter"]["socket"] = f"unix:{site.dir}/milter.sock"
    site.write()
    assert "in use" in site.refuses("mxdrop-milter")
    listener.close()


@pytest.mark.parametrize("program", DAEMONS)
def test_metrics_port_in_use(site, redis, program):
    """/metrics cannot be served: refused, with the port."""
    redis()
    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    port.listen()
    number = port.getsockname()[1]
    site.conf[SECTION[program]]["metrics"] = f"127.0.0.1:{number}"
    site.write()
    text = site.refuses(program)
    assert str(number) in text
    port.close()


def test_milter_refuses_to_be_root(site):
    """As root, without allow_root and user: it says what to do."""
    if os.geteuid() != 0:
        pytest.skip("only root can be refused for being root")
    del site.conf["milter"]["allow_root"]
    site.write()
    text = site.refuses("mxdrop-milter")
    assert "root" in text and "user" in text


def test_broken_reload_keeps_the_old_settings(cluster_of):
    """SIGHUP with a broken file: an error line with the place, and the service goes on."""
    cluster = cluster_of(policyds=1, scanners=1)
    for name in ("policyd-1", "scand-1", "milter"):
        path = cluster.dir / "conf" / f"{name}.yaml"
        sound = path.read_text()
        path.write_text(sound + "\nno_such_section: 1\n")
        pid = cluster.pid(name)
        os.kill(pid, signal.SIGHUP)
        line = cluster.wait_log(name, r"daemon\.reload.*no_such_section")
        assert f"{path}:" in line
        assert cluster.is_ready(name) and cluster.pid(name) == pid
        path.write_text(sound)
        os.kill(pid, signal.SIGHUP)
        cluster.wait_log(name, r"daemon\.reload.*result=ok")
