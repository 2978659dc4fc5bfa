"""The modules that need no DNS, through a real Postfix: each is reached, each decides."""
import io
import json
import subprocess
import zipfile

import pytest

import harness
import milter_client
import mta
from conftest import with_postfix

SENDER = "alice@example.org"


def edit_for(directory):
    """A configuration that uses every module; its files are in directory."""
    aliases = directory / "aliases"
    aliases.write_text("team@example.test one@example.test, two@example.test\n"
                       "loop@example.test loop2@example.test\n"
                       "loop2@example.test loop@example.test\n")

    def edit(conf):
        conf["policyd"].update(
            greylist={"mode": "off"},
            change_recipient={"maps": [f"address:{aliases}"], "rewrite": True},
            rate_limit={"limits": ["sender messages 3/1h", "user bytes 1MiB/1d"]})
        conf["redis"]["dovecot"] = {"address": f"unix:{directory}/dovecot.sock",
                                    "prefix": "q:"}
    return edit


class Dovecot:
    """The plain Redis that quota_clone would write to."""

    def __init__(self, directory):
        self.socket = directory / "dovecot.sock"
        self.arguments = ["redis-server", "--port", "0", "--unixsocket", str(self.socket),
                          "--save", "", "--dir", str(directory)]
        self.process = None
        self.start()

    def start(self):
        """Start it, again after a kill."""
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.DEVNULL)
        harness.wait_until(lambda: self.say("PING") == "PONG", "Dovecot's Redis")

    def say(self, *words):
        """redis-cli against it."""
        return harness.run(["redis-cli", "-s", str(self.socket), *words],
                           check=False).stdout.strip()

    def stop(self):
        """Kill it."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(name="mail", scope="module")
def fixture_mail():
    """A cluster with every module, behind Postfix."""
    directory = harness.private_dir()
    dovecot = Dovecot(directory)
    try:
        with harness.Cluster(policyds=2, edit=edit_for(directory)) as cluster:
            cluster.port, cluster.sink = with_postfix(cluster)
            cluster.dovecot = dovecot
            yield cluster
    finally:
        dovecot.stop()
        harness.shutil.rmtree(directory)


def send(cluster, subject, recipients=("bob@example.test",), data=None, sender=None):
    """One message from a sender of its own, so that no rate limit is in the way."""
    sender = sender or f"{subject.replace(' ', '-')}@example.org"
    return mta.send(cluster.port, sender, list(recipients), data or mta.message(subject),
                    addr="192.0.2.9", name="mx.example.org")


def attachment(name, content, content_type="application/octet-stream"):
    """A message with one attachment."""
    import base64  # pylint: disable=import-outside-toplevel
    body = base64.encodebytes(content).decode().replace("\n", "\r\n")
    text = mta.message("attachment", "").decode()
    text = text.replace("Content-Type: text/plain; charset=utf-8",
                        f'Content-Type: {content_type}; name="{name}"\r\n'
                        "Content-Transfer-Encoding: base64")
    return (text + body).encode()


def zipped(name, content=b"MZ"):
    """A zip with one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def test_quota_temporary_then_permanent(mail):
    """Full: 450. Could never fit: 552. Cleaned up: accepted."""
    mail.ctl("quota", "set", "full@example.test", "limit=1MiB", "used=1MiB")
    result = send(mail, "quota full", ["full@example.test"])
    assert result.rcpts["full@example.test"][0] == 450
    assert result.rcpts["full@example.test"][1].startswith("4.2.2")
    assert "over" in mail.ctl("quota", "show", "full@example.test").stdout
    mail.ctl("quota", "set", "full@example.test", "limit=10B")
    with mta.Session(mail.port, addr="192.0.2.10") as session:
        session.smtp.docmd("MAIL FROM:<big@example.org> SIZE=5000")
        code, _ = session.smtp.rcpt("full@example.test")
        assert code == 552
    mail.ctl("quota", "set", "full@example.test", "limit=1GiB")
    assert send(mail, "quota empty", ["full@example.test"]).accepted
    assert sum(mail.metric(p, "mxdrop_policy_reject_tempquota_total")
               for p in ("policyd-1", "policyd-2")) >= 1
    assert sum(mail.metric(p, "mxdrop_policy_reject_permquota_total")
               for p in ("policyd-1", "policyd-2")) >= 1


def test_quota_live_from_dovecot(mail):
    """Usage as quota_clone writes it; its Redis gone: mail passes, marked; then back."""
    user = "imap@example.test"
    mail.ctl("quota", "set", user, "limit=1MiB")
    assert send(mail, "dovecot unknown", [user]).accepted
    mail.dovecot.say("SET", f"q:{user}/quota/storage", str(2 << 20))
    assert send(mail, "dovecot full", [user]).rcpts[user][0] == 450
    assert "2MiB" in mail.ctl("quota", "show", user).stdout
    mail.dovecot.stop()
    result = harness.wait_until(lambda: send(mail, "dovecot gone", [user]).accepted,
                                "mail without Dovecot's Redis")
    assert result
    assert any("dovecot" in mail.http(p, "/healthz")[1] for p in ("policyd-1", "policyd-2"))
    mail.dovecot.start()
    mail.dovecot.say("SET", f"q:{user}/quota/storage", str(2 << 20))
    harness.wait_until(lambda: send(mail, "dovecot back", [user]).rcpts[user][0] == 450,
                       "Dovecot's usage to count again", 60)


def test_rate_limit_over_the_cluster(mail):
    """Three messages an hour, whichever policyd is asked; mxdropctl rate shows it."""
    codes = [send(mail, f"rate {i}", sender="often@example.org").mail[0] for i in range(5)]
    assert codes == [250, 250, 250, 450, 450]
    assert "often@example.org" in mail.ctl("rate", "show").stdout


def test_alias_becomes_several_recipients(mail):
    """change_recipient and change_recipient_end: one address, two mailboxes, one message."""
    assert send(mail, "alias team", ["team@example.test"]).accepted
    mail.sink.wait_for(lambda ds: any("alias team" in d.headers("Subject") for d in ds),
                       "the alias")
    recipients = sorted(r for d in mail.sink.with_subject("alias team") for r in d.recipients)
    assert recipients == ["one@example.test", "two@example.test"]
    result = send(mail, "alias loop", ["loop@example.test"])
    assert result.rcpts["loop@example.test"][0] == 450


def test_list_of_a_mailbox_counts_for_its_alias(mail):
    """Lists know mailbox ids: who denies a sender is not reached by an alias either."""
    mail.ctl("lists", "deny", "one@example.test", "denied@example.org")
    result = send(mail, "alias denied", ["team@example.test"], sender="denied@example.org")
    assert result.rcpts["team@example.test"][0] == 550


@pytest.mark.parametrize("name, content, content_type", [
    ("run.exe", b"MZ", "application/octet-stream"),
    ("run.exe.", b"MZ", "application/octet-stream"),
    ("photo.zip", zipped("inside.exe"), "application/zip"),
    ("outer.zip", zipped("inner.zip", zipped("deep.scr")), "application/zip"),
], ids=["name", "trailing-dot", "archive", "archive-in-archive"])
def test_bad_filename(mail, name, content, content_type):
    """By name, by a name that a system would cut, inside archives."""
    result = send(mail, f"bad {name}", data=attachment(name, content, content_type))
    assert result.data and result.data[0] == 550, result.final
    assert "attachment" in result.data[1]


def test_good_attachment_passes(mail):
    """A zip with a text is delivered."""
    assert send(mail, "good attachment",
                data=attachment("notes.zip", zipped("notes.txt", b"hello"))).accepted


def test_partial_message_is_refused(mail):
    """message/partial: nobody could scan it."""
    data = mta.message("partial").replace(
        b"Content-Type: text/plain; charset=utf-8",
        b'Content-Type: message/partial; id="x@y"; number=1; total=2')
    result = send(mail, "partial", data=data)
    assert result.data and result.data[0] == 550


def test_suspicious_characters_are_refused(mail):
    """A bare CR in the header. Postfix makes a space of it; other MTAs do not."""
    data = mta.message("characters", extra=("X-Odd: a\rb",))
    with milter_client.Session(str(mail.dir / "milter.sock")) as session:
        result = session.send("odd@example.org", ["bob@example.test"], data)
    assert result.data and result.data[0] == 550, result.final


def deliveries(cluster, subject, copies):
    """Recipients of a message at the sink, and the delivery of the first."""
    def found(all_deliveries):
        return sum(len(d.recipients) for d in all_deliveries
                   if subject in d.headers("Subject")) >= copies
    cluster.sink.wait_for(found, subject)
    mine = cluster.sink.with_subject(subject)
    return sorted(r for d in mine for r in d.recipients), mine[0]


def test_recipients_of_one_message_get_what_each_chose(mail):
    """Spam for five: off, tag, folder, discard, and one who chose nothing (refuse)."""
    for user, choice in (("off", "off"), ("tag", "tag"), ("box", "folder"),
                         ("drop", "discard")):
        mail.ctl("prefs", "set", f"{user}@choice.test", f"spam_action={choice}")
    everybody = [f"{user}@choice.test" for user in ("off", "tag", "box", "drop", "none")]
    result = send(mail, "choices", everybody, data=mta.message("choices", mta.GTUBE + "\r\n"))
    assert result.accepted == everybody
    recipients, delivery = deliveries(mail, "choices", 4)
    assert recipients == ["box+Junk@choice.test", "none@choice.test", "off@choice.test",
                          "tag@choice.test"]
    assert delivery.headers("X-Mxdrop-Status") == ["spam"]
    assert delivery.headers("X-Mxdrop-Mixed") == ["yes"]
    log = harness.wait_until(
        lambda: [line for p in ("policyd-1", "policyd-2") for line in mail.log(p).splitlines()
                 if "policy.verdict" in line and "folder=1" in line], "the verdict line")
    for word in ("deliver=1", "tag=2", "discard=1", "overruled=1"):
        assert word in log[0]
    assert counter(mail, "spam_realdir") == 1 and counter(mail, "spam_realtag") >= 2


def test_choice_of_one_recipient_alone(mail):
    """Alone, each choice is the message's: refused, dropped, and at his own threshold."""
    gtube = mta.message("alone", mta.GTUBE + "\r\n")
    assert send(mail, "alone none", ["alone@choice.test"], data=gtube).data[0] == 550
    mail.ctl("prefs", "set", "@alone.test", "tag_score=9999", "refuse_score=9999")
    assert send(mail, "alone high", ["high@alone.test"], data=gtube).accepted
    recipients, delivery = deliveries(mail, "alone", 1)
    assert recipients == ["high@alone.test"]
    assert delivery.headers("X-Mxdrop-Status") == ["clean"]
    mail.ctl("prefs", "unset", "@alone.test", "tag_score", "refuse_score")
    assert send(mail, "alone again", ["high@alone.test"], data=gtube).data[0] == 550


def counter(cluster, name):
    """A counter under its historic name, as status shows it, over all policyds."""
    status = json.loads(cluster.ctl("status", "--json").stdout)
    return sum(c["value"] for node in status["nodes"] for c in node.get("counters", [])
               if c["name"] == name)


def test_explain_names_every_module(mail):
    """explain walks the running chains: each module of them shows up."""
    out = mail.ctl("explain", "--ip", "192.0.2.1", "--helo", "x.example.org", "--from",
                   SENDER, "--rcpt", "team@example.test").stdout
    for module in ("change_recipient", "quota_check", "rate_limit", "user_lists"):
        assert module in out
    assert "one@example.test" in out  # lists are asked by mailbox
