"""The pool that bounds password hashing."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import anyio
import anyio.to_thread
import pytest

from c_tools import needs_proc
from fastbearer import (
    ConfigurationError,
    HasherBusyError,
    InvalidHashError,
    PasswordHash,
    hashing_pool,
)
from fastbearer.cpu_limit import available_cores
from fastbearer.hash_workers import HashWorkers
from fastbearer.hashing_pool import (
    HashingPool,
    hashing_client,
    hashing_for,
    shared_pool,
)
from waiting import HANG, until

CHEAP = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
BCRYPT = PasswordHash("bcrypt", rounds=4)


class Gate:
    """Work that goes on when it is told to, and counts itself."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.begun = threading.Semaphore(0)
        self.at_once = self.most = self.total = 0
        self._lock = threading.Lock()

    def work(self) -> str:
        with self._lock:
            self.total += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.begun.release()
        self.opened.wait()
        with self._lock:
            self.at_once -= 1
        return "done"


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


def test_the_asynchronous_twins() -> None:
    async def main() -> None:
        stored = await CHEAP.ahash("x")
        assert await CHEAP.averify("x", stored)
        assert not await CHEAP.averify("y", stored)
        assert await CHEAP.averify_and_update("x", stored) == (True, None)
        right, newer = await CHEAP.averify_and_update("x", BCRYPT.hash("x"))
        assert right
        assert newer
        with pytest.raises(InvalidHashError):
            await CHEAP.averify("x", "nonsense")

    for _ in range(3):  # event loops come and go
        asyncio.run(main())


def test_the_pool_is_bounded_and_the_slot_is_the_works(gate: Gate) -> None:
    async def main() -> None:
        pool = HashingPool(slots=1, queue=1)
        first = asyncio.create_task(pool.run(gate.work))
        second = asyncio.create_task(pool.run(gate.work))
        await asyncio.to_thread(gate.begun.acquire)
        with pytest.raises(HasherBusyError):
            await pool.run(gate.work)
        first.cancel()  # its work goes on, so its slot stays taken
        await asyncio.sleep(0)
        with pytest.raises(HasherBusyError):
            await pool.run(gate.work)
        assert gate.most == 1
        gate.opened.set()
        assert await second == "done"
        assert await pool.run(gate.work) == "done"

    asyncio.run(main())
    assert gate.most == 1


def test_who_gives_up_in_the_queue_leaves_no_work_behind(gate: Gate) -> None:
    async def main() -> None:
        pool = HashingPool(slots=1, queue=1)
        first = asyncio.create_task(pool.run(gate.work))
        second = asyncio.create_task(pool.run(gate.work))
        await asyncio.to_thread(gate.begun.acquire)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        third = asyncio.create_task(pool.run(gate.work))  # in its place
        await asyncio.sleep(0)
        gate.opened.set()
        assert [await first, await third] == ["done"] * 2

    asyncio.run(main())
    assert gate.total == 2


def test_who_has_waited_too_long_is_turned_away(gate: Gate) -> None:
    now = 0.0

    async def main() -> None:
        nonlocal now
        pool = HashingPool(slots=1, queue=5, queue_seconds=30, clock=lambda: now)
        first = asyncio.create_task(pool.run(gate.work))
        second = asyncio.create_task(pool.run(gate.work))
        await asyncio.to_thread(gate.begun.acquire)
        now = 30.0
        third = asyncio.create_task(pool.run(gate.work))
        await asyncio.sleep(0)
        now = 30.5  # too late for the second, and early enough for the third
        gate.opened.set()
        assert await first == "done"
        with pytest.raises(HasherBusyError):
            await second
        assert await third == "done"

    asyncio.run(main())
    assert gate.total == 2


class Line:
    """One slot and a queue before it, in which each call leaves its name."""

    def __init__(self, gate: Gate, queue: int) -> None:
        self.gate = gate
        self.pool = HashingPool(slots=1, queue=queue)
        self.served: list[str] = []

    async def block(self) -> asyncio.Task[str]:
        """Take the slot."""
        blocker = asyncio.create_task(self.pool.run(self.gate.work))
        await asyncio.to_thread(self.gate.begun.acquire)
        return blocker

    async def call(self, client: str | None, name: str = "") -> asyncio.Task[None]:
        """Come to stand in the queue for a client."""

        async def run() -> None:
            hashing_client.set(client)
            await self.pool.run(self.served.append, name or str(client))

        task = asyncio.create_task(run())
        await asyncio.sleep(0)
        return task


async def outcomes(tasks: list[asyncio.Task[None]]) -> list[bool]:
    """Return for each call whether it was served; the others were turned away."""
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(end is None or isinstance(end, HasherBusyError) for end in ends), ends
    return [end is None for end in ends]


def test_a_burst_of_one_client_makes_nobody_else_wait(gate: Gate) -> None:
    async def main() -> None:
        line = Line(gate, queue=256)
        blocker = await line.block()
        burst = [await line.call("greedy") for _ in range(290)]
        others = [await line.call(f"other {number}") for number in range(5)]
        gate.opened.set()
        await blocker
        assert await outcomes(others) == [True] * 5
        # Each is served within the first round: after one of the burst.
        served = line.served[:6]
        assert sorted(served) == ["greedy", *(f"other {n}" for n in range(5))]
        # Of the burst, the oldest as far as there were places for all.
        assert await outcomes(burst) == [True] * 251 + [False] * 39

    asyncio.run(main())


def test_clients_take_turns(gate: Gate) -> None:
    async def main() -> None:
        line = Line(gate, queue=20)
        blocker = await line.block()
        names = ["a1", "a2", "a3", "b1", "b2", "c1", "None"]
        tasks = [
            await line.call(None if name == "None" else name[0], name) for name in names
        ]
        gate.opened.set()
        await blocker
        assert await outcomes(tasks) == [True] * 7
        assert line.served == ["a1", "b1", "c1", "None", "a2", "b2", "a3"]

    asyncio.run(main())


def test_a_full_queue_of_equals_turns_the_next_one_away(gate: Gate) -> None:
    async def main() -> None:
        line = Line(gate, queue=4)
        blocker = await line.block()
        tasks = [await line.call(client) for client in "abcd"]
        for client in ("e", "a"):
            late = await line.call(client)
            assert await outcomes([late]) == [False]
        gate.opened.set()
        await blocker
        assert await outcomes(tasks) == [True] * 4

    asyncio.run(main())


def test_places_given_up_are_free_again(gate: Gate) -> None:
    """However many gave up, their turns are no more than one a place."""

    async def main() -> None:
        line = Line(gate, queue=3)
        blocker = await line.block()
        for _ in range(50):
            tasks = [await line.call("a") for _ in range(3)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert line.pool._workers._turns.qsize() <= 3
        tasks = [await line.call("a") for _ in range(3)]
        gate.opened.set()
        await blocker
        assert await outcomes(tasks) == [True] * 3
        assert line.served == ["a"] * 3

    asyncio.run(main())


def test_the_client_of_the_context(gate: Gate) -> None:
    assert hashing_client.get() is None
    with hashing_for("account"):
        assert hashing_client.get() == "account"
        with hashing_for("another"):  # what is nearer the request decides
            assert hashing_client.get() == "account"
    assert hashing_client.get() is None


def test_many_loops_at_once_share_the_slots(gate: Gate) -> None:
    pool = HashingPool(slots=2, queue=100)

    async def eight() -> list[str]:
        return await asyncio.gather(*(pool.run(gate.work) for _ in range(8)))

    with ThreadPoolExecutor(4) as threads:
        results = [threads.submit(asyncio.run, eight()) for _ in range(4)]
        gate.begun.acquire()
        gate.begun.acquire()
        gate.opened.set()
        assert [result.result() for result in results] == [["done"] * 8] * 4
    assert gate.most == 2
    assert gate.total == 32


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "trio":
        pytest.importorskip("trio", reason="trio is not installed")
    return str(request.param)


def test_under_anyio(backend: str) -> None:
    async def main() -> None:
        stored = await CHEAP.ahash("x")
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(CHEAP.averify, "x", stored)
        with anyio.move_on_after(0):
            await CHEAP.averify("x", stored)
        assert await CHEAP.averify("x", stored)
        with pytest.raises(InvalidHashError):
            await CHEAP.averify("x", "nonsense")

    anyio.run(main, backend=backend)


def test_who_is_cancelled_leaves_the_queue_on_any_loop(
    gate: Gate, backend: str
) -> None:
    async def main() -> None:
        pool = HashingPool(slots=1, queue=1)
        async with anyio.create_task_group() as group:
            group.start_soon(pool.run, gate.work)
            await anyio.to_thread.run_sync(gate.begun.acquire)
            for _ in range(3):  # each has the place of the one before
                async with anyio.create_task_group() as given_up:
                    given_up.start_soon(pool.run, gate.work)
                    await anyio.wait_all_tasks_blocked()
                    given_up.cancel_scope.cancel()
            gate.opened.set()

    anyio.run(main, backend=backend)
    assert gate.total == 1


def test_who_waits_for_a_hash_holds_no_thread(gate: Gate, backend: str) -> None:
    """Those of the loop do the work of other routes."""

    async def main() -> None:
        pool = HashingPool(slots=1)
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(pool.run, gate.work)
            await anyio.wait_all_tasks_blocked()
            held = anyio.to_thread.current_default_thread_limiter().borrowed_tokens
            gate.opened.set()
        assert held == 0

    anyio.run(main, backend=backend)
    assert gate.total == 3


def test_a_loop_that_has_ended_keeps_no_slot(gate: Gate, backend: str) -> None:
    pool = HashingPool(slots=1, queue=0)

    async def leave() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(pool.run, gate.work)
            await anyio.to_thread.run_sync(gate.begun.acquire)
            group.cancel_scope.cancel()

    async def come() -> None:
        with pytest.raises(HasherBusyError):
            await pool.run(gate.work)
        gate.opened.set()
        await until(lambda: not pool._workers._running())
        assert await pool.run(gate.work) == "done"

    anyio.run(leave, backend=backend)
    asyncio.run(come())


def test_an_exception_is_the_callers_and_the_slot_is_free_again() -> None:
    def fails() -> None:
        raise RuntimeError("in the work")

    async def main() -> None:
        pool = HashingPool(slots=1, queue=0)
        for _ in range(5):
            with pytest.raises(RuntimeError, match="in the work"):
                await pool.run(fails)
            await asyncio.sleep(0.01)

    asyncio.run(main())


PEAK = """
import asyncio
from fastbearer import PasswordHash
from fastbearer.hashing_pool import shared_pool
MIB = 32
def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if "VmHWM" in line)
hasher = PasswordHash("argon2id", time_cost=1, memory_cost=MIB << 10, parallelism=4)
cheap = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
async def main():
    shared_pool()._queue_seconds = 600  # however busy the machine is
    stored = cheap.hash("x")
    await asyncio.gather(*(hasher.averify("x", stored) for _ in range(200)))
    base = peak_kib()
    stored = await hasher.ahash("x")
    checks = (hasher.averify("x", stored) for _ in range(200))
    assert all(await asyncio.gather(*checks))
    peak = peak_kib()
    most = shared_pool().slots * (MIB + 2) << 10
    assert (MIB << 10) <= peak - base <= most, (peak - base, most)
asyncio.run(main())
print("bounded")
"""


@pytest.mark.slow
@needs_proc
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a sanitizer keeps memory")
def test_the_peak_of_memory_is_slots_times_m() -> None:
    command = [sys.executable, "-c", PEAK]
    assert subprocess.check_output(command, text=True) == "bounded\n"


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority here")
def test_hashing_threads_have_a_lower_priority() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = niceness()
    theirs = asyncio.run(HashingPool(slots=1).run(niceness))
    assert theirs == min(own + 10, 19)
    assert niceness() == own


@pytest.mark.parametrize("name", ["getpriority", "setpriority"])
@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.ENOSYS])
def test_a_sandbox_that_refuses_a_nicety(
    monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    def refused(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, name, refused)
    pool = HashingPool(slots=1)

    async def main() -> None:
        stored = await pool.run(CHEAP.hash, "x")
        assert await pool.run(CHEAP.verify, "x", stored)

    asyncio.run(main())


@pytest.fixture
def threads_that_cannot_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fails)


@pytest.mark.usefixtures("threads_that_cannot_begin")
def test_threads_that_cannot_begin_keep_nobody_waiting() -> None:
    async def main() -> None:
        pool = HashingPool(slots=1, queue=0)
        for _ in range(3):  # and none that did not come is counted on
            with pytest.raises(RuntimeError, match="new thread"):
                await asyncio.wait_for(pool.run(CHEAP.hash, "x"), HANG)

    asyncio.run(main())


def test_a_fork_has_threads_of_its_own() -> None:
    code = """
import asyncio, os
from fastbearer import PasswordHash, _core
from fastbearer.hashing_pool import HashingPool
hasher = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
own = HashingPool(slots=1, queue=0)
async def main():
    stored = await hasher.ahash("x")
    own_answer = await own.run(hasher.verify, "x", stored)
    return own_answer and await hasher.averify("x", stored)
assert asyncio.run(main())
child = os.fork()
if child == 0:
    os._exit(0 if asyncio.run(main()) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_end_in_the_middle_is_an_end() -> None:
    code = """
import asyncio
from fastbearer import PasswordHash, _core
hasher = PasswordHash("argon2id", time_cost=1, memory_cost=1024, parallelism=1)
async def main():
    for _ in range(50):
        asyncio.create_task(hasher.ahash("x"))
    await asyncio.sleep(0.01)
asyncio.run(main())
print("ended")
"""
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True) == "ended\n"


@pytest.mark.parametrize(
    "options",
    [{"slots": 0}, {"slots": -1}, {"queue": -1}, {"queue_seconds": 0}],
    ids=repr,
)
def test_a_pool_that_makes_no_sense(options: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        HashingPool(**options)


def test_the_slots_of_the_environment() -> None:
    assert shared_pool() is shared_pool()
    code = "from fastbearer.hashing_pool import shared_pool; print(shared_pool().slots)"

    def slots(value: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "FASTBEARER_HASH_SLOTS": value},
            capture_output=True,
            text=True,
        )

    assert slots("7").stdout == "7\n"
    assert slots("").stdout == f"{available_cores()}\n"
    for value in ("0", "-1", "x", "1.5", "99999"):
        assert "ConfigurationError" in slots(value).stderr


# --- calls from threads, without an event loop


BOUNDED = """
import sys, threading
from fastbearer import _core
most = at_once = 0
lock = threading.Lock()
real = {name: getattr(_core, name) for name in ("password_hash", "password_verify")}
full = threading.Barrier(3)
def watched(name):
    def call(*args):
        global most, at_once
        with lock:
            at_once += 1
            most = max(most, at_once)
        try:
            full.wait()  # three at a time reach this, neither fewer nor more
            return real[name](*args)
        finally:
            with lock:
                at_once -= 1
    return call
for name in real:
    setattr(_core, name, watched(name))
from fastbearer import PasswordHash, hash_password, verify_password
from fastbearer.better_auth.passwords import better_auth_hash
from fastbearer.compat.passlib.hash import bcrypt
from fastbearer.compat.pwdlib.hashers.argon2 import Argon2Hasher
hasher = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
stored = real["password_hash"]("x", "$2b$04$abcdefghijklmnopqrstuu")
calls = [
    lambda: hasher.hash("x"), lambda: hasher.verify("x", stored),
    lambda: verify_password("x", stored), lambda: hash_password("x"),
    lambda: better_auth_hash("x"), lambda: bcrypt.using(rounds=4).hash("x"),
    lambda: bcrypt.verify("x", stored), lambda: Argon2Hasher(1, 8, 1).hash("x"),
]
threads = [threading.Thread(target=calls[i % 8]) for i in range(24)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(most)
"""


@pytest.mark.slow
def test_calls_from_many_threads_are_bounded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED],
        env={**os.environ, "FASTBEARER_HASH_SLOTS": "3", "PASSWORD_SCHEME": "bcrypt"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("3\n", "")


def test_threads_of_a_child_find_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes while another makes them does not take the parent's."""
    pool = HashingPool(slots=1)
    parents = pool._workers
    taken: list[object] = []

    class Watched(HashWorkers):
        def __init__(self, *args: Any) -> None:
            taken.append(pool._workers if pool._process == os.getpid() else None)
            super().__init__(*args)

    monkeypatch.setattr(hashing_pool, "HashWorkers", Watched)
    monkeypatch.setattr(pool, "_process", 0)  # as after a fork
    assert asyncio.run(pool.run(len, "x")) == 1
    assert taken == [None]
    assert pool._workers is not parents


def test_a_fork_while_others_hash() -> None:
    """Their slots are not taken in the child, where nobody would free them."""
    code = """
import os, threading
from fastbearer import PasswordHash, _core
from fastbearer.hash_slots import _slots
hasher = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
stored = hasher.hash("x")
real, held, go_on = _core.password_verify, threading.Semaphore(0), threading.Event()
def slow(*args):
    held.release()
    go_on.wait()
    return real(*args)
_core.password_verify = slow
verify = {"target": hasher.verify, "args": ("x", stored), "daemon": True}
threads = [threading.Thread(**verify) for _ in "12"]
for thread in threads:
    thread.start()
for _ in threads:
    held.acquire()
child = os.fork()
if child == 0:
    _core.password_verify = real
    are_free = _slots().free.qsize() == 2
    os._exit(0 if are_free and hasher.verify("x", stored) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
go_on.set()
"""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "FASTBEARER_HASH_SLOTS": "2"},
        check=True,
    )
