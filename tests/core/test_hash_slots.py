"""Slots in which passwords are hashed: one for a piece of work, whatever it calls."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from queue import Empty, SimpleQueue
from typing import NoReturn

import pytest

from fastbearer import _core, hash_slots
from fastbearer.hash_slots import in_slot
from interrupted import interrupted
from waiting import HANG


class Slots(SimpleQueue[None]):
    """A queue in which nobody waits: what would wait for ever fails."""

    def get(self, block: bool = True, timeout: float | None = None) -> None:
        self.get_nowait()


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Slots:
    """One slot."""
    made = Slots()
    made.put(None)
    monkeypatch.setattr(hash_slots._slots(), "free", made)
    return made


def test_work_that_calls_for_a_hash_is_in_its_slot_already(free: Slots) -> None:
    def outer() -> int:
        assert free.qsize() == 0
        return in_slot(lambda: free.qsize())

    for _ in range(2):
        assert in_slot(outer) == 0
        assert free.qsize() == 1


def test_work_that_fails_gives_its_slot_back(free: Slots) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            in_slot(lambda: 1 // 0)
        assert free.qsize() == 1
    assert in_slot(lambda: free.qsize()) == 0


def test_no_exception_of_a_signal_loses_a_slot(free: Slots) -> None:
    steps = 0
    for step in interrupted(lambda: in_slot(len, "x"), hash_slots):
        assert free.qsize() == 1, step
        assert not hash_slots._slots().threads, step
        steps += 1
    assert steps > 5


def test_work_that_is_interrupted_gives_its_slot_back() -> None:
    slots, threads = SimpleQueue[None](), set[int]()
    slots.put(None)

    def work() -> int:
        assert slots.qsize() == 0
        return _core.in_slot(slots, threads, len, ("x",))

    def trial() -> None:
        assert _core.in_slot(slots, threads, work, ()) == 1

    for step in interrupted(trial, sys.modules[__name__]):
        assert (slots.qsize(), threads) == (1, set()), step


class Scarce(Slots):
    """A queue that has no memory for what is given back, a few times."""

    failures = 0

    def put(self, item: None, block: bool = True, timeout: float | None = None) -> None:
        if self.failures:
            self.failures -= 1
            raise MemoryError
        super().put(item)


@pytest.mark.parametrize("work", [len, int], ids=["works", "fails"])
def test_a_slot_for_which_there_is_no_memory_is_not_lost(
    work: Callable[[str], int],
) -> None:
    slots, threads = Scarce(), set[int]()
    slots.put(None)
    slots.failures = 3
    with nullcontext() if work is len else pytest.raises(ValueError, match="invalid"):
        assert _core.in_slot(slots, threads, work, ("x",)) == 1
    assert (slots.failures, slots.qsize(), threads) == (0, 1, set())


ELSEWHERE = """
import threading
from fastbearer import _core
scarce, is_done = [None], threading.Event()
class Slots:
    def get(self):
        return 2**61
    put = staticmethod(scarce.__mul__)  # in C, without memory until that is empty
def free():
    is_done.wait()
    scarce.clear()
threading.Thread(target=free).start()
print(_core.in_slot(Slots(), set(), lambda: is_done.set() or "done", ()))
"""


def test_memory_can_be_freed_by_others_while_a_slot_waits_for_it() -> None:
    told = subprocess.check_output(
        [sys.executable, "-c", ELSEWHERE], text=True, timeout=HANG
    )
    assert told == "done\n"


def test_what_cannot_be_given_back_is_no_answer() -> None:
    class Broken(Slots):
        def put(
            self, item: None, block: bool = True, timeout: float | None = None
        ) -> NoReturn:
            raise LookupError

    slots = Broken()
    SimpleQueue.put(slots, None)
    for work in (len, int):
        with pytest.raises((LookupError, Empty)):
            _core.in_slot(slots, set(), work, ("x",))


def test_each_thread_has_a_slot_of_its_own(free: Slots) -> None:
    """What runs in another thread is not in this one's slot."""

    def elsewhere() -> None:
        with ThreadPoolExecutor(1) as thread, pytest.raises(Empty):
            thread.submit(in_slot, len, "x").result()

    in_slot(elsewhere)
    assert free.qsize() == 1
