"""Threads that hash, as many as there are slots, and a bounded queue before them."""

from __future__ import annotations

import os
import sys
import threading
from _queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

from . import _core
from .errors import HasherBusyError
from .fair_queue import FairQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from .loop_event import LoopEvent

__all__ = ["Call", "HashWorkers"]

T = TypeVar("T")

IDLE_SECONDS = 10
"""How long memory is kept for the next hash."""

NICENESS = 10
"""Steps below the event loop's thread: a hash can wait, a request cannot."""


class Call(Generic[T]):
    """Work that waits for a slot, whose it is, and what has come of it.

    Args:
        work: What is to be done.
        client: For whom.
        deadline: When it is too late to begin, by the workers' clock.
        ended: Is set when the work has been done, or will not be.
    """

    __slots__ = ("client", "deadline", "ended", "error", "result", "work")

    def __init__(
        self,
        work: Callable[[], T],
        client: str | None,
        deadline: float,
        ended: LoopEvent,
    ) -> None:
        self.work = work
        self.client = client
        self.deadline = deadline
        self.ended = ended
        self.result: T
        self.error: BaseException | None = None

    def outcome(self) -> T:
        """Return what the work has returned, or raise what it has raised, once."""
        error, self.error = self.error, None
        if error is None:
            return self.result
        try:
            raise error
        finally:
            del error  # which has this frame, and with it the call, in its traceback


class _Place:
    """A thread's place, and the call whose work is done there."""

    __slots__ = ("call",)

    def __init__(self) -> None:
        self.call: Call[Any] | None = None


class HashWorkers:
    """Threads that do the work of calls, each begun when it is first needed.

    They end when the workers are stopped, and with the process; what waits then is
    done before.

    Args:
        slots: How many there are at most.
        queue: How many calls may wait for one.
        clock: Returns seconds that never go back.
    """

    def __init__(self, slots: int, queue: int, clock: Callable[[], float]) -> None:
        self._slots = slots
        self._calls = slots + queue
        self._clock = clock
        self._key: SimpleQueue[None] = SimpleQueue()
        self._key.put(None)
        self._holders: set[int] = set()
        self._waiting: FairQueue[Call[Any]] = FairQueue()
        self._places: list[_Place] = []
        self._turns: SimpleQueue[None] = SimpleQueue()
        _all.add(self)

    def submit(self, call: Call[Any]) -> None:
        """Let a call wait for a slot; another one may have to make room for it.

        Whatever this raises, the call may be waiting: the caller must let it leave.

        Raises:
            HasherBusyError: There is no room.
            RuntimeError: There is no thread for it.
        """
        self._alone(self._enter, call)

    def _alone(self, work: Callable[..., T], *args: object) -> T:
        """Do some work while no other thread does any with the queue.

        It is no lock: `with` gives one back only if there is memory for it, and
        ``finally`` only if no signal comes before ``try``.
        """
        return _core.in_slot(self._key, self._holders, work, args)

    def _enter(self, call: Call[Any]) -> None:
        if len(self._waiting) + self._running() >= self._calls:
            self._make_room(call)
        self._waiting.put(call.client, call)
        self._ask_for_turn()

    def _make_room(self, call: Call[Any]) -> None:
        loser = self._waiting.loser(call.client)
        if loser is None:
            raise _busy()
        # It is told first: what is interrupted here leaves nobody waiting in vain.
        loser.error = _busy()
        loser.ended.set()
        self._waiting.remove(loser.client, loser)

    def leave(self, call: Call[Any]) -> None:
        """Take a call out of the queue, if it is there: nobody waits for it now."""
        self._alone(self._waiting.remove, call.client, call)

    def stop(self) -> None:
        """Let each thread end once nothing waits any more."""
        self._places = []
        self._wake_next()

    def end_with_the_process(self) -> None:
        """Stop when nobody may ask for threads any more."""
        self._alone(self.stop)

    def _running(self) -> int:
        return sum(place.call is not None for place in self._places)

    def _ask_for_turn(self) -> None:
        """Wake a thread for a call that waits; a turn is asked for once a call."""
        needed = min(self._slots, len(self._waiting) + self._running())
        if len(self._places) < needed:
            try:
                self._begin()
            except RuntimeError:  # those that have begun serve everybody
                if not self._places:
                    raise
        if self._turns.qsize() < len(self._waiting):
            self._turns.put(None)

    def _begin(self) -> None:
        if _is_ending:
            raise RuntimeError("the process is ending: no more passwords are hashed")
        own = _Place()
        try:
            self._places.append(own)
            threading.Thread(
                target=self._serve, args=(own,), name="fastbearer-hash", daemon=False
            ).start()
        except BaseException:  # if it has begun all the same, it ends
            if own in self._places:
                self._places.remove(own)
            raise

    def _serve(self, own: _Place) -> None:
        """Do one call after the other, as long as one waits or the place is one.

        Whatever finds no memory is done again, so it may be done twice: nobody else
        could tell the caller, or free the place.
        """
        _lower_priority()
        while True:
            is_last = own not in self._places  # before it is seen that nothing waits
            try:
                self._take_or_wait(own)
            except MemoryError:
                continue
            call = own.call
            if call is None:
                if is_last:
                    break
                continue
            try:
                if self._clock() > call.deadline:
                    raise _busy()
                call.result = call.work()
                call.error = None
            except BaseException as error:  # the caller's, whatever it is
                call.error = error
            own.call = None  # before the caller can ask for another
            while call is not None:
                try:
                    call.ended.set()
                    call = None
                except MemoryError:
                    continue
        self._wake_next()

    def _take_or_wait(self, own: _Place) -> None:
        if own.call is None:
            self._alone(self._take, own)
        if own.call is None and own in self._places:
            self._wait_for_turn()

    def _take(self, own: _Place) -> None:
        own.call = self._waiting.take()

    def _wake_next(self) -> None:
        """Let the next thread see that it is to end, or have this one's turn."""
        while True:
            try:
                self._turns.put(None)
                return
            except MemoryError:
                continue

    def _wait_for_turn(self) -> None:
        """Sleep until somebody calls, and give memory back that is idle meanwhile."""
        try:
            self._turns.get(timeout=IDLE_SECONDS)
        except Empty:
            if not _core.password_rest(IDLE_SECONDS):
                self._turns.get()


def _busy() -> HasherBusyError:
    return HasherBusyError("too many passwords are being hashed, try again")


def _lower_priority() -> None:
    """Let the event loop's thread go first. On Linux, a thread has its own.

    It is a nicety: where a sandbox refuses it, hashing goes on all the same.
    """
    if sys.platform != "linux":
        return
    try:
        own = threading.get_native_id()
        least = os.getpriority(os.PRIO_PROCESS, own)
        os.setpriority(os.PRIO_PROCESS, own, least + NICENESS)
    except Exception:  # for a thread that does not begin hashes nothing
        return


_all: WeakSet[HashWorkers] = WeakSet()
_is_ending = False


def _end_all() -> None:
    global _is_ending
    _is_ending = True
    for workers in list(_all):
        workers.end_with_the_process()


def _forget_after_fork() -> None:
    """The parent's threads are not in the child, and its locks may be held."""
    global _all
    _all = WeakSet()


# What `atexit` calls comes too late: Python waits for threads before.
threading._register_atexit(_end_all)  # type: ignore[attr-defined] # noqa: SLF001
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
