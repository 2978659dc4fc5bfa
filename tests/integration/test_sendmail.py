"""Mail through a real Sendmail that uses our sample configuration: what it asks of a filter
and what it makes of the answers differs from Postfix (macros only on request, one reply
per RCPT, its own words for a filter that is gone).
"""
import pytest

import harness
import mta

SENDER = "alice@example.org"


def edit_for(directory):
    """Two aliases; greylisting waits a second and knows who comes back."""
    aliases = directory / "aliases"
    aliases.write_text("team@example.test one@example.test, two@example.test\n")

    def edit(conf):
        conf["policyd"].update(
            greylist={"delay": "1s", "learn_period": 0},
            change_recipient={"maps": [f"address:{aliases}"], "rewrite": True})
    return edit


@pytest.fixture(name="mail", scope="module")
def fixture_mail():
    """A cluster behind Sendmail."""
    directory = harness.private_dir()
    try:
        with harness.Cluster(edit=edit_for(directory)) as cluster:
            try:
                cluster.port, cluster.sink = cluster.sendmail()
            except mta.Unavailable as why:
                pytest.skip(f"no Sendmail in this test: {why}")
            yield cluster
    finally:
        harness.shutil.rmtree(directory)


def send(cluster, recipients, data):
    """One message; greylisted recipients are tried again until they are answered."""
    def attempt():
        result = mta.send(cluster.port, SENDER, recipients, data)
        waits = [r for r, (code, _) in result.rcpts.items() if code == 450]
        return None if waits else result
    return harness.wait_until(attempt, f"{recipients} to pass the greylist")


def test_greylisting_answers_at_rcpt(mail):
    """Sendmail passes our code, enhanced code and text on as they are."""
    result = mta.send(mail.port, SENDER, ["new@example.test"], mta.message("grey"))
    code, text = result.rcpts["new@example.test"]
    assert code == 450 and "4.7.1" in text and "try again in" in text, text


def test_a_clean_message_arrives_once_with_our_fields(mail):
    """Accepted, delivered to both recipients, marked, and logged with Sendmail's queue id."""
    result = send(mail, ["bob@example.test", "eve@example.test"], mta.message("clean sm"))
    assert result.data[0] == 250, result.data
    mail.sink.wait_for(lambda d: mail.sink.with_subject("clean sm"), "the message")
    (delivery,) = mail.sink.with_subject("clean sm")
    assert sorted(delivery.recipients) == ["bob@example.test", "eve@example.test"]
    assert delivery.header("X-Mxdrop-Status") == "clean"
    queue_id = result.data[1].split()[1]
    mail.wait_log("milter", rf"queue={queue_id} client=127\.0\.0\.1 action=accept")


def test_what_is_bad_is_refused_and_stays_out(mail):
    """Virus and spam get their replies after the data; neither is delivered."""
    for subject, data in (("virus sm", mta.eicar_message("virus sm")),
                          ("spam sm", mta.message("spam sm", mta.GTUBE + "\r\n"))):
        code, text = send(mail, ["bob@example.test"], data).data
        assert code == 550 and text.startswith("5.7."), text
    send(mail, ["bob@example.test"], mta.message("after sm"))
    mail.sink.wait_for(lambda d: mail.sink.with_subject("after sm"), "the message after them")
    assert not mail.sink.with_subject("virus sm") and not mail.sink.with_subject("spam sm")


def test_an_alias_becomes_its_mailboxes(mail):
    """Recipients that the filter changes at the end of the message are Sendmail's too."""
    assert send(mail, ["team@example.test"], mta.message("alias sm")).data[0] == 250
    mail.sink.wait_for(lambda d: mail.sink.with_subject("alias sm"), "the message")
    took = [r for d in mail.sink.with_subject("alias sm") for r in d.recipients]
    assert sorted(took) == ["one@example.test", "two@example.test"]


def test_without_the_filter_mail_waits(mail):
    """F=T of the sample: 4xx while the filter is dead, and used again once it is back."""
    mail.kill("milter")
    result = mta.send(mail.port, SENDER, ["bob@example.test"], mta.message("down sm"))
    assert 400 <= result.final[0] < 500, result.final
    mail.revive("milter")
    assert send(mail, ["bob@example.test"], mta.message("up sm")).data[0] == 250
    mail.sink.wait_for(lambda d: mail.sink.with_subject("up sm"), "the message")
    assert not mail.sink.with_subject("down sm")
