#!/usr/bin/python3
"""What an overlay does to the test list of the shared corpus, by source, as a table.

usage: effect.py --ctl MXDROPCTL --overlay FILE CORPUS

Every message is scanned twice, without and with the overlay, by the scanner itself.
"""
import argparse
import sys

import corpus_hits


def cell(value, form):
    """A number, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def row(name, plain, overlaid):
    """One line of the table."""
    cells = [name]
    for label, is_miss in (("ham", False), ("spam", True)):
        cells.append(str(sum(m.label == label for m in plain)))
        for messages in (plain, overlaid):
            share = corpus_hits.flagged(corpus_hits.scores_of(messages, label))
            cells.append(cell(100 - share if is_miss and share is not None else share, ".2f"))
    for messages in (plain, overlaid):
        cells.append(cell(corpus_hits.auc(corpus_hits.scores_of(messages, "ham"),
                                          corpus_hits.scores_of(messages, "spam")), ".4f"))
    return "| " + " | ".join(cells) + " |"


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ctl", required=True)
    parser.add_argument("--overlay", required=True)
    parser.add_argument("--cache", default="", help="directory of compiled patterns")
    parser.add_argument("--list", default="test")
    parser.add_argument("corpus")
    options = parser.parse_args()
    plain, overlaid = (corpus_hits.scan(options.ctl, options.corpus, options.list,
                                        options.cache, overlay)
                       for overlay in ("", options.overlay))
    print("| source | ham | flagged %, without | with | spam | missed %, without | with | "
          "AUC, without | with |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for source in sorted({m.source for m in plain}):
        print(row(source, *([m for m in messages if m.source == source]
                            for messages in (plain, overlaid))))
    print(row("all", plain, overlaid))
    return 0


if __name__ == "__main__":
    sys.exit(main())
