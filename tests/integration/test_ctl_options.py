"""Each option of mxdropctl's commands that test_ctl.py has no use for."""
import json
import re
import signal
import stat

import pytest
import yaml
import zmq

import harness
import milter_client
import mta
from test_ctl import (CLIENT, fixture_cluster,  # noqa: F401 pylint: disable=unused-import
                      fixture_mails, json_lines)
from test_policyd import site  # noqa: F401 pylint: disable=unused-import


def ctl(*arguments, check=True):
    """mxdropctl without a cluster of its own."""
    return harness.run([harness.program("mxdropctl"), *arguments], check=check)


def change(cluster, **groups):
    """Other settings of policyd, from the reload on that this asks for."""
    path = cluster.dir / "mxdrop.yaml"
    conf = yaml.safe_load(path.read_text())
    conf["policyd"].update(groups)
    path.write_text(yaml.safe_dump(conf))
    cluster.up.popen.send_signal(signal.SIGHUP)


def test_explain_auth_and_name_are_part_of_the_question(cluster):
    """Whoever is authenticated is not greylisted; a verified name is what maps see."""
    client = ["explain", *CLIENT, "--rcpt", "auth@example.test"]
    assert "450" in cluster.ctl(*client).stdout
    assert "450" not in cluster.ctl(*client, "--auth", "alice").stdout
    names = cluster.dir / "names"
    names.write_text("bad.example REJECT not you\n")
    change(cluster, access={"lookups": [f"client domain:{names}"]})
    harness.wait_until(lambda: "not you" in cluster.ctl(
        *client, "--name", "bad.example").stdout, "the map to be used")
    assert "not you" not in cluster.ctl(*client, "--name", "good.example").stdout


def test_endpoint_chooses_who_is_asked(cluster, mails):
    """A scanner that is not registered, and one that does not exist."""
    scanners = json.loads(cluster.ctl("status", "--json").stdout)
    endpoint = re.search(r"ipc://[^\"]*scand-2[^\"]*", json.dumps(scanners))[0]
    one = str(mails / "1-clean.eml")
    assert json_lines(cluster.ctl("scan", "--json", "--endpoint", endpoint, one).stdout)
    for command in (["scan", one], ["explain", *CLIENT, "--rcpt", "b@example.test"]):
        done = cluster.ctl(*command, "--endpoint", f"ipc://{cluster.dir}/nobody", check=False)
        assert done.returncode == 1 and "nobody" in done.stderr, done.stderr


def test_limit_bounds_what_is_shown(cluster):
    """greylist and rate show as many as wanted."""
    seen = cluster.log("policyd-1").count("daemon.reload result=ok")
    change(cluster, rate_limit={"limits": ["client messages 100/1h"]})
    cluster.wait_log("policyd-1", "daemon.reload result=ok", seen=seen)
    for n in range(3):
        with milter_client.Session(cluster.dir / "milter.sock",
                                   addr=f"198.51.{n}.1") as session:
            session.send("a@example.org", ["limit@example.test"], mta.message("x"))
    for command in ("greylist", "rate"):
        counts = [len(cluster.ctl(command, "show", "--json", *limit).stdout.splitlines())
                  for limit in ([], ["--limit", "2"])]
        assert counts[0] >= 3 and counts[1] == 2, (command, counts)


def test_status_counters_are_shown_when_wanted(cluster, mails):
    """Without the option they are left out."""
    cluster.ctl("scan", str(mails / "1-clean.eml"))
    assert "mxdrop_scan_messages_total" not in cluster.ctl("status").stdout
    assert "mxdrop_scan_messages_total" in cluster.ctl("status", "--counters").stdout


def test_status_strict_exits_1_where_something_is_wrong(cluster):
    """Without signatures that are fresh the scanners are degraded; the exit code says it."""
    def codes():
        return [cluster.ctl("status", *option, check=False).returncode
                for option in ([], ["--strict"])]
    harness.wait_until(lambda: codes() == [0, 0], "a sound cluster")
    path = cluster.dir / "mxdrop.yaml"
    before = path.read_text()
    path.write_text(before.replace("clamav:\n", "clamav:\n    max_age: 1ms\n", 1))
    cluster.up.popen.send_signal(signal.SIGHUP)
    try:
        harness.wait_until(lambda: codes() == [0, 1], "degraded scanners")
    finally:
        path.write_text(before)
        cluster.up.popen.send_signal(signal.SIGHUP)


def test_scan_only_profile_now(cluster, mails):
    """One detector; what each costs; a message is judged at another date."""
    gtube = str(mails / "3-gtube.eml")
    only = json_lines(cluster.ctl("scan", "--json", "--only", "headers", gtube).stdout)[0]
    assert not [s for s in only["symbols"] if s["name"] == "GTUBE"]
    assert "gtube" in cluster.ctl("scan", "--profile", gtube).stdout
    old = mails / "old.eml"
    old.write_bytes(b"Received: from a by b; Mon, 01 Jun 2020 10:00:00 +0000\r\n"
                    b"Date: Mon, 01 Jan 2018 10:00:00 +0000\r\nFrom: a@example.org\r\n\r\nx\r\n")
    rules = mails / "rules"
    rules.mkdir()
    (rules / "r.cf").write_text("loadplugin Mail::SpamAssassin::Plugin::HeaderEval\n"
                                "header OLD eval:received_within_months('6','undef')\n"
                                "body SITE_X /x/\nscore SITE_X 2.5\n")

    def symbols(*options):
        done = cluster.ctl("scan", "--local", "--json", "--only", "rules", f"--rules={rules}",
                           *options, str(old))
        return {s["name"]: s["score"] for s in json_lines(done.stdout)[0]["symbols"]}
    assert symbols()["SITE_X"] == 2.5 and "OLD" in symbols()
    assert "OLD" not in symbols("--now=1591005600")


def test_rules_all_and_overlay(mails):
    """What only lacks the network is told when wanted; scores that are read last."""
    rules = mails / "rules"
    rules.mkdir()
    (rules / "r.cf").write_text("loadplugin Mail::SpamAssassin::Plugin::DNSEval\n"
                                "header SITE_RBL eval:check_rbl('x', 'bl.example.')\n"
                                "body SITE_Y /y/\n")
    assert "SITE_RBL" not in ctl("rules", "check", str(rules), check=False).stdout
    assert "SITE_RBL" in ctl("rules", "check", "--all", str(rules), check=False).stdout
    (rules / "s.cf").write_text("no_such_directive\n")
    done = ctl("rules", "check", str(rules), check=False)
    assert (done.returncode, done.stderr) == (1, "mxdropctl: rules: 1 faults\n")
    overlay = mails / "overlay.cf"
    overlay.write_text("score SITE_Y 7.75\n")
    assert "7.75" in ctl("rules", "explain", f"--overlay={overlay}", "SITE_Y", str(rules)).stdout


def test_rules_diff_required(mails):
    """Whether a message crosses depends on where the line is."""
    for name, score in (("old", 2), ("new", 4)):
        (mails / name).mkdir()
        (mails / name / "r.cf").write_text(f"body SITE_Z /Hello/\nscore SITE_Z {score}\n")
    asked = ["rules", "diff", str(mails / "old"), str(mails / "new"),
             "--sample", str(mails / "1-clean.eml")]
    assert ctl(*asked, "--required=3", check=False).returncode == 3
    assert ctl(*asked, "--required=5", check=False).returncode == 0


def test_keygen_secret_file_is_private_and_new(mails):
    """The secret key is in the file alone, and a file that is there stays."""
    path = mails / "secret"
    said = ctl("keygen", "--secret-file", str(path)).stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = re.search(r"\S{40}", path.read_text())[0]
    assert secret not in said and re.search(r"public_key: \S{40}", said)
    before = path.read_text()
    assert ctl("keygen", "--secret-file", str(path), check=False).returncode == 1
    assert path.read_text() == before


def test_keys_and_public_key_open_tcp(site, mails):  # noqa: F811
    """With the keys of a shim a tool may ask; with others nobody answers."""
    server, other = zmq.curve_keypair(), zmq.curve_keypair()
    endpoint = f"tcp://127.0.0.1:{harness.free_port()}"
    pair = ctl("keygen").stdout
    friend = re.search(r"public_key: \"?(\S{40})", pair)[1]
    site.policyd(endpoint=endpoint, public_key=server[0].decode(),
                 secret_key=server[1].decode(), allowed_keys=[friend])
    keys = mails / "keys"
    keys.write_text(pair)
    config = ["-c", str(site.dir / "policyd.yaml")]
    asking = [*config, "explain", *CLIENT, "--rcpt", "bob", "--endpoint", endpoint,
              "--public-key", server[0].decode()]
    assert "fq_rcpt" in ctl(*asking, "--keys", str(keys)).stdout
    harness.wait_until(lambda: "policyd" in ctl(*config, "status", "--keys", str(keys),
                                                check=False).stdout, "status to name it")
    keys.write_text(f"public_key: \"{other[0].decode()}\"\nsecret_key: \"{other[1].decode()}\"\n")
    done = ctl(*asking, "--keys", str(keys), check=False)
    assert done.returncode == 1 and endpoint in done.stderr, done.stderr


def test_scan_keys_and_public_key(mails):
    """A scanner behind tcp://: without keys nobody answers."""
    done = ctl("scan", "--endpoint", "tcp://127.0.0.1:1", "--public-key", "short",
               "--keys", "/nonexistent/keys", str(mails / "1-clean.eml"), check=False)
    assert done.returncode == 1 and "/nonexistent/keys" in done.stderr, done.stderr


@pytest.mark.parametrize("program", ["mxdrop-policyd", "mxdrop-scand", "mxdrop-milter"])
def test_daemons_describe_themselves(program, mails):
    """--check, --effective, --config-docs, --config-sample."""
    daemon = harness.program(program)
    section = {"mxdrop-policyd": "policyd", "mxdrop-scand": "scand", "mxdrop-milter": "milter"}
    path = mails / "m.yaml"
    path.write_text(f"{section[program]}: {{drain_timeout: 7s}}\n")
    assert harness.run([daemon, "-c", path, "--check"]).stderr == ""
    changed = yaml.safe_load(harness.run([daemon, "-c", path, "--effective"]).stdout)
    assert changed == {section[program]: {"drain_timeout": "7s"}}
    assert f"## {section[program]}" in harness.run([daemon, "--config-docs"]).stdout
    sample = mails / "sample.yaml"
    sample.write_text(harness.run([daemon, "--config-sample"]).stdout)
    assert harness.run([daemon, "-c", sample, "--effective"]).stdout.endswith("defaults\n")
