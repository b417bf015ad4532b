"""Password hashing off the event loop, on a bounded number of threads.

A hash costs tens of milliseconds and tens of MiB: more at a time than there
are cores would add memory and no speed.
"""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from .errors import HasherBusyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["HashingPool", "shared_pool"]

P = ParamSpec("P")
T = TypeVar("T")


class HashingPool:
    """A thread a core, and a queue before them that is not endless.

    Args:
        slots: Hashes at a time; by default the cores this process may use.
        queue: Calls that may wait for a slot.
    """

    def __init__(self, slots: int | None = None, queue: int = 256) -> None:
        self.slots = slots or available_cores()
        self._room = threading.Semaphore(self.slots + queue)
        self._threads = ThreadPoolExecutor(self.slots, "fastbearer-hash")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the work in a slot.

        The place belongs to the work: a caller that is cancelled frees it no
        earlier than the work ends.

        Raises:
            HasherBusyError: All slots and the queue are taken.
        """
        if not self._room.acquire(blocking=False):
            raise HasherBusyError("too many passwords are being hashed, try again")
        try:
            future = self._threads.submit(work, *args, **kwargs)
        except BaseException:
            self._room.release()
            raise
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: Future[T]) -> None:
        self._room.release()


def available_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_shared: HashingPool | None = None
_shared_lock = threading.Lock()


def shared_pool() -> HashingPool:
    """Return the process's one pool, made at first use."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = HashingPool()
        return _shared


def _forget_after_fork() -> None:
    """Threads do not survive a fork: the child makes a pool of its own."""
    global _shared, _shared_lock
    _shared, _shared_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
