"""The threads that hash: how each of them lives."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from queue import Empty
from typing import Any

import pytest

from fastbearer import _core, hash_workers
from fastbearer.hash_workers import Call, HashWorkers
from fastbearer.hashing_pool import HashingPool


class Ended:
    """An event of a caller that is no coroutine."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def wait(self) -> None:
        self._event.wait()


def outcome(workers: HashWorkers, work: Any) -> Any:
    """Return what work returns that the workers do."""
    ended = Ended()
    call: Call[Any] = Call(work, None, float("inf"), ended)  # type: ignore[arg-type]
    workers.submit(call)
    ended.wait()
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
    pool = HashingPool(slots=1)
    threads: list[threading.Thread] = []
    outcome(pool._workers, lambda: threads.append(threading.current_thread()))
    del pool
    gc.collect()
    threads[0].join()


def test_a_thread_that_could_begin_is_used_again() -> None:
    workers = HashWorkers(3, 0, time.monotonic)
    first = outcome(workers, threading.get_ident)
    assert outcome(workers, threading.get_ident) == first
    workers.stop()


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
