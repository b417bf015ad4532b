"""Slots in which passwords are hashed: one for a piece of work, whatever it calls."""

from __future__ import annotations

import pytest

from fastbearer import hash_slots
from fastbearer.hash_slots import in_slot


class Slots:
    """One slot; what would wait for another one would wait for ever."""

    def __init__(self) -> None:
        self.free = 1

    def get(self) -> None:
        assert self.free == 1
        self.free = 0

    def put(self, slot: None) -> None:
        assert self.free == 0
        self.free = 1


@pytest.fixture
def slots(monkeypatch: pytest.MonkeyPatch) -> Slots:
    made = Slots()
    monkeypatch.setattr(hash_slots, "_slots", made)
    return made


def test_work_that_calls_for_a_hash_is_in_its_slot_already(slots: Slots) -> None:
    def outer() -> int:
        assert slots.free == 0
        return in_slot(lambda: slots.free)

    for _ in range(2):
        assert in_slot(outer) == 0
        assert slots.free == 1


def test_work_that_fails_gives_its_slot_back(slots: Slots) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            in_slot(lambda: 1 // 0)
        assert slots.free == 1
    assert in_slot(lambda: slots.free) == 0
