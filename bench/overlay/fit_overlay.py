#!/usr/bin/python3
"""Fits the scores of deploy/rules/overlay.cf on the training list of the shared corpus.

usage: fit_overlay.py --ctl MXDROPCTL --dump DUMP_RULES --out FILE [--held-out] CORPUS

docs/overlay.md says what is fitted, what is left alone and why. In short: a logistic loss
around the threshold, every source and label with the same say, ham dear; scores drawn to
those of the package; and a change counts only as far as it is also found with each source
left out.
"""
import argparse
import collections
import math
import pathlib
import re
import subprocess
import sys

import corpus_hits

DIRS = ["/usr/share/spamassassin", "/etc/spamassassin"]

MIN_HITS = 20        # messages of the training list; rules with fewer stay as they are
MIN_SCORE = 0.05     # rules below inform, and were not meant to score; none gets below
MIN_CHANGE = 0.05    # less is noise
UP_MAX, DOWN_MAX = 1.5, 3.0
SCORE_MAX = 3.0      # no rule is raised beyond: two must agree
HAM_WEIGHT = 20.0    # of a ham against a spam
FULL_CELL = 300      # messages of a source and label that have a full say
WIDTH = 1.0          # of the loss around the threshold, in points
RIDGE, LASSO = 0.002, 0.0005
ROUNDS_MAX, SETTLED = 300, 1e-4

# What the writer of a mail chose. The rest (relays, envelope, recipients, dates, lists)
# also tells where and when a corpus was collected.
CONTENT_KINDS = {"body", "rawbody", "uri", "mimeheader"}
CONTENT_HEADERS = {"subject", "from", "reply-to", "x-mailer", "user-agent", "content-type",
                   "content-transfer-encoding", "content-disposition", "content-id",
                   "mime-version", "x-mimeole", "x-priority", "x-msmail-priority"}
CONTENT_FUNCTIONS = re.compile(
    r"html_|check_for_mime|check_mime_|check_msg_parse|check_for_uppercase|tvd_|image_|pixel_|"
    r"multipart_alt|check_body_length|check_uri|check_https|check_for_http_redir|subject_is|"
    r"check_freemail_replyto|check_base64|check_for_ascii|check_blank|"
    r"check_stock|check_ma_non|check_iframe|check_abundant|check_unresolved|plaintext_")

Rule = collections.namedtuple("Rule", "name kind scores flags expression subject")


def read_rules(dump):
    """{name: Rule} of the rules of this machine."""
    text = subprocess.run([dump, *DIRS], check=True, stdout=subprocess.PIPE).stdout
    rules = {}
    for line in text.decode("latin-1").splitlines():
        row = line.split("\t")
        rules[row[0]] = Rule(row[0], row[1], [float(s) for s in row[2:6]], row[6].split(),
                             row[8], row[10])
    return rules


def is_content_header(selector):
    """Of "From:addr", and of the header that a function is given."""
    return selector.split(":")[0].lower() in CONTENT_HEADERS


def is_content_call(call):
    """Of "check_freemail_header(From:name,pattern": what the function reads."""
    function, *args = re.split(r"[(,]", call)
    if function == "check_freemail_header":
        return is_content_header(args[0])
    return bool(CONTENT_FUNCTIONS.match(function))


def is_content(rules, name, known):
    """Does a rule, with all that it reads, look only at what the writer chose?"""
    if name not in known:
        known[name] = True  # of a ring: whatever the rest of it says
        rule = rules.get(name)
        if rule is None or rule.kind in CONTENT_KINDS | {"empty"}:
            answer = True
        elif rule.kind == "meta":
            words = re.findall(r"[A-Za-z_]\w*", rule.expression)
            answer = "rules_matching" not in words and all(
                is_content(rules, word, known) for word in words)
        elif rule.kind.endswith(" eval"):
            answer = is_content_call(rule.subject)
        else:
            answer = is_content_header(rule.subject)
        known[name] = answer
    return known[name]


def find_bounds(rules, messages):
    """{rule: (lowest, highest score)} of the rules that may change."""
    counts = collections.Counter(name for m in messages for name in m.hits)
    known, bounds = {}, {}
    for name, count in sorted(counts.items()):
        rule = rules.get(name)
        if rule is None or count < MIN_HITS or name.startswith("T_") or rule.flags not in (
                [], ["nice"]) or abs(rule.scores[0]) < MIN_SCORE:
            continue
        base, may_rise = rule.scores[0], is_content(rules, name, known)
        if base > 0:
            rise = min(base + UP_MAX, max(base, SCORE_MAX)) if may_rise else base
            bounds[name] = (max(MIN_SCORE, base - DOWN_MAX), rise)
        elif may_rise:
            bounds[name] = (base - UP_MAX, min(-MIN_SCORE, base + DOWN_MAX))
    return bounds


def make_rows(messages, base):
    """(weight, side, score of all that is fixed, ((rule, times), ...)): like ones joined."""
    cells = collections.Counter((m.source, m.label) for m in messages)
    rows = collections.Counter()
    for m in messages:
        size = cells[m.source, m.label]
        weight = min(1, size / FULL_CELL) / size * (HAM_WEIGHT if m.label == "ham" else 1)
        free = tuple((name, score / base[name]) for name, score in m.hits.items() if name in base)
        fixed = m.score - sum(times * base[name] for name, times in free)
        rows[1 if m.label == "spam" else -1, round(fixed, 3), free] += weight
    return [(weight, *row) for row, weight in rows.items()]


def gradient(rows, scores):
    """Of the loss, by rule."""
    out = dict.fromkeys(scores, 0.0)
    for weight, side, fixed, free in rows:
        margin = fixed + sum(scores[name] * times for name, times in free) - corpus_hits.REQUIRED
        push = weight / (1 + math.exp(max(-30, min(30, side * margin / WIDTH)))) / WIDTH
        for name, times in free:
            out[name] -= side * push * times
    return out


def curvature(rows, base):
    """An upper bound of the loss's second derivatives, by rule: the step that is safe."""
    out = dict.fromkeys(base, RIDGE)
    for weight, _, _, free in rows:
        together = sum(times for _, times in free)
        for name, times in free:
            out[name] += weight * times * together / (4 * WIDTH * WIDTH)
    return out


def fit(messages, rules, bounds):
    """{rule: change} that makes the loss on these messages least (proximal gradient)."""
    base = {name: rules[name].scores[0] for name in bounds}
    rows = make_rows(messages, base)
    bound = curvature(rows, base)
    scores = dict(base)
    for _ in range(ROUNDS_MAX):
        slope, moved = gradient(rows, scores), 0.0
        for name, (lowest, highest) in bounds.items():
            change = scores[name] - base[name]
            change -= (slope[name] + RIDGE * change) / bound[name]
            change = math.copysign(max(0.0, abs(change) - LASSO / bound[name]), change)
            new = min(highest, max(lowest, base[name] + change))
            moved = max(moved, abs(new - scores[name]))
            scores[name] = new
        if moved < SETTLED:
            break
    return {name: scores[name] - base[name] for name in bounds}


def agreed(fits):
    """What all fits have in common: the smallest change where all have one sign."""
    changes = {}
    for name in fits[0]:
        values = [one[name] for one in fits]
        least = min(values, key=abs)
        same = all(v > 0 for v in values) or all(v < 0 for v in values)
        if same and abs(least) >= MIN_CHANGE:
            changes[name] = round(least, 2)
    return changes


def fit_all(messages, rules):
    """Changes that no single source decides."""
    bounds = find_bounds(rules, messages)
    fits = [fit(messages, rules, bounds)]
    for source in sorted({m.source for m in messages}):
        fits.append(fit([m for m in messages if m.source != source], rules, bounds))
    return agreed(fits)


def change_scores(messages, rules, changes):
    """The messages as they score with these changes."""
    for m in messages:
        moved = sum(changes[name] * score / rules[name].scores[0]
                    for name, score in m.hits.items() if name in changes)
        yield m._replace(score=m.score + moved)


def show_held_out(messages, rules):
    """What a fit that never saw a source does to it."""
    for source in sorted({m.source for m in messages}):
        rest, own = [], []
        for m in messages:
            (own if m.source == source else rest).append(m)
        changes = fit_all(rest, rules)
        for label in ("ham", "spam"):
            shares = [corpus_hits.flagged(corpus_hits.scores_of(some, label))
                      for some in (own, list(change_scores(own, rules, changes)))]
            if shares[0] is not None:
                print(f"{source} {label}: {len(changes)} changes without it, flagged "
                      f"{shares[0]:.2f} % before, {shares[1]:.2f} % after")


def score_line(rule, change):
    """A raise is for score set 0, where it was measured; to lower is safe in any set that
    has the same score."""
    scores = [rule.scores[0] + change]
    for other in rule.scores[1:]:
        scores.append(scores[0] if change < 0 and other == rule.scores[0] else other)
    numbers = " ".join(f"{s:.3f}".rstrip("0").rstrip(".") for s in scores)
    return f"score {rule.name:<34} {numbers}\n"


HEAD = """\
# Scores for SpamAssassin's rules as Debian 12 ships them, without those of the update
# channel. Off unless scand.rules.overlay names this file. It changes no rule and adds
# none; four numbers: local, network, Bayes, both.
#
# Made by bench/overlay/fit_overlay.py; how, and what it does: docs/overlay.md. Do not edit.
"""


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ctl", required=True)
    parser.add_argument("--dump", required=True)
    parser.add_argument("--cache", default="", help="directory of compiled patterns")
    parser.add_argument("--out", required=True)
    parser.add_argument("--held-out", action="store_true",
                        help="show, for each source, what fits without it do to it")
    parser.add_argument("corpus")
    options = parser.parse_args()
    rules = read_rules(options.dump)
    messages = corpus_hits.scan(options.ctl, options.corpus, "train", options.cache)
    changes = fit_all(messages, rules)
    lines = [score_line(rules[name], change) for name, change in sorted(changes.items())]
    pathlib.Path(options.out).write_text(HEAD + "".join(lines))
    print(f"{len(messages)} messages, {len(lines)} scores changed")
    if options.held_out:
        show_held_out(messages, rules)
    return 0


if __name__ == "__main__":
    sys.exit(main())
