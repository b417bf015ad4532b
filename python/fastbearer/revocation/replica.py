"""Revocations that processes share, of which each has a copy in memory."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fastbearer.errors import StoreUnavailableError
from fastbearer.revocation.ended import Change, Ended
from fastbearer.revocation.unread import Unread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from fastbearer.revocation.ended import Kind

__all__ = ["Journal", "Reading", "ReplicatedRevocations"]

POLL_SECONDS = 1.0
PRUNE_SECONDS = 600.0
STOP_SECONDS = 1.0
DEFAULT_LAG_SECONDS = 10.0
NOTHING_READ = -1
LATEST = 2**53
"""When all has expired: stores give back greater numbers rounded."""
NOT_KNOWN = "what has ended is not known at the moment"
NOT_RUN = (
    "what has ended is not read: the application needs FastAPI(lifespan=auth.lifespan),"
    " or the router of the accounts"
)

logger: logging.Logger = logging.getLogger("fastbearer")


class Reading(NamedTuple):
    """What was read of a journal.

    Attributes:
        number: The latest one.
        changes: What came after the number that was asked for, or everything.
        is_whole: Whether it is everything.
    """

    number: int
    changes: list[Change]
    is_whole: bool


class Journal(Protocol):
    """Where all processes write what has ended, and read what others wrote.

    Each change has a number greater than those that were readable before it. Every
    method raises `StoreUnavailableError` where the store cannot be reached.
    """

    def opened(self) -> AbstractAsyncContextManager[None]:
        """Hold the store open."""
        ...

    async def end(self, kind: Kind, key: str, until: int) -> None:
        """Write that something has ended."""
        ...

    async def end_user(self, key: str, least: int) -> int:
        """Write a user's next generation: ``least``, or one more than the last."""
        ...

    async def generation(self, key: str) -> int:
        """Return a user's generation, or 0."""
        ...

    async def since(self, number: int) -> Reading:
        """Return the latest number, and what came after another one.

        Everything comes where the store is not what it was: it does not know the
        other number, or its latest is less.
        """
        ...

    async def put_back(self, changes: Sequence[Change]) -> None:
        """Write again what the store has lost; the greater of two values stays."""
        ...

    async def prune(self) -> None:
        """Forget what has expired everywhere."""
        ...

    async def listen(self, wake: Callable[[], None]) -> bool:
        """Call a function for each change, until the connection is lost.

        Returns:
            Whether it is worth another try; where there is nothing to listen to,
            it is not.
        """
        ...


class ReplicatedRevocations:
    """A copy of a journal: read every second, and whenever it tells of a change.

    What ends here is written to the journal, and counts here at once. A request
    asks the copy alone. A copy that could not be brought up to date for too long
    answers nothing more. What a store has lost (a replica that became the master may
    lack what was written last) is written to it again, and so is what it may never
    have heard of because it was away: one process alone would refuse it otherwise.
    What was written here counts as kept there only once it was read back. Where too
    much waits for that, what could not be written has not ended here either, and the
    store is believed about what could.

    Attributes:
        place: What the log calls the store.

    Args:
        journal: What all processes share.
        clock: A callable that returns seconds since the epoch.
        monotonic: A callable that returns seconds; for the age of the copy.
        max_lag: Seconds after which a copy is too old to be asked.
    """

    place: str

    def __init__(
        self,
        journal: Journal,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        max_lag: float = DEFAULT_LAG_SECONDS,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._monotonic = monotonic
        self._max_lag = max_lag
        self._ended = Ended(clock)
        self._unread = Unread(clock)
        self._number = NOTHING_READ
        self._current_at = -math.inf
        self._pruned_at = -math.inf
        self._is_running = False
        self._has_run = False
        self._is_late = False
        self._listener: asyncio.Task[bool] | None = None

    def has_ended(self, token: str, claims: Mapping[str, Any], scope: str = "") -> bool:
        """Tell whether a token has ended, without waiting for anything.

        Raises:
            StoreUnavailableError: The copy is too old, or was never read.
        """
        if self._monotonic() - self._current_at > self._max_lag:
            raise StoreUnavailableError(NOT_KNOWN if self._has_run else NOT_RUN)
        return self._ended.has_ended(token, claims, scope)

    def generation(self, user_id: str) -> int:
        """Return a user's generation, as far as this process knows."""
        return self._ended.generation(user_id)

    async def is_revoked(
        self, token_id: str, user_id: str, issued_at: float | None
    ) -> bool:
        """As in `RevocationStore`; a copy that nobody keeps is read first."""
        if not self._is_running:
            await self.replicate_once()
        ended = self._ended
        return ended.has_token(token_id) or ended.is_too_old(user_id, issued_at)

    async def revoke(self, token_id: str, until: float) -> None:
        """As in `RevocationStore`."""
        await self._end("token", token_id, until)

    async def end_session(self, session: str, until: float) -> None:
        """End a session: every token with this ``sid``.

        Args:
            session: The claim ``sid``.
            until: When the last of its tokens expires.

        Raises:
            StoreUnavailableError: It is not known whether the others learn of it.
        """
        await self._end("session", session, until)

    async def end_sessions(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        key = Ended.key(user_id)
        least = max(int(self._clock()), self._ended.generation(user_id)) + 1
        try:
            value = await self._journal.end_user(key, least)
        except BaseException:
            # Here all the same: to refuse too much is no harm.
            change = Change("user", key, least)
            if self._unread.has_room(change):
                self._ended.add(change)
                self._unread.add(change)
            raise
        change = Change("user", key, value)
        # Unless it was read already, while the answer was on its way.
        is_read = self._ended.generation(user_id) >= value
        self._ended.add(change)
        if not is_read and self._unread.has_room(change):
            self._unread.add(change)
        return value

    async def not_before(self, user_id: str) -> int:
        """As in `RevocationStore`, but of the journal, because the copy may be late.

        It may also be ahead: of a store that was restored, or has lost its data.
        """
        stored = await self._journal.generation(Ended.key(user_id))
        return max(stored, self._ended.generation(user_id))

    async def replicate_once(self) -> None:
        """Bring the copy up to date.

        Raises:
            StoreUnavailableError: The store cannot be reached.
        """
        began = self._monotonic()
        expected = self._unread.expected()
        number, changes, is_whole = await self._journal.since(self._number)
        for change in changes:
            self._ended.add(change)
        self._unread.remove(changes)
        missing = self._unread.among(expected)
        is_compared = is_whole and self._number != NOTHING_READ
        lost = self._lost(changes, expected) if is_compared else []
        # What is put back may be lost as well: all is compared again without room.
        if self._unread.add_all(lost):
            self._number = number
        self._current_at = max(began, self._current_at)
        await self._put_back(lost, missing)

    def _lost(self, changes: list[Change], expected: list[Change]) -> list[Change]:
        """Return what is known here and not among everything that was read.

        What was written meanwhile is not lost: the reading may have been before it.
        """
        return self._ended.beyond([*changes, *self._unread.beside(expected)])

    async def _put_back(self, lost: list[Change], missing: list[Change]) -> None:
        """Write again what was read here once, and what was never read back."""
        if lost:
            logger.warning("%s ended sessions were lost, and stored again", len(lost))
        places = {change.place for change in lost}
        others = [one for one in missing if one.place not in places]
        changes = [*lost, *others]
        if changes:
            await self._journal.put_back(changes)

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Keep the copy up to date. Within another lifespan of it, do nothing."""
        if self._is_running:
            yield
            return
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._journal.opened())
            self._is_running = self._has_run = True
            stack.callback(self._stop)
            await self._tick()
            stack.push_async_callback(self._stop_listening)
            await stack.enter_async_context(_running(self._run()))
            yield

    def _stop(self) -> None:
        self._is_running = False

    async def _end(self, kind: Kind, text: str, until: float) -> None:
        change = Change(kind, Ended.key(text), min(math.ceil(until), LATEST))
        if not self._unread.has_room(change):
            await self._journal.end(change.kind, change.key, change.value)
            self._ended.add(change)
            return
        # First here: to refuse too much is no harm where the store is lost.
        self._ended.add(change)
        # Written or not, it is looked for in the next reading after that.
        with self._unread.writing(change):
            await self._journal.end(change.kind, change.key, change.value)

    async def _run(self) -> None:
        woken = asyncio.Event()
        listener = self._start_listening(woken.set)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await woken.wait()
            woken.clear()
            await _to_its_end(self._tick())
            if listener.done() and listener.result():
                listener = self._start_listening(woken.set)

    def _start_listening(self, wake: Callable[[], None]) -> asyncio.Task[bool]:
        self._listener = asyncio.create_task(self._listen(wake))
        return self._listener

    async def _stop_listening(self) -> None:
        """Not in the task that started it: that may be cancelled again meanwhile."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await _stopped(listener)

    async def _listen(self, wake: Callable[[], None]) -> bool:
        try:
            return await self._journal.listen(wake)
        except Exception as error:
            # Without notifications, the copy is read every second all the same.
            logger.debug("no notifications: %s", type(error).__name__)
            return True

    async def _tick(self) -> None:
        """Read the journal, and now and then prune it; a failure is logged once."""
        try:
            await self.replicate_once()
            if self._monotonic() - self._pruned_at > PRUNE_SECONDS:
                await self._journal.prune()
                self._pruned_at = self._monotonic()
        except Exception as error:
            if not self._is_late:
                cause = type(error.__cause__ or error).__name__
                logger.error("ended sessions of others are not known: %s", cause)
            self._is_late = True
        else:
            if self._is_late:
                logger.warning("ended sessions of others are known again")
            self._is_late = False


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a coroutine until the block ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await _stopped(task)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do something that takes a moment, and stop after it rather than within.

    SQLite's driver has a thread for each connection, and where its query is cancelled,
    that thread reports to an event loop that may be gone by then.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        # Whoever stops it may say so again meanwhile. What went on after that would
        # open connections that nobody closes.
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task], timeout=STOP_SECONDS)
            task.cancel()
        raise


async def _stopped(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it is done.

    Once may not do: what a task waits for may have swallowed the cancellation, as
    ``asyncio.wait_for`` does before Python 3.12 when both come at once. Between two
    there is time for a task to clean up, even on a busy machine.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=STOP_SECONDS)
