"""Revocations that any number of processes share through Redis."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from fastbearer.connections.redis import redis_client, redis_outages
from fastbearer.revocation.protocol import shelf_key

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RedisRevocations"]

END_SESSIONS = """
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local value = math.max(tonumber(ARGV[1]), last) + 1
redis.call('SET', KEYS[1], string.format('%.0f', value))
return value
"""
"""In one step, so that no two workers give the same time."""


class RedisRevocations:
    """Revocations in Redis: one ``MGET`` for each token.

    Give Redis persistence (``appendonly yes``), and no policy that evicts
    keys without an expiry, or it forgets who was signed out.

    Args:
        url: Like ``redis://localhost:6379/0``.
        prefix: What the names of the keys begin with.
        clock: A callable that returns seconds since the epoch.

    Raises:
        ConfigurationError: The URL is not one.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "fastbearer:",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis_client(url)
        self._end_sessions = self._redis.register_script(END_SESSIONS)
        self._prefix = prefix
        self._clock = clock

    async def is_revoked(
        self, token_id: str, user_id: str, issued_at: float | None
    ) -> bool:
        """As in `RevocationStore`."""
        keys = [self._token_key(token_id), self._user_key(user_id)]
        with redis_outages():
            token, not_before = await self._redis.mget(keys)
        if token is not None:
            return True
        if not_before is None:
            return False
        return issued_at is None or issued_at < int(not_before)

    async def revoke(self, token_id: str, until: float) -> None:
        """As in `RevocationStore`."""
        seconds = math.ceil(until - self._clock())
        if seconds > 0:
            with redis_outages():
                await self._redis.set(self._token_key(token_id), 1, ex=seconds)

    async def end_sessions(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        with redis_outages():
            value = await self._end_sessions(
                keys=[self._user_key(user_id)], args=[int(self._clock())]
            )
        return int(value)

    async def not_before(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        with redis_outages():
            return int(await self._redis.get(self._user_key(user_id)) or 0)

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._redis.aclose()

    def _token_key(self, token_id: str) -> str:
        return f"{self._prefix}revoked:{shelf_key(token_id)}"

    def _user_key(self, user_id: str) -> str:
        return f"{self._prefix}not-before:{shelf_key(user_id)}"
