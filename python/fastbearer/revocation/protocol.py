"""What every store of revocations can do."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["RevocationStore", "revocation_id", "shelf_key"]


class RevocationStore(Protocol):
    """Remembers which tokens, and which sessions of users, have ended.

    Every method raises `StoreUnavailableError` where the store cannot be
    reached; it never answers as if nothing were revoked.
    """

    async def is_revoked(
        self, token_id: str, user_id: str, issued_at: float | None
    ) -> bool:
        """Tell whether a token has ended.

        Args:
            token_id: From `revocation_id`.
            user_id: Whose token it is.
            issued_at: Its ``iat``, in seconds since the epoch. A token without
                one has ended once its user has ended their sessions.
        """
        ...

    async def revoke(self, token_id: str, until: float) -> None:
        """End a token.

        Args:
            token_id: From `revocation_id`.
            until: Its ``exp``: nothing need be remembered after that.
        """
        ...

    async def end_sessions(self, user_id: str) -> int:
        """End every token that a user has by now.

        Returns:
            The least ``iat``, in whole seconds, of a token that is good again.
            It is greater at each call, so that two calls, and a token issued
            between them, may fall into one second.
        """
        ...

    async def not_before(self, user_id: str) -> int:
        """Return what the last ``end_sessions`` returned, or 0."""
        ...


def revocation_id(token: str, claims: Mapping[str, Any]) -> str:
    """Return what a token is known by: its ``jti`` (RFC 7519 4.1.7).

    A token without one is known by the digest of what was signed; not of the
    whole token, for some algorithms allow a second signature.
    """
    jti = claims.get("jti")
    if isinstance(jti, str) and jti:
        return jti
    return sha256(token.rpartition(".")[0].encode("latin-1")).hexdigest()


def shelf_key(text: str) -> str:
    """Return a key of 64 characters for an id of any length and content."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
