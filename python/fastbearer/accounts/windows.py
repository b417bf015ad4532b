"""Where attempts are counted: in the memory of the process, or in Redis.

Both are storages of the package limits for its moving windows. They can also take back
an attempt, and they remember things for a time.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any

from limits.aio.storage import MovingWindowSupport, RedisStorage, Storage
from limits.errors import StorageError

from fastbearer.connections import KEY_PREFIX

if TYPE_CHECKING:
    from fastbearer.connections.redis import RedisAccess

__all__ = ["MemoryWindows", "RedisWindows", "Windows"]

MOST_KEYS = 200_000
"""Of one lifetime: a guess at one name has four, two of them for its user."""

SWEPT_AT_A_TIME = 2


class MemoryWindows(Storage, MovingWindowSupport):
    """Counts in the memory of one process, with a bound on keys and on work.

    That of limits looks through every key, at every attempt. Here keys of one
    lifetime stand in the order of their last use, so that the first ones expire
    first: each attempt sweeps away two at most. Beyond the bound the keys that were
    not used for longest are forgotten.

    Args:
        clock: A callable that returns seconds since the epoch.
        most_keys: How many keys of one lifetime are kept.
    """

    STORAGE_SCHEME: list[str] | None = None

    def __init__(
        self, clock: Callable[[], float] = time.time, most_keys: int = MOST_KEYS
    ) -> None:
        super().__init__()
        self._clock = clock
        self._most_keys = most_keys
        self._shelves: dict[float, OrderedDict[str, deque[float]]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        """None is expected."""
        return OSError

    async def acquire_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count attempts, unless they would be more than the limit."""
        self._sweep(expiry)
        events = self._recent(key, expiry)
        if len(events) + amount > limit:
            return False
        self._put(key, expiry, events, [self._clock()] * amount)
        return True

    async def get_moving_window(
        self, key: str, limit: int, expiry: int
    ) -> tuple[float, int]:
        """Return the time of the oldest attempt in the window, and their number."""
        events = self._recent(key, expiry)
        return (events[0] if events else self._clock()), len(events)

    async def release(self, key: str) -> None:
        """Take the newest attempt back."""
        for shelf in self._shelves.values():
            if shelf.get(key):
                shelf[key].pop()

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Remember a key for that many seconds from now."""
        self._sweep(expiry)
        self._put(key, expiry, deque(maxlen=1), [self._clock()])
        return amount

    async def get(self, key: str) -> int:
        """Return 1 for a key that is remembered, else 0."""
        return int(any(self._recent(key, expiry) for expiry in list(self._shelves)))

    async def get_expiry(self, key: str) -> float:
        """Return when a key is forgotten."""
        ends = [
            shelf[key][-1] + expiry
            for expiry, shelf in self._shelves.items()
            if shelf.get(key)
        ]
        return max(ends, default=self._clock())

    async def clear(self, key: str) -> None:
        """Forget a key."""
        for shelf in self._shelves.values():
            shelf.pop(key, None)

    async def check(self) -> bool:
        """It is always there."""
        return True

    async def reset(self) -> int:
        """Forget everything."""
        count = sum(map(len, self._shelves.values()))
        self._shelves.clear()
        return count

    def __len__(self) -> int:
        return sum(map(len, self._shelves.values()))

    def _recent(self, key: str, expiry: float) -> deque[float]:
        """Return the attempts of the window, the oldest first."""
        shelf = self._shelves.get(expiry)
        events = None if shelf is None else shelf.get(key)
        if events is None:
            return deque()
        start = self._clock() - expiry
        while events and events[0] < start:
            events.popleft()
        return events

    def _put(
        self, key: str, expiry: float, events: deque[float], more: list[float]
    ) -> None:
        shelf = self._shelves.setdefault(expiry, OrderedDict())
        events.extend(more)
        shelf[key] = events
        shelf.move_to_end(key)
        if len(shelf) > self._most_keys:
            shelf.popitem(last=False)

    def _sweep(self, expiry: float) -> None:
        """Drop keys that have expired: the first ones did so first."""
        shelf = self._shelves.get(expiry, OrderedDict())
        start = self._clock() - expiry
        for key in list(islice(shelf, SWEPT_AT_A_TIME)):
            if shelf[key] and shelf[key][-1] >= start:
                return
            del shelf[key]


class RedisWindows(RedisStorage):
    """Counts in Redis, for all processes together.

    Each command has one key, so that a Redis Cluster will do.

    Args:
        access: The client whose connections are used.
    """

    def __init__(self, access: "RedisAccess") -> None:
        self._access = access
        super().__init__(
            "async+redis://",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=f"{KEY_PREFIX}limits",
        )

    def configure_bridge(self) -> None:
        """Let everything go through the client, whatever its kind."""
        bridge: Any = self.bridge
        bridge.storage = self._access.client
        bridge.connection_getter = lambda _: self._access.client
        bridge.register_scripts = self._register_scripts

    def _register_scripts(self) -> None:
        bridge: Any = self.bridge
        script = self._access.script
        bridge.lua_moving_window = script(bridge.SCRIPT_MOVING_WINDOW.decode())
        bridge.lua_acquire_moving_window = script(
            bridge.SCRIPT_ACQUIRE_MOVING_WINDOW.decode()
        )

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Whatever the client raises where Redis cannot be reached."""
        # Redis is there, so its extra is, too.
        from fastbearer.connections.redis import OUTAGES

        return OUTAGES

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Remember a key for that many seconds from now.

        The script of limits would count them from the first time on.
        """
        client = await self._access.ready()
        await client.set(self.bridge.prefixed_key(key), amount, ex=expiry)
        return amount

    async def get(self, key: str) -> int:
        """Return 1 for a key that is remembered, else 0."""
        client = await self._access.ready()
        return int(await client.get(self.bridge.prefixed_key(key)) or 0)

    async def clear(self, key: str) -> None:
        """Forget a key."""
        client = await self._access.ready()
        await client.delete(self.bridge.prefixed_key(key))

    async def release(self, key: str) -> None:
        """Take the newest attempt back.

        Raises:
            StorageError: Redis cannot be reached.
        """
        try:
            client: Any = await self._access.ready()
            await client.lpop(self.bridge.prefixed_key(key))
        except self.base_exceptions as error:
            raise StorageError(error) from error


Windows = MemoryWindows | RedisWindows
