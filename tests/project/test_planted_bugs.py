"""What the nightly tests plant still has its place: they would be of no use without."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from project import ROOT

CSRC = ROOT / "csrc"
SUITES = {
    "test_analysers": CSRC / "lib",
    "test_c_checks": CSRC / "lib",
    "test_constant_time": CSRC / "lib",
    "test_core_fuzz": CSRC / "module",
    "test_fuzzers": CSRC / "lib",
    "test_proofs": CSRC,
    "test_scarce_memory": CSRC,
}
"""Suite of ``tests/core`` -> where the files stand that its bugs are planted in."""


def gone(planted: list[tuple[str, ...]], home: Path) -> list[tuple[str, ...]]:
    """Return the bugs whose text is not in their file, which stands before it."""
    found = []
    for bug in planted:
        at = next(i for i, part in enumerate(bug) if part.endswith((".c", ".h")))
        file = home / bug[at]
        if not file.exists() or bug[at + 1] not in file.read_text():
            found.append(bug)
    return found


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_replaced_is_there(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests" / "core")
    assert gone(import_module(suite).PLANTED, SUITES[suite]) == []


def test_a_text_or_a_file_that_went_is_seen() -> None:
    there = ("json", "lib/lib.h", "#endif", "")
    moved = [("lib/lib.h", "not in it", ""), ("x", "lib/none.c", "#endif", "")]
    assert gone([there, *moved], CSRC) == moved
