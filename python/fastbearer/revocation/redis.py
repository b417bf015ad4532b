"""Revocations that any number of processes share through Redis."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from redis.exceptions import NoPermissionError

from fastbearer.connections import KEY_PREFIX
from fastbearer.connections.redis import redis_client, redis_outages
from fastbearer.revocation.ended import KINDS, LETTERS, Change, Ended
from fastbearer.revocation.replica import DEFAULT_LAG_SECONDS, ReplicatedRevocations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from redis.asyncio import Redis

    from fastbearer.revocation.ended import Kind

__all__ = ["RedisRevocations"]

CLOCK_DIFFERENCE_SECONDS = 3600
LISTEN_SECONDS = 1.0

NUMBER = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  local now = redis.call('TIME')
  redis.call('SET', KEYS[1], string.format('%.0f', now[1] * 1000000 + now[2]))
end
"""
"""The numbers follow the time: a store that is lost, or restored from a backup, gives
none again that it gave before."""

END = (
    NUMBER
    + """
local value = tonumber(ARGV[2])
local last = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0')
if ARGV[3] == 'user' then
  if last >= value then value = last + 1 end
else
  if last > value then value = last end
  redis.call('ZADD', KEYS[4], value, ARGV[1])
end
local number = redis.call('INCR', KEYS[1])
local now = redis.call('TIME')
number = string.format('%.0f', math.max(number, now[1] * 1000000 + now[2]))
redis.call('SET', KEYS[1], number)
redis.call('ZADD', KEYS[2], number, ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], string.format('%.0f', value))
redis.pcall('PUBLISH', KEYS[5], '')
return string.format('%.0f', value)
"""
)
"""In one step, so that whoever reads a number has what came before it."""

SINCE = (
    NUMBER
    + """
local number = redis.call('GET', KEYS[1])
local after = ARGV[1]
if tonumber(number) < tonumber(after) then after = '-1' end
local found = {number}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. after, '+inf')) do
  found[#found + 1] = name
  found[#found + 1] = redis.call('HGET', KEYS[3], name)
end
return found
"""
)

PRUNE = """
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', ARGV[1])) do
  redis.call('ZREM', KEYS[2], name)
  redis.call('HDEL', KEYS[3], name)
  redis.call('ZREM', KEYS[4], name)
end
"""


class RedisRevocations(ReplicatedRevocations):
    """Revocations in Redis, of which this process has a copy in memory.

    Give Redis persistence (``appendonly yes``), and no policy that evicts
    keys without an expiry, or it forgets who was signed out.

    Args:
        url: Like ``redis://localhost:6379/0``.
        prefix: What the names of the keys begin with.
        clock: A callable that returns seconds since the epoch.
        monotonic: A callable that returns seconds; for the age of the copy.
        max_lag: Seconds after which a copy is too old to be asked.

    Raises:
        ConfigurationError: The URL is not one.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = KEY_PREFIX,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        max_lag: float = DEFAULT_LAG_SECONDS,
    ) -> None:
        self._redis = redis_client(url)
        super().__init__(
            RedisJournal(self._redis, prefix, clock),
            clock=clock,
            monotonic=monotonic,
            max_lag=max_lag,
        )

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._redis.aclose()


class RedisJournal:
    """A `Journal` of five keys: a number, two indices, the values, a channel.

    What an earlier version kept, one key for each token and user, is read with the
    rest when a process begins.
    """

    def __init__(self, redis: Redis, prefix: str, clock: Callable[[], float]) -> None:
        self._redis = redis
        self._prefix = prefix
        self._clock = clock
        # In braces: of one slot in a cluster.
        self._keys = [
            f"{prefix}{{ended}}:{name}"
            for name in ("number", "order", "values", "expiry", "changes")
        ]
        self._end = redis.register_script(END)
        self._since = redis.register_script(SINCE)
        self._prune = redis.register_script(PRUNE)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """As in `Journal`: connections open when they are needed."""
        try:
            yield
        finally:
            await self._redis.aclose()

    async def end(self, kind: Kind, key: str, until: int) -> None:
        """As in `Journal`."""
        await self._call(self._end, f"{LETTERS[kind]}:{key}", until, kind)

    async def end_user(self, key: str, least: int) -> int:
        """As in `Journal`."""
        least = max(least, await self._old_generation(key) + 1)
        return int(await self._call(self._end, f"u:{key}", least, "user"))

    async def generation(self, key: str) -> int:
        """As in `Journal`."""
        with redis_outages():
            found: Any = await self._redis.hget(  # type: ignore[misc]
                self._keys[2], f"u:{key}"
            )
        return int(found) if found else await self._old_generation(key)

    async def since(self, number: int) -> tuple[int, list[Change]]:
        """As in `Journal`."""
        latest, *found = await self._call(self._since, number)
        pairs = zip(found[::2], found[1::2], strict=True)
        changes = [_change(name, value) for name, value in pairs]
        if number < 0:
            changes += await self._old_changes()
        return int(latest), changes

    async def prune(self) -> None:
        """As in `Journal`."""
        await self._call(self._prune, int(self._clock()) - CLOCK_DIFFERENCE_SECONDS)

    async def listen(self, wake: Callable[[], None]) -> bool:
        """As in `Journal`: by PUBLISH and SUBSCRIBE.

        A user who may not subscribe (an ACL of keys alone) does without.
        """
        async with self._redis.pubsub() as channel:
            try:
                await channel.subscribe(self._keys[4])
                await channel.get_message(timeout=LISTEN_SECONDS)
            except NoPermissionError:
                return False
            while True:
                if await channel.get_message(timeout=LISTEN_SECONDS) is not None:
                    wake()

    async def _call(self, script: Any, *arguments: object) -> Any:
        with redis_outages():
            return await script(keys=self._keys, args=list(arguments))

    async def _old_generation(self, key: str) -> int:
        name = f"{self._prefix}not-before:{Ended.old_key(key)}"
        with redis_outages():
            return int(await self._redis.get(name) or 0)

    async def _old_changes(self) -> list[Change]:
        changes = []
        with redis_outages():
            async for name in self._redis.scan_iter(f"{self._prefix}revoked:*"):
                until = int(self._clock() + max(await self._redis.ttl(name), 0)) + 1
                changes.append(Change("token", _key_of(name), until))
            async for name in self._redis.scan_iter(f"{self._prefix}not-before:*"):
                value = int(await self._redis.get(name) or 0)
                changes.append(Change("user", _key_of(name), value))
        return changes


def _change(name: bytes, value: bytes) -> Change:
    letter, _, key = name.decode().partition(":")
    return Change(KINDS[letter], key, int(value))


def _key_of(name: bytes) -> str:
    return name.decode().rpartition(":")[2]
