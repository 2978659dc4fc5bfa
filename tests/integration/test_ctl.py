"""mxdropctl against a running cluster, and what it says when something is wrong."""
import json
import re
import shutil

import pytest
import yaml

import harness
import mta

CLIENT = ["--ip", "192.0.2.9", "--helo", "mx.example.org", "--from", "alice@example.org"]


def quick(conf):
    """Greylisting waits a second and has no learning period."""
    conf["policyd"].setdefault("greylist", {}).update(delay="1s", learn_period=0)


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster():
    """policyd, two scanners, milter, Redis; no Postfix."""
    with harness.Cluster(policyds=1, scanners=2, edit=quick) as cluster:
        yield cluster


@pytest.fixture(name="mails")
def fixture_mails():
    """A directory with a clean message, one with EICAR and one with GTUBE."""
    directory = harness.private_dir()
    (directory / "1-clean.eml").write_bytes(mta.message("clean"))
    (directory / "2-eicar.eml").write_bytes(mta.eicar_message("eicar"))
    (directory / "3-gtube.eml").write_bytes(mta.message("gtube", mta.GTUBE + "\r\n"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def json_lines(text):
    """One object a line."""
    return [json.loads(line) for line in text.splitlines()]


def test_lists_are_shown_as_they_were_set(cluster):
    """allow, deny, show, remove."""
    cluster.ctl("lists", "allow", "lisa@example.test", "friend@example.org")
    cluster.ctl("lists", "deny", "lisa@example.test", "spammy.example")
    shown = cluster.ctl("lists", "show", "lisa@example.test").stdout
    assert re.search(r"allow\w*\s.*friend@example\.org|friend@example\.org\s.*allow", shown)
    assert "spammy.example" in shown
    cluster.ctl("lists", "remove", "lisa@example.test", "friend@example.org")
    assert "friend@example.org" not in cluster.ctl("lists", "show", "lisa@example.test").stdout


@pytest.mark.parametrize("arguments", [
    ["deny", "no scope", "x@example.org"], ["deny", "a@example.test", "not a pattern @@"],
    ["allow", "@", "x@example.org"]])
def test_lists_refuse_what_can_match_nothing(cluster, arguments):
    """A bad scope or pattern: exit 1 and one line."""
    done = cluster.ctl("lists", *arguments, check=False)
    assert done.returncode == 1
    assert re.match(r"mxdropctl: .+: .+", done.stderr) and done.stdout == ""


def test_prefs_show_who_chose(cluster):
    """Own choice before the domain's before the system's; unset takes it back."""
    cluster.ctl("prefs", "set", "@prefs.test", "tag_score=3", "spam_action=folder")
    cluster.ctl("prefs", "set", "Ann@prefs.test", "spam_action=off", "greylist=off")
    shown = cluster.ctl("prefs", "show", "ann@prefs.test").stdout
    assert re.search(r"spam_action +off +ann@prefs\.test", shown)
    assert re.search(r"tag_score +3 +@prefs\.test", shown)
    assert re.search(r"refuse_score +- +policyd's settings", shown)
    assert json_lines(cluster.ctl("prefs", "show", "--json", "ann@prefs.test").stdout) == [
        {"scope": "ann@prefs.test", "spam_action": "off", "tag_score": 3, "greylist": "off"}]
    cluster.ctl("prefs", "unset", "ann@prefs.test", "spam_action")
    assert re.search(r"spam_action +folder +@prefs\.test",
                     cluster.ctl("prefs", "show", "ann@prefs.test").stdout)
    listed = json_lines(cluster.ctl("prefs", "list", "--json").stdout)
    assert {"scope": "ann@prefs.test", "greylist": "off"} in listed
    assert len(json_lines(cluster.ctl("prefs", "list", "--json", "--max", "1").stdout)) == 1


@pytest.mark.parametrize("arguments, status, words", [
    (["set", "a@prefs.test", "spam_action=eat"], 2, "refuse, discard, quarantine"),
    (["set", "a@prefs.test", "tag_score=1e9"], 2, "no score between -1000 and 100000"),
    (["set", "a@prefs.test", "colour=red"], 2, "spam_action, tag_score"),
    (["set", "a@prefs.test"], 2, "KEY=VALUE"),
    (["set", "a@prefs.test", "greylist"], 2, "KEY=VALUE"),
    (["unset", "a@prefs.test", "greylist=on"], 2, "unset takes KEY"), (["show"], 2, "whose"),
    (["list", "system"], 2, "no SCOPE"), (["burn"], 2, "show, set, unset, list"),
    (["set", "nobody", "greylist=off"], 1, "mxdropctl: prefs: "),
    (["set", "a@prefs.test", "tag_score=9", "refuse_score=8"], 1, "below tag_score")])
def test_prefs_refuse_what_is_no_choice(cluster, arguments, status, words):
    """Usage or failure, and what may stand there."""
    done = cluster.ctl("prefs", *arguments, check=False)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert words in done.stderr
    assert "a@prefs.test" not in cluster.ctl("prefs", "list").stdout


@pytest.mark.parametrize("arguments", [["lists"], ["lists", "burn", "system"], ["nonsense"],
                                       ["status", "--nonsense"], [],
                                       ["rules", "check", "--sample", "x"],
                                       ["rules", "diff", "a", "b", "--required", "5"],
                                       ["rules", "diff", "a"]])
def test_usage_errors_exit_2(cluster, arguments):
    """Wrong usage is told from failure."""
    assert cluster.ctl(*arguments, check=False).returncode == 2


def test_scan_finds_what_the_daemons_find(cluster, mails):
    """Through a running scanner: one JSON object a message, in order."""
    check_findings(json_lines(cluster.ctl("scan", "--json", str(mails)).stdout), mails)


def test_scan_local_needs_no_daemon(cluster, mails):
    """The same, by the engine in this process."""
    done = cluster.ctl("scan", "--local", "--json", str(mails))
    check_findings(json_lines(done.stdout), mails)


def check_findings(objects, mails):
    """Scores, symbols and viruses of the three messages."""
    assert [o["file"] for o in objects] == [str(p) for p in sorted(mails.iterdir())]
    clean, eicar, gtube = objects
    assert clean["score"] < clean["required"] and clean["viruses"] == []
    assert any("EICAR" in v.upper() for v in eicar["viruses"])
    assert gtube["score"] >= 1000
    assert any(s["name"] == "GTUBE" and s["detector"] for s in gtube["symbols"])
    for one in objects:
        assert set(one) >= {"file", "score", "required", "symbols", "viruses", "parts", "ms"}


def test_scan_profile_adds_up_over_messages(cluster, mails):
    """Detectors, of the running scanners, and a last line with the key "profile"."""
    *scans, last = json_lines(cluster.ctl("scan", "--json", "--profile", str(mails)).stdout)
    assert len(scans) == 3 and "profile" in last
    profile = last["profile"]
    detectors = {stage["detector"]: stage for stage in profile["stages"]}
    assert profile["messages"] == 3 and {"message", "headers", "clamav"} <= set(detectors)
    assert abs(sum(s["share"] for s in profile["stages"]) - 1) < 0.01
    assert "us of CPU time each" in cluster.ctl("scan", "--profile", str(mails)).stdout


def test_rules_diff_tells_scripts_who_crosses(mails):
    """Exit 3 where a message crosses, 0 where none does, 1 where it cannot be told."""
    for name, score in (("old", 0.1), ("new", 6)):
        (mails / name).mkdir()
        (mails / name / "a.cf").write_text(f"body HELLO /Hello/\nscore HELLO {score}\n")
    diff = [harness.program("mxdropctl"), "-c", str(mails / "conf.yaml"), "rules", "diff"]
    (mails / "conf.yaml").write_text('scand:\n  rules:\n    cache_dir: ""\n')
    sample = ["--sample", str(mails / "1-clean.eml")]
    done = harness.run(diff + [str(mails / "old"), str(mails / "new"), "--json"] + sample,
                       check=False)
    found = json.loads(done.stdout)
    assert done.returncode == 3 and found["new_spam"] == 1
    assert found["moved"][0]["symbols"][0]["name"] == "HELLO"
    same = [str(mails / "old"), str(mails / "old")]
    assert harness.run(diff + same + sample, check=False).returncode == 0
    assert harness.run(diff + [str(mails / "old"), "/nonexistent"], check=False).returncode == 1


def test_scan_of_standard_input(cluster):
    """"-" reads one message."""
    done = cluster.ctl("scan", "--json", "-", data=mta.message("from a pipe").decode())
    assert json_lines(done.stdout)[0]["viruses"] == []


def test_scan_of_a_missing_file(cluster):
    """No such file: exit 1, its name."""
    done = cluster.ctl("scan", "/no/such/file.eml", check=False)
    assert done.returncode == 1 and "/no/such/file.eml" in done.stderr


def test_explain_names_each_module_of_the_chain(cluster):
    """Every module of RCPT, in order, and who decided."""
    text = cluster.ctl("explain", *CLIENT, "--rcpt", "new@example.test").stdout
    positions = [text.find(m) for m in ("access", "fq_rcpt", "user_lists", "greylist")]
    assert -1 not in positions and positions == sorted(positions), text
    cluster.ctl("lists", "deny", "nell@example.test", "alice@example.org")
    text = cluster.ctl("explain", *CLIENT, "--rcpt", "nell@example.test").stdout
    assert re.search(r"user_lists.*\b550\b", text), text


def test_explain_records_nothing(cluster):
    """Asking does not greylist: the first question and the second have the same answer."""
    cluster.ctl("greylist", "clear")
    for _ in range(2):
        text = cluster.ctl("explain", *CLIENT, "--rcpt", "shy@example.test").stdout
        assert re.search(r"greylist.*\b450\b", text), text
    assert "shy@example.test" not in cluster.ctl("greylist", "show").stdout


def test_explain_with_a_message(cluster, mails):
    """The content chain as well: the virus is refused by the module virus."""
    text = cluster.ctl("explain", *CLIENT, "--rcpt", "bob@example.test",
                       str(mails / "2-eicar.eml")).stdout
    assert re.search(r"virus.*\b550\b", text), text


def test_status_names_everybody(cluster):
    """Both scanners, the policyd, Redis."""
    def everybody():
        status = json.loads(cluster.ctl("status", "--json").stdout)
        text = json.dumps(status)
        return text if text.count("scand-") >= 2 and "policyd" in text else None
    harness.wait_until(everybody, "status to name both scanners", 30)
    harness.wait_until(
        lambda: [n for n in json.loads(cluster.ctl("status", "--json").stdout)["nodes"]
                 if n["role"] == "milter" and n["state"] == "ready"], "the milter", 30)
    text = cluster.ctl("status").stdout
    for role in ("redis +up", "policyd +ready", "scand +ready", "milter +ready",
                 "reject_tempquota +[0-9]", "reject_permquota +[0-9]", "spam_realdir +[0-9]"):
        assert re.search(f"^{role}", text, re.M), (role, text)
    status = json.loads(cluster.ctl("status", "--json").stdout)
    assert all(node["version"] for node in status["nodes"])
    assert set(status["counters"]) == {
        "spam_scanned", "spam_block", "spam_realdir", "spam_realtag", "sa_spamnodnsbl", "virus",
        "reject_tempquota", "reject_permquota"}


def test_status_says_what_is_wrong():
    """Scanner gone, then Redis: exit 1 with the reason; the rest is shown all the same."""
    with harness.Cluster(policyds=1, scanners=1, edit=quick) as cluster:
        harness.wait_until(lambda: "milter" in cluster.ctl("status").stdout, "all of it", 30)
        cluster.kill("scand-1")
        done = cluster.ctl("status", check=False)
        assert done.returncode == 1 and "no answer from a node" in done.stderr
        assert re.search("^scand +no answer", done.stdout, re.M), done.stdout
        cluster.kill("redis")
        endpoint = f"ipc://{cluster.dir}/policyd.sock"

        def without_redis():
            done = cluster.ctl("status", "--json", "--policyd", endpoint, check=False)
            assert done.returncode == 1 and "Redis is down" in done.stderr
            status = json.loads(done.stdout)
            assert status["redis"]["state"] == "down" and status["redis"]["error"]
            return {check for node in status["nodes"] for check in node.get("degraded", {})}

        harness.wait_until(lambda: "store" in without_redis(), "degraded=store in status", 30)
        text = cluster.ctl("status", "--policyd", endpoint, check=False).stdout
        assert re.search("^redis +down", text, re.M) and "degraded: store: " in text


def test_status_without_a_cluster():
    """Nobody answers: exit 1 and a reason, within seconds."""
    directory = harness.private_dir()
    path = directory / "mxdrop.yaml"
    path.write_text(yaml.safe_dump({
        "redis": {"address": f"unix:{directory}/none.sock"},
        "milter": {"policyd": [f"ipc://{directory}/none"]}}))
    done = harness.run([harness.program("mxdropctl"), "-c", str(path), "status"],
                       check=False, timeout=60)
    shutil.rmtree(directory)
    assert done.returncode == 1 and done.stderr.startswith("mxdropctl: ")


def test_config_check(cluster):
    """A sound file passes; a broken one is named with its line."""
    cluster.ctl("config", "check")
    path = cluster.dir / "broken.yaml"
    path.write_text("milter:\n  sokcet: x\n")
    done = harness.run([harness.program("mxdropctl"), "-c", str(path), "config", "check"],
                       check=False)
    assert done.returncode == 1 and f"{path}:2" in done.stderr + done.stdout


def test_config_docs_cover_every_section(cluster):
    """Markdown of all sections."""
    text = cluster.ctl("config", "docs").stdout
    for word in ("redis", "policyd", "scand", "milter", "log", "greylist", "scand_down"):
        assert word in text


def test_keygen_gives_a_pair():
    """Two keys of 40 characters, never the same twice."""
    keys = [re.findall(r"(?:^|[\s:\"])(\S{40})(?=[\s\"]|$)",
                       harness.run([harness.program("mxdropctl"), "keygen"]).stdout)
            for _ in range(2)]
    assert len(keys[0]) == 2 and len({*keys[0], *keys[1]}) == 4


def test_second_cluster_in_the_same_directory_is_refused(cluster):
    """The first one goes on."""
    done = harness.run(cluster.arguments, check=False, timeout=30)
    assert done.returncode == 1 and str(cluster.dir) in done.stderr
    cluster.ctl("lists", "show", "system")


def test_up_stops_everything_it_started():
    """SIGTERM: exit 0, and no process is left."""
    cluster = harness.Cluster(policyds=1, scanners=1)
    names = [p.stem for p in (cluster.dir / "pid").glob("*.pid") if p.stem != "up"]
    pids = [cluster.pid(name) for name in names]
    assert len(pids) >= 4
    assert cluster.up.stop() == 0, cluster.up.log()
    assert [p for p in pids if harness.is_alive(p)] == []
    cluster.close()
