#!/usr/bin/python3
"""Resident size of all daemons under envelope sessions, then under messages.

usage: flat_memory.py [--sessions N] [--messages N] [--body BYTES] [--most-percent P]

One policyd, one scanner, Redis and the milter; milter_load plays the MTA, each session
with an address, a sender and recipients of its own. Every module works: greylist, lists,
quota, rate limits. Prints RSS and PSS of each process at the start, after each quarter,
and at the end of both parts. What a process takes once (arenas, buffers, threads) it has
taken after the first quarter; policyd, milter and the scanner's supervisor must not grow
by more than P percent (3) plus 512 KiB from there to the end, or this exits 1. Workers of
the scanner are shown, not judged: they are replaced by age and size.

Needs MX_BUILD_DIR or build/.
"""
import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

JUDGED = ("policyd", "milter", "supervisor")
SLACK_KB = 512
CONNECTIONS = 16


def settings(conf):
    """All modules of the envelope; messages are not put off, so that they reach scanners."""
    conf["policyd"].update(
        greylist={"delay": "1s", "learn_period": "1d"},
        rate_limit={"limits": ["client messages 100000/1h", "recipient recipients 1000/1h",
                               "sender bytes 1GiB/1d"]})


def memory(pid):
    """(RSS, PSS) in KiB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return tuple(int(re.search(rf"^{key}: +(\d+)", text, re.M)[1]) for key in ("Rss", "Pss"))


def children(pid):
    """Child processes, or none where it is gone."""
    try:
        path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        return [int(word) for word in path.read_text().split()]
    except OSError:
        return []


def sample(cluster):
    """{process: (RSS, PSS)}; workers together."""
    supervisor = cluster.pid("scand-1")
    engines = children(supervisor)
    workers = [memory(pid) for engine in engines for pid in children(engine)]
    found = {"policyd": memory(cluster.pid("policyd-1")), "milter": memory(cluster.pid("milter")),
             "supervisor": memory(supervisor)}
    if engines:
        found["engine"] = memory(engines[0])
    found["workers"] = tuple(sum(size[i] for size in workers) for i in (0, 1))
    return found


def show(mark, found):
    """One line a mark."""
    print(f"{mark:28}", *(f"{name} {rss}/{pss}" for name, (rss, pss) in found.items()),
          flush=True)


def load(cluster, number, *options):
    """So many sessions of milter_load."""
    harness.run([harness.program("milter_load"), "--socket", f"unix:{cluster.dir}/milter.sock",
                 "-c", str(CONNECTIONS), "--new", "--vary", "-n", str(number), *options],
                timeout=3600)


def part(cluster, what, number, *options):
    """Four quarters of load; the samples after each."""
    samples = []
    for quarter in range(1, 5):
        load(cluster, number // 4, *options)
        samples.append(sample(cluster))
        show(f"{what} {number * quarter // 4}", samples[-1])
    return samples


def growth(samples, most_percent):
    """What grew from the first quarter to the end, in words."""
    first, last = samples[0], samples[-1]
    return [f"{name}: RSS {first[name][0]} to {last[name][0]} KiB" for name in JUDGED
            if last[name][0] > first[name][0] * (1 + most_percent / 100) + SLACK_KB]


def main():
    """Both parts, one verdict."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100000)
    parser.add_argument("--messages", type=int, default=10000)
    parser.add_argument("--body", type=int, default=11700)
    parser.add_argument("--most-percent", type=float, default=3)
    options = parser.parse_args()
    grown = []
    with harness.Cluster(policyds=1, scanners=1, edit=settings) as cluster:
        print("KiB, RSS/PSS")
        show("start", sample(cluster))
        grown += growth(part(cluster, "sessions", options.sessions, "-r", "2"),
                        options.most_percent)
        grown += growth(part(cluster, "messages", options.messages, "-b", str(options.body)),
                        options.most_percent)
    for line in grown:
        print(f"grew: {line}")
    print("flat" if not grown else "not flat")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
