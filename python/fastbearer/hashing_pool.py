"""Password hashing off the event loop, on a bounded number of threads.

A hash costs tens of milliseconds and tens of MiB: more at a time than there
are cores would add memory and no speed.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from . import _core
from .errors import ConfigurationError, HasherBusyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["HashingPool", "shared_pool"]

IDLE_SECONDS = 10
"""How long memory is kept for the next hash."""

P = ParamSpec("P")
T = TypeVar("T")

QUEUE = 256
QUEUE_SECONDS = 30.0
NICENESS = 10
"""Steps below the event loop's thread: a hash can wait, a request cannot."""


class HashingPool:
    """A thread a core, and a queue before them that is not endless.

    One pool serves any number of event loops, of asyncio or trio, and threads. After a
    fork the child has threads of its own.

    Args:
        slots: Hashes at a time; by default the cores this process may use.
        queue: Calls that may wait for a slot.
        queue_seconds: How long a call may wait for one.

    Raises:
        ConfigurationError: ``slots`` or ``queue_seconds`` is not positive, or
            ``queue`` is negative.
    """

    def __init__(
        self,
        slots: int | None = None,
        queue: int = QUEUE,
        queue_seconds: float = QUEUE_SECONDS,
    ) -> None:
        self.slots = available_cores() if slots is None else slots
        if self.slots < 1 or queue < 0 or not queue_seconds > 0:
            raise ConfigurationError("a pool needs slots, and time to wait for one")
        self._places = self.slots + queue
        self._resting: asyncio.AbstractEventLoop | None = None
        self._used = 0.0  # by the steady clock
        self._queue_seconds = queue_seconds
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._room = threading.Semaphore(self._places)
        self._threads = ThreadPoolExecutor(
            self.slots, "fastbearer-hash", initializer=_lower_priority
        )

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the work in a slot.

        The slot belongs to the work: a caller that is cancelled frees it no
        earlier than the work ends. Work that has not begun is then left out.

        Raises:
            HasherBusyError: All slots and the queue are taken, or the wait
                for a slot was too long.
        """
        future = self._submit(work, *args, **kwargs)
        loop = _asyncio_loop()
        if loop is not None:
            self._rest_later(loop)
            return await asyncio.wrap_future(future)
        # On trio: whoever runs on it with FastAPI has anyio.
        import anyio.to_thread

        return await anyio.to_thread.run_sync(future.result, abandon_on_cancel=True)

    def _rest_later(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it, on one loop, that idle memory is given back."""
        self._used = time.monotonic()
        if self._resting is None or self._resting.is_closed():
            self._resting = loop
            loop.call_later(IDLE_SECONDS, self._rest, loop)

    def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        self._resting = None
        is_quiet = time.monotonic() > self._used + 2 * IDLE_SECONDS
        if _core.password_rest(IDLE_SECONDS) or not is_quiet:
            self._resting = loop
            loop.call_later(IDLE_SECONDS, self._rest, loop)

    def _submit(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        if os.getpid() != self._process:  # threads do not survive a fork
            self._start()
        room = self._room
        if not room.acquire(blocking=False):
            raise _busy()
        deadline = time.monotonic() + self._queue_seconds

        def begin() -> T:
            if time.monotonic() > deadline:
                raise _busy()
            return work(*args, **kwargs)

        try:
            future = self._threads.submit(begin)
        except BaseException:
            room.release()
            raise
        future.add_done_callback(lambda _: room.release())
        return future


def _asyncio_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _busy() -> HasherBusyError:
    return HasherBusyError("too many passwords are being hashed, try again")


def _lower_priority() -> None:
    """Let the event loop's thread go first. On Linux, a thread has its own."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        own = threading.get_native_id()
        least = os.getpriority(os.PRIO_PROCESS, own)
        os.setpriority(os.PRIO_PROCESS, own, least + NICENESS)


def available_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
                _shared = HashingPool(_slots_of_environment())
    return _shared


def _slots_of_environment() -> int | None:
    text = os.environ.get("FASTBEARER_HASH_SLOTS", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 5):
        raise ConfigurationError("FASTBEARER_HASH_SLOTS must be a number of threads")
    return int(text)


def _forget_after_fork() -> None:
    """The lock may have been held: the child makes a pool of its own."""
    global _shared, _shared_lock
    _shared, _shared_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
