#!/usr/bin/python3
"""compare_rules.py SA.tsv OURS.tsv: two readings of the same rule files side by side.

SA.tsv comes from sa_rules.pl (SpamAssassin itself), OURS.tsv from dump_rules. Compared are
names, kinds, the scores of all four sets, and patterns with their tags replaced. Not the
same on purpose, and counted apart: patterns that hold %{NAME} (SpamAssassin escapes the
braces to compile them), and the tflag net that metas inherit (SpamAssassin looks one step
deep in the random order of a hash, we look all the way). Exit 1 where anything differs.
"""
import sys

KINDS = {
    "empty": "empty_tests", "header": "head_tests", "header exists": "head_tests",
    "body": "body_tests", "rawbody": "rawbody_tests", "uri": "uri_tests",
    "full": "full_tests", "mimeheader": "body_evals", "meta": "meta_tests",
    "header eval": "head_evals", "body eval": "body_evals",
    "rawbody eval": "rawbody_evals", "full eval": "full_evals", "rbl eval": "rbl_evals",
}
NAME, KIND, SCORES, FLAGS, PATTERN = 0, 1, slice(2, 6), 6, 9


def read(path):
    """Rules by name; bytes as Latin-1, so that none is lost."""
    with open(path, encoding="latin-1", newline="\n") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    return {row[NAME]: row for row in rows}


def plain(pattern):
    """A Perl pattern without what qr// and ReplaceTags put around it."""
    if pattern.startswith("(?^aa:"):
        pattern = pattern[6:-1]
    return pattern[5:] if pattern.startswith("(?aa)") else pattern


def differences(theirs, ours):
    """(what, their value, our value) of one rule."""
    if KINDS[ours[KIND]] != theirs[KIND]:
        yield "kind", theirs[KIND], ours[KIND]
    if [float(s) for s in theirs[SCORES]] != [float(s) for s in ours[SCORES]]:
        yield "scores", theirs[SCORES], ours[SCORES]
    wanted = plain(theirs[PATTERN])
    if wanted and ours[KIND] != "mimeheader" and wanted != ours[PATTERN]:
        unescaped = wanted.replace("\\x5c{", "{").replace("\\x5c}", "}")
        is_capture = "%{" in ours[PATTERN] and unescaped == ours[PATTERN].replace(
            "\\x5c{", "{").replace("\\x5c}", "}")
        yield ("(capture)" if is_capture else "pattern"), wanted, ours[PATTERN]
    if ("net" in theirs[FLAGS].split()) != ("net" in ours[FLAGS].split()):
        yield "(net)", theirs[FLAGS], ours[FLAGS]


def main():
    """Prints differences and a count of each sort; the exit code."""
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    theirs, ours = read(sys.argv[1]), read(sys.argv[2])
    counts = {}
    for name in sorted(theirs.keys() ^ ours.keys()):
        what = "missing" if name in theirs else "extra"
        counts[what] = counts.get(what, 0) + 1
        print(f"{name}: {what}")
    for name in sorted(theirs.keys() & ours.keys()):
        for what, wanted, got in differences(theirs[name], ours[name]):
            counts[what] = counts.get(what, 0) + 1
            if not what.startswith("("):
                print(f"{name}: {what}: {wanted} is {got}"[:300])
    print(f"{len(theirs)} rules, differences: {counts or 'none'}")
    return 1 if any(not what.startswith("(") for what in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
