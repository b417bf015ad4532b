"""Revocations that any number of processes share through Redis."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastbearer.connections import KEY_PREFIX
from fastbearer.extras import needs_extra
from fastbearer.revocation.ended import KINDS, LETTERS, Change
from fastbearer.revocation.replica import (
    DEFAULT_LAG_SECONDS,
    Reading,
    ReplicatedRevocations,
)

with needs_extra("redis"):
    from redis.exceptions import NoPermissionError

    from fastbearer.connections.redis import RedisAccess, redis_outages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from typing import Any

    from fastbearer.connections.redis import RedisScript, RedisSource
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
if ARGV[3] == 'next' then
  if last >= value then value = last + 1 end
elseif last > value then
  value = last
end
if ARGV[3] == 'until' then redis.call('ZADD', KEYS[4], value, ARGV[1]) end
local number = redis.call('INCR', KEYS[1])
local now = redis.call('TIME')
number = string.format('%.0f', math.max(number, now[1] * 1000000 + now[2]))
redis.call('SET', KEYS[1], number)
redis.call('ZADD', KEYS[2], number, ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], string.format('%.0f', value))
redis.call('ZADD', KEYS[5], number, number)
redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1001)
redis.pcall('PUBLISH', ARGV[4], '')
return string.format('%.0f', value)
"""
)
"""In one step, so that whoever reads a number has what came before it.

The last thousand numbers are kept: a replica that became the master, and lacks what
was written last, is known by the numbers that it does not have.
"""

SINCE = (
    NUMBER
    + """
redis.call('ZREM', KEYS[5], '')
local number = redis.call('GET', KEYS[1])
local after = ARGV[1]
if number == after then return {number, '0'} end
if tonumber(number) < tonumber(after) or not redis.call('ZSCORE', KEYS[5], after) then
  after = '-1'
end
local found = {number, after == '-1' and '1' or '0'}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. after, '+inf')) do
  found[#found + 1] = name
  found[#found + 1] = redis.call('HGET', KEYS[3], name)
end
return found
"""
)
"""ZREM changes nothing. It is there for servers that must not write: a replica, and a
master that has lost its replicas (``min-replicas-to-write``). What others write
elsewhere is not known to them, so that they are no source."""

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
        source: Like ``redis://localhost:6379/0``, also of a cluster or Sentinels; or
            a client of redis.asyncio, which you close.
        prefix: What the names of the keys begin with.
        clock: A callable that returns seconds since the epoch.
        monotonic: A callable that returns seconds; for the age of the copy.
        max_lag: Seconds after which a copy is too old to be asked.

    Raises:
        ConfigurationError: The URL is not one, or it is no such client.
    """

    place = "Redis"

    def __init__(
        self,
        source: RedisSource,
        *,
        prefix: str = KEY_PREFIX,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        max_lag: float = DEFAULT_LAG_SECONDS,
    ) -> None:
        self._redis = RedisAccess(source)
        super().__init__(
            RedisJournal(self._redis, prefix, clock),
            clock=clock,
            monotonic=monotonic,
            max_lag=max_lag,
        )

    async def aclose(self) -> None:
        """Close the connections of a URL; they open again when needed."""
        await self._redis.aclose()


class RedisJournal:
    """A `Journal` of five keys (a number, two indices, values, numbers) and a channel.

    The channel is not a key: scripts wait where one of several is not there while
    a cluster moves their slot.
    """

    def __init__(
        self, redis: RedisAccess, prefix: str, clock: Callable[[], float]
    ) -> None:
        self._redis = redis
        self._clock = clock
        # In braces: of one slot in a cluster.
        self._keys = [
            f"{prefix}{{ended}}:{name}"
            for name in ("number", "order", "values", "expiry", "numbers")
        ]
        self._channel = f"{prefix}{{ended}}:changes"
        self._end = redis.script(END)
        self._since = redis.script(SINCE)
        self._prune = redis.script(PRUNE)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """As in `Journal`: connections open when they are needed."""
        try:
            yield
        finally:
            await self._redis.aclose()

    async def end(self, kind: Kind, key: str, until: int) -> None:
        """As in `Journal`."""
        await self._write(f"{LETTERS[kind]}:{key}", until, "until")

    async def end_user(self, key: str, least: int) -> int:
        """As in `Journal`."""
        return await self._write(f"u:{key}", least, "next")

    async def put_back(self, changes: Sequence[Change]) -> None:
        """As in `Journal`."""
        for change in changes:
            name = f"{LETTERS[change.kind]}:{change.key}"
            how = "least" if change.kind == "user" else "until"
            await self._write(name, change.value, how)

    async def generation(self, key: str) -> int:
        """As in `Journal`."""
        with redis_outages():
            client: Any = await self._redis.ready()
            found = await client.hget(self._keys[2], f"u:{key}")
        return int(found or 0)

    async def since(self, number: int) -> Reading:
        """As in `Journal`."""
        latest, is_whole, *found = await self._call(self._since, number)
        pairs = zip(found[::2], found[1::2], strict=True)
        changes = [_change(name, value) for name, value in pairs]
        return Reading(int(latest), changes, is_whole=int(is_whole) == 1)

    async def prune(self) -> None:
        """As in `Journal`."""
        await self._call(self._prune, int(self._clock()) - CLOCK_DIFFERENCE_SECONDS)

    async def listen(self, wake: Callable[[], None]) -> bool:
        """As in `Journal`: by PUBLISH and SUBSCRIBE.

        A user who may not subscribe (an ACL of keys alone) does without.
        """
        async with self._redis.subscriber() as channel:
            try:
                await channel.subscribe(self._channel)
                await channel.get_message(timeout=LISTEN_SECONDS)
            except NoPermissionError:
                return False
            while True:
                if await channel.get_message(timeout=LISTEN_SECONDS) is not None:
                    wake()

    async def _write(self, name: str, value: int, how: str) -> int:
        return int(await self._call(self._end, name, value, how, self._channel))

    async def _call(self, script: RedisScript, *arguments: object) -> Any:
        with redis_outages():
            return await script(self._keys, arguments)


def _change(name: bytes | str, value: bytes | str) -> Change:
    text = name if isinstance(name, str) else name.decode()
    letter, _, key = text.partition(":")
    return Change(KINDS[letter], key, int(value))
