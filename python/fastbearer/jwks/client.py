"""A JWK Set at a URL."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.jwks.shelf import Answer, Fetched, Shelf, freshness
from fastbearer.urls import check_url, without_query

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from fastbearer.keys import KeySet

__all__ = ["JWKSClient"]

SECONDS_PER_DAY = 86_400
HEADERS = {
    "Accept": "application/jwk-set+json, application/json",
    # A compressed answer could be a thousand times its size.
    "Accept-Encoding": "identity",
}

logger = logging.getLogger("fastbearer")


class _UnusableError(Exception):
    """An answer that is not a key set to be used; the text says why."""


class JWKSClient:
    """Fetches a JWK Set and keeps it, for any number of threads and event loops.

    The set is fetched when it is first asked for, and again when it is no
    longer fresh or lacks a key: by one caller at a time, while others go on
    with the set there is. Where the source fails, the last good set stays in
    use for up to ``max_stale`` seconds.

    Only ``https`` is fetched, and ``http`` from this machine itself; no
    redirect is followed. Private and symmetric keys of the set are left out.

    Args:
        url: Where the set is.
        lifetime: Seconds for which a set is fresh, where the answer has no
            ``Cache-Control`` of its own.
        max_stale: Seconds since the last good answer after which its set is
            no longer used.
        cooldown: Least seconds between two attempts, whatever tokens say.
        timeout: Seconds that a whole fetch may take, with the reading of its keys.
        max_bytes: Greatest size of an answer.
        clock: A steady clock: a callable that returns seconds.

    Raises:
        ConfigurationError: The URL is none that may be fetched, a number is
            not positive, or the extra is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        lifetime: float = 300,
        max_stale: float = SECONDS_PER_DAY,
        cooldown: float = 10,
        timeout: float = 5,
        max_bytes: int = 262_144,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        numbers = (lifetime, max_stale, cooldown, timeout, max_bytes)
        if not all(0 < number < float("inf") for number in numbers):
            raise ConfigurationError("the numbers of a JWKSClient must be positive")
        self.url = url
        self._is_local = check_url(url)
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._clock = clock
        self._tls = _tls_context()
        self._shelf = Shelf(lifetime, max_stale, cooldown)
        self._lock = threading.Lock()
        self._flight: Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        """Return the key set, fetched if it has to be; blocks meanwhile.

        Args:
            unknown_kid: A token names a key that the set has not: fetch it
                again, unless that was done within the cool-down.

        Raises:
            KeySourceError: There is no set that may be used.
        """
        flight, leads = self._board(unknown_kid=unknown_kid)
        if flight is not None:
            if leads:
                self._start_thread(flight)
            try:
                flight.result(self._timeout + 1)
            except TimeoutError:
                self._land(flight, "the fetch did not end")
        return self._take(strictly=unknown_kid)

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        """Like `keys`, for asyncio: nothing blocks."""
        flight, leads = self._board(unknown_kid=unknown_kid)
        if flight is not None:
            if leads:
                # A task of its own: its caller may be cancelled, others wait on.
                task = asyncio.create_task(self._fly(flight))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            landing = asyncio.shield(asyncio.wrap_future(flight))
            try:
                await asyncio.wait_for(landing, self._timeout + 1)
            except TimeoutError:
                self._land(flight, "the fetch did not end")
        return self._take(strictly=unknown_kid)

    def __copy__(self) -> JWKSClient:  # one set of keys, fetched once, for all
        return self

    def __deepcopy__(self, memo: object) -> JWKSClient:
        return self

    def __repr__(self) -> str:
        return f"JWKSClient({without_query(self.url)!r})"

    # --- one flight at a time ------------------------------------------------------

    def _board(self, *, unknown_kid: bool) -> tuple[Future[None] | None, bool]:
        """Return the flight to wait for, if any, and whether to start it."""
        with self._lock:
            now = self._clock()
            if self._flight is not None:
                waits = unknown_kid or not self._shelf.is_usable(now)
                return (self._flight, False) if waits else (None, False)
            if not self._shelf.is_due(now, unknown_kid=unknown_kid):
                return None, False
            self._shelf.note_attempt(now)
            self._flight = Future()
            return self._flight, True

    def _land(self, flight: Future[None], outcome: Fetched | str) -> None:
        """Keep what a flight brought, or why it brought nothing.

        Whoever waited goes on then. A flight that was given up is ignored.
        """
        with self._lock:
            if self._flight is not flight:
                return
            self._flight = None
            if isinstance(outcome, Fetched):
                self._shelf.put(outcome, self._clock())
            else:
                self._shelf.failure = outcome
        if isinstance(outcome, str):
            shown = without_query(self.url)
            logger.warning("keys not fetched from %s: %s", shown, outcome)
        flight.set_result(None)

    def _take(self, *, strictly: bool) -> KeySet:
        with self._lock:
            return self._shelf.take(self._clock(), strictly=strictly)

    def _start_thread(self, flight: Future[None]) -> None:
        """Fly on an event loop of its own: the fetch is written once."""

        def fly() -> None:
            asyncio.run(self._fly(flight))

        try:
            threading.Thread(target=fly, daemon=True).start()
        except RuntimeError as error:
            self._land(flight, str(error))

    async def _fly(self, flight: Future[None]) -> None:
        """Fetch the set. Whatever happens, the flight lands."""
        outcome: Fetched | str = "the fetch was cancelled"
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._fetch()
                # Its keys are checked one by one, which others do not wait for.
                keys = await asyncio.to_thread(self._shelf.read, answer)
            outcome = Fetched(answer, keys)
        except TimeoutError:
            outcome = f"no answer within {self._timeout:g} seconds"
        except (_UnusableError, InvalidKeyError) as error:
            outcome = str(error)
        except Exception as error:
            outcome = type(error).__name__
        finally:
            self._land(flight, outcome)

    async def _fetch(self) -> Answer:
        import httpx2

        async with (
            # A proxy of the environment has no business with this machine.
            httpx2.AsyncClient(
                verify=self._tls, timeout=self._timeout, trust_env=not self._is_local
            ) as http,
            http.stream("GET", self.url, headers=HEADERS) as response,
        ):
            if response.status_code != 200:
                raise _UnusableError(f"status {response.status_code}")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise _UnusableError("a compressed answer")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._max_bytes:
                    raise _UnusableError(f"more than {self._max_bytes} bytes")
            return Answer(bytes(body), freshness(response.headers))


def _tls_context() -> SSLContext:
    """Return what verifies certificates, made once: it reads many of them."""
    try:
        import httpx2
    except ImportError:
        raise ConfigurationError(
            'keys from a URL need the extra jwks: pip install "fastbearer[jwks]"'
        ) from None
    return httpx2.create_ssl_context()
