"""Revocations that one process remembers while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MemoryRevocations"]

SWEEP_AT_LEAST = 1024


class MemoryRevocations:
    """Revocations in two dictionaries: for one process, and lost with it.

    Args:
        clock: A callable that returns seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._not_before: dict[str, int] = {}
        self._sweep_at = SWEEP_AT_LEAST

    async def is_revoked(
        self, token_id: str, user_id: str, issued_at: float | None
    ) -> bool:
        """As in `RevocationStore`."""
        if token_id in self._until:
            return True
        not_before = self._not_before.get(user_id)
        if not_before is None:
            return False
        return issued_at is None or issued_at < not_before

    async def revoke(self, token_id: str, until: float) -> None:
        """As in `RevocationStore`."""
        if len(self._until) >= self._sweep_at:
            self._sweep()
        self._until[token_id] = until

    async def end_sessions(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        last = self._not_before.get(user_id, 0)
        self._not_before[user_id] = max(int(self._clock()), last) + 1
        return self._not_before[user_id]

    async def not_before(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        return self._not_before.get(user_id, 0)

    def _sweep(self) -> None:
        """Forget what has expired; rarely enough to cost nothing on average."""
        now = self._clock()
        self._until = {key: end for key, end in self._until.items() if end > now}
        self._sweep_at = max(SWEEP_AT_LEAST, 2 * len(self._until))
