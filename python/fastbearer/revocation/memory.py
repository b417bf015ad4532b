"""Revocations that one process remembers while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastbearer.revocation.ended import Change, Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


__all__ = ["MemoryRevocations"]


class MemoryRevocations:
    """Revocations in the memory of one process, and lost with it.

    Args:
        clock: A callable that returns seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ended = Ended(clock)

    def has_ended(self, token: str, claims: Mapping[str, Any], scope: str = "") -> bool:
        """Tell whether a token has ended, without waiting for anything."""
        return self._ended.has_ended(token, claims, scope)

    def generation(self, user_id: str) -> int:
        """Return a user's generation, as far as this process knows."""
        return self._ended.generation(user_id)

    async def is_revoked(
        self, token_id: str, user_id: str, issued_at: float | None
    ) -> bool:
        """As in `RevocationStore`."""
        ended = self._ended
        return ended.has_token(token_id) or ended.is_too_old(user_id, issued_at)

    async def revoke(self, token_id: str, until: float) -> None:
        """As in `RevocationStore`."""
        self._ended.add(Change("token", Ended.key(token_id), int(until) + 1))

    async def end_session(self, session: str, until: float) -> None:
        """End a session: every token with this ``sid``.

        Args:
            session: The claim ``sid``.
            until: When the last of its tokens expires.
        """
        self._ended.add(Change("session", Ended.key(session), int(until) + 1))

    async def end_sessions(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        last = self._ended.generation(user_id)
        value = max(int(self._clock()), last) + 1
        self._ended.add(Change("user", Ended.key(user_id), value))
        return value

    async def not_before(self, user_id: str) -> int:
        """As in `RevocationStore`."""
        return self._ended.generation(user_id)
