#!/usr/bin/python3
"""Nothing lost: mail through a real Postfix while parts of the cluster die at random.

usage: nothing_lost.py [--messages N] [--sessions N] [--every S] [--at-once N] [--seed N]

Two policyds, two scanners, Redis, the milter and a private Postfix with a sink behind it.
Every few seconds one part (a policyd, a scanner, one of its workers, Redis) is killed with
SIGKILL and started again. A client repeats what is answered with 4xx, as senders do. Then
the ledger: each message must have arrived exactly once, scanned; those with a virus not at
all. Exits 1 when it does not balance. Needs root (Postfix) and MX_BUILD_DIR or build/.
"""
import argparse
import collections
import os
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position
import mta  # noqa: E402  pylint: disable=wrong-import-position

PARTS = ("policyd-1", "policyd-2", "scand-1", "scand-2", "worker", "redis")
VIRUS_EVERY = 50  # one message in so many carries EICAR
GIVE_UP_S = 120   # a message that is refused for so long counts as lost


def settings(conf):
    """No greylisting, and budgets short enough that a dead part does not hold a test up."""
    conf["policyd"]["greylist"] = {"mode": "off"}
    conf["milter"].update(envelope_timeout="500ms", rcpt_timeout="2s", content_timeout="2s",
                          scan_timeout="10s", scan_attempt="3s", topology_interval="500ms")


class Ledger:
    """What was sent and how it was answered."""

    def __init__(self, messages):
        self.messages = messages
        self.next = 0
        self.accepted = set()
        self.refused = set()  # for good: viruses
        self.gave_up = {}
        self.deferrals = collections.Counter()
        self.lock = threading.Lock()

    def take(self):
        """The number of the next message, or None."""
        with self.lock:
            if self.next == self.messages:
                return None
            self.next += 1
            return self.next - 1

    def note(self, number, code, text):
        """One reply; returns whether the message is settled."""
        with self.lock:
            if code == 250:
                self.accepted.add(number)
            elif 500 <= code < 600:
                self.refused.add(number)
            else:
                self.deferrals[text[:60]] += 1
                return False
            return True


def is_virus(number):
    """Which messages carry EICAR."""
    return number % VIRUS_EVERY == VIRUS_EVERY - 1


def compose(number):
    """A message that tells its number."""
    make = mta.eicar_message if is_virus(number) else mta.message
    return make(f"ledger {number}", extra=(f"X-Ledger: {number}",))


def client(port, index, ledger):
    """One session after another; each message until it is settled."""
    session = None
    while (number := ledger.take()) is not None:
        deadline = time.monotonic() + GIVE_UP_S
        data = compose(number)
        while True:
            if session is None:
                session = mta.Session(port, addr=f"192.0.2.{index + 1}")
            code, text = session.send("alice@example.org", ["bob@example.test"], data).final
            if ledger.note(number, code, text):
                break
            if code in (0, 421):
                session.close()
                session = None
            if time.monotonic() > deadline:
                ledger.gave_up[number] = (code, text)
                break
            time.sleep(0.05)
    if session:
        session.close()


def workers_of(cluster, name):
    """Process ids of a scanner's workers: the children of its engine parent."""
    def children(pid):
        path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        return [int(x) for x in path.read_text().split()]
    try:
        return [w for engine in children(cluster.pid(name)) for w in children(engine)]
    except (OSError, ValueError):
        return []


class Killer(threading.Thread):
    """Kills parts until told to stop, and starts them again."""

    def __init__(self, cluster, every, at_once, rng):
        super().__init__()
        self.cluster, self.every, self.at_once, self.rng = cluster, every, at_once, rng
        self.kills = collections.Counter()
        self.stopping = threading.Event()
        self.error = None

    def run(self):
        try:
            while not self.stopping.wait(self.rng.uniform(0.3, self.every)):
                self.hurt(self.rng.sample(PARTS, self.at_once))
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def hurt(self, parts):
        """Kill these, wait a moment, start them again."""
        down = []
        for part in parts:
            self.kills[part] += 1
            if part == "worker":
                victims = workers_of(self.cluster, self.rng.choice(("scand-1", "scand-2")))
                if victims:
                    try:
                        os.kill(self.rng.choice(victims), signal.SIGKILL)
                    except ProcessLookupError:
                        pass  # it was being recycled
            else:
                self.cluster.kill(part)
                down.append(part)
        time.sleep(self.rng.uniform(0, 0.5))
        if down:
            self.cluster.revive(*down)


def balance(cluster, ledger):
    """Compare the ledger with the sink; returns {what went wrong: count}."""
    wanted = len(ledger.accepted)
    seen = collections.Counter()
    unscanned = 0

    def entries():
        return [d for d in list(cluster.sink.deliveries) if d.header("X-Ledger")]

    def arrived():
        return len(entries()) >= wanted
    try:
        harness.wait_until(arrived, "the last deliveries", 120)
    except AssertionError:
        pass  # counted below
    harness.wait_until(lambda: not mta.queue_files(cluster.dir / "postfix"),
                       "an empty queue", 120)
    for delivery in entries():
        seen[int(delivery.header("X-Ledger"))] += 1
        unscanned += delivery.header("X-Mxdrop-Status") not in ("clean", "spam", "exempt")
    return {"lost": sum(1 for n in ledger.accepted if not seen[n]) + len(ledger.gave_up),
            "duplicated": sum(count - 1 for count in seen.values() if count > 1),
            "unscanned": unscanned,
            "viruses delivered": sum(1 for n in seen if is_virus(n)),
            "refused without reason": sum(1 for n in ledger.refused if not is_virus(n)),
            "delivered though refused": sum(1 for n in ledger.refused if seen[n])}


def run(messages, sessions=16, every=3.0, at_once=1, seed=None):
    """The whole experiment; returns (report lines, whether the ledger balances)."""
    seed = random.randrange(1 << 30) if seed is None else seed
    rng = random.Random(seed)
    with harness.Cluster(policyds=2, scanners=2, edit=settings) as cluster:
        cluster.port, cluster.sink = cluster.postfix()
        ledger = Ledger(messages)
        began = time.monotonic()
        clients = [threading.Thread(target=client, args=(cluster.port, i, ledger))
                   for i in range(sessions)]
        killer = Killer(cluster, every, at_once, rng)
        for thread in (*clients, killer):
            thread.start()
        progress(clients, ledger)
        killer.stopping.set()
        killer.join()
        if killer.error:
            raise killer.error
        took = time.monotonic() - began
        faults = balance(cluster, ledger)
    report = [f"{messages} messages, {sessions} sessions, {took:.0f} s, seed {seed}",
              f"accepted {len(ledger.accepted)}, refused {len(ledger.refused)}, "
              f"deferred and repeated {sum(ledger.deferrals.values())} times",
              "killed: " + ", ".join(f"{p} {n}" for p, n in sorted(killer.kills.items())),
              ", ".join(f"{n} {what}" for what, n in faults.items())]
    report += [f"  {n} x {text}" for text, n in ledger.deferrals.most_common(5)]
    return report, not any(faults.values()) and sum(killer.kills.values()) > 0


def progress(clients, ledger):
    """Wait for the clients; on a terminal say how far they are."""
    while any(thread.is_alive() for thread in clients):
        clients[0].join(0.5)
        for thread in clients:
            thread.join(0.01)
        if sys.stderr.isatty():
            print(f"\r{ledger.next} of {ledger.messages}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10000)
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--every", type=float, default=3.0,
                        help="seconds between kills, at most")
    parser.add_argument("--at-once", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    report, balances = run(options.messages, options.sessions, options.every,
                           options.at_once, options.seed)
    print("\n".join(report))
    return 0 if balances else 1


if __name__ == "__main__":
    sys.exit(main())
