"""Clients of Redis: their time-outs, and what their errors say."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.exceptions import RedisError

from fastbearer.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["redis_client", "redis_outages"]

TIMEOUT_SECONDS = 2.0


def redis_client(url: str, name: str = "REDIS_URL") -> Redis:
    """Return a client that does not wait long for a Redis that is away.

    Args:
        url: Like ``redis://localhost:6379/0``.
        name: What an error calls it.

    Raises:
        ConfigurationError: The URL is not one. The message shows no part of it.
    """
    try:
        return Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
    except (ValueError, AttributeError, TypeError):
        raise ConfigurationError(f"{name} must be a redis:// URL") from None


@contextmanager
def redis_outages() -> Iterator[None]:
    """Turn what Redis raises into our error.

    uvloop has a RuntimeError for a connection that has just been lost.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    try:
        yield
    except (RedisError, OSError, RuntimeError, ValueError) as error:
        raise StoreUnavailableError("Redis cannot be reached") from error
