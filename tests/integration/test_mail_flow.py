"""Mail through a real Postfix, the milter, two policyds, two scanners and Redis.

What is accepted arrives once with the promised headers, what is refused does not arrive.
"""
import collections
import os
import pathlib
import random
import re
import shutil
import threading

import pytest

import harness
import mta
from conftest import with_postfix

POLICYDS = 2
SCANNERS = 2
MESSAGES = int(os.environ.get("MX_TEST_MESSAGES", "1000"))
SESSIONS = 20
KINDS = {"clean": 78, "virus": 17, "spam": 5}  # shares of the load


def EDIT(conf):  # pylint: disable=invalid-name
    """Greylisting waits one second."""
    conf["policyd"].setdefault("greylist", {}).update(delay="1s", learn_period=0)


def without_greylist(conf):
    """For load: every message gets its final answer at once."""
    conf["policyd"]["greylist"] = {"mode": "off"}


@pytest.fixture(scope="module")
def load():
    """A second cluster behind Postfix, without greylisting."""
    with harness.Cluster(policyds=POLICYDS, scanners=SCANNERS, edit=without_greylist) as cluster:
        cluster.port, cluster.sink = with_postfix(cluster)
        yield cluster


class Client:
    """One of the parallel sessions: sends its share, keeps every result."""

    def __init__(self, port, index, count):
        self.port, self.index, self.count = port, index, count
        self.random = random.Random(1000 + index)
        self.sent = []
        self.error = None

    def run(self):
        """Send everything; a new SMTP session after every tenth message."""
        try:
            sent = 0
            while sent < self.count:
                with mta.Session(self.port, addr=address(self.index),
                                 name=f"mx{self.index}.example.org") as session:
                    for _ in range(min(10, self.count - sent)):
                        self.one(session, f"load {self.index}.{sent}")
                        sent += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def one(self, session, subject):
        """One message to 1 to 20 recipients; some are infected or spam."""
        recipients = [f"user{n}@example.test"
                      for n in self.random.sample(range(500), self.random.randint(1, 20))]
        kind = self.random.choices(list(KINDS), list(KINDS.values()))[0]
        body = "".join(self.random.choice("abcdefgh \r\n") for _ in range(
            self.random.choice([40, 2000, 40000]))).replace("\r", "").replace("\n", "\r\n")
        if kind == "virus":
            data = mta.eicar_message(subject)
        elif kind == "spam":
            data = mta.message(subject, mta.GTUBE + "\r\n" + body)
        else:
            data = mta.message(subject, body + "\r\n")
        result = session.send("alice@example.org", recipients, data)
        self.sent.append((subject, kind, recipients, result))


def address(index):
    """The client address of a session: one pool each."""
    return f"192.0.{2 + index}.25"


def pass_greylist(cluster, index, recipients=("probe@example.test",)):
    """Send until greylisting lets this client's pool pass."""
    def accepted():
        result = mta.send(cluster.port, "alice@example.org", recipients,
                          mta.message(f"greylisting {index}"), addr=address(index),
                          name=f"mx{index}.example.org")
        return result.accepted
    harness.wait_until(accepted, "greylisting to pass", 30)


def one_delivery(cluster, subject):
    """The one delivery of a message, waited for."""
    cluster.sink.wait_for(
        lambda ds: any(subject in d.headers("Subject") for d in ds), subject)
    found = cluster.sink.with_subject(subject)
    assert len(found) == 1, f"{subject} arrived {len(found)} times"
    return found[0]


def run_clients(port, messages, sessions=SESSIONS):
    """Send from parallel sessions; (subject, kind, recipients, result) of every message."""
    clients = [Client(port, i, messages // sessions) for i in range(sessions)]
    threads = [threading.Thread(target=c.run) for c in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [c.error for c in clients if c.error] == []
    return [entry for c in clients for entry in c.sent]


def test_load_every_message_once_or_not_at_all(load):
    """1,000 messages with 1 to 20 recipients over 20 parallel sessions."""
    sent = run_clients(load.port, MESSAGES)
    assert len(sent) == MESSAGES // SESSIONS * SESSIONS
    for subject, kind, recipients, result in sent:
        assert len(result.rcpts) == len(recipients)
        if kind == "clean":
            assert result.accepted == recipients, f"{subject}: {result.final}"
        else:
            assert result.data and result.data[0] == 550, f"{subject} ({kind}): {result.final}"

    expected = {s: collections.Counter(r) for s, k, r, _ in sent if k == "clean"}
    total = sum(sum(c.values()) for c in expected.values())
    deliveries = load.sink.wait_for(lambda ds: sum(len(d.recipients) for d in ds) >= total,
                                    f"{total} recipients", 180)
    harness.wait_until(lambda: not mta.queue_files(load.dir / "postfix"), "an empty queue")
    arrived = collections.defaultdict(collections.Counter)
    for delivery in load.sink.deliveries:
        arrived[delivery.header("Subject")].update(delivery.recipients)
    assert arrived == expected
    for delivery in deliveries:
        check_headers(delivery)
    log = load.log("milter")
    for name in ("scand-1", "scand-2"):
        scanner = str(load.pid(name))
        assert re.search(rf"scanner=\S*(-{scanner}|{name})\b", log), f"{name} got no work"


def check_headers(delivery):
    """The promised headers, once each."""
    assert re.fullmatch(r"\S+", delivery.header("X-Mxdrop-Id") or ""), delivery.head
    assert delivery.header("X-Mxdrop-Status") is not None
    assert re.match(r"-?\d+(\.\d+)?\b", delivery.header("X-Mxdrop-Score") or "")
    assert len(delivery.headers("X-Mxdrop-Symbols")) <= 1


def test_eicar_is_refused_and_nothing_arrives(mail):
    """The EICAR file is refused by the module virus."""
    pass_greylist(mail, 50)
    result = mta.send(mail.port, "alice@example.org", ["probe@example.test"],
                      mta.eicar_message("eicar alone"), addr=address(50),
                      name="mx50.example.org")
    assert result.data[0] == 550 and "5.7.1" in result.data[1]
    mail.wait_log("milter", r"shim\.message .*action=reject .*module=virus")
    pass_greylist(mail, 50)  # mail behind it arrives, so it would have arrived by now
    assert mail.sink.with_subject("eicar alone") == []


def test_gtube_is_refused_by_score(mail):
    """GTUBE scores 1000: refused by the module spam."""
    pass_greylist(mail, 51)
    result = mta.send(mail.port, "alice@example.org", ["probe@example.test"],
                      mta.message("gtube alone", mta.GTUBE + "\r\n"), addr=address(51),
                      name="mx51.example.org")
    assert result.data[0] == 550
    mail.wait_log("milter", r"shim\.message .*action=reject .*module=spam")


def test_greylisted_then_accepted_by_another_policyd(mail):
    """First seen by one policyd, retried through the other: shared by all nodes."""
    client = {"addr": "203.0.113.9", "name": "mx.example.net"}
    arguments = ("greg@example.net", ["grey@example.test"])
    mail.kill("policyd-2")
    try:
        first = mta.send(mail.port, *arguments, mta.message("grey one"), **client)
        assert first.rcpts["grey@example.test"][0] == 450
        assert "4.7.1" in first.rcpts["grey@example.test"][1]
    finally:
        mail.revive("policyd-2")
    mail.kill("policyd-1")
    try:
        harness.wait_until(lambda: mta.send(mail.port, *arguments, mta.message("grey two"),
                                            **client).accepted,
                           "the retry to be accepted", 30)
    finally:
        mail.revive("policyd-1")
    one_delivery(mail, "grey two")
    assert mail.sink.with_subject("grey one") == []
    assert "module=greylist" in mail.log("policyd-1")


def test_users_deny_list_refuses_only_this_users_copy(mail):
    """Two recipients, one of whom denies the sender."""
    pass_greylist(mail, 52, ["dora@example.test"])
    mail.ctl("lists", "deny", "dennis@example.test", "alice@example.org")
    result = mta.send(mail.port, "alice@example.org",
                      ["dennis@example.test", "dora@example.test"],
                      mta.message("deny list"), addr=address(52), name="mx52.example.org")
    assert result.rcpts["dennis@example.test"][0] == 550
    assert result.accepted == ["dora@example.test"]
    assert one_delivery(mail, "deny list").recipients == ["dora@example.test"]


def test_greylisting_only_of_who_wants_it(mail):
    """Two recipients, one of whom chose not to wait for unknown senders."""
    mail.ctl("prefs", "set", "hasty@example.test", "greylist=off")
    result = mta.send(mail.port, "alice@example.org",
                      ["hasty@example.test", "patient@example.test"],
                      mta.message("no delay"), addr=address(57), name="mx57.example.org")
    assert result.rcpts["patient@example.test"][0] == 450
    assert result.accepted == ["hasty@example.test"]
    assert one_delivery(mail, "no delay").recipients == ["hasty@example.test"]


def test_denied_by_domain_and_system_scope(mail):
    """A domain's list and the system's hold for every user of theirs."""
    mail.ctl("lists", "deny", "@closed.test", "spammy.example")
    mail.ctl("lists", "deny", "system", "banned.example")
    for sender, recipient, code in (("x@spammy.example", "a@closed.test", 550),
                                    ("x@banned.example", "a@example.test", 550)):
        result = mta.send(mail.port, sender, [recipient], mta.message("denied"),
                          addr=address(53), name="mx53.example.org")
        assert result.rcpts[recipient][0] == code, (sender, recipient, result.rcpts)


def test_forged_headers_are_removed(mail):
    """Inbound X-Mxdrop-* fields do not survive, ours are the only ones."""
    pass_greylist(mail, 54)
    forged = ["X-Mxdrop-Status: clean, trust me", "X-Mxdrop-Score: -100",
              "X-MXDROP-Id: forged", "x-mxdrop-anything: else", "X-Mxdrop-Score: -200"]
    result = mta.send(mail.port, "alice@example.org", ["probe@example.test"],
                      mta.message("forged headers", extra=forged), addr=address(54),
                      name="mx54.example.org")
    assert result.accepted
    delivery = one_delivery(mail, "forged headers")
    check_headers(delivery)
    assert not [h for h in delivery.head if "forged" in h.lower() and "subject" not in h.lower()]
    assert delivery.headers("X-Mxdrop-Anything") == []
    assert "-100" not in "".join(delivery.headers("X-Mxdrop-Score"))


def test_recipient_that_is_not_fully_qualified(mail):
    """RCPT TO:<bob>: refused by fq_rcpt."""
    result = mta.send(mail.port, "alice@example.org", ["bob"], mta.message("fq"),
                      addr=address(55), name="mx55.example.org")
    assert result.rcpts["bob"][0] == 550
    mail.wait_log("policyd-1" if "module=fq_rcpt" in mail.log("policyd-1") else "policyd-2",
                  "module=fq_rcpt")


def test_many_messages_in_one_session_do_not_mix(mail):
    """RSET in the middle, a refused and an accepted message: each has its own outcome."""
    pass_greylist(mail, 56)
    with mta.Session(mail.port, addr=address(56), name="mx56.example.org") as session:
        assert session.send("alice@example.org", ["probe@example.test"],
                            mta.message("first of many")).accepted
        session.smtp.mail("alice@example.org")
        session.smtp.rcpt("probe@example.test")
        session.smtp.rset()
        refused = session.send("alice@example.org", ["probe@example.test"],
                               mta.eicar_message("second of many"))
        assert refused.data[0] == 550
        assert session.send("alice@example.org", ["probe@example.test"],
                            mta.message("third of many")).accepted
    assert one_delivery(mail, "first of many").header("X-Mxdrop-Id") != \
        one_delivery(mail, "third of many").header("X-Mxdrop-Id")
    assert mail.sink.with_subject("second of many") == []


def test_body_arrives_byte_for_byte(mail):
    """A message with long lines, dots, 8-bit bytes and an empty last line is unchanged."""
    pass_greylist(mail, 57)
    body = "..\r\n.\r\n" + "x" * 900 + "\r\n\u00e4\u00f6\u00fc \u20ac\r\n\ttab \r\n\r\n"
    data = mta.message("byte for byte", body)
    with mta.Session(mail.port, addr=address(57), name="mx57.example.org") as session:
        session.smtp.ehlo_or_helo_if_needed()
        assert session.send("alice@example.org", ["probe@example.test"], data).accepted
    delivery = one_delivery(mail, "byte for byte")
    assert delivery.data.split(b"\r\n\r\n", 1)[1] == data.split(b"\r\n\r\n", 1)[1]


@pytest.fixture(name="corpus", scope="module")
def fixture_corpus():
    """200 real messages, a spread over the shared corpus, or skip."""
    root = os.environ.get("MX_CORPUS")
    unpack = harness.TOP.parent / "shared" / "corpus" / "unpack.sh"
    directory = None
    if not root:
        if not unpack.exists() or not shutil.which("zstd"):
            pytest.skip("no corpus here (../shared/corpus and zstd, or MX_CORPUS)")
        directory = harness.private_dir()
        root = harness.run([str(unpack), str(directory / "corpus")]).stdout.strip()
    paths = sorted(pathlib.Path(root).rglob("*.eml"))
    yield [p.read_bytes() for p in paths[::max(1, len(paths) // 200)]]
    if directory:
        shutil.rmtree(directory)


def test_corpus_passes_or_is_refused_cleanly(load, corpus):
    """Real messages, spam and torture: each gets one definite reply and arrives or not."""
    accepted = 0
    with mta.Session(load.port, addr=address(58), name="mx58.example.org") as session:
        for number, text in enumerate(corpus):
            data = re.sub(rb"\r?\n", b"\r\n", text)
            tag = b"X-Test-Number: %d\r\n" % number
            result = session.send("alice@example.org", ["corpus@example.test"], tag + data)
            assert result.data and result.data[0] in (250, 550, 552, 554), (number, result.final)
            accepted += result.data[0] == 250

    def numbers(deliveries):
        return {n for d in deliveries for n in d.headers("X-Test-Number")}
    arrived = load.sink.wait_for(lambda ds: len(numbers(ds)) >= accepted, "the corpus", 120)
    assert len(numbers(arrived)) == accepted
