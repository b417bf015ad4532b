"""Password hashing off the event loop, on a bounded number of threads.

A hash costs tens of milliseconds and tens of MiB: more at a time than there
are cores would add memory and no speed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.thread import BrokenThreadPool
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from . import _core
from .awaited import awaited
from .errors import ConfigurationError, HasherBusyError
from .fair_queue import FairQueue
from .hash_slots import slot_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HashingPool", "hashing_client", "hashing_for", "shared_pool"]

IDLE_SECONDS = 10
"""How long memory is kept for the next hash."""

P = ParamSpec("P")
T = TypeVar("T")

QUEUE = 256
QUEUE_SECONDS = 30.0
NICENESS = 10
"""Steps below the event loop's thread: a hash can wait, a request cannot."""

hashing_client: ContextVar[str | None] = ContextVar("hashing_client", default=None)
"""For whom passwords are hashed in this context, like a client's address.

The places of the queue are shared out among clients, who are served in turns:
one that sends hundreds of passwords makes itself wait, and nobody else. What is
hashed for nobody in particular counts as one client.
"""


@contextmanager
def hashing_for(client: str) -> Iterator[None]:
    """Hash for a client, unless the context has named one already.

    Args:
        client: Like an account, which is known where no address is.
    """
    if hashing_client.get() is not None:
        yield
        return
    token = hashing_client.set(client)
    try:
        yield
    finally:
        hashing_client.reset(token)


class _Call:
    """Work that waits for a slot, and whose it is."""

    __slots__ = ("client", "deadline", "future", "work")

    def __init__(
        self, work: Callable[[], Any], client: str | None, deadline: float
    ) -> None:
        self.work = work
        self.client = client
        self.deadline = deadline
        self.future: Future[Any] = Future()

    def refuse(self) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(_busy())


class HashingPool:
    """A thread for each core, and a bounded queue before them.

    One pool serves any number of event loops, of asyncio or trio, and threads.
    After a fork the child has threads of its own.

    Args:
        slots: Hashes at a time; by default the cores this process may keep busy.
        queue: Calls that may wait for a slot; see `hashing_client`.
        queue_seconds: How long a call may wait for one.
        clock: Returns seconds that never go back.

    Raises:
        ConfigurationError: ``slots`` or ``queue_seconds`` is not positive, or
            ``queue`` is negative.
    """

    def __init__(
        self,
        slots: int | None = None,
        queue: int = QUEUE,
        queue_seconds: float = QUEUE_SECONDS,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.slots: int = slot_count() if slots is None else slots
        if self.slots < 1 or queue < 0 or not queue_seconds > 0:
            raise ConfigurationError("a pool needs slots, and time to wait for one")
        self._places = self.slots + queue
        self._queue_seconds = queue_seconds
        self._clock = clock
        self._resting: asyncio.AbstractEventLoop | None = None
        self._used = 0.0
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._waiting: FairQueue[_Call] = FairQueue()
        self._running = 0
        self._turns = 0  # of threads that have been asked for, and are to come
        self._threads = ThreadPoolExecutor(
            self.slots, "fastbearer-hash", initializer=_lower_priority
        )

    @awaited
    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the work in a slot.

        The slot belongs to the work: a caller that is cancelled frees it no
        earlier than the work ends. Work that has not begun is then left out.

        Raises:
            HasherBusyError: All slots and the queue are taken, the wait for a
                slot was too long, or a client with fewer calls needed the place.
        """
        future = self._submit(lambda: work(*args, **kwargs))
        loop = _asyncio_loop()
        if loop is not None:
            self._rest_later(loop)
            return await asyncio.wrap_future(future)
        # On trio: whoever runs on it with FastAPI has anyio.
        import anyio.to_thread

        return await anyio.to_thread.run_sync(future.result, abandon_on_cancel=True)

    def _rest_later(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it, on one loop, that idle memory is given back."""
        self._used = self._clock()
        if self._resting is None or self._resting.is_closed():
            self._resting = loop
            loop.call_later(IDLE_SECONDS, self._rest, loop)

    def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        self._resting = None
        is_quiet = self._clock() > self._used + 2 * IDLE_SECONDS
        if _core.password_rest(IDLE_SECONDS) or not is_quiet:
            self._resting = loop
            loop.call_later(IDLE_SECONDS, self._rest, loop)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        if os.getpid() != self._process:  # threads do not survive a fork
            self._start()
        call = _Call(work, hashing_client.get(), self._clock() + self._queue_seconds)
        with self._lock:
            loser = self._enter(call)
            is_turn_needed = self._turns < len(self._waiting)
            self._turns += is_turn_needed
        if loser is not None:
            loser.refuse()
        call.future.add_done_callback(lambda _: self._leave(call))
        if is_turn_needed:
            self._ask_for_turn(call)
        return call.future

    def _enter(self, call: _Call) -> _Call | None:
        """Put a call in the queue; return the one that had to make room."""
        loser = None
        if len(self._waiting) + self._running >= self._places:
            loser = self._waiting.make_room(call.client)
            if loser is None:
                raise _busy()
        self._waiting.put(call.client, call)
        return loser

    def _leave(self, call: _Call) -> None:
        """Take a call out of the queue that nobody waits for any more."""
        with self._lock:
            self._waiting.remove(call.client, call)

    def _ask_for_turn(self, call: _Call) -> None:
        try:
            turn = self._threads.submit(self._take_turn)
        except BaseException:
            with self._lock:
                self._turns -= 1
            call.future.cancel()
            raise
        turn.add_done_callback(self._check_turn)

    def _check_turn(self, turn: Future[None]) -> None:
        """Let nobody wait for threads that will not come."""
        error = None if turn.cancelled() else turn.exception()
        if isinstance(error, BrokenThreadPool):
            with self._lock:
                self._turns -= 1  # for it was never taken
        while error is not None:
            with self._lock:
                call = self._waiting.take()
            if call is None:
                return
            if call.future.set_running_or_notify_cancel():
                call.future.set_exception(error)

    def _take_turn(self) -> None:
        """Do the next call's work; there is none where it was given up."""
        with self._lock:
            self._turns -= 1
            call = self._waiting.take()
            self._running += call is not None
        if call is None:
            return
        if not call.future.set_running_or_notify_cancel():
            self._end()
        elif self._clock() > call.deadline:
            self._end()
            call.future.set_exception(_busy())
        else:
            self._work_at(call)

    def _work_at(self, call: _Call) -> None:
        try:
            result = call.work()
        except BaseException as error:  # the caller's, whatever it is
            self._end()
            call.future.set_exception(error)
        else:
            self._end()
            call.future.set_result(result)

    def _end(self) -> None:
        """Free the place, before the caller can ask for another."""
        with self._lock:
            self._running -= 1


def _asyncio_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _busy() -> HasherBusyError:
    return HasherBusyError("too many passwords are being hashed, try again")


def _lower_priority() -> None:
    """Let the event loop's thread go first. On Linux, a thread has its own.

    It is a nicety: where a sandbox refuses it, hashing goes on all the same.
    """
    if sys.platform != "linux":
        return
    with suppress(Exception):  # for a thread that does not begin hashes nothing
        own = threading.get_native_id()
        least = os.getpriority(os.PRIO_PROCESS, own)
        os.setpriority(os.PRIO_PROCESS, own, least + NICENESS)


_shared: HashingPool | None = None
_shared_lock = threading.Lock()


def shared_pool() -> HashingPool:
    """Return the process's one pool, made at first use.

    ``FASTBEARER_HASH_SLOTS`` in the environment sets its slots.

    Raises:
        ConfigurationError: That variable is not a positive whole number.
    """
    global _shared
    if _shared is None:
        with _shared_lock:
            if _shared is None:
                _shared = HashingPool()
    return _shared


def _forget_after_fork() -> None:
    """The lock may have been held: the child makes a pool of its own."""
    global _shared, _shared_lock
    _shared, _shared_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
