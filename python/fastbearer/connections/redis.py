"""Clients of Redis: their time-outs, and what their errors say."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from fastbearer.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["redis_client", "redis_outages", "refused_by_redis"]

TIMEOUT_SECONDS = 2.0
REFUSED_COMMAND = re.compile(r"the '([a-z|]{1,40})' command")
REFUSED_KEY = re.compile(r"(?s)(?=.*permission).*key")
"""Redis says it in a sentence alone; one that a script meets has not even a type."""


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


def refused_by_redis(error: BaseException | None) -> str | None:
    """Return what Redis has refused, if that is the reason of an error.

    Access control lists (ACL) name commands and keys that a user may use. None of
    what was stored or asked for is in the text.
    """
    while error is not None:
        if isinstance(error, ResponseError):
            found = REFUSED_COMMAND.search(str(error))
            if found is not None:
                return f"Redis refuses the command {found[1]}"
            is_key = REFUSED_KEY.match(str(error)) is not None
            return "Redis refuses a key" if is_key else "Redis answers with an error"
        error = error.__cause__ or error.__context__
    return None


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
