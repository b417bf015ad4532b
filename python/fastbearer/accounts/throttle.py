"""Limits on how often somebody may try."""

import ipaddress
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from fastapi import HTTPException
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from starlette.requests import Request

from fastbearer.accounts.records import digest
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from fastbearer.fastapi import Settings

__all__ = ["Kind", "Throttle"]

TOO_MANY = "Too many attempts. Please try again later."
IPV6_PREFIX = 64  # what one customer has: RFC 6177 2

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
        self._proxies = self._settings().proxies()
        self._redis = _redis(self._settings().redis_url)
        self._limiter = MovingWindowRateLimiter(_storage(self._redis))

    async def check_address(self, request: Request) -> None:
        """Count a request from its client's address.

        Raises:
            HTTPException: 429.
            StoreUnavailableError: Redis cannot be reached.
        """
        await self._take("address", self.address(request))

    async def take(self, kind: Kind, email: str) -> None:
        """Count an attempt for an e-mail, whether or not anybody has it.

        Raises:
            HTTPException: 429.
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

    def address(self, request: Request) -> str:
        """Return the client's address; of IPv6, the network.

        ``X-Forwarded-For`` is read from its end, as far as trusted proxies
        have written it, and not at all where the client is none of them.
        """
        self._ready()
        client = request.client
        address = _address(client.host) if client is not None else None
        hops = [
            hop.strip()
            for line in request.headers.getlist("x-forwarded-for")
            for hop in line.split(",")
        ]
        while hops and address is not None and self._is_proxy(address):
            previous = _address(hops.pop())
            if previous is None:
                break
            address = previous
        return _network(address)

    def _is_proxy(self, address: Any) -> bool:
        return any(address in network for network in self._proxies)

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
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        raise HTTPException(429, TOO_MANY, headers={"Retry-After": str(seconds)})

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


def _address(text: str) -> Any:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(address: Any) -> str:
    """Return what is counted as one client; without an address, all are one."""
    if address is None:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX), strict=False))


def _unavailable(error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError("the store of the limits cannot be reached")
