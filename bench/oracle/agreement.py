#!/usr/bin/python3
"""How far our rule engine agrees with SpamAssassin, and how much faster it is.

usage: agreement.py --ctl MXDROPCTL --conf YAML [--golden TSV | --oracle SA_GOLDEN.PL]
                    [--limit N] ROOT LIST

LIST names messages, one a line, relative to ROOT. Ours come from `mxdropctl scan --local
--only rules` with a frozen clock. SpamAssassin's come from a golden file, or from the
oracle script run now over the same files (--oracle), so that both are timed in one run.
Prints agreement of scored hits, of whole sets and of verdicts, every rule that differs,
CPU seconds of both, and the sizes of the messages.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

NOW = "1735689600"  # the clock that the golden files were made with
REQUIRED = 5.0


def children_cpu():
    """CPU seconds of finished child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_golden(path):
    """{file: (is spam, {scored rules})} of a golden file, and its CPU seconds if timed."""
    golden, cpu = {}, 0.0
    for line in pathlib.Path(path).read_text().splitlines():
        columns = line.split("\t")
        rules = {hit.split("=")[0] for hit in columns[3].split(",") if hit}
        golden[columns[0]] = (columns[2] == "S", rules)
        cpu += float(columns[6]) if len(columns) > 6 else 0
    return golden, cpu


def run_oracle(script, root, files):
    """A golden file of these messages, made now."""
    with tempfile.TemporaryDirectory() as directory:
        names = pathlib.Path(directory) / "list"
        names.write_text("".join(f"{root}/{f}\n" for f in files))
        out = pathlib.Path(directory) / "golden.tsv"
        subprocess.run(["perl", script, "--list", str(names), "--root", root, "--timing",
                        "--out", str(out)], check=True, stderr=subprocess.DEVNULL)
        return read_golden(out)


def run_ours(ctl, conf, root, files):
    """{file: (score, {rules})}, and CPU seconds: all, and without loading."""
    def scan(some):
        before = children_cpu()
        done = subprocess.run([ctl, "-c", conf, "scan", "--local", "--json", "--only", "rules",
                               "--now", NOW, *(f"{root}/{f}" for f in some)],
                              check=True, stdout=subprocess.PIPE)
        return done.stdout.decode(), children_cpu() - before
    scan(files[:1])  # makes the cache of compiled rules, where one is configured
    _, loading = scan(files[:1])
    text, cpu = scan(files)
    found = {}
    for one in map(json.loads, text.splitlines()):
        name = os.path.relpath(one["file"], root)
        found[name] = (one["score"], {s["name"] for s in one["symbols"]})
    return found, cpu, cpu - loading


def refuse_overlay(conf):
    """Scores of our own are not SpamAssassin's: with them nothing is compared."""
    if re.search(r"overlay[\"']?\s*:\s*[\"']?[^\s\"',}#]", pathlib.Path(conf).read_text()):
        sys.exit(f"agreement: {conf} names an overlay; oracle runs are without one")


def compare(golden, ours):
    """Counts of agreement, and every rule that differs."""
    hits = both = same = verdicts = 0
    missing, extra = collections.Counter(), collections.Counter()
    for name, (is_spam, rules) in golden.items():
        score, found = ours[name]
        both += len(rules & found)
        hits += len(rules | found)
        missing.update(rules - found)
        extra.update(found - rules)
        same += rules == found
        verdicts += (score > REQUIRED - 1e-6) == is_spam
    return hits, both, same, verdicts, missing, extra


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ctl", required=True)
    parser.add_argument("--conf", required=True, help="scand with its rules group")
    parser.add_argument("--golden")
    parser.add_argument("--oracle")
    parser.add_argument("--limit", type=int)
    parser.add_argument("root")
    parser.add_argument("list")
    options = parser.parse_args()
    files = pathlib.Path(options.list).read_text().split("\n")
    files = [f for f in files if f][:options.limit]
    refuse_overlay(options.conf)
    ours, cpu, scanning = run_ours(options.ctl, options.conf, options.root, files)
    if options.oracle:
        golden, theirs = run_oracle(options.oracle, options.root, files)
    else:
        golden, theirs = read_golden(options.golden)
    golden = {name: golden[name] for name in files if name in golden}
    if not golden:
        sys.exit("agreement: none of these messages is in the golden file")
    hits, both, same, verdicts, missing, extra = compare(golden, ours)
    n = len(golden)
    sizes = sorted(os.path.getsize(f"{options.root}/{f}") for f in golden)
    print(f"{n} messages, mean {sum(sizes) / n / 1024:.1f} KiB, "
          f"median {sizes[n // 2] / 1024:.1f} KiB, largest {sizes[-1] / 1024:.0f} KiB")
    print(f"scored hits agree {100 * both / hits:.2f} %, identical sets {100 * same / n:.2f} %, "
          f"verdicts {100 * verdicts / n:.2f} %")
    for what, rules in (("missing", missing), ("extra", extra)):
        for rule, count in rules.most_common():
            print(f"  {what} {count:4d}  {rule}")
    print(f"ours {1000 * scanning / n:.2f} ms CPU a message ({cpu:.1f} s in all, with loading)")
    if theirs:
        print(f"SpamAssassin {1000 * theirs / n:.1f} ms: {theirs / scanning:.1f} times as much")
    return 0


if __name__ == "__main__":
    sys.exit(main())
