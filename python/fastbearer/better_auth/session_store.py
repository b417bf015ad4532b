"""The protocol of a store in which sessions are looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fastbearer.better_auth.session import Session

__all__ = ["SessionStore"]


class SessionStore(Protocol):
    """A Better Auth server's sessions; they are read, never written."""

    async def find(self, token: str, now: float) -> Session | None:
        """Return the session of a token, or None if there is none.

        Expired sessions and those of banned users count as absent.

        Args:
            token: The session token, 32 letters and digits.
            now: Seconds since the epoch.

        Raises:
            StoreUnavailableError: The store cannot be reached at the moment.
        """
        ...
