"""The threads that hash: how each of them lives."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from queue import Empty
from typing import Any

import pytest

from fastbearer import _core, fair_queue, hash_workers
from fastbearer.hash_workers import Call, HashWorkers
from fastbearer.hashing_pool import HashingPool
from interrupted import interrupted
from waiting import HANG, wait_until


class Ended:
    """An event of a caller that is no coroutine."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def wait(self) -> None:
        assert self._event.wait(HANG)


def call_of(client: str | None, work: Callable[[], Any] = int) -> Call[Any]:
    return Call(work, client, float("inf"), Ended())  # type: ignore[arg-type]


def wait_for(call: Call[Any]) -> None:
    call.ended.wait()  # type: ignore[unused-coroutine] # which it is not


def outcome(workers: HashWorkers, work: Callable[[], Any]) -> Any:
    """Return what work returns that the workers do."""
    call = call_of(None, work)
    workers.submit(call)
    wait_for(call)
    return call.outcome()


class Turns:
    """A queue of turns in which none ever comes; how long somebody would wait."""

    def __init__(self, workers: HashWorkers) -> None:
        self.workers = workers
        self.waits: list[float | None] = []

    def get(self, timeout: float | None = None) -> None:
        self.waits.append(timeout)
        if timeout is not None:
            raise Empty
        self.workers._places = []  # or the thread would go on for ever

    def put(self, turn: None) -> None: ...


def test_idle_memory_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread looks for it as long as some is kept, and then sleeps."""
    kept = [2, 1, 0]
    rests: list[float] = []

    def rest(seconds: float) -> int:
        rests.append(seconds)
        return kept.pop(0)

    monkeypatch.setattr(_core, "password_rest", rest)
    workers = HashWorkers(1, 0, time.monotonic)
    turns = Turns(workers)
    monkeypatch.setattr(workers, "_turns", turns)
    place = hash_workers._Place()
    workers._places = [place]
    threading.Thread(target=workers._serve, args=(place,)).run()
    assert rests == [hash_workers.IDLE_SECONDS] * 3
    assert turns.waits == [hash_workers.IDLE_SECONDS] * 3 + [None]


def test_threads_end_with_their_pool() -> None:
    pool = HashingPool(slots=2)
    threads: list[threading.Thread] = []
    both = threading.Barrier(2)

    def work() -> None:
        threads.append(threading.current_thread())
        both.wait()

    calls = [call_of(client, work) for client in "ab"]
    for call in calls:
        pool._workers.submit(call)
    del pool
    gc.collect()
    for thread in threads:
        thread.join()


def test_a_thread_that_could_begin_is_used_again() -> None:
    workers = HashWorkers(3, 0, time.monotonic)
    first = outcome(workers, threading.get_ident)
    assert outcome(workers, threading.get_ident) == first
    workers.stop()


def test_threads_that_have_begun_serve_who_gets_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers, go_on = HashWorkers(2, 1, time.monotonic), threading.Event()
    calls = [call_of("a", go_on.wait), call_of("b"), call_of("b")]
    workers.submit(calls[0])
    wait_until(workers._running)

    def fails(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fails)
    for call in calls[1:]:
        workers.submit(call)
    go_on.set()
    for call in calls:
        wait_for(call)
    assert [call.outcome() for call in calls] == [True, 0, 0]
    workers.stop()


def test_who_waits_when_the_threads_are_to_end_is_served() -> None:
    workers = HashWorkers(2, 2, time.monotonic)
    begun, go_on = threading.Barrier(3), threading.Event()

    def work() -> int:
        begun.wait()
        go_on.wait()
        return 1

    calls = [call_of("a", work), call_of("b", work), call_of("a"), call_of("b")]
    for call in calls[:2]:
        workers.submit(call)
    begun.wait()
    for call in calls[2:]:
        workers.submit(call)
    workers.end_with_the_process()
    go_on.set()
    for call in calls:
        wait_for(call)
    assert [call.outcome() for call in calls] == [1, 1, 0, 0]


def test_who_comes_when_a_thread_saw_nobody_and_is_to_end_is_served() -> None:
    class Late(HashWorkers):
        late: Call[Any] | None = call_of("a")

        def _take(self, own: hash_workers._Place) -> None:
            super()._take(own)
            if self.late is not None:
                self.submit(self.late)
                self.late = None
                self.stop()

    workers = Late(1, 0, time.monotonic)
    call, place = workers.late, hash_workers._Place()
    assert call is not None
    workers._places = [place]
    threading.Thread(target=workers._serve, args=(place,)).run()
    assert call.outcome() == 0


LATE = """
import asyncio, threading, time
from fastbearer import hash_workers
from fastbearer.hashing_pool import HashingPool
pool, are_waiting = HashingPool(slots=1), threading.Event()
def first():
    while not hash_workers._is_ending:
        time.sleep(0.001)
async def main():
    ends = asyncio.gather(pool.run(first), pool.run(len, "x"), pool.run(len, "xx"))
    while len(pool._workers._waiting) < 2:
        await asyncio.sleep(0.001)
    are_waiting.set()
    print(await ends)
threading.Thread(target=lambda: asyncio.run(main())).start()
are_waiting.wait()
"""


def test_a_loop_outlives_the_main_thread() -> None:
    told = subprocess.check_output(
        [sys.executable, "-c", LATE], text=True, timeout=HANG
    )
    assert told == "[None, 1, 2]\n"


def test_a_process_ends_though_threads_are_idle() -> None:
    code = """
import asyncio
from fastbearer.hashing_pool import HashingPool
pools = [HashingPool(slots=2) for _ in "12"]
async def main():
    for pool in pools:
        await asyncio.gather(*(pool.run(len, "x") for _ in range(4)))
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_process_that_ends_begins_no_threads() -> None:
    code = """
import atexit, time
from fastbearer.hash_workers import Call, HashWorkers
def late():
    try:
        HashWorkers(1, 0, time.monotonic).submit(Call(print, None, 0, None))
    except RuntimeError as error:
        print(error)
atexit.register(late)
"""
    told = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "the process is ending" in told


def test_who_makes_room_for_somebody_who_does_not_come_is_served() -> None:
    class Scarce(Ended):
        """An event that finds no memory to be set, once."""

        is_scarce = True

        def set(self) -> None:
            was_scarce, self.is_scarce = self.is_scarce, False
            if was_scarce:
                raise MemoryError
            super().set()

    trial = Trial()
    loser = trial.waiting[-1]
    loser.ended = Scarce()  # type: ignore[assignment]
    with pytest.raises(MemoryError):
        trial.submit()
    trial.check(0)
    assert [call.outcome() for call in trial.waiting] == [0, 0]


def test_no_exception_of_a_signal_keeps_a_caller_waiting() -> None:
    """Whoever had to make room is told, and whoever comes later finds a thread."""

    trials = [Trial()]
    for step in interrupted(lambda: trials[-1].submit(), hash_workers, fair_queue):
        trials[-1].check(step)
        trials.append(Trial())
    trials[-1].check(-1)
    assert len(trials) > 100


class Trial:
    """A call for which another one has to make room, and a thread must begin."""

    def __init__(self) -> None:
        self.workers = HashWorkers(1, 1, time.monotonic)
        self.waiting = [call_of("a") for _ in range(2)]
        for call in self.waiting:
            self.workers._waiting.put("a", call)
        self.late = call_of("b")

    def submit(self) -> None:
        try:
            self.workers.submit(self.late)
        finally:
            self.workers.leave(self.late)

    def is_free(self) -> bool:
        return self.workers._key.qsize() == 1 and not self.workers._holders

    def check(self, step: int) -> None:
        wait_until(self.is_free)  # a thread that has begun is in there for a moment
        self.workers._calls = 9
        assert outcome(self.workers, int) == 0, step
        for call in self.waiting:
            wait_for(call)
        self.workers.stop()
