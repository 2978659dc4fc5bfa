"""The ledger of bench/nothing_lost.py, shortened: parts die, nothing is lost."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import mta
import nothing_lost

# Enough for some seconds of load, or nothing would be killed meanwhile.
MESSAGES = max(500, int(os.environ.get("MX_TEST_MESSAGES", "1000")) // 2)


@pytest.mark.parametrize("at_once", [1, 2])
def test_ledger_balances(at_once):
    """Parts are killed at random, one or two at once; every message arrives once, scanned."""
    try:
        report, balances = nothing_lost.run(MESSAGES, sessions=8, every=1.5, at_once=at_once)
    except mta.Unavailable as why:
        pytest.skip(str(why))
    print("\n".join(report))
    assert balances, "\n".join(report)
