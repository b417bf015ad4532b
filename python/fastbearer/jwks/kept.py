"""Something that is fetched once and kept, for any number of threads and loops."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fastbearer.errors import FastbearerError, KeySourceError
from fastbearer.jwks.fetch import FetchError
from fastbearer.jwks.own_loop import run_apart
from fastbearer.jwks.shelf import Fetched, Shelf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Kept"]

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("fastbearer")

NO_END = "the fetch did not end"


class _Flight(Future[None]):
    """A fetch that is under way.

    Attributes:
        lost_at: When it is given up, by the clock of what is kept.
    """

    def __init__(self, lost_at: float) -> None:
        super().__init__()
        self.lost_at = lost_at
        # Whoever waits for it may be cancelled; the flight itself cannot.
        self.set_running_or_notify_cancel()


class Kept(Generic[T]):
    """Fetches when it is asked, by one caller at a time, and keeps what came.

    A fetch flies on a thread and an event loop of its own. So whoever waits may be
    cancelled, and its loop may end: nothing of the fetch is left there, and others
    wait on.

    Args:
        fetch: Fetches it; told whether what there is lacks something. It raises
            FetchError, or the KeySourceError of what it depends on.
        shelf: The rules of keeping.
        limit: Seconds that a fetch may take.
        clock: A steady clock: a callable that returns seconds.
        failed: What a line of the log says before the reason.
    """

    def __init__(
        self,
        fetch: Callable[[bool], Awaitable[Fetched[T]]],
        shelf: Shelf[T],
        *,
        limit: float,
        clock: Callable[[], float],
        failed: str,
    ) -> None:
        self.limit = limit
        self._fetch = fetch
        self._shelf = shelf
        self._clock = clock
        self._failed = failed
        self._lock = threading.Lock()
        self._flight: _Flight | None = None
        _everything_kept.add(self)

    @property
    def value(self) -> T | None:
        """What was fetched last, however old."""
        return self._shelf.value

    def get(self, *, refresh: bool = False) -> T:
        """Return what there is, fetched if it has to be; blocks meanwhile.

        Args:
            refresh: What there is lacks something: fetch again, unless that was
                tried within the cool-down.

        Raises:
            KeySourceError: There is nothing that may be used.
        """
        # Nearly always: without the lock, for what is kept is replaced as a whole.
        fresh = None if refresh else self._shelf.fresh(self._clock())
        if fresh is not None:
            return fresh
        flight = self._board(refresh=refresh)
        if flight is not None:
            try:
                flight.result(self.limit + 1)
            except TimeoutError:
                self._land(flight, FetchError(NO_END))
        return self._take(strictly=refresh)

    async def aget(self, *, refresh: bool = False) -> T:
        """Like `get`, for asyncio: nothing blocks."""
        fresh = None if refresh else self._shelf.fresh(self._clock())
        if fresh is not None:
            return fresh
        flight = self._board(refresh=refresh)
        if flight is not None:
            try:
                await asyncio.wait_for(asyncio.wrap_future(flight), self.limit + 1)
            except TimeoutError:
                self._land(flight, FetchError(NO_END))
        return self._take(strictly=refresh)

    # --- one flight at a time ------------------------------------------------------

    def _board(self, *, refresh: bool) -> _Flight | None:
        """Return the flight to wait for, if any; it has started then."""
        self._give_up_the_lost()
        with self._lock:
            now = self._clock()
            flight = self._flight
            if flight is not None:
                waits = refresh or not self._shelf.is_usable(now)
                return flight if waits else None
            if not self._shelf.is_due(now, refresh=refresh):
                return None
            self._shelf.note_attempt(now)
            flight = self._flight = _Flight(now + self.limit + 1)
        self._start(flight, refresh=refresh)
        return flight

    def _give_up_the_lost(self) -> None:
        """Land a flight that does not: whoever began it may wait no more."""
        flight = self._flight
        if flight is not None and self._clock() >= flight.lost_at:
            self._land(flight, FetchError(NO_END))

    def _start(self, flight: _Flight, *, refresh: bool) -> None:
        run_apart(
            lambda: self._fly(flight, refresh=refresh),
            lambda reason: self._land(flight, FetchError(reason)),
        )

    async def _fly(self, flight: _Flight, *, refresh: bool) -> None:
        """Fetch. Whatever happens, the flight lands."""
        outcome: Fetched[T] | Exception = FetchError("the fetch was cancelled")
        try:
            async with asyncio.timeout(self.limit):
                outcome = await self._fetch(refresh)
        except TimeoutError:
            outcome = FetchError(f"no answer within {self.limit:g} seconds")
        except Exception as error:
            outcome = error
        finally:
            self._land(flight, outcome)

    def _land(self, flight: _Flight, outcome: Fetched[T] | Exception) -> None:
        """Keep what a flight brought, or why it brought nothing.

        Whoever waited goes on then. A flight that was given up is ignored.
        """
        is_good = isinstance(outcome, Fetched)
        with self._lock:
            if self._flight is not flight:
                return
            self._flight = None
            if isinstance(outcome, Fetched):
                self._shelf.put(outcome, self._clock())
            else:
                self._shelf.failure = _reason(outcome)
        # What another source has failed at is in the log already.
        if not is_good and not isinstance(outcome, KeySourceError):
            logger.warning("%s: %s", self._failed, _reason(outcome))
        flight.set_result(None)

    def forget_flight(self) -> None:
        """Go on in a forked process, to which no thread that flies has come along."""
        self._lock = threading.Lock()
        if self._flight is not None:
            self._flight = None
            self._shelf.note_attempt(float("-inf"))

    def _take(self, *, strictly: bool) -> T:
        with self._lock:
            return self._shelf.take(self._clock(), strictly=strictly)


_everything_kept: weakref.WeakSet[Kept[Any]] = weakref.WeakSet()


def _after_fork() -> None:
    for kept in list(_everything_kept):
        kept.forget_flight()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _reason(error: object) -> str:
    """Return why a fetch failed; of other exceptions only the name is safe."""
    is_ours = isinstance(error, (FetchError, FastbearerError))
    return str(error) if is_ours else type(error).__name__
