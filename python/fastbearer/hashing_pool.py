"""Password hashing off the event loop, on a bounded number of threads.

A hash costs tens of milliseconds and tens of MiB: more at a time than there
are cores would add memory and no speed.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from weakref import finalize

from .awaited import awaited
from .errors import ConfigurationError
from .hash_slots import slot_count
from .hash_workers import Call, HashWorkers
from .loop_event import LoopEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HashingPool", "hashing_client", "hashing_for", "shared_pool"]

P = ParamSpec("P")
T = TypeVar("T")

QUEUE = 256
QUEUE_SECONDS = 30.0

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
        self._queue = queue
        self._queue_seconds = queue_seconds
        self._clock = clock
        self._start()

    def _start(self) -> None:
        self._workers = HashWorkers(self.slots, self._queue, self._clock)
        finalize(self, self._workers.stop).atexit = False
        self._process = os.getpid()  # last: now other threads take the workers

    @awaited
    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the work in a slot.

        The slot belongs to the work: a caller that is cancelled frees it no
        earlier than the work ends. Work that has not begun is then left out.

        Raises:
            HasherBusyError: All slots and the queue are taken, the wait for a
                slot was too long, or a client with fewer calls needed the place.
        """
        if os.getpid() != self._process:  # threads do not survive a fork
            self._start()
        workers = self._workers
        call = Call(
            lambda: work(*args, **kwargs),
            hashing_client.get(),
            self._clock() + self._queue_seconds,
            LoopEvent(),
        )
        try:
            workers.submit(call)
            await call.ended.wait()
        finally:
            workers.leave(call)
        return call.outcome()


_shared: dict[str, HashingPool] = {}


def shared_pool() -> HashingPool:
    """Return the process's one pool, made at first use.

    ``FASTBEARER_HASH_SLOTS`` in the environment sets its slots.

    Raises:
        ConfigurationError: That variable is not a positive whole number.
    """
    return _shared.get("pool") or _shared.setdefault("pool", HashingPool())


if hasattr(os, "register_at_fork"):
    # The threads that did its work are not in the child.
    os.register_at_fork(after_in_child=_shared.clear)
