"""New rules are tried on a sample of ham before they serve: real scand, real reloads."""
import os
import re
import signal

import pytest
from test_scand import HEAD, scand_fixture, until, wire  # noqa: F401

HAM = HEAD + b"\r\nHello, shall we meet at noon?\r\n"
OLD = "body SITE_MEET /shall we meet/\nscore SITE_MEET 0.5\n"


@pytest.fixture(name="site")
def site_fixture(tmp_path):
    """A directory of rules and one of ham."""
    rules, ham = tmp_path / "rules", tmp_path / "ham"
    rules.mkdir()
    ham.mkdir()
    (rules / "site.cf").write_text(OLD)
    for i in range(20):
        (ham / f"{i:02}.eml").write_bytes(HAM + b"%d\r\n" % i)
    return tmp_path


def settings(site, **rules):
    group = {"dirs": f'["{site}/rules"]', "cache_dir": '""', "trial_sample": f"{site}/ham"}
    group.update(rules)
    return {"detectors": '["headers", "rules"]', "rules": group}


def reload(one, rules=None, site=None):
    if rules is not None:
        (site / "rules" / "site.cf").write_text(rules)
    one.process.send_signal(signal.SIGHUP)


def degraded(one):
    return {d.check: d.reason for d in one.client.status().degraded}


def reloads(one, result):
    return wire.counters(one.client.status())[
        ("mxdrop_scan_reloads_total", f'result="{result}"')]


def test_harmful_rule_is_refused_and_mail_goes_on(scand, site):
    one = scand(scan_delay="300ms", **settings(site))
    assert wire.symbols(one.client.scan(HAM)) == {"SITE_MEET": 0.5}
    sent = [one.client.send_scan(HAM) for _ in range(6)]
    reload(one, OLD + "body SITE_BAD /Hello/\nscore SITE_BAD 6\n", site)
    for request in sent:
        kind, reply = one.client.receive(request)
        assert kind == wire.SCAN_REPLY and not reply.degraded
        assert wire.symbols(reply) == {"SITE_MEET": 0.5}
    one.wait_log("reload.refused generation=2 trial=\"20 of 20 messages newly reach 5 "
                 ".*SITE_BAD .*00.eml.*generation 1 keeps serving.*rules diff")
    assert wire.symbols(one.client.scan(HAM)) == {"SITE_MEET": 0.5}
    assert degraded(one)["rules_trial"].startswith("new rules are refused: 20 of 20")
    assert (reloads(one, "refused"), reloads(one, "done")) == (1, 0)
    one.wait_log("engine.ended generation=2 status=0")


def test_harmless_rule_is_taken_also_after_a_harmful_one(scand, site):
    one = scand(**settings(site))
    reload(one, "body SITE_BAD /Hello/\nscore SITE_BAD -6\n", site)
    one.wait_log("reload.refused generation=2 trial=\"a score moves by 6.50")
    reload(one, "body SITE_MEET /shall we meet/\nscore SITE_MEET 0.6\n", site)
    one.wait_log("reload.tried generation=3 result=\"20 messages, 20 moved, by 0.10")
    one.wait_log("engine.ready generation=3")
    until(lambda: wire.symbols(one.client.scan(HAM)) == {"SITE_MEET": 0.6})
    assert "rules_trial" not in degraded(one)
    assert (reloads(one, "refused"), reloads(one, "done")) == (1, 1)


def test_bounds_are_those_of_the_new_settings(scand, site):
    one = scand(**settings(site))
    one.write_config(**settings(site, trial_new_spam=20, trial_shift=10,
                                trial_mean_shift=10))
    reload(one, "body SITE_BAD /Hello/\nscore SITE_BAD 6\n", site)
    one.wait_log("engine.ready generation=2")
    until(lambda: wire.symbols(one.client.scan(HAM)) == {"SITE_BAD": 6})


def test_trial_messages_bounds_the_sample(scand, site):
    one = scand(**settings(site, trial_messages=7))
    reload(one, "body SITE_MEET /shall we meet/\nscore SITE_MEET 0.6\n", site)
    one.wait_log('reload.tried generation=2 result="7 messages, 7 moved')


def test_no_sample_is_no_trial(scand, site):
    one = scand(**settings(site, trial_sample='""'))
    reload(one, "body SITE_BAD /Hello/\nscore SITE_BAD 6\n", site)
    one.wait_log("engine.ready generation=2")
    assert "reload.trial" not in one.log() and "rules_trial" not in degraded(one)


def test_sample_that_is_gone_is_said_and_refuses_nothing(scand, site):
    one = scand(**settings(site, trial_sample=f"{site}/nobody"))
    reload(one, "body SITE_BAD /Hello/\nscore SITE_BAD 6\n", site)
    one.wait_log("engine.ready generation=2")
    reason = until(lambda: degraded(one).get("rules_trial"))
    assert "taken untried" in reason and "nobody" in reason


def fill(site, number=480):
    """A sample that takes its time."""
    for i in range(number):
        (site / "ham" / f"x{i:03}.eml").write_bytes(HAM * 200)


def serving_engine(one):
    return int(re.search(r"engine.ready generation=1 pid=(\d+)", one.log())[1])


def trials(one):
    """Trials under way: {process id of the engine: process id of its trial}."""
    found = {}
    for engine in children(one.process.pid):
        for pid in children(engine):
            if read(f"/proc/{pid}/comm").strip() == "scand-trial":
                found[engine] = pid
    return found


def children(pid):
    return [int(child) for child in read(f"/proc/{pid}/task/{pid}/children").split()]


def read(path):
    """A file of /proc; of a process that has ended it is empty."""
    try:
        with open(path, encoding="ascii") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.mark.parametrize("sent,reason", [
    (signal.SIGKILL, "it died on a message of the sample"),
    (signal.SIGALRM, "it took longer than 360 s: lower trial_messages")])
def test_rules_that_kill_their_trial_are_refused(scand, site, sent, reason):
    one = scand(**settings(site))
    fill(site, 150)
    serving = serving_engine(one)
    reload(one, OLD, site)
    until(lambda: serving in trials(one))
    trial = until(lambda: [pid for engine, pid in trials(one).items() if engine != serving])
    os.kill(trial[0], sent)
    one.wait_log(f"reload.refused generation=2 trial=\"{reason}\"")
    assert wire.symbols(one.client.scan(HAM)) == {"SITE_MEET": 0.5}


def test_reload_in_a_trial_comes_after_it(scand, site):
    one = scand(**settings(site))
    fill(site)
    reload(one, OLD, site)
    one.wait_log("reload.trial generation=2")
    reload(one, "body SITE_MEET /shall we meet/\nscore SITE_MEET 0.6\n", site)
    reload(one)
    one.wait_log("reload.tried generation=2 .*0 moved(.|\n)*engine.loading generation=3")
    one.wait_log("engine.ready generation=3")
    until(lambda: wire.symbols(one.client.scan(HAM)) == {"SITE_MEET": 0.6})
    assert "generation=4" not in one.log()


def test_sigterm_ends_a_trial(scand, site):
    one = scand(**settings(site))
    fill(site)
    reload(one, OLD, site)
    one.wait_log("reload.trial generation=2")
    one.process.terminate()
    assert one.process.wait(20) == 0


def test_serving_engine_that_dies_in_a_trial_is_replaced(scand, site):
    one = scand(**settings(site))
    fill(site)
    reload(one, "body SITE_BAD /Hello/\nscore SITE_BAD 6\n", site)
    one.wait_log("reload.trial generation=2")
    os.kill(serving_engine(one), signal.SIGKILL)
    one.wait_log("engine.ready generation=2")
    until(lambda: wire.symbols(one.client.scan(HAM)) == {"SITE_BAD": 6})
    assert "engine that served has ended" in degraded(one)["rules_trial"]
