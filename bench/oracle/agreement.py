#!/usr/bin/python3
"""How far our rule engine agrees with SpamAssassin, and how much faster it is.

usage: agreement.py --ctl MXDROPCTL --conf YAML [--golden TSV | --oracle SA_GOLDEN.PL]
                    [--limit N] ROOT LIST

LIST names messages, one a line, relative to ROOT. Ours come from `mxdropctl scan --local
--only rules` with a frozen clock. SpamAssassin's come from a golden file, or from the
oracle script run now over the same files (--oracle), so that both are timed in one run.
Prints agreement of scored hits, of whole sets and of verdicts, every rule that differs,
CPU seconds of both, in all and by size of the messages.
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
SIZES_KIB = (4, 16, 64, float("inf"))  # upper ends of the classes that are timed


def children_cpu():
    """CPU seconds of finished child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_golden(path):
    """{file: (is spam, {scored rules})} of a golden file, {file: CPU seconds} if timed."""
    golden, cpu = {}, {}
    for line in pathlib.Path(path).read_text().splitlines():
        columns = line.split("\t")
        rules = {hit.split("=")[0] for hit in columns[3].split(",") if hit}
        golden[columns[0]] = (columns[2] == "S", rules)
        if len(columns) > 6:
            cpu[columns[0]] = float(columns[6])
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


def size_class(path):
    """Index in SIZES_KIB."""
    kib = os.path.getsize(path) / 1024
    return next(i for i, most in enumerate(SIZES_KIB) if kib < most)


def run_ours(ctl, conf, root, files):
    """{file: (score, {rules})}, and CPU seconds without loading: of each class of sizes,
    each in a run of its own, and of all together (None)."""
    def scan(some):
        before = children_cpu()
        done = subprocess.run([ctl, "-c", conf, "scan", "--local", "--json", "--only", "rules",
                               "--now", NOW, *(f"{root}/{f}" for f in some)],
                              check=True, stdout=subprocess.PIPE)
        return done.stdout.decode(), children_cpu() - before
    scan(files[:1])  # makes the cache of compiled rules, where one is configured
    loading = min(scan(files[:1])[1] for _ in range(5))
    text, seconds = scan(files)
    found, cpu = {}, {None: seconds - loading}
    for one in map(json.loads, text.splitlines()):
        name = os.path.relpath(one["file"], root)
        found[name] = (one["score"], {s["name"] for s in one["symbols"]})
    for nth in {size_class(f"{root}/{f}") for f in files}:
        some = [f for f in files if size_class(f"{root}/{f}") == nth]
        cpu[nth] = scan(some)[1] - loading
    return found, cpu


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


def print_times(root, files, ours, theirs):
    """CPU time a message, of each class of sizes and of all."""
    for nth in sorted(n for n in ours if n is not None) + [None]:
        some = [f for f in files if nth in (None, size_class(f"{root}/{f}"))]
        what = "all" if nth is None else f"below {SIZES_KIB[nth]} KiB"
        text = f"{what}: {len(some)} messages, ours {1000 * ours[nth] / len(some):.2f} ms"
        if theirs:
            their = sum(theirs[f] for f in some)
            text += (f", SpamAssassin {1000 * their / len(some):.1f} ms: "
                     f"{their / ours[nth]:.1f} times as much")
        print(text)


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
    ours, cpu = run_ours(options.ctl, options.conf, options.root, files)
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
    print_times(options.root, list(golden), cpu, theirs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
