"""Hostile rule files through all of it: read, compiled, run on a message.

Each case is a directory with something broken or enormous in it and one good rule beside
it. Time and memory are bounded (CPU seconds, and peak size; the address space too, where
no sanitizer needs it), what cannot be taken is told with file and line, and the good rule
hits.
"""
import json
import os
import pathlib
import random
import resource
import subprocess

import pytest

import harness

GOOD = "body GOOD /hello/\nscore GOOD 1\n"
# 300 lines that patterns below nearly match, behind a long one.
MESSAGE = ("From: a@example.org\nTo: b@example.net\nSubject: hello\n\nhello " + "a" * 20000 + " end\n"
           + "".join(f"word{i} foo bar aaaaaaaaaaaaaaaaaaaaaaaaaaaa b c d ! w{i} far x{i}\n"
                     for i in range(300)))
SANITIZED = b"__asan_init" in pathlib.Path(harness.program("mxdropctl")).read_bytes()
SLOWER = 10 if SANITIZED else 1   # CPU, beside a build without sanitizers
LARGER = 6 if SANITIZED else 1    # memory

CATASTROPHIC = [
    r"(?:a+)+$", "(a|a)*b", "(a|aa)+c", "(?:a*)*(?:a*)*d", r"(\w+\s?)*!$", "(?:.*a){30}c",
    "a{0,65535}b{0,65535}c", "((((((((a{1,9}){1,9}){1,9}){1,9}){1,9}))))z",
    r"(?=(a+))\1{1000}x", "(?:(?:(?:a?){40}){40}){40}z", r"\A(?:a|(?R))*z",
    ".{0,60000}x.{0,60000}!", "(?:(?:a|b)*?c?)*?[^abc]{9}$"]


def rules_of(patterns, kind="body"):
    """A rule for each pattern."""
    return "".join(f"{kind} R{i} /{pattern}/\n" for i, pattern in enumerate(patterns))


def numbered(line, count):
    """A line for each number, {i} in it; {next} is the number behind it in a ring."""
    return "".join(line.format(i=i, next=(i + 1) % count) for i in range(count))


MANY = 3000 if SANITIZED else 100000

# name -> (file, words of the report of `rules check`, CPU seconds, MiB)
CASES = {
    "catastrophic": (rules_of(CATASTROPHIC), ["0 faults"], 20, 200),
    "catastrophic uris and headers": (
        rules_of(CATASTROPHIC, "rawbody").replace(" R", " RAW")
        + rules_of(CATASTROPHIC, "full").replace(" R", " FULL"), ["0 faults"], 20, 200),
    "a megabyte of pattern": (
        "body M1 /" + "abcdefghij" * 104000 + "/\n"
        + "body M2 /(?:" + "|".join(f"word{i}" for i in range(90000)) + ")/i\n"
        + "body M3 /" + "(?:a|b[cd]{1,3})" * 60000 + "/\n"
        + "body M4 /" + "(" * 100000 + "a" + ")" * 100000 + "/\n"
        + "body M5 /" + r"[\xc0-\xff]+?x*" * 60000 + "/i\n"
        + "body M6 /" + "x" * 1100000 + "/\n",
        ["a.cf:4: M4: pattern", "a.cf:6: M6: limit"], 40, 500),
    "100,000 rules": (numbered("body R{i} /word{i}(?:s|ed)? (?:foo|bar){{1,3}}/i\n", MANY),
                      ["0 faults"], 60, 1000),
    "100,000 headers": (numbered("header R{i} X-Head-{i} =~ /word{i}/i\n", MANY),
                        ["0 faults"], 30, 600),
    "patterns that are slow to compile": (
        numbered(r"body R{i} /w{i}.{{0,30}}(?:f[o0]+|b[a@4]r)\s{{1,9}}x{i}/i" + "\n", MANY // 50),
        ["0 faults"], 60, 600),
    "a ring of metas": (numbered("meta R{i} R{next} && !R1\n", 50000),
                        ["a.cf:1: R0: meta: depends on itself", "more\n50000 faults"], 20, 300),
    "a chain of metas": ("body X0 /absent/\n" + numbered("meta Y{i} X0 || Y{next}\n", 99999)
                         .replace(" || Y0\n", "\n"), ["0 faults"], 20, 400),
    "globs of globs": (numbered("body G{i} /g{i}/\n", 3000)
                       + numbered("meta M{i} rules_matching(G*) > rules_matching(*)\n", 3000),
                       ["a.cf:3001: M0: "], 20, 400),
    "unclosed if": ("if (version > 1)\nif (0)\nbody U1 /hello/\n", ["a.cf:1: if: "], 10, 150),
    "100,000 ifs": ("if (" + "(" * 5000 + "1" + ")" * 5000 + ")\nendif\n" + "if 1\n" * 100000,
                    ["a.cf:1: if: "], 10, 150),
    "includes of itself": ("include a.cf\ninclude ../a.cf\ninclude z.cf\n" * 200,
                           ["a.cf:1: include: "], 20, 200),
    "binary garbage": (random.Random(1).randbytes(3000000), ["faults"], 10, 200),
    "NUL bytes": (b"body N1 /he\0llo/i\nbody\0N2 /x/\nscore N1 \0 3\n" + bytes(1000000)
                  + b"\nbody N3 /hello/\n", ["a.cf:2: body\\x00n2: ", "a.cf:4: "], 10, 150),
    "long lines": ("body L1 /x/ " + "y" * 3000000 + "\ndescribe GOOD " + "z" * 1900000
                   + "\nmeta L2 " + "GOOD+" * 380000 + "1\nreplace_tag A " + "q" * 1500000 + "\n",
                   ["a.cf:1: : limit", "a.cf:3: L2: limit"], 10, 200),
    "tags of tags": (numbered("replace_tag T{i} <T{next}><T{next}><T{next}>\n", 30)
                     + "body TT /<T0>/\nreplace_rules TT\n", ["0 faults"], 10, 150),
    "captures": (numbered("body __C{i} /(?<CAP>[a-z]+)/\ntflags __C{i} multiple\n", 50)
                 + numbered("body USE{i} /%{{CAP}}{i}.*%{{CAP}}.*%{{CAP}}/i\n", 2000),
                 ["0 faults"], 20, 200),
}


def bounded(arguments, cpu_s, size_mib):
    """Run within bounds of CPU time and memory; (exit status, output)."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
        if not SANITIZED:
            resource.setrlimit(resource.RLIMIT_AS, ((size_mib + 1024) << 20,) * 2)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=limit) as child:  # pylint: disable=subprocess-popen-preexec-fn
        output = child.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode in (0, 1), f"exit {child.returncode}: {output[-500:]}"
    assert usage.ru_maxrss < size_mib << 10, f"{usage.ru_maxrss >> 10} MiB"
    return child.returncode, output


@pytest.mark.parametrize("case", CASES)
def test_hostile_rules(case, tmp_path):
    """Bounded, told, and the rest works."""
    text, words, cpu_s, size_mib = CASES[case]
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.cf").write_bytes(text if isinstance(text, bytes) else text.encode())
    (rules / "z.cf").write_text(GOOD)
    (tmp_path / "message.eml").write_text(MESSAGE)
    (tmp_path / "scand.yaml").write_text(
        "scand:\n  detectors: [rules]\n  rules:\n    cache_dir: ''\n    overlay: ''\n")
    ctl = harness.program("mxdropctl")
    bounds = cpu_s * SLOWER, size_mib * LARGER
    status, report = bounded([ctl, "rules", "check", str(rules)], *bounds)
    for word in words:
        assert word in report, report[:2000]
    assert (status == 0) == ("\n0 faults" in report)
    _, output = bounded([ctl, "-c", str(tmp_path / "scand.yaml"), "scan", "--local", "--json",
                         "--rules", str(rules), str(tmp_path / "message.eml")], *bounds)
    found = json.loads(output.splitlines()[-1])
    assert "GOOD" in {symbol["name"] for symbol in found["symbols"]}
    assert not found.get("degraded"), found["degraded"]
