"""Questions to another server: one for each subject, and a few at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from itertools import takewhile
from typing import Any, Generic, TypeVar

from fastbearer.issuers.turns import Turns
from fastbearer.jwks.own_loop import run_apart

__all__ = ["FlightError", "Flights", "asking_client"]

T = TypeVar("T")

TOO_MANY = "too many tokens are being asked about"
CANCELLED = "the question was cancelled"

logger: logging.Logger = logging.getLogger("fastbearer")

asking_client: ContextVar[str | None] = ContextVar("asking_client", default=None)
"""For whom an issuer is asked in this context, like a client's address.

What is asked for nobody in particular counts as one client's.
"""


class FlightError(Exception):
    """A question that was not put, or has no answer; the text says why."""


class _Flight(Generic[T]):
    """A question.

    Attributes:
        subject: What is asked about.
        client: For whom.
        began: When it came.
        turn: Done when it has a place, and failed when it loses the wait for one.
        answer: What comes of it.
    """

    __slots__ = ("answer", "began", "client", "subject", "turn")

    def __init__(self, subject: bytes, client: str | None, began: float) -> None:
        self.subject = subject
        self.client = client
        self.began = began
        self.turn: Future[None] = Future()
        self.answer: Future[T] = Future()

    def begin(self) -> None:
        """Tell whoever leads it, unless they are gone, that it has a place."""
        if self.turn.set_running_or_notify_cancel():
            self.turn.set_result(None)

    def refuse(self) -> None:
        """Tell them that it will have none."""
        if self.turn.set_running_or_notify_cancel():
            self.turn.set_exception(FlightError(TOO_MANY))


class Flights(Generic[T]):
    """Shares questions among threads and event loops.

    Whoever asks what is being asked already waits for that answer. The rest waits for
    one of the places. These are shared out among clients, as `asking_client` names
    them: one that asks about hundreds of new subjects makes itself wait, and nobody
    else, whether the others' subjects are known or new.

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
        self._seconds = seconds
        self._flight = flight
        self._deadline = seconds + flight + 1
        self._clock = clock
        self._places: dict[_Flight[T], float] = {}
        self._turns: Turns[_Flight[T]] = Turns(waiting)
        self._flights: dict[bytes, _Flight[T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()

    def answer(
        self, subject: bytes, ask: Callable[[], Awaitable[T]], *, is_known: bool = False
    ) -> T:
        """Return the answer; blocks meanwhile.

        Args:
            subject: What is asked about.
            ask: Asks; on an event loop of its own.
            is_known: Whether the subject was good when it was last asked about: then
                it goes before those of which that is not known.

        Raises:
            FlightError: There is none.
            Exception: What ``ask`` has raised.
        """
        flight, leads = self._board(subject, is_known=is_known)
        if leads:
            self._start_thread(flight, ask)
        try:
            return flight.answer.result(self._deadline)
        except TimeoutError:
            raise self._given_up(flight) from None

    async def aanswer(
        self, subject: bytes, ask: Callable[[], Awaitable[T]], *, is_known: bool = False
    ) -> T:
        """Like `answer`, for asyncio: nothing blocks."""
        flight, leads = self._board(subject, is_known=is_known)
        if leads:
            # A task of its own: its caller may be cancelled, others wait on.
            task = asyncio.create_task(self._fly(flight, ask))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, flight))
        landing = asyncio.wrap_future(flight.answer)
        landing.add_done_callback(_seen)  # its caller may be gone by then
        try:
            return await asyncio.wait_for(asyncio.shield(landing), self._deadline)
        except TimeoutError:
            raise self._given_up(flight) from None

    def _board(self, subject: bytes, *, is_known: bool) -> tuple[_Flight[T], bool]:
        """Return the flight to wait for, and whether to start it."""
        client = asking_client.get()
        with self._lock:
            now = self._clock()
            begun = self._drop_the_lost(now)
            known = self._flights.get(subject)
            flight = known or _Flight(subject, client, now)
            loser = None if known else self._enter(flight, is_known=is_known)
            if loser is not flight:
                self._flights[subject] = flight
        for one in begun:
            one.begin()
        if loser is flight:
            raise FlightError(TOO_MANY)
        if loser is not None:
            self._land(loser, FlightError(TOO_MANY))
            loser.refuse()
        return flight, known is None

    def _start_thread(
        self, flight: _Flight[T], ask: Callable[[], Awaitable[T]]
    ) -> None:
        def lost(reason: str) -> None:
            logger.warning("token not introspected: %s", reason)
            self._end(flight, FlightError(reason))

        run_apart(lambda: self._fly(flight, ask), lost)

    async def _fly(self, flight: _Flight[T], ask: Callable[[], Awaitable[T]]) -> None:
        """Ask. Whatever happens, the flight lands."""
        outcome: T | BaseException = FlightError(CANCELLED)
        try:
            await self._await_turn(flight)
            outcome = await ask()
        except Exception as error:
            outcome = error
        finally:
            self._end(flight, outcome)

    def _ended(self, flight: _Flight[T], task: asyncio.Task[None]) -> None:
        """Land a flight whose task was cancelled before it had begun."""
        self._tasks.discard(task)
        if task.cancelled():
            self._end(flight, FlightError(CANCELLED))

    def _end(self, flight: _Flight[T], outcome: T | BaseException) -> None:
        self._leave(flight)
        self._land(flight, outcome)

    def _land(self, flight: _Flight[T], outcome: T | BaseException) -> None:
        with self._lock:
            if self._flights.get(flight.subject) is flight:
                del self._flights[flight.subject]
        with suppress(InvalidStateError):  # it was given up
            if isinstance(outcome, BaseException):
                flight.answer.set_exception(outcome)
            else:
                flight.answer.set_result(outcome)

    def _given_up(self, flight: _Flight[T]) -> FlightError:
        """End a flight that does not: its event loop may be gone."""
        error = FlightError("the question did not end")
        with self._lock:
            self._turns.remove(flight.client, flight)
        self._land(flight, error)
        return error

    # --- places ------------------------------------------------------------------

    async def _await_turn(self, flight: _Flight[T]) -> None:
        """Wait until the flight has a place.

        Raises:
            FlightError: None has become free in time, or it was given to others.
        """
        if flight.turn.done():
            flight.turn.result()
            return
        try:
            await asyncio.wait_for(asyncio.wrap_future(flight.turn), self._seconds)
        except TimeoutError:
            raise FlightError(TOO_MANY) from None

    def _enter(self, flight: _Flight[T], *, is_known: bool) -> _Flight[T] | None:
        """Give a flight a place, or let it wait; return the one that may not wait."""
        if len(self._places) < self._most_places:
            self._places[flight] = flight.began
            flight.begin()
            return None
        return self._turns.put(flight.client, flight, is_known=is_known)

    def _drop_the_lost(self, now: float) -> list[_Flight[T]]:
        """Forget the questions of event loops that were closed in between.

        Returns:
            Those that have their places now.
        """
        long_ago = now - self._deadline
        oldest_first = self._flights.values()
        for flight in list(takewhile(lambda one: one.began < long_ago, oldest_first)):
            del self._flights[flight.subject]
            self._turns.remove(flight.client, flight)
        lost = [one for one, at in self._places.items() if at < now - self._flight]
        for flight in lost:
            del self._places[flight]
        return self._given_places(now)

    def _given_places(self, now: float) -> list[_Flight[T]]:
        """Give the free places to those whose turn it is, and return these."""
        begun: list[_Flight[T]] = []
        while len(self._places) < self._most_places:
            flight = self._turns.take()
            if flight is None:
                break
            self._places[flight] = now
            begun.append(flight)
        return begun

    def _leave(self, flight: _Flight[T]) -> None:
        """Give up the place, or the wait for one; the next then has its turn."""
        with self._lock:
            if self._places.pop(flight, None) is None:
                self._turns.remove(flight.client, flight)
            begun = self._given_places(self._clock())
        for one in begun:
            one.begin()


def _seen(landing: asyncio.Future[Any]) -> None:
    if not landing.cancelled():
        landing.exception()
