"""Questions to another server: one for each subject, and a few at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["FlightError", "Flights"]

T = TypeVar("T")

TOO_MANY = "too many tokens are being asked about"


class FlightError(Exception):
    """A question that was not put, or has no answer; the text says why."""


class Flights(Generic[T]):
    """Shares questions among threads and event loops.

    Whoever asks what is being asked already waits for that answer. The rest waits for
    one of the places, in the order in which they came.

    Args:
        places: How many questions may be under way.
        waiting: How many more may wait for a place.
        seconds: How long a question may wait for a place.
        flight: Seconds after which a question that has its place is over.
        clock: A steady clock: a callable that returns seconds.
    """

    def __init__(
        self,
        places: int,
        waiting: int,
        seconds: float,
        flight: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_places = places
        self._most = places + waiting
        self._seconds = seconds
        self._flight = flight
        self._deadline = seconds + flight + 1
        self._clock = clock
        self._places: dict[object, float] = {}
        self._queue: deque[tuple[object, Future[None]]] = deque()
        self._flights: dict[bytes, Future[T]] = {}
        self._begun: dict[bytes, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()

    def answer(self, subject: bytes, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer; blocks meanwhile.

        Args:
            subject: What is asked about.
            ask: Asks; on an event loop of its own.

        Raises:
            FlightError: There is none.
            Exception: What ``ask`` has raised.
        """
        flight, leads = self._board(subject)
        if leads:
            self._start_thread(subject, flight, ask)
        try:
            return flight.result(self._deadline)
        except TimeoutError:
            raise self._given_up(subject, flight) from None

    async def aanswer(self, subject: bytes, ask: Callable[[], Awaitable[T]]) -> T:
        """Like `answer`, for asyncio: nothing blocks."""
        flight, leads = self._board(subject)
        if leads:
            # A task of its own: its caller may be cancelled, others wait on.
            task = asyncio.create_task(self._fly(subject, flight, ask))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        landing = asyncio.wrap_future(flight)
        landing.add_done_callback(_seen)  # its caller may be gone by then
        try:
            return await asyncio.wait_for(asyncio.shield(landing), self._deadline)
        except TimeoutError:
            raise self._given_up(subject, flight) from None

    def _board(self, subject: bytes) -> tuple[Future[T], bool]:
        """Return the flight to wait for, and whether to start it."""
        with self._lock:
            flight = self._flights.get(subject)
            if flight is not None:
                return flight, False
            if len(self._flights) >= self._most:
                self._drop_the_lost()
            if len(self._flights) >= self._most:
                raise FlightError(TOO_MANY)
            flight = self._flights[subject] = Future()
            self._begun[subject] = self._clock()
            return flight, True

    def _drop_the_lost(self) -> None:
        """Forget the questions of event loops that were closed in between."""
        long_ago = self._clock() - self._deadline
        for subject in [one for one, at in self._begun.items() if at < long_ago]:
            del self._flights[subject], self._begun[subject]

    def _start_thread(
        self, subject: bytes, flight: Future[T], ask: Callable[[], Awaitable[T]]
    ) -> None:
        def fly() -> None:
            asyncio.run(self._fly(subject, flight, ask))

        try:
            threading.Thread(target=fly, daemon=True).start()
        except RuntimeError as error:
            self._land(subject, flight, FlightError(str(error)))

    async def _fly(
        self, subject: bytes, flight: Future[T], ask: Callable[[], Awaitable[T]]
    ) -> None:
        """Ask. Whatever happens, the flight lands."""
        outcome: T | BaseException = FlightError("the question was cancelled")
        try:
            async with self._place():
                outcome = await ask()
        except Exception as error:
            outcome = error
        finally:
            self._land(subject, flight, outcome)

    def _land(
        self, subject: bytes, flight: Future[T], outcome: T | BaseException
    ) -> None:
        with self._lock:
            if self._flights.get(subject) is flight:
                del self._flights[subject], self._begun[subject]
        with suppress(InvalidStateError):  # it was given up
            if isinstance(outcome, BaseException):
                flight.set_exception(outcome)
            else:
                flight.set_result(outcome)

    def _given_up(self, subject: bytes, flight: Future[T]) -> FlightError:
        """End a flight that does not: its event loop may be gone."""
        error = FlightError("the question did not end")
        self._land(subject, flight, error)
        return error

    # --- places ------------------------------------------------------------------

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Have a place meanwhile.

        Raises:
            FlightError: None has become free in time.
        """
        mine = object()
        waiter = self._queued(mine)
        try:
            if waiter is not None:
                await asyncio.wait_for(asyncio.wrap_future(waiter), self._seconds)
        except BaseException as error:
            # It may have been given the place in this very moment.
            if waiter is not None and not waiter.cancel():
                self._free_place(mine)
            if isinstance(error, TimeoutError):
                raise FlightError(TOO_MANY) from None
            raise
        try:
            yield
        finally:
            self._free_place(mine)

    def _queued(self, mine: object) -> Future[None] | None:
        """Take a place, or return what is done when there is one."""
        now = self._clock()
        with self._lock:
            if len(self._places) >= self._most_places:
                # Those of event loops that were closed in between.
                lost = [p for p, at in self._places.items() if at < now - self._flight]
                for place in lost:
                    del self._places[place]
            if len(self._places) < self._most_places:
                self._places[mine] = now
                return None
            waiter: Future[None] = Future()
            self._queue.append((mine, waiter))
            return waiter

    def _free_place(self, mine: object) -> None:
        """Give a place to the next who still waits."""
        while True:
            with self._lock:
                self._places.pop(mine, None)
                if not self._queue or len(self._places) >= self._most_places:
                    return
                mine, waiter = self._queue.popleft()
                self._places[mine] = self._clock()
            if waiter.set_running_or_notify_cancel():
                waiter.set_result(None)
                return


def _seen(landing: asyncio.Future[Any]) -> None:
    if not landing.cancelled():
        landing.exception()
