#!/usr/bin/python3
"""Targets row 9: memory (PSS) of policyd and of scand, at first and after work.

usage: memory.py [--dir DIR] [--messages N] [--workers N] [--no-rules]

One policyd, one scanner with N workers (4), libclamav with test signatures, and the rules
detector with the rule files of this machine. Messages: N (1,000) of DIR, or generated ones
of 11.7 KB. PSS counts a shared page once over all that share it, so the sum is what scand
takes. What a check in flight adds to policyd: memory_policy.sh. Needs MX_BUILD_DIR or build/.
"""
import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
import full_path  # noqa: E402  pylint: disable=wrong-import-position
import harness  # noqa: E402  pylint: disable=wrong-import-position


def pss_kb(pid):
    """Proportional set size of a process."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +(\d+)", text, re.M)[1])


def scand_pss(cluster):
    """{process: KiB} of a scanner."""
    supervisor = cluster.pid("scand-1")
    found = {"supervisor": pss_kb(supervisor)}
    for engine in full_path.children(supervisor):
        found["engine"] = pss_kb(engine)
        for number, worker in enumerate(full_path.children(engine), 1):
            found[f"worker-{number}"] = pss_kb(worker)
    return found


def show(mark, cluster):
    """One line: policyd, scand and its parts, in MiB."""
    scand = scand_pss(cluster)
    print(f"{mark}: policyd {pss_kb(cluster.pid('policyd-1')) / 1024:.1f} MiB, scand "
          f"{sum(scand.values()) / 1024:.1f} MiB ("
          + ", ".join(f"{name} {size / 1024:.1f}" for name, size in scand.items()) + ")",
          flush=True)
    return sum(scand.values()) / 1024


def main():
    """At the first messages, and after many."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir")
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--no-rules", action="store_true")
    options = parser.parse_args()
    options.connections = 2 * options.workers
    edit = full_path.settings(options, str(full_path.cache_dir()))
    with harness.Cluster(policyds=1, scanners=1, edit=edit) as cluster:
        full_path.load(cluster, 4, options)
        show("first messages", cluster)
        full_path.load(cluster, options.messages, options)
        scand = show(f"after {options.messages}", cluster)
        policyd = pss_kb(cluster.pid("policyd-1")) / 1024
    print(f"row 9: policyd {policyd:.1f} MiB; scand {scand:.1f} MiB, {options.workers} workers, "
          f"{'no rules' if options.no_rules else 'rules on'}")


if __name__ == "__main__":
    sys.exit(main())
