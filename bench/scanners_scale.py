#!/usr/bin/python3
"""Targets row 8: scanners added to one milter under load.

usage: scanners_scale.py [--most N] [--delay MS] [--in-flight N] [--seconds S]

Each scanner has one worker that waits MS (250) for each message, so that the CPU is not
the limit; what N of them could do is N / delay. Starting with one, the number is doubled
under load up to N (16): a scanner that joins registers itself, the milter hears of it, and
N in-flight messages more per scanner (3) are sent at the milter. Of each number of
scanners S seconds (8) count. Fails if one message was refused. One policyd, no greylist.
Needs MX_BUILD_DIR or build/.
"""
import argparse
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

SETTLE_S = 3


def settings(delay_ms):
    """edit(conf): slow scanners, nobody turned away, lists fetched often."""
    def edit(conf):
        conf["policyd"]["greylist"] = {"mode": "off"}
        conf["milter"].update(shed_load=0, shed_load_all=0, topology_interval="500ms")
        conf["scand"].update(workers=1, scan_delay=f"{delay_ms}ms",
                             detectors=["headers", "mime"])
    return edit


def accepted(cluster):
    """Messages that the milter let pass so far."""
    return cluster.metric("milter", "mxdrop_shim_messages_total", outcome="accept")


def generator(cluster, connections):
    """milter_load until it is told to stop."""
    return subprocess.Popen([harness.program("milter_load"), "-S",
                             f"unix:{cluster.dir}/milter.sock", "-c", str(connections),
                             "-s", "3600", "-b", "2000"], stdout=subprocess.PIPE, text=True)


def rate(cluster, seconds):
    """Messages a second over so many seconds."""
    time.sleep(SETTLE_S)
    began, count = time.monotonic(), accepted(cluster)
    time.sleep(seconds)
    return (accepted(cluster) - count) / (time.monotonic() - began)


def main():
    """One, two, four ... scanners."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=16)
    parser.add_argument("--delay", type=int, default=250)
    parser.add_argument("--in-flight", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    loads, scanners, share = [], 1, 0.0
    with harness.Cluster(policyds=1, scanners=1, edit=settings(options.delay)) as cluster:
        loads.append(generator(cluster, options.in_flight))
        while True:
            measured = rate(cluster, options.seconds)
            possible = scanners * 1000 / options.delay
            share = measured / possible
            print(f"scanners={scanners} messages/s={measured:.1f} possible={possible:.0f} "
                  f"share={share:.1%}", flush=True)
            if scanners >= options.most:
                break
            wanted = min(2 * scanners, options.most)
            for number in range(scanners + 1, wanted + 1):
                cluster.join(f"scand-{number}")
            cluster.wait_scanners(wanted)
            loads.append(generator(cluster, options.in_flight * (wanted - scanners)))
            scanners = wanted
        failed = 0
        for process in loads:
            process.send_signal(signal.SIGTERM)
        for process in loads:
            out = process.communicate(timeout=120)[0]
            refused, lost = re.search(r"refused (\d+), failed (\d+)", out).groups()
            failed += int(refused) + int(lost)
    print(f"row 8: {share:.1%} of {scanners} scanners, {failed} messages refused or failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
