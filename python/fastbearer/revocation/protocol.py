"""What every store of revocations can do, and what tokens are known by."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fastbearer._core import unverified_header
from fastbearer.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = [
    "Names",
    "RevocationStore",
    "foreign_scope",
    "is_too_old",
    "names_of",
    "revocation_id",
    "scope_of",
    "session_id",
    "shelf_key",
    "since_of",
    "subject_of",
]


class RevocationStore(Protocol):
    """Remembers which tokens, and which sessions of users, have ended.

    Every method raises `StoreUnavailableError` where the store cannot be
    reached; it never answers as if nothing were revoked.

    Our own stores have more methods: ``has_ended(token, claims, scope)``, which
    answers from the memory of the process, and ``end_session(session, until)``.
    Others need not: ``is_revoked`` is awaited then, once for the token and once for
    its session, whose token ID is that of `session_id`.
    """

    async def is_revoked(
        self, token_id: str, user_id: str, issued_at: float | None
    ) -> bool:
        """Tell whether a token has ended.

        Args:
            token_id: From `revocation_id`.
            user_id: Whose token it is.
            issued_at: Its ``iat``, in seconds since the epoch. A token without
                one has ended once its user has ended their sessions. A token with
                the claim ``gen`` gives that in its place.
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
        """End every token that a user has by now, and every refresh token.

        Returns:
            The user's new generation, which is also the least ``iat``, in whole
            seconds, of a token without ``gen`` that is good again. It is greater
            at each call.
        """
        ...

    async def not_before(self, user_id: str) -> int:
        """Return what the last ``end_sessions`` returned, or 0."""
        ...


class Names(NamedTuple):
    """What a verified token, its session and its user are called.

    Attributes:
        token: From `revocation_id`.
        session: The claim ``sid``, or None.
        user_id: Whose token it is.
        since: From `since_of`.
    """

    token: str
    session: str | None
    user_id: str
    since: float | None


def names_of(token: str, claims: Mapping[str, Any], scope: str) -> Names:
    """Return what a verified token is known by.

    Args:
        token: As it came.
        claims: Its claims.
        scope: From `scope_of`.
    """
    session = claims.get("sid")
    return Names(
        scope + revocation_id(token, claims),
        scope + session if isinstance(session, str) else None,
        scope + (subject_of(claims) or ""),
        since_of(claims, scope),
    )


def scope_of(claims: Mapping[str, Any], home: frozenset[str] | None) -> str:
    """Return what stands before the names of a token, so that scopes never meet.

    Args:
        claims: Those of the token.
        home: The issuers whose subjects are the users of this application, or None
            for all: their scope is "", as is that of tokens without ``iss``.
    """
    issuer = claims.get("iss")
    is_home = home is None or issuer is None or issuer in home
    return "" if is_home else foreign_scope(claims)


def foreign_scope(claims: Mapping[str, Any]) -> str:
    """Return the scope of a token of somebody else, whether or not it says whose."""
    return f"{claims.get('iss') or ''}\n"


def since_of(claims: Mapping[str, Any], scope: str) -> float | None:
    """Return the generation of a token's session, else its ``iat``, else None."""
    generation = claims.get("gen")
    if type(generation) is int and not scope:
        return generation
    issued_at = claims.get("iat")
    # Other verifiers than ours may let anything through.
    return issued_at if isinstance(issued_at, (int, float)) else None


def is_too_old(since: float | None, least: int) -> bool:
    """Tell whether all sessions of a user have ended since a token was made.

    Args:
        since: From `since_of`, of the token.
        least: The least generation of the user that is good, or 0.
    """
    return least > 0 and (since is None or since < least)


def subject_of(claims: Mapping[str, Any]) -> str | None:
    """Return whom a token names: ``sub``, else ``user_id``; a string, not empty."""
    for name in ("sub", "user_id"):
        subject = claims.get(name)
        if isinstance(subject, str) and subject:
            return subject
    return None


def revocation_id(token: str, claims: Mapping[str, Any]) -> str:
    """Return what a token is known by: its ``jti`` (RFC 7519 4.1.7).

    A JWS without one is known by the digest of what was signed; not of the whole token,
    because some algorithms allow a second signature. Of other tokens, each character
    may be what tells two of them apart.
    """
    jti = claims.get("jti")
    if isinstance(jti, str) and jti:
        return jti
    known = token.rpartition(".")[0] if _is_jws(token) else token
    return shelf_key(known)


def _is_jws(token: str) -> bool:
    """Tell a JWS from strings that have two dots as well (RFC 7515 3.1)."""
    try:
        unverified_header(token)
    except TokenError:
        return False
    return True


def session_id(session: str) -> str:
    """Return the token ID that stands for a whole session in other stores."""
    return f"session:{session}"


def shelf_key(text: str) -> str:
    """Return a key of 64 characters for an id of any length and content."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
