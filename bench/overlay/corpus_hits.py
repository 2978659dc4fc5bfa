"""Messages of the shared corpus with the rules that hit them: what fit_overlay.py fits on
and effect.py measures.

The corpus is unpacked outside this tree (its README says how); its lists name each
message with label and source. Rules are run by `mxdropctl scan --local`, without network
tests and without Bayes, at a fixed time.
"""
import bisect
import collections
import json
import os
import pathlib
import subprocess
import tempfile

NOW = "1735689600"  # 2025-01-01: rules on dates must not depend on today
REQUIRED = 5.0
LOADING = 1000  # messages that one scan is given

# foff-a was collected behind one relay, whose name looks like a customer's line. A site
# names its own relays, so we do; the rest is what SpamAssassin trusts without being told.
TRUSTED = ["23.95.222.152", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
           "169.254.0.0/16", "100.64.0.0/10"]

Message = collections.namedtuple("Message", "path label source score hits")


def read_list(corpus, name):
    """{path: (label, source)} of lists/NAME.tsv."""
    lines = (pathlib.Path(corpus) / "lists" / f"{name}.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    return {row[0]: (row[1], row[2]) for row in rows}


def write_conf(path, cache, overlay):
    """The rules detector alone, with the rules of this machine."""
    conf = {"scand": {"detectors": ["rules"],
                      "rules": {"cache_dir": cache, "overlay": overlay,
                                "trusted_networks": TRUSTED}}}
    path.write_text(json.dumps(conf))  # JSON is YAML


def scan(ctl, corpus, name, cache, overlay=""):
    """Every message of a list as a Message; hits are {rule: score as it counted}."""
    labels = read_list(corpus, name)
    ctl = os.path.abspath(ctl)
    messages = []
    with tempfile.TemporaryDirectory() as directory:
        conf = pathlib.Path(directory) / "conf.yaml"
        write_conf(conf, os.path.abspath(cache or directory),
                   os.path.abspath(overlay) if overlay else "")
        paths = list(labels)
        for i in range(0, len(paths), LOADING):
            done = subprocess.run([ctl, "-c", str(conf), "scan", "--local", "--json", "--now",
                                   NOW, "--only", "rules", *paths[i:i + LOADING]], cwd=corpus,
                                  check=True, stdout=subprocess.PIPE)
            for one in map(json.loads, done.stdout.splitlines()):
                hits = {s["name"]: s["score"] for s in one["symbols"]}
                messages.append(Message(one["file"], *labels[one["file"]], one["score"], hits))
    return messages


def scores_of(messages, label):
    """Scores of ham or spam."""
    return [m.score for m in messages if m.label == label]


def auc(ham, spam):
    """How often spam scores more than ham, of all pairs; None without both."""
    if not ham or not spam:
        return None
    ham = sorted(ham)
    wins = sum(bisect.bisect_left(ham, s) + bisect.bisect_right(ham, s) for s in spam)
    return wins / (2 * len(ham) * len(spam))


def flagged(scores):
    """Share that reaches the threshold, in per cent; None of nothing."""
    if not scores:
        return None
    return 100 * sum(s >= REQUIRED - 1e-6 for s in scores) / len(scores)
