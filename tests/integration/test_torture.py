"""The MIME torture set through the scanner engine: no crash, no hang, and what each made
message is expected to give (torture/generated/manifest.tsv). Skips without the corpus.

Differences that are left are listed below with their reasons; one that disappears fails
the test too, so that the list stays true.
"""
import json
import pathlib
import re

import pytest

import harness

# Made message -> why it does not give what the manifest names.
KNOWN = {}
# Of ClamAV's test files those that are not found, and why.
CLAMAV_MISSED = set()
BLOCKED = re.compile(r"\.(exe|scr|com|js|vbs|bat|pif)$")
SLOWEST_MS = 20000  # sanitizers and a busy machine included


def engine(paths, directory):
    """Findings of the engine for these files, by path."""
    conf = directory / "scand.yaml"
    signatures = harness.TOP / "tests" / "signatures"
    conf.write_text(f'scand:\n  clamav:\n    signatures: "{signatures}"\n')
    done = harness.run([harness.program("mxdropctl"), "-c", str(conf), "scan", "--local",
                        "--json", *map(str, paths)], timeout=900)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["file"]: one for one in found}


@pytest.fixture(name="torture", scope="module")
def fixture_torture(tmp_path_factory):
    """(directory, findings by path) of the whole torture set."""
    with harness.corpus() as root:
        if root is None:
            pytest.skip(harness.NO_CORPUS)
        yield root / "torture", engine([root / "torture"], tmp_path_factory.mktemp("torture"))


def symbols(one):
    """Names of its symbols."""
    return {s["name"] for s in one["symbols"]}


def meets(expect, one):
    """Whether the findings are what the manifest names; None: nothing to check here."""
    if expect == "virus:EICAR or limit":
        return bool(one["viruses"]) or "MX_CLAMAV_LIMITS" in symbols(one)
    if expect == "virus:EICAR":
        return bool(one["viruses"])
    if expect.startswith("spam:") or expect == "spam?":
        return "GTUBE" in symbols(one)
    if expect == "policy:blocked-extension" and "path" in one["file"]:
        return "MX_ATTACH_PATH" in symbols(one)
    if expect == "policy:blocked-extension":
        return any(BLOCKED.search(f["name"]) for f in one.get("files", []))
    by_symbol = {
        "policy:encrypted": {"MX_ARCHIVE_ENCRYPTED", "MX_DOC_ENCRYPTED"},
        "policy:macro/ole": {"MX_DOC_MACROS", "MX_DOC_OBJECT", "MX_DOC_LINK"},
        "policy:loop": {"MX_HOPS_MANY"},
        "policy": {"MX_MIME_PARTIAL", "MX_MIME_AMBIGUOUS", "MX_DOUBLE_FROM"},
    }
    if expect in by_symbol:
        return bool(symbols(one) & by_symbol[expect])
    if expect.startswith("policy:"):
        return False
    if expect == "clean":
        return not one["viruses"] and one["score"] < one["required"]
    # limit, virus?; spammy needs the rules of a site: not crashing and in time is all
    return None


def test_every_message_is_answered_in_time(torture):
    """Each file of the set has findings; no detector failed, none took too long."""
    top, found = torture
    # The loader takes regular files; every .eml of every source must be there.
    missing = [p for p in top.rglob("*.eml") if str(p) not in found]
    assert not missing
    slow = {f: one["ms"] for f, one in found.items() if one["ms"] > SLOWEST_MS}
    assert not slow
    degraded = {f: one["degraded"] for f, one in found.items() if one.get("degraded")}
    assert not degraded
    print(f"{len(found)} messages, slowest {max(o['ms'] for o in found.values()):.0f} ms")


def test_manifest_expectations(torture):
    """What gen_torture.py expects of each message it made."""
    top, found = torture
    lines = (top / "generated" / "manifest.tsv").read_text().splitlines()[1:]
    wrong = {}
    for name, expect, _, note in (line.split("\t") for line in lines):
        one = found[str(top / "generated" / name)]
        if meets(expect, one) is False:
            wrong[name] = (expect, note, sorted(symbols(one)), one["viruses"])
    unexpected = {n: w for n, w in wrong.items() if n not in KNOWN}
    assert not unexpected
    assert set(KNOWN) == set(wrong), "gone from the list of differences: say so there"


AMBIGUOUS = {
    "eicar-two-boundaries": {"MX_MIME_AMBIGUOUS"}, "eicar-two-ct": {"MX_MIME_AMBIGUOUS"},
    "eicar-two-cte-a": {"MX_MIME_AMBIGUOUS"}, "eicar-two-cte-b": {"MX_MIME_AMBIGUOUS"},
    "name-conflict": {"MX_MIME_AMBIGUOUS"}, "eicar-no-final-boundary": {"MX_MIME_NO_END"},
    "eicar-boundary-space": {"MX_MIME_NO_END"}, "eicar-b64-concat": {"MX_MIME_HIDDEN"},
    "eicar-rfc822-b64": {"MX_MIME_HIDDEN"}, "nest-5000": {"MX_MIME_TOO_DEEP"},
    "parts-20000": {"MX_MIME_TOO_MANY", "MX_CLAMAV_LIMITS"},
    "colon-less": {"MX_MIME_BAD_HEADER", "MX_HEADER_BAD_LINE"},
    "nul-bytes": {"MX_SUSPICIOUS_CHARS", "MX_BODY_NUL"}, "dup-from": {"MX_DOUBLE_FROM"},
    "eicar-cr-only-header": {"MX_SUSPICIOUS_CHARS"}, "bare-cr": {"MX_BARE_CR"},
    "eicar-com": set(), "eicar-boundary-2231": set(), "eicar-prefix-boundary": set(),
}


def test_ambiguous_structure_is_a_finding(torture):
    """What readers understand differently is said, and only that."""
    top, found = torture
    for name, wanted in AMBIGUOUS.items():
        got = symbols(found[str(top / "generated" / f"{name}.eml")])
        assert wanted <= got, (name, got)
        assert wanted or not any(s.startswith("MX_MIME_") for s in got), (name, got)


def test_clamav_test_files_are_found(torture, tmp_path):
    """ClamAV's own test program in every format, as an attachment."""
    top, _ = torture
    files = sorted((top / "clamav-testfiles").iterdir())
    for path in files:
        head = ("From: a@example.org\r\nTo: b@example.org\r\nSubject: test\r\n"
                "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
                "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n"
                f"Content-Type: application/octet-stream; name={path.name}\r\n\r\n")
        (tmp_path / f"{path.name}.eml").write_bytes(head.encode() + encoded(path))
    found = engine(sorted(tmp_path.glob("*.eml")), tmp_path)
    missed = {pathlib.Path(f).stem for f, one in found.items() if not one["viruses"]}
    assert len(found) == len(files)
    assert missed == CLAMAV_MISSED


def encoded(path):
    """Base64 of a file in lines."""
    import base64  # pylint: disable=import-outside-toplevel
    return base64.encodebytes(path.read_bytes()).replace(b"\n", b"\r\n")
