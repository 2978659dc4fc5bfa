#!/usr/bin/python3
"""Targets row 7: messages a second on the whole path, milter to scanners and back.

usage: full_path.py [--dir DIR] [--messages N] [--connections N] [--workers N] [--no-rules]
                    [--rounds N]

One policyd, one scanner with libclamav (test signatures) and the rules detector with the
rule files of this machine, Redis, the milter; milter_load plays the MTA on the same cores,
over kept connections. Messages: the files of DIR by turns, or generated ones of 11.7 KB.
One round over a part of the messages fills caches and compiles patterns; then N rounds,
the median counts. CPU is that of each process over the last round, so what a busy machine
takes away shows in the rate and not in the CPU. Needs MX_BUILD_DIR or build/.
"""
import argparse
import os
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

GENERATED_BYTES = 11700
WARM_UP = 200
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def settings(options, cache):
    """edit(conf) for this run; nothing is put off, nobody is turned away."""
    def edit(conf):
        conf["policyd"]["greylist"] = {"mode": "off"}
        conf["milter"].update(shed_load=0, shed_load_all=0)
        detectors = ["headers", "mime", "attachments", "clamav"]
        conf["scand"].update(workers=options.workers,
                             detectors=detectors + ([] if options.no_rules else ["rules"]))
        conf["scand"].setdefault("rules", {})["cache_dir"] = cache
    return edit


def cache_dir():
    """Where compiled patterns stay, so that only the first run has to make them."""
    path = pathlib.Path(os.environ.get("XDG_CACHE_HOME", "/var/tmp")) / "mxdrop-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def cpu_ms(pid):
    """CPU that a process and its ended children have used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) * TICK_MS


def children(pid):
    """Child processes."""
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


def all_cpu(cluster):
    """{process: CPU ms} of the cluster."""
    supervisor = cluster.pid("scand-1")
    engines = children(supervisor)
    scand = [supervisor, *engines, *(pid for engine in engines for pid in children(engine))]
    return {"milter": cpu_ms(cluster.pid("milter")), "policyd": cpu_ms(cluster.pid("policyd-1")),
            "redis": cpu_ms(cluster.pid("redis")), "scand": sum(cpu_ms(pid) for pid in scand)}


def load(cluster, number, options):
    """One run; (messages per second, line of milter_load)."""
    what = ["--dir", options.dir] if options.dir else ["-b", str(GENERATED_BYTES)]
    out = harness.run([harness.program("milter_load"), "-S", f"unix:{cluster.dir}/milter.sock",
                       "-c", str(options.connections), "-n", str(number), *what],
                      timeout=3600).stdout.splitlines()[0]
    assert "failed 0" in out, out
    return float(re.search(r"([0-9.]+) sessions/s", out)[1]), out


def main():
    """Warm up, rounds, median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir")
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-rules", action="store_true")
    options = parser.parse_args()
    rates = []
    with harness.Cluster(policyds=1, scanners=1,
                         edit=settings(options, str(cache_dir()))) as cluster:
        load(cluster, WARM_UP, options)
        for _ in range(options.rounds):
            before = all_cpu(cluster)
            rate, line = load(cluster, options.messages, options)
            after = all_cpu(cluster)
            rates.append(rate)
            print(line)
            spent = {name: (after[name] - before[name]) / options.messages for name in after}
            print("  CPU ms a message:", *(f"{name} {ms:.2f}" for name, ms in spent.items()),
                  flush=True)
    print(f"row 7: {statistics.median(rates):.0f} messages/s, median of {len(rates)}, "
          f"{'no rules' if options.no_rules else 'rules on'}, {options.workers} workers")


if __name__ == "__main__":
    sys.exit(main())
