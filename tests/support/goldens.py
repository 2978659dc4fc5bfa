"""What SpamAssassin says of messages, beside what we say: golden files, agreement, and the
differences that are known. Used by the tests and by bench/oracle.

A golden file has a line a message: path, score, verdict (S or H), scored rules, sub-rules;
rules as NAME, NAME=score, with *N behind what counts N times.
"""
import collections
import hashlib
import pathlib

DIRS = ("/usr/share/spamassassin", "/etc/spamassassin")  # where Debian puts the rules
HOME = pathlib.Path(__file__).resolve().parents[1] / "golden" / "spamassassin"

Golden = collections.namedtuple("Golden", "score is_spam scored subs")
Difference = collections.namedtuple("Difference", "message rule how")


def _hits(column):
    """{rule: how often} of "A=1.5,B=0.1*3" or "__C*2"."""
    hits = {}
    for hit in filter(None, column.split(",")):
        rule, _, times = hit.partition("*")
        hits[rule.split("=")[0]] = int(times or 1)
    return hits


def parse(lines):
    """{message: Golden} of the lines of a golden file."""
    goldens = {}
    for columns in (line.rstrip("\n").split("\t") for line in lines):
        goldens[columns[0]] = Golden(float(columns[1]), columns[2] == "S", _hits(columns[3]),
                                     _hits(columns[4]))
    return goldens


def read(path):
    """{message: Golden} of a golden file."""
    return parse(pathlib.Path(path).read_text(encoding="ascii").splitlines())


def differences(theirs, ours):
    """Every rule of every message of ${theirs} that hits elsewhere, or as often as not."""
    found = []
    for message, golden in theirs.items():
        want = {**golden.scored, **golden.subs}
        have = {**ours[message].scored, **ours[message].subs}
        for rule in sorted(want.keys() | have.keys()):
            if rule not in have:
                found.append(Difference(message, rule, "missing"))
            elif rule not in want:
                found.append(Difference(message, rule, "extra"))
            elif want[rule] != have[rule]:
                found.append(Difference(message, rule, "count"))
    return found


def _share(part, whole):
    return 100 * part / whole if whole else 100.0


def agreement(theirs, ours):
    """Per cent of agreement: all hits, scored hits, verdicts, messages with equal sets of
    scored rules."""
    both, either = collections.Counter(), collections.Counter()
    same = verdicts = 0
    for message, golden in theirs.items():
        mine = ours[message]
        for kind, want, have in (("scored", golden.scored, mine.scored),
                                 ("sub", golden.subs, mine.subs)):
            both[kind] += len(want.keys() & have.keys())
            either[kind] += len(want.keys() | have.keys())
        same += golden.scored.keys() == mine.scored.keys()
        verdicts += golden.is_spam == mine.is_spam
    return {"all hits": _share(sum(both.values()), sum(either.values())),
            "scored hits": _share(both["scored"], either["scored"]),
            "verdicts": _share(verdicts, len(theirs)),
            "identical sets": _share(same, len(theirs))}


def read_known(path=HOME / "differences.tsv"):
    """(reasons by name, {Difference: name of its reason})."""
    reasons, known = {}, {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        columns = line.split("\t")
        if line.startswith("reason\t"):
            reasons[columns[1]] = columns[2]
        elif line and not line.startswith("#"):
            known[Difference(*columns[:3])] = columns[3]
    return reasons, known


def changed_rules(path=HOME / "rules.sha256"):
    """The first rule file that is not as it was when the goldens were made; None: all are."""
    want = dict(reversed(line.split("  ", 1)) for line in
                pathlib.Path(path).read_text(encoding="ascii").splitlines())
    here = {str(file) for directory in DIRS for suffix in ("*.cf", "*.pre")
            for file in pathlib.Path(directory).glob(suffix)}
    for file in sorted(here | want.keys()):
        if file not in here:
            return f"{file} is missing"
        if hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest() != want.get(file):
            return f"{file} is not that of spamassassin 4.0.1-1~deb12u1"
    return None
