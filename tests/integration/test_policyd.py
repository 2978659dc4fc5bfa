"""mxdrop-policyd itself: a real daemon, a real Redis, requests byte by byte."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
import yaml
import zmq

import harness
import policy_wire as wire
from harness import Process, program, wait_until

PASSED = (wire.CONTINUE, "")


def outcome(reply):
    """(action, deciding module)."""
    return reply.action, reply.module


class Redis:
    """A redis-server on a UNIX socket that can be killed and started again."""

    def __init__(self, directory):
        self.socket = directory / "redis.sock"
        self.directory = directory
        self.process = None
        self.start()

    def start(self):
        """Start; returns when it answers."""
        self.process = Process(["redis-server", "--port", "0", "--unixsocket",
                                str(self.socket), "--save", "", "--appendonly", "no",
                                "--dir", str(self.directory)], self.directory / "redis.log")
        wait_until(lambda: self.cli("ping") == "PONG", "Redis to answer")

    def kill(self):
        """kill -9."""
        self.process.popen.kill()
        self.process.popen.wait()

    def cli(self, *words):
        """redis-cli's output."""
        return subprocess.run(["redis-cli", "-s", str(self.socket), *words], text=True,
                              capture_output=True, check=False).stdout.strip()

    def calls(self):
        """Calls per command since the last CONFIG RESETSTAT."""
        return {name: int(n) for name, n in
                re.findall(r"cmdstat_([\w|]+):calls=(\d+)", self.cli("info", "commandstats"))}


class Site:
    """Redis and any number of policyds in one directory."""

    def __init__(self):
        self.dir = harness.private_dir()
        self.daemons, self.clients = [], []
        self.store_timeout = "1s"
        self.redis = Redis(self.dir)

    def configure(self, name, **settings):
        """Write the configuration of a policyd; greylisting takes a second."""
        own = {"endpoint": f"ipc://{self.dir}/{name}.sock",
               "chain": {"rcpt": ["access", "fq_rcpt", "user_lists", "greylist"]},
               "greylist": {"delay": "1s", "learn_period": 0}}
        own.update(settings)
        path = self.dir / f"{name}.yaml"
        path.write_text(yaml.safe_dump({
            "redis": {"address": f"unix:{self.redis.socket}", "timeout": self.store_timeout,
                      "backoff_max": "200ms"},
            "policyd": own, "log": {"level": "debug"}}))
        return path

    def policyd(self, name="policyd", **settings):
        """Start one; returns (process, connection)."""
        path = self.configure(name, **settings)
        process = Process([program("mxdrop-policyd"), "-c", str(path)],
                          self.dir / f"{name}.log")
        self.daemons.append(process)
        wait_until(lambda: "policy.ready" in process.log() or not process.running(),
                   f"{name} to be ready")
        assert process.running(), process.log()
        return process, self.client(f"ipc://{self.dir}/{name}.sock")

    def client(self, endpoint, keys=None):
        """A connection of its own."""
        self.clients.append(wire.Policyd(endpoint, keys))
        return self.clients[-1]

    def close(self):
        """Stop everything; a daemon that does not end cleanly fails the test."""
        for client in self.clients:
            client.close()
        results = [(d.stop(), d.log()) for d in self.daemons]
        self.redis.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
        for status, log in results:
            assert status == 0, f"exit {status}:\n{log[-4000:]}"


@pytest.fixture
def site():
    """A Site that ends with the test."""
    made = Site()
    with contextlib.closing(made):
        yield made


def wait_log(process, pattern):
    """Wait for a line."""
    return wait_until(lambda: re.search(pattern, process.log()), f"{pattern!r} in the log")


def test_greylist_across_two_policyds(site):
    """Put off by one, passed by the other; the state is the store's."""
    _, one = site.policyd("one")
    _, two = site.policyd("two")
    reply = one.rcpt("a@s.example", "bob@example.org")
    assert outcome(reply) == (wire.TEMPFAIL, "greylist")
    assert (reply.reply.code, reply.reply.enhanced) == (450, "4.7.1")
    assert b"seconds" in reply.reply.text
    wait_until(lambda: outcome(two.rcpt("a@s.example", "bob@example.org")) == PASSED,
               "the retry to pass")
    assert outcome(two.rcpt("b@t.example", "bob@example.org"))[0] == wire.TEMPFAIL


def test_list_entries_are_seen_by_all_at_once(site):
    """Both had seen the lists empty; the first network, the first domain and their end
    count with the very next check of each."""
    nodes = [site.policyd(name, greylist={"mode": "off"})[1] for name in ("one", "two")]

    def lists(*words):
        harness.run([program("mxdropctl"), "-c", str(site.dir / "one.yaml"), "lists", *words])

    def expect(action, module):
        for node in nodes:
            assert outcome(node.rcpt("a@s.example", "bob@example.org")) == (action, module)

    expect(wire.CONTINUE, "")
    for scope, pattern in (("system", "192.0.2.0/24"), ("@example.org", ".example"),
                           ("bob@example.org", "192.0.0.0/16")):
        lists("deny", scope, pattern)
        expect(wire.REJECT, "user_lists")
        lists("remove", scope, pattern)
        expect(wire.CONTINUE, "")


def test_one_round_trip_per_check(site):
    """Lists and greylist together are one batch; decisions before them none."""
    _, policyd = site.policyd()
    policyd.rcpt("a@s.example", "bob@example.org")  # scripts are loaded now
    site.redis.cli("config", "resetstat")
    before = wait_until(lambda: wire.counter(policyd.status(),
                                             "mxdrop_policy_store_round_trips"), "gauges")
    for _ in range(100):
        policyd.rcpt("a@s.example", "bob@example.org")
        assert outcome(policyd.rcpt("a@s.example", "bob")) == (wire.REJECT, "fq_rcpt")
    wait_until(lambda: wire.counter(policyd.status(), "mxdrop_policy_store_round_trips")
               == before + 100, "one round trip per check that needs the store")
    calls = site.redis.calls()
    assert calls["hmget"] >= 300  # mailbox, domain, system
    reads = sum(n for name, n in calls.items() if name in ("hmget", "get", "hget", "mget"))
    # three lists, three scopes of preferences, the tuple, its pool, the epoch
    assert reads == 900, calls


def test_store_killed_and_back(site):
    """Everybody passes meanwhile, it shows, and it ends by itself."""
    process, policyd = site.policyd()
    assert outcome(policyd.rcpt("a@s.example", "bob@example.org"))[0] == wire.TEMPFAIL
    site.redis.kill()
    reply = policyd.rcpt("c@u.example", "bob@example.org")
    assert outcome(reply) == PASSED
    assert list(reply.degraded) == ["user_lists", "greylist"]
    assert {d.check for d in policyd.status().degraded} >= {"greylist", "user_lists"}
    for _ in range(50):
        policyd.rcpt("c@u.example", "bob@example.org")
    assert len(re.findall(r"policy.degraded module=greylist", process.log())) == 1
    site.redis.start()
    wait_until(lambda: outcome(policyd.rcpt("d@v.example", "bob@example.org"))[0] ==
               wire.TEMPFAIL, "greylisting to be back")
    wait_log(process, "policy.recovered module=greylist")
    wait_until(lambda: not policyd.status().degraded, "nothing degraded")


def test_start_without_redis(site):
    """A Redis that is away does not keep us from starting."""
    site.redis.kill()
    process, policyd = site.policyd()
    assert outcome(policyd.rcpt("a@s.example", "bob@example.org")) == PASSED
    assert "store.down" in process.log()
    site.redis.start()
    wait_until(lambda: outcome(policyd.rcpt("d@v.example", "bob@example.org"))[0] ==
               wire.TEMPFAIL, "greylisting to begin")


def test_map_reload(site):
    """A changed file counts without a signal, a broken one does not and says where."""
    path = site.dir / "clients"
    path.write_text("192.0.2.0/24 OK\n")
    process, policyd = site.policyd(workers=2,
                                    access={"lookups": [f"client cidr:{path}"]})
    second = site.client(f"ipc://{site.dir}/policyd.sock-1")
    assert outcome(policyd.rcpt("a@s.example", "bob@example.org")) == (wire.CONTINUE,
                                                                       "access")
    path.write_text("192.0.2.0/24 REJECT not you\n")
    for worker in (policyd, second):
        reply = wait_until(lambda w=worker: (r := w.rcpt("a@s.example", "b@example.org"))
                           .action == wire.REJECT and r, "the new table")
        assert reply.reply.text == b"not you"
    path.write_text("192.0.2.0/24 OK\nnonsense\n")
    wait_log(process, rf"maps.broken file={path} .*{path}:2")
    assert outcome(policyd.rcpt("a@s.example", "bob@example.org"))[0] == wire.REJECT
    wait_until(lambda: "maps" in {d.check for d in policyd.status().degraded}, "health")
    path.write_text("192.0.2.0/24 OK\n")
    wait_log(process, "maps.recovered")
    assert outcome(second.rcpt("a@s.example", "bob@example.org"))[0] == wire.CONTINUE


def test_configuration_reload(site):
    """SIGHUP: new chains on all workers, or none."""
    process, policyd = site.policyd(workers=2)
    second = site.client(f"ipc://{site.dir}/policyd.sock-1")
    site.configure("policyd", workers=2, chain={"rcpt": ["fq_rcpt"]})
    process.popen.send_signal(signal.SIGHUP)
    wait_log(process, "policy.reload result=ok")
    for worker in (policyd, second):
        wait_until(lambda w=worker: outcome(w.rcpt("a@s.example", "bob@example.org")) ==
                   PASSED, "the new chain")
    for broken in ({"chain": {"rcpt": ["no_such_module"]}},
                   {"access": {"lookups": ["client cidr:/nowhere/at/all"]}},
                   {"greylist": {"delay": "soon"}}):
        seen = len(re.findall("result=failed", process.log()))
        site.configure("policyd", workers=2, **broken)
        process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda s=seen: len(re.findall("result=failed", process.log())) > s,
                   "the failure in the log")
        assert outcome(second.rcpt("a@s.example", "bob@example.org")) == PASSED


def test_workers_are_announced(site):
    """Every worker is an entry of the topology, so that shims use it."""
    _, policyd = site.policyd(workers=2)
    nodes = wait_until(lambda: (t := policyd.topology()) and len(t.policyds) == 2 and t,
                       "both workers in the registry").policyds
    assert {n.endpoint for n in nodes} == {f"ipc://{site.dir}/policyd.sock",
                                           f"ipc://{site.dir}/policyd.sock-1"}
    version = policyd.topology().version
    assert policyd.rcpt("a@s.example", "bob@example.org").topology == version


def test_node_and_advertise_are_what_the_registry_has(site):
    """Shims hear of the address that they can reach."""
    _, policyd = site.policyd(node="p-7", advertise="tcp://192.0.2.77:7777")
    nodes = wait_until(lambda: policyd.topology().policyds, "the entry")
    assert [(n.id, n.endpoint) for n in nodes] == [("p-7", "tcp://192.0.2.77:7777")]


def test_drain(site):
    """SIGTERM: what is under way is answered, the rest is sent elsewhere, exit 0."""
    process, policyd = site.policyd()
    sent = [policyd.send(wire.POLICY_REQUEST,
                         wire.rcpt_request("a@s.example", f"r{i}@example.org"))
            for i in range(500)]
    policyd.receive(sent[0])
    process.popen.send_signal(signal.SIGTERM)
    kinds = {policyd.receive(number)[0] for number in sent[1:]}
    assert kinds <= {wire.POLICY_REPLY, wire.ERROR}
    wait_until(lambda: "daemon.stop" in process.log(), "the signal to be seen")
    with contextlib.suppress(TimeoutError):  # unless it has ended already
        kind, error = policyd.receive(policyd.send(wire.STATUS_REQUEST, b""), timeout=0.2)
        assert kind == wire.STATUS_REPLY and error.node.is_draining
    assert process.popen.wait(30) == 0
    assert site.redis.cli("hlen", "mx:reg:{policyd}:node") == "0"


def stalled(site, **settings):
    """A policyd whose store hangs, with one check under way; (process, client, request)."""
    site.store_timeout = "10s"
    process, policyd = site.policyd(deadline={"rcpt": "20s"}, **settings)
    wait_until(lambda: not policyd.rcpt("a@s.example", "bob@example.org").degraded,
               "the store to be connected")
    site.redis.process.popen.send_signal(signal.SIGSTOP)
    state = pathlib.Path(f"/proc/{site.redis.process.popen.pid}/stat")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "Redis to hang")
    request = policyd.send(wire.POLICY_REQUEST, wire.rcpt_request("a@s.example", "c@example.org"),
                           deadline_ms=20000)
    wait_until(lambda: policyd.status().node.busy == 1, "the check to be under way")
    return process, policyd, request


def test_in_flight_is_the_bound(site):
    """One more is answered at once, overloaded, and counted; the first gets its answer."""
    process, policyd, first = stalled(site, in_flight=1)
    for number in (1, 2):
        kind, error = policyd.receive(policyd.send(
            wire.POLICY_REQUEST, wire.rcpt_request("a@s.example", "d@example.org")))
        assert (kind, error.code) == (wire.ERROR, wire.OVERLOADED)
        assert wire.counter(policyd.status(), "mxdrop_policy_overloaded_total") == number
    wait_log(process, r"policy\.overloaded in_flight=1")
    site.redis.process.popen.send_signal(signal.SIGCONT)
    assert policyd.receive(first)[0] == wire.POLICY_REPLY


def test_drain_timeout_ends_the_wait(site):
    """What hangs for longer is answered without the store: here at once, not after 5 s."""
    process, policyd, request = stalled(site, drain_timeout="0s")
    process.popen.terminate()
    kind, reply = policyd.receive(request)
    assert kind == wire.POLICY_REPLY and "greylist" in reply.degraded
    assert "store.down" not in process.log()  # which is what else would end the wait
    assert process.popen.wait(30) == 0
    site.redis.process.popen.send_signal(signal.SIGCONT)


def test_keys_say_who_may_ask(site):
    """tcp:// with CURVE: the key on the list is served, another one is not heard."""
    server, friend, stranger = (zmq.curve_keypair() for _ in range(3))
    endpoint = f"tcp://127.0.0.1:{harness.free_port()}"
    site.policyd(endpoint=endpoint, public_key=server[0].decode(),
                 secret_key=server[1].decode(), allowed_keys=[friend[0].decode()])
    asked = wire.rcpt_request("a@s.example", "bob")
    known = site.client(endpoint, keys=(server[0], *friend))
    assert known.call(wire.POLICY_REQUEST, asked, wire.POLICY_REPLY).module == "fq_rcpt"
    unknown = site.client(endpoint, keys=(server[0], *stranger))
    with pytest.raises(TimeoutError):
        unknown.receive(unknown.send(wire.POLICY_REQUEST, asked), timeout=1)


def test_bad_requests(site):
    """What cannot be read is answered with an error and logged once."""
    process, policyd = site.policyd()
    for payload in (b"\xff\xff\xff", b"", wire.policy.PolicyRequest(stage=4),
                    wire.policy.PolicyRequest(stage=1, client_addr=b"12345")):
        kind, error = policyd.receive(policyd.send(wire.POLICY_REQUEST, payload))
        assert (kind, error.code) == (wire.ERROR, wire.BAD_REQUEST), error
    kind, error = policyd.receive(policyd.send(99, b""))
    assert (kind, error.code) == (wire.ERROR, wire.UNKNOWN_TYPE)
    assert process.log().count("policy.bad-request") == 1
    assert outcome(policyd.rcpt("a@s.example", "bob@example.org"))[0] == wire.TEMPFAIL


@pytest.mark.parametrize("settings, what", [
    ({"chain": {"rcpt": ["nothing"]}}, "there is no module 'nothing'"),
    ({"greylist": {"delay": "5"}}, "delay"),
    ({"endpoint": "tcp://0.0.0.0:9610"}, "key"),
    ({"access": {"lookups": ["client cidr:/nowhere/at/all"]}}, "/nowhere/at/all"),
])
def test_refuses_to_start(site, settings, what):
    """Wrong settings: exit 1, one line that says what."""
    path = site.configure("broken", **settings)
    done = subprocess.run([program("mxdrop-policyd"), "-c", str(path)], timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("mxdrop-policyd: ") and what in last, done.stderr


def test_wrong_password_is_told_at_once(site):
    """Rather than looked for in a log."""
    site.redis.cli("config", "set", "requirepass", "secret")
    path = site.configure("broken")
    done = subprocess.run([program("mxdrop-policyd"), "-c", str(path)], timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and os.path.basename(path) in done.stderr, done.stderr
