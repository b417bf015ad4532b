"""What has ended, in the memory that several threads read and write."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

import pytest

from fastbearer.revocation import MemoryRevocations, ended
from fastbearer.testing import FrozenClock

NOW = 1_800_000_000
FAR = NOW + 1_000_000
LIVING = {"sid": "kept"}
SWEEP = "_sweep"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def store(clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> MemoryRevocations:
    """Make one that sweeps at the next ending: two have expired, and two have not."""
    monkeypatch.setattr(ended, "SWEEP_AT_LEAST", 4)
    made = MemoryRevocations(clock)
    asyncio.run(made.end_session("kept", FAR))
    asyncio.run(made.end_session("x" * 50, FAR))
    asyncio.run(made.end_session("gone", NOW + 1))
    asyncio.run(made.revoke("gone", NOW + 1))
    clock.advance(1000)
    return made


@contextmanager
def at_every_step(look: Callable[[], None], *, since: str) -> Iterator[None]:
    """Call a function before each instruction of the module that remembers ends.

    Args:
        look: The function.
        since: The name of the first function that counts; then those it calls do.
    """
    has_begun = False

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal has_begun
        if frame.f_code.co_filename != ended.__file__:
            return None
        has_begun = has_begun or frame.f_code.co_name == since
        frame.f_trace_opcodes = True
        if has_begun and event in {"line", "opcode"}:
            look()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def test_an_ended_session_never_looks_alive_while_others_are_swept(
    store: MemoryRevocations,
) -> None:
    """Another thread can ask between any two instructions."""
    answers: list[bool] = []

    def look() -> None:
        answers.append(store.has_ended("a.b.c", LIVING))
        answers.append(store.has_ended("a.b.c", {"sid": "x" * 50}))

    ending = store.end_session("next", FAR)
    with at_every_step(look, since=SWEEP), pytest.raises(StopIteration):
        ending.send(None)
    assert len(store._ended) == 3
    assert len(answers) > 40
    assert all(answers)


class ToldLock:
    """A lock that tells when somebody is about to take it."""

    def __init__(self, told: threading.Event) -> None:
        self._told = told
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._told.set()
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()


class Others:
    """Threads of which each ends a session; it has done so, or waits for its turn."""

    def __init__(self, store: MemoryRevocations) -> None:
        self._store = store
        self._told = threading.Event()
        self._threads: list[threading.Thread] = []
        store._ended._writing = ToldLock(self._told)  # type: ignore[assignment]

    def begin_one(self) -> None:
        """Let one more thread end a session."""
        self._told.clear()
        name = f"other{len(self._threads)}"
        self._threads.append(threading.Thread(target=self._end, args=(name,)))
        self._threads[-1].start()
        self._told.wait()

    def _end(self, name: str) -> None:
        asyncio.run(self._store.end_session(name, FAR))
        self._told.set()

    def finish(self) -> list[str]:
        """Wait for all of them, and return what they have ended."""
        for thread in self._threads:
            thread.join()
        return [f"other{number}" for number in range(len(self._threads))]


def test_what_another_thread_ends_during_a_sweep_stays_ended(
    store: MemoryRevocations,
) -> None:
    """It is ended between any two instructions, or waits for its turn."""
    others = Others(store)
    ending = store.end_session("next", FAR)
    with (
        at_every_step(others.begin_one, since=SWEEP),
        pytest.raises(StopIteration),
    ):
        ending.send(None)
    names = others.finish()
    assert len(names) > 20
    alive = [name for name in names if not store.has_ended("a.b.c", {"sid": name})]
    assert alive == []


def test_what_is_read_whole_is_one_state_of_it(store: MemoryRevocations) -> None:
    """What another thread ends meanwhile comes before or after, and breaks nothing."""
    others = Others(store)
    store._ended._sweep_at = 1_000_000  # no other thread replaces what is read
    with at_every_step(others.begin_one, since="beyond"):
        lost = store._ended.beyond([])
    others.finish()
    assert "kept" in {change.key for change in lost}
