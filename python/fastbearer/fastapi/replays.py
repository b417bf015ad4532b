"""Which proofs of possession have been used: each is good once (RFC 9449 11.1)."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from fastbearer.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from fastbearer.connections.redis import RedisSource

__all__ = ["MemoryReplays", "RedisReplays", "ReplayStore"]

DEFAULT_CAPACITY = 200_000
TOO_MANY = "too many proofs of possession are remembered"


class ReplayStore(Protocol):
    """Whoever remembers used proofs, for all the processes that share it."""

    def is_first_use(
        self, proof: str, now: float, seconds: int
    ) -> bool | Awaitable[bool]:
        """Remember a proof, and tell whether it had not come before.

        Both happen in one step: of two that come at once, one is the first.

        Args:
            proof: What names it: a digest, of 43 characters of base64url.
            now: Seconds since the epoch.
            seconds: For how long it is to be remembered, at least.

        Raises:
            StoreUnavailableError: It cannot be told at the moment.
        """
        ...


class MemoryReplays:
    """Used proofs in the memory of this process, for a service of one process.

    Whatever comes, no more than ``capacity`` of them are remembered, about 200 bytes
    each. While the memory is full, proofs are refused with a 503, since none may be
    forgotten before its time: else it could be used again.

    Args:
        capacity: The greatest number of proofs.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = capacity
        self._known: set[str] = set()
        self._until: deque[tuple[float, str]] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def is_first_use(self, proof: str, now: float, seconds: int) -> bool:
        """Remember a proof, and tell whether it had not come before.

        Raises:
            StoreUnavailableError: The memory is full.
        """
        with self._lock:
            self._forget(now)
            if proof in self._known:
                return False
            if len(self._known) >= self._capacity:
                raise StoreUnavailableError(TOO_MANY)
            self._known.add(proof)
            self._until.append((now + seconds, proof))
            return True

    def _forget(self, now: float) -> None:
        """Forget two at most: one more than comes, so that no request pays for many."""
        for _ in range(2):
            if not self._until or self._until[0][0] >= now:
                return
            self._known.discard(self._until.popleft()[1])


class RedisReplays:
    """Used proofs in Redis, for all the processes of a service.

    Args:
        source: Like ``redis://localhost:6379/0``, also of a cluster or Sentinels; or
            a client of redis.asyncio, which you close.
        prefix: What the names of the keys begin with.

    Raises:
        ConfigurationError: The URL is not one, or it is no such client.
    """

    def __init__(self, source: RedisSource, *, prefix: str | None = None) -> None:
        # Only those who ask for Redis need the extra.
        from fastbearer.connections import KEY_PREFIX
        from fastbearer.connections.redis import RedisAccess

        self._prefix = (KEY_PREFIX if prefix is None else prefix) + "proof:"
        self._redis = RedisAccess(source)

    async def is_first_use(self, proof: str, now: float, seconds: int) -> bool:
        """Remember a proof, and tell whether it had not come before.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        from fastbearer.connections.redis import redis_outages

        with redis_outages():
            name = self._prefix + proof
            client = await self._redis.ready()
            return bool(await client.set(name, b"", nx=True, ex=seconds))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
