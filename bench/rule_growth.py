#!/usr/bin/python3
"""Does a worker of the scanner grow with what it scans? Resident size of one, by messages.

usage: rule_growth.py [--messages N] [--most-percent P] [--cache DIR] MESSAGES_DIR [RULES_DIR...]

Starts a scanner with one worker that is never replaced, the rules detector with all rules
(RULES_DIR in load order; default: where Debian puts them) and the detectors of headers and
structure, and sends the files below MESSAGES_DIR again and again until N (20,000) were
scanned. Prints RSS of the worker eight times. What it takes once (scratch space, arenas for
the largest message) it has taken after the first quarter; it must not grow by more than P
percent (3) plus 512 KiB from there to the end, or this exits 1. Needs MX_BUILD_DIR or build/.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
sys.dont_write_bytecode = True
import goldens  # noqa: E402  pylint: disable=wrong-import-position
import harness  # noqa: E402  pylint: disable=wrong-import-position

SLACK_KB = 512
SAMPLES = 8  # of memory; the second of them is where growth begins to count
SETTINGS = """scand:
  endpoint: "ipc://{dir}/scand.sock"
  temp_dir: "{dir}"
  workers: 1
  recycle_messages: 1000000000
  recycle_growth: 4GiB
  worker_memory: 4GiB
  reload_interval: "0"
  scan_timeout: 5m
  detectors: [headers, mime, rules]
  rules:
    dirs: [{rules}]
    overlay: ""
    cache_dir: "{cache}"
redis:
  address: "unix:{dir}/nobody.sock"
"""


def rss_kb(pid):
    """Resident size of a process in KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1])


def growth(sizes, most_percent):
    """KiB past what is allowed between the second sample and the largest behind it, or 0."""
    allowed = sizes[1] * (100 + most_percent) / 100 + SLACK_KB
    return max(0, round(max(sizes[1:]) - allowed))


def measure(directory, options):
    """RSS of the worker after each eighth of the messages."""
    conf, log = directory / "scand.yaml", directory / "log"
    conf.write_text(SETTINGS.format(dir=directory, cache=options.cache or "",
                                    rules=", ".join(options.rules or goldens.DIRS)))
    with open(log, "wb") as out, \
            subprocess.Popen([harness.program("mxdrop-scand"), "-c", str(conf)],
                             stderr=out) as scand:
        try:
            worker = harness.wait_until(
                lambda: re.search(rb"worker\.started pid=(\d+)", log.read_bytes()),
                "a worker", timeout=300)
            pid, sizes = int(worker[1]), []
            for _ in range(SAMPLES):
                done = harness.run(
                    [harness.program("load_scan"), "-c", "1", "-t", "300000", "-n",
                     str(options.messages // SAMPLES), f"ipc://{directory}/scand.sock",
                     str(options.directory)], timeout=7200)
                assert "failed 0  degraded 0" in done.stdout, done.stdout + log.read_text()
                sizes.append(rss_kb(pid))
                print(f"{len(sizes) * (options.messages // SAMPLES):8d} messages: "
                      f"{sizes[-1] / 1024:7.1f} MiB", flush=True)
        finally:
            scand.terminate()
    return sizes


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--most-percent", type=float, default=3)
    parser.add_argument("--cache", help="directory of compiled databases")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("rules", nargs="*")
    options = parser.parse_args(arguments)
    directory = harness.private_dir()
    try:
        excess = growth(measure(directory, options), options.most_percent)
    finally:
        shutil.rmtree(directory)
    if excess:
        print(f"grew by {excess} KiB more than {options.most_percent:g} % and {SLACK_KB} KiB")
    return 1 if excess else 0


if __name__ == "__main__":
    sys.exit(main())
