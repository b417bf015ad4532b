"""Where API keys are looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastbearer.better_auth.api_keys.key import APIKey

__all__ = ["APIKeyStore"]


class APIKeyStore(Protocol):
    """Verifies API keys: Better Auth's tables, its secondary storage, or your own."""

    async def verify(
        self,
        key: str,
        *,
        permissions: Mapping[str, Iterable[str]] | None = None,
        now: float | None = None,
    ) -> APIKey:
        """Return what a key says, if it is good, and count the request.

        Args:
            key: The whole key, with its prefix.
            permissions: Resource -> actions that it must allow.
            now: Seconds since the epoch, in place of the system's.

        Raises:
            InvalidAPIKeyError: It is unknown, disabled, expired, used up, or has a
                limit that this store cannot keep.
            APIKeyPermissionError: It does not allow that.
            TooManyAttemptsError: It has reached its rate limit.
            StoreUnavailableError: It cannot be told at the moment.
        """
        ...
