"""Parts are killed and started again: the configured reply, then recovery by itself.

Every cluster here has greylisting off, so that a reply is the last word on a message.
"""
import os
import signal
import threading

import pytest

import harness
import mta
from conftest import with_postfix

MESSAGES = int(os.environ.get("MX_TEST_MESSAGES", "1000")) // 4
SENDER, RECIPIENT = "alice@example.org", "bob@example.test"


def quick(conf):
    """No greylisting, and budgets short enough for a test."""
    conf["policyd"]["greylist"] = {"mode": "off"}
    conf["milter"].update(envelope_timeout="500ms", rcpt_timeout="2s", content_timeout="2s",
                          scan_timeout="10s", scan_attempt="3s", topology_interval="500ms")


@pytest.fixture(name="single", scope="module")
def fixture_single():
    """One policyd, one scanner: when it is gone, nobody else can answer."""
    with harness.Cluster(policyds=1, scanners=1, edit=quick) as cluster:
        cluster.port, cluster.sink = with_postfix(cluster)
        yield cluster


def send(cluster, subject):
    """A clean message; its Result."""
    return mta.send(cluster.port, SENDER, [RECIPIENT], mta.message(subject),
                    addr="192.0.2.77", name="client.example.org")


def works_again(cluster, subject):
    """Send until a message is accepted and has arrived."""
    harness.wait_until(lambda: send(cluster, subject).accepted, f"recovery ({subject})", 60)
    cluster.sink.wait_for(lambda ds: any(subject in d.headers("Subject") for d in ds), subject)


def test_policyd_gone_tempfails_then_recovers(single):
    """policyd_down = tempfail: 451 4.3.0 while it is away."""
    assert send(single, "before policyd").accepted
    single.kill("policyd-1")
    code, text = send(single, "without policyd").final
    assert (code, text[:5]) == (451, "4.3.0"), text
    single.wait_log("milter", "shim.policyd-down")
    single.revive("policyd-1")
    works_again(single, "after policyd")
    assert single.sink.with_subject("without policyd") == []


def test_scand_gone_tempfails_then_recovers(single):
    """scand_down = tempfail: 451 4.3.2 while it is away."""
    assert send(single, "before scand").accepted
    single.kill("scand-1")
    result = send(single, "without scand")
    assert (result.final[0], result.final[1][:5]) == (451, "4.3.2"), result.final
    single.wait_log("milter", "shim.scand-down")
    single.revive("scand-1")
    works_again(single, "after scand")
    assert single.sink.with_subject("without scand") == []


def test_redis_gone_mail_goes_on_degraded(single):
    """Without Redis checks are neutral and marked; lists work again when it is back."""
    single.ctl("lists", "deny", RECIPIENT, "denied@example.org")

    def denied():
        result = mta.send(single.port, "denied@example.org", [RECIPIENT],
                          mta.message("denied sender"), addr="192.0.2.78")
        return result.rcpts[RECIPIENT][0] == 550

    assert denied()
    single.kill("redis")
    harness.wait_until(lambda: send(single, "without Redis").accepted, "mail without Redis", 30)
    single.wait_log("policyd-1", "degraded")
    assert "degraded" in single.http("policyd-1", "/healthz")[1]
    single.revive("redis")
    harness.wait_until(denied, "the deny list to work again", 60)
    works_again(single, "after Redis")


def test_redis_gone_quota_and_rates_from_what_is_known(cluster_of):
    """A mailbox seen full stays full for now, another passes; rates are limited locally."""
    def edit(conf):
        quick(conf)
        conf["policyd"]["rate_limit"] = {"limits": ["sender messages 2/1h"]}
    cluster = cluster_of(policyds=1, scanners=1, edit=edit)
    cluster.port, cluster.sink = with_postfix(cluster)

    def reply(sender, recipient):
        return mta.send(cluster.port, sender, [recipient], mta.message("no Redis"),
                        addr="192.0.2.79").final[0]

    for mailbox in ("full@example.test", "unseen@example.test"):
        cluster.ctl("quota", "set", mailbox, "limit=1MiB", "used=1MiB")
    assert reply("a@example.org", "full@example.test") == 450
    cluster.kill("redis")
    harness.wait_until(lambda: reply("b@example.org", RECIPIENT) == 250, "mail without Redis")
    assert reply("a@example.org", "full@example.test") == 450
    assert reply("a@example.org", "unseen@example.test") == 250
    assert [reply("c@example.org", RECIPIENT) for _ in range(3)] == [250, 250, 450]


def test_milter_survives_everything_at_once(single):
    """policyd, scand and Redis all gone: the milter answers, and all recover."""
    milter = single.pid("milter")
    for name in ("policyd-1", "scand-1", "redis"):
        single.kill(name)
    assert send(single, "nobody there").final[0] == 451
    single.revive("redis", "policyd-1", "scand-1")
    works_again(single, "everybody back")
    assert single.pid("milter") == milter and harness.is_alive(milter)


@pytest.mark.parametrize("setting, value, reply", [
    ("policyd_down", "continue", 250), ("scand_down", "accept-unscanned", 250)])
def test_configured_to_go_on(cluster_of, setting, value, reply):
    """The other settings let mail through while a backend is away."""
    def edit(conf):
        quick(conf)
        conf["milter"][setting] = value
    cluster = cluster_of(policyds=1, scanners=1, edit=edit)
    cluster.port, cluster.sink = with_postfix(cluster)
    cluster.kill("policyd-1" if setting == "policyd_down" else "scand-1")
    result = send(cluster, setting)
    assert result.final[0] == reply, result.final
    cluster.sink.wait_for(lambda ds: any(setting in d.headers("Subject") for d in ds), setting)


class Load:
    """Messages from parallel sessions until told to stop; nothing may be refused."""

    def __init__(self, port, sessions=8):
        self.port = port
        self.count = 0
        self.failures = []
        self.lock = threading.Lock()
        self.moved = threading.Condition(self.lock)
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i,)) for i in range(sessions)]
        for thread in self.threads:
            thread.start()

    def _run(self, index):
        number = 0
        try:
            while not self.stopping.is_set():
                with mta.Session(self.port, addr=f"192.0.2.{index + 1}") as session:
                    for _ in range(10):
                        self._one(session, f"load {index}.{number}")
                        number += 1
        except Exception as error:  # pylint: disable=broad-except
            self._note(repr(error))

    def _one(self, session, subject):
        result = session.send(SENDER, [RECIPIENT], mta.message(subject, "Hello.\r\n" * 50))
        self._note(None if result.accepted else f"{subject}: {result.final}")

    def _note(self, failure):
        with self.moved:
            self.count += 1
            if failure:
                self.failures.append(failure)
            self.moved.notify_all()

    def more(self, messages):
        """Wait until so many more messages were answered."""
        with self.moved:
            wanted = self.count + messages
            assert self.moved.wait_for(lambda: self.count >= wanted, 120), "the load stands still"

    def stop(self):
        """Let the sessions end; returns how many messages were accepted."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        return self.count - len(self.failures)


def test_one_of_each_killed_under_load_and_a_third_scanner_joins(cluster_of):
    """Two policyds, two scanners: one of each dies, another scanner joins, no message fails."""
    cluster = cluster_of(policyds=2, scanners=2, edit=quick)
    cluster.port, cluster.sink = with_postfix(cluster)
    load = Load(cluster.port)
    try:
        step = max(20, MESSAGES // 6)
        load.more(step)
        cluster.kill("scand-1")
        load.more(step)
        cluster.kill("policyd-1")
        load.more(step)
        third = cluster.join("scand-3")
        cluster.wait_log("milter", rf"shim\.message .*scanner=\S*-{third.popen.pid}\b", 60)
        load.more(step)
        cluster.revive("policyd-1", "scand-1")
        load.more(step)
    finally:
        accepted = load.stop()
    assert load.failures == []
    cluster.sink.wait_for(lambda ds: len(ds) >= accepted, f"{accepted} messages", 120)
    harness.wait_until(lambda: not mta.queue_files(cluster.dir / "postfix"), "an empty queue")
    subjects = [d.header("Subject") for d in cluster.sink.deliveries]
    assert len(subjects) == len(set(subjects)) == accepted
    for delivery in cluster.sink.deliveries:
        assert delivery.header("X-Mxdrop-Status") is not None


def test_a_scanner_drains_without_losing_a_message(cluster_of):
    """SIGTERM to a scanner under load: it finishes what it has and leaves the list."""
    cluster = cluster_of(policyds=1, scanners=2, edit=quick)
    cluster.port, cluster.sink = with_postfix(cluster)
    load = Load(cluster.port, 4)
    try:
        load.more(40)
        cluster.kill("scand-1", signal.SIGTERM)
        load.more(40)
    finally:
        load.stop()
    assert load.failures == []


def test_a_stopped_policyd_costs_one_retry(cluster_of):
    """SIGSTOP: a policyd that hangs answers nothing; the other one does, within the budget."""
    cluster = cluster_of(policyds=2, scanners=1, edit=quick)
    cluster.port, cluster.sink = with_postfix(cluster)
    pid = cluster.pid("policyd-2")
    os.kill(pid, signal.SIGSTOP)
    try:
        for number in range(10):
            result = send(cluster, f"while one hangs {number}")
            assert result.accepted, result.final
    finally:
        os.kill(pid, signal.SIGCONT)
