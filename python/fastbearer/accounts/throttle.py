"""Limits on how often somebody may try."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from fastbearer.accounts.records import digest
from fastbearer.errors import (
    ConfigurationError,
    StoreUnavailableError,
    TooManyAttemptsError,
)
from fastbearer.fastapi import Settings
from fastbearer.hashing_pool import hashing_client

__all__ = ["Kind", "Throttle"]

# uvloop has a RuntimeError for a connection that has just been lost.
STORE_ERRORS = (StorageError, OSError, RuntimeError)

Kind = Literal["signin", "signup", "message"]


class Throttle:
    """Counts attempts by e-mail and by client address.

    In the memory of the process, or in Redis where there is a ``REDIS_URL``;
    there, all processes count together. An attempt is counted before it is
    made, so that many at a time are not more.

    Args:
        settings: Asked when needed.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._redis: Any = None
        self._limiter: MovingWindowRateLimiter | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Start to count anew, in Redis go on; hang up in the end.

        Raises:
            ConfigurationError: A limit is not one, or the extra for Redis is
                missing.
        """
        self._open()
        try:
            yield
        finally:
            if self._redis is not None:
                await self._redis.aclose()
            self._redis = self._limiter = None

    def _open(self) -> None:
        self._limits = {
            "signin": self._limit("throttle_failures"),
            "signup": self._limit("throttle_failures"),
            "message": self._limit("throttle_messages"),
            "address": self._limit("throttle_requests"),
        }
        self._redis = _redis(self._settings().redis_url)
        self._limiter = MovingWindowRateLimiter(_storage(self._redis))

    async def check_address(self, address: str | None) -> None:
        """Count a request from a client's address.

        Args:
            address: None where nobody can tell: then nothing is counted, lest one
                client lock out all.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: Redis cannot be reached.
        """
        hashing_client.set(address)  # the hashing queue is shared out by it
        if address is not None:
            await self._take("address", address)

    async def take(self, kind: Kind, email: str) -> None:
        """Count an attempt for an e-mail, whether or not anybody has it.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: Redis cannot be reached.
        """
        await self._take(kind, digest(email))

    async def forget(self, kind: Kind, email: str) -> None:
        """Forget the attempts for an e-mail, for one succeeded.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        if not self._settings().throttle:
            return
        limiter = self._ready()
        try:
            await limiter.clear(self._limits[kind], "fastbearer", kind, digest(email))
        except STORE_ERRORS as error:
            raise _unavailable(error) from error

    async def _take(self, kind: str, key: str) -> None:
        if not self._settings().throttle:
            return
        limiter, limit = self._ready(), self._limits[kind]
        identifiers = ("fastbearer", kind, key)
        try:
            if await limiter.hit(limit, *identifiers):
                return
            window = await limiter.get_window_stats(limit, *identifiers)
        except STORE_ERRORS as error:
            raise _unavailable(error) from error
        seconds = max(1, window.reset_time - time.time())
        raise TooManyAttemptsError(f"too many attempts: {kind}", seconds)

    def _ready(self) -> MovingWindowRateLimiter:
        if self._limiter is None:
            self._open()
        assert self._limiter is not None  # noqa: S101
        return self._limiter

    def _limit(self, name: str) -> RateLimitItem:
        try:
            return parse(getattr(self._settings(), name))
        except ValueError:
            raise ConfigurationError(f"{name.upper()} must be like 10/minute") from None


class _Memory(MemoryStorage):
    """limits 5.8 drops the list that its own expiry may be looking at.

    That then ends with a KeyError in the log. An empty list is dropped there.
    """

    async def clear(self, key: str) -> None:
        if key in self.events:
            self.events[key] = []


def _redis(url: str | None) -> Any:
    if url is None:
        return None
    # Only who asks for Redis needs the extra.
    from fastbearer.connections.redis import redis_client

    return redis_client(url)


def _storage(redis: Any) -> Storage:
    if redis is None:
        return _Memory(wrap_exceptions=True)
    return RedisStorage(
        "async+redis://",
        wrap_exceptions=True,
        implementation="redispy",
        connection_pool=redis.connection_pool,
    )


def _unavailable(error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError("the store of the limits cannot be reached")
