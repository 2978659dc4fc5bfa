#!/usr/bin/python3
"""demo.py DIR: send a handful of messages through the cluster that runs in DIR
(mxdropctl up), and show what became of each: reply, deciding module, reason.

Through Postfix where there is one, otherwise as an MTA that speaks the milter protocol.
Exit 1 if a reply was not as expected.
"""
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("MX_BUILD_DIR", TOP / "build"))
sys.path.insert(0, str(TOP / "tests" / "support"))

import milter_client  # noqa: E402 pylint: disable=wrong-import-position
import mta  # noqa: E402 pylint: disable=wrong-import-position

DOMAIN = "demo.example"
GREYLIST_S = 20  # longest time that the demonstration waits for greylisting to pass


def shorten(text, width):
    """The first line, cut to a width."""
    line = text.splitlines()[0]
    return line if len(line) <= width else line[:width - 3] + "..."


class Demo:
    """The running cluster, and a sender that it has never seen."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.info = json.loads((self.dir / "up.json").read_text())
        # A fresh network and domain each time: state of earlier runs does not matter.
        self.addr = f"198.18.{random.randrange(256)}.{random.randrange(1, 255)}"
        self.sender = f"alice@s{random.randrange(10**6)}.example"
        self.failures = 0

    def session(self):
        """A session as that sender's client."""
        name = "mail." + self.sender.split("@")[1]
        if self.info["smtp"]:
            port = int(self.info["smtp"].rsplit(":", 1)[1])
            return mta.Session(port, helo=name, addr=self.addr, name=name)
        return milter_client.Session(self.dir / "milter.sock", helo=name, addr=self.addr,
                                     name=name)

    def ctl(self, *arguments):
        """mxdropctl on this cluster."""
        subprocess.run([BUILD / "bin" / "mxdropctl", "-c", self.dir / "mxdrop.yaml",
                        *arguments], check=True, stdout=subprocess.DEVNULL)

    def log_sizes(self):
        """Where the policyd and milter logs end now."""
        return {p: p.stat().st_size for p in (self.dir / "log").glob("*.log")
                if re.match(r"policyd|milter", p.name)}

    def decisions(self, before):
        """(module, reason) of each decision logged since then, in order of the logs."""
        found = []
        for path, size in before.items():
            with open(path, "rb") as log:
                log.seek(size)
                text = log.read().decode(errors="replace")
            for line in text.splitlines():
                fields = dict(re.findall(r"(\w+)=(\S+)", line))
                if fields.get("module", "-") != "-" and fields.get("action") != "continue":
                    found.append((fields["module"], fields.get("reason", "-")))
        return found

    def deliver(self, what, expect, recipients=("bob",), message=None, module=None):
        """Send one message, print its row. expect: reply code per recipient, then of DATA
        (left out where no recipient is accepted)."""
        before = self.log_sizes()
        data = message or mta.message(what, sender=self.sender)
        paths = [r if "@" in r or r.startswith("!") else f"{r}@{DOMAIN}" for r in recipients]
        paths = [p.lstrip("!") for p in paths]
        with self.session() as session:
            result = session.send(self.sender, paths, data)
        replies = [result.rcpts[p] for p in paths] if result.rcpts else [result.mail]
        replies += [result.data] if result.data else []
        codes = [code for code, _ in replies]
        refusals = [f"{code} {text}" for code, text in replies if code != 250]
        reply = refusals[0] if refusals else f"{replies[-1][0]} {replies[-1][1]}"
        decided = self._decided(before, bool(refusals))
        is_right = codes == expect and (module is None or decided[0] == module)
        self.failures += not is_right
        print(f"{what:31} {shorten(reply, 62):62} {decided[0]:10} {decided[1]:11}"
              f"{'' if is_right else ' <- expected ' + ' '.join(map(str, expect))}".rstrip())
        if len(paths) > 1:
            for path in paths:
                code, text = result.rcpts[path]
                print(f"{'  to ' + path:31} {shorten(f'{code} {text}', 62)}")
        return result

    def _decided(self, before, is_refused):
        """The last decision; a log line may come a moment after the reply."""
        deadline = time.monotonic() + (2 if is_refused else 0)
        while True:
            found = self.decisions(before)
            if found or time.monotonic() > deadline:
                return found[-1] if found else ("-", "accepted")
            time.sleep(0.02)

    def retry_greylisted(self):
        """The same message again, as a real MTA does, until the waiting time is over."""
        deadline = time.monotonic() + GREYLIST_S
        probe = mta.message("the same message again", sender=self.sender)
        while time.monotonic() < deadline:
            time.sleep(1)
            with self.session() as session:
                if session.send(self.sender, [f"carol@{DOMAIN}"], probe).accepted:
                    break
        return self.deliver("the same, a few seconds later", [250, 250])

    def run(self):
        """The messages, in an order that makes sense to a reader."""
        where = self.info["smtp"] or f"{self.dir}/milter.sock (milter; no Postfix here)"
        print(f"\nSending to {where} as {self.sender} from [{self.addr}]\n")
        print(f"{'message':31} {'reply':62} {'decided by':10} {'why':11}")
        print("-" * 118)
        carol = mta.message("greylisting probe", sender=self.sender)
        with self.session() as session:
            session.send(self.sender, [f"carol@{DOMAIN}"], carol)
        self.deliver("a sender never seen before", [450], module="greylist")
        self.retry_greylisted()
        self.deliver("a plain message", [250, 250])
        self.deliver("with the EICAR test virus", [250, 550], module="virus",
                     message=mta.eicar_message("virus", sender=self.sender))
        self.deliver("with the GTUBE spam string", [250, 550], module="spam",
                     message=mta.message("spam", mta.GTUBE + "\r\n", sender=self.sender))
        self.deliver("recipient without a domain", [550], recipients=("!bob",),
                     module="fq_rcpt")
        self.ctl("lists", "deny", f"bob@{DOMAIN}", self.sender)
        self.deliver("bob has denied this sender", [550], module="user_lists")
        self.deliver("to bob (who denies) and carol", [550, 250, 250], ("bob", "carol"),
                     module="user_lists")
        self.ctl("lists", "remove", f"bob@{DOMAIN}", self.sender)
        return 1 if self.failures else 0


def main():
    """Run the demonstration."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    demo = Demo(sys.argv[1])
    status = demo.run()
    print("\nEvery reply was as expected." if status == 0 else
          f"\n{demo.failures} replies were not as expected; logs: {demo.dir}/log/")
    return status


if __name__ == "__main__":
    sys.exit(main())
