"""Resident size stays flat under load: bench/flat_memory.py, shortened."""
import pathlib
import sys

import pytest

import harness

sys.path.insert(0, str(harness.TOP / "bench"))
import flat_memory  # noqa: E402  pylint: disable=wrong-import-position,wrong-import-order


def is_sanitized():
    """Sanitizers keep freed memory on purpose."""
    return b"__asan_init" in pathlib.Path(harness.program("mxdrop-policyd")).read_bytes()


def test_growth_is_seen():
    """A process that grows is named; one that settles, or is not judged, is not."""
    flat = {name: (10000, 0) for name in (*flat_memory.JUDGED, "workers")}
    assert flat_memory.growth([flat, flat], 3) == []
    assert flat_memory.growth([flat, flat | {"workers": (99999, 0)}], 3) == []
    assert flat_memory.growth([flat, flat | {"policyd": (10800, 0)}], 3) == []
    grown = flat_memory.growth([flat, flat | {"milter": (10900, 0)}], 3)
    assert len(grown) == 1 and grown[0].startswith("milter")


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer keeps what is freed")
def test_resident_size_is_flat(monkeypatch, capsys):
    """16,000 sessions and 2,400 messages: 100 bytes lost in each session would be seen."""
    monkeypatch.setattr(sys, "argv", ["flat_memory.py", "--sessions", "16000", "--messages",
                                      "2400"])
    assert flat_memory.main() == 0, capsys.readouterr().out
