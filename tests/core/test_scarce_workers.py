"""A hash for whose bookkeeping there is no memory keeps nobody waiting.

CPython's own hooks let one allocation after the other fail. The thread of these
tests does what a thread that hashes does, so that no other one allocates meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib.util import find_spec

import pytest

COMMON = """
import asyncio

import _testcapi

from fastbearer import HasherBusyError, hash_workers
from fastbearer.hash_workers import Call, HashWorkers
from fastbearer.loop_event import LoopEvent

ALLOCATIONS = 150


def call_of(client, work=lambda: bytes(2000)):
    return Call(work, client, 1.0, LoopEvent())


def is_told(call):
    return call.ended._event.is_set()


class Turns:
    def __init__(self, workers):
        self.workers = workers

    def get(self, timeout=None):
        self.workers._places = []  # there is no more to do: the thread ends

    def put(self, turn):
        pass

    def qsize(self):
        return 0


def outcome(call):
    try:
        return len(call.outcome())
    except (MemoryError, HasherBusyError) as error:
        return type(error)
"""

SERVED = """
async def trial(number, now):
    workers = HashWorkers(1, 9, lambda: now)
    workers._turns = Turns(workers)
    own = hash_workers._Place()
    workers._places = [own]
    calls = [call_of("a"), call_of("a"), call_of("b")]
    for call in calls:
        workers._waiting.put(call.client, call)
    hash_workers._lower_priority = lambda: _testcapi.set_nomemory(number, number + 1)
    # CPython keeps small tuples for what it calls: use them up.
    kept = [((n,), (n, n), (n, n, n)) for n in range(5000)]
    workers._serve(own)
    _testcapi.remove_mem_hooks()
    assert workers._key.qsize() == 1, number
    await asyncio.sleep(0)
    assert own.call is None, number
    assert len(workers._waiting) == 0, number
    assert all(map(is_told, calls)), (number, list(map(is_told, calls)))
    return {outcome(call) for call in calls}


for now, usual in ((0.0, 2000), (2.0, HasherBusyError)):
    seen = set()
    for number in range(ALLOCATIONS):
        seen |= asyncio.run(trial(number, now))
    assert seen == {usual, MemoryError}, seen
"""

SUBMITTED = """
async def trial(number):
    workers = HashWorkers(1, 2, lambda: 0.0)
    workers._places = [hash_workers._Place()]
    greedy = [call_of("greedy") for _ in range(3)]
    for call in greedy:
        workers._waiting.put(call.client, call)
    late = call_of("other")
    is_in = False
    try:
        _testcapi.set_nomemory(number, number + 1)
        workers.submit(late)
        is_in = True
    except MemoryError:
        pass
    finally:
        _testcapi.remove_mem_hooks()
    if not is_in:
        workers.leave(late)
    await asyncio.sleep(0)
    waiting = []
    while (call := workers._waiting.take()) is not None:
        waiting.append(call)
    assert len(workers._waiting) == 0
    for call in greedy:
        assert call in waiting or is_told(call), number
    assert (late in waiting) == is_in, number
    assert len(waiting) <= 3
    assert workers._turns.qsize() >= is_in
    return is_in


ends = [asyncio.run(trial(number)) for number in range(ALLOCATIONS)]
assert set(ends) == {False, True}
"""

ALLOCATOR = "default" if sysconfig.get_config_var("Py_GIL_DISABLED") else "malloc"


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("_testcapi") is None,
    reason="THIS PYTHON HAS NO _testcapi: no allocation can fail",
)
@pytest.mark.parametrize("script", [SERVED, SUBMITTED], ids=["served", "submitted"])
def test_no_allocation_that_fails_keeps_a_caller_waiting(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMON + script],
        env={**os.environ, "PYTHONMALLOC": ALLOCATOR},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
