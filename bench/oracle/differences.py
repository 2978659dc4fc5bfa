#!/usr/bin/python3
"""Every difference from SpamAssassin that is left, as a table: rule, how often, why.

usage: differences.py --hits DUMP_HITS [--cache DIR] [--rules DIR]... GOLDEN ROOT

Runs our engine over the messages of the golden file GOLDEN (relative to ROOT) and prints
agreement (all hits, scored hits, verdicts, identical sets of scored rules) and each rule
that hits elsewhere or as often as not, with the reason that
tests/golden/spamassassin/differences.tsv gives. Exit: 1 where a difference has none.
"""
import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "support"))
sys.dont_write_bytecode = True

import goldens  # noqa: E402 pylint: disable=wrong-import-position


def run_ours(options, messages):
    """Our hits of these messages."""
    with tempfile.NamedTemporaryFile("w") as names:
        names.writelines(f"{m}\n" for m in messages)
        names.flush()
        cache = ["-c", options.cache] if options.cache else []
        done = subprocess.run([options.hits, *cache, options.root, names.name,
                               *(options.rules or goldens.DIRS)],
                              stdout=subprocess.PIPE, text=True, check=True)
    return goldens.parse(done.stdout.splitlines())


def print_table(found, known):
    """A row for each rule and reason: missing, extra, counted differently."""
    rows = collections.defaultdict(collections.Counter)
    for difference in found:
        rows[known.get(difference, "?"), difference.rule][difference.how] += 1
    print("| rule | missing | extra | other count | why |\n|---|--:|--:|--:|---|")
    for (why, rule), how in sorted(rows.items(), key=lambda row: (row[0][0], -row[1].total())):
        print(f"| `{rule}` | {how['missing'] or ''} | {how['extra'] or ''} "
              f"| {how['count'] or ''} | {why} |")


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hits", required=True, help="the program dump_hits")
    parser.add_argument("--cache", help="directory of compiled databases")
    parser.add_argument("--rules", action="append", help="directory of rules, in load order")
    parser.add_argument("golden")
    parser.add_argument("root")
    options = parser.parse_args()
    theirs = goldens.read(options.golden)
    ours = run_ours(options, theirs)
    reasons, known = goldens.read_known()
    found = goldens.differences(theirs, ours)
    print(f"{len(theirs)} messages: "
          + ", ".join(f"{what} {share:.2f} %"
                      for what, share in goldens.agreement(theirs, ours).items()) + "\n")
    print_table(found, known)
    print()
    for why in sorted({known[d] for d in found if d in known}):
        print(f"* **{why}**: {reasons[why]}")
    return 1 if set(found) - known.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
