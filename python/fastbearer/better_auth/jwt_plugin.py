"""Tokens signed with the keys of a Better Auth server (plugin ``jwt()``)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastbearer import Key, KeySet, Verifier, unverified_header
from fastbearer.errors import (
    ConfigurationError,
    InvalidAlgorithmError,
    InvalidClaimError,
    InvalidKeyError,
    KeySourceError,
    UnknownKeyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from fastbearer.jwks import JWKSClient, JWKSVerifier

__all__ = ["SESSION_AUDIENCE", "SESSION_TYPE", "SignedByKey", "prepared_keys"]

ALGORITHMS = frozenset(("EdDSA", "ES256", "ES512", "PS256", "RS256"))
"""The algorithms that the plugin signs with."""

CACHED_TOKENS = 1024
"""A client sends its token with every request; the signature is checked once."""

SESSION_TYPE = "better-auth.session-cache+jwt"
SESSION_AUDIENCE = "better-auth:session-cache"

NO_KID = "the token does not name its key"
OTHER_ALGORITHM = "the token has an algorithm that Better Auth does not sign with"
OTHER_TYPE = "the token is of another type"
NO_USER = "sub is not a user's id"
NO_KEYS = "none of the keys is of an algorithm that Better Auth signs with"


class SignedByKey:
    """The rules of one type of token, whichever keys sign it.

    Args:
        issuer: What ``iss`` must be.
        audience: What ``aud`` must name.
        typ: What the header's ``typ`` must be; None if it may be absent or ``JWT``.
        max_bytes: Longer tokens are refused before they are read.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        issuer: str | Iterable[str],
        audience: str | Iterable[str],
        typ: str | None,
        max_bytes: int = 16384,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.options: dict[str, Any] = {
            "issuer": issuer,
            "audience": audience,
            "require": ("exp", "sub"),
            "max_bytes": max_bytes,
            "clock": clock,
        }
        self._typ = typ
        self._made: tuple[object, Verifier | JWKSVerifier] | None = None
        Verifier(
            Key.generate("HS256"), **self.options
        )  # so that wrong options are known now

    def verify(
        self,
        token: str | bytes,
        jwks: KeySet | JWKSClient | Mapping[str, Any] | str | bytes,
    ) -> dict[str, Any]:
        """Return the claims of a good token.

        Args:
            token: The token.
            jwks: The keys: a KeySet, a client of a URL (which blocks while it
                fetches), or a JWK Set as a mapping or JSON, read at every call.

        Raises:
            TokenError: The token was not accepted.
            KeySourceError: The keys cannot be fetched.
            InvalidKeyError: None of the keys given here can be used.
        """
        _check_header(token, self._typ)
        return _of_user(self._verifier(jwks).verify(token))

    async def averify(self, token: str | bytes, jwks: Any) -> dict[str, Any]:
        """Like `verify`, for asyncio: a client's fetch is awaited."""
        _check_header(token, self._typ)
        verifier = self._verifier(jwks)
        if isinstance(verifier, Verifier):
            return _of_user(verifier.verify(token))
        return _of_user(await verifier.averify(token))

    def _verifier(self, jwks: Any) -> Verifier | JWKSVerifier:
        """Return a verifier of these keys, made once for each set or client."""
        made = self._made
        if made is not None and made[0] is jwks:
            return made[1]
        verifier = self._make(jwks)
        if isinstance(jwks, KeySet) or _is_client(jwks):
            self._made = (jwks, verifier)
        return verifier

    def _make(self, jwks: Any) -> Verifier | JWKSVerifier:
        if _is_client(jwks):
            # Whoever has a client has the extra.
            from fastbearer.jwks import JWKSVerifier

            client: Any = UsableKeys(jwks)
            return JWKSVerifier(client, cache=CACHED_TOKENS, **self.options)
        return Verifier(_usable(jwks), **self.options)


class UsableKeys:
    """The keys of a client with which Better Auth signs; others are left out.

    A set without such a key says nothing of a token: the server makes its first key
    when it needs one, and whatever stands between may answer in its place.

    Args:
        client: What has ``keys()`` and ``akeys()``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._seen: tuple[object, KeySet | None] = (None, None)

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        """Return the keys; a set without usable ones is fetched again.

        Raises:
            KeySourceError: The keys cannot be fetched, or none can be used.
        """
        with invalid_keys_are_none():
            found = self._usable(self._client.keys(unknown_kid=unknown_kid))
            if found is None and not unknown_kid:
                found = self._usable(self._client.keys(unknown_kid=True))
        return _some(found)

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        """Like `keys`, for asyncio."""
        with invalid_keys_are_none():
            found = self._usable(await self._client.akeys(unknown_kid=unknown_kid))
            if found is None and not unknown_kid:
                found = self._usable(await self._client.akeys(unknown_kid=True))
        return _some(found)

    def _usable(self, keys: KeySet) -> KeySet | None:
        seen, usable = self._seen
        if seen is not keys:
            some = [key for key in keys if key.algorithm in ALGORITHMS]
            usable = KeySet(some) if some else None
            self._seen = keys, usable
        return usable


@contextmanager
def invalid_keys_are_none() -> Iterator[None]:
    """Tell of a client's keys that cannot be read as of keys that cannot be had.

    Raises:
        KeySourceError: The keys cannot be read.
    """
    try:
        yield
    except InvalidKeyError as error:
        raise KeySourceError(NO_KEYS) from error


def _some(keys: KeySet | None) -> KeySet:
    if keys is None:
        raise KeySourceError(NO_KEYS)
    return keys


def prepared_keys(jwks: Any) -> Any:
    """Return keys in the form that is read fastest: a KeySet, or the client itself.

    Raises:
        ConfigurationError: None of the keys can be used.
    """
    if _is_client(jwks):
        return jwks
    try:
        return KeySet(_usable(jwks))
    except (InvalidKeyError, TypeError) as error:
        raise ConfigurationError(f"jwks: {error}") from None


def _is_client(jwks: Any) -> bool:
    return hasattr(jwks, "akeys")


def _usable(jwks: Any) -> list[Key]:
    keys = jwks if isinstance(jwks, KeySet) else KeySet.from_jwks(jwks)
    usable = [key for key in keys if key.algorithm in ALGORITHMS]
    if not usable:
        raise InvalidKeyError(NO_KEYS)
    return usable


def _check_header(token: str | bytes, typ: str | None) -> None:
    """Refuse a token that does not name its key, or is of another type.

    Better Auth's own tokens always name it; those of its OAuth provider have a
    ``typ``. A client may offer keys of other algorithms, which sign no tokens.

    Raises:
        TokenError: The header names no key, another algorithm or another type.
    """
    header = unverified_header(token)
    if not isinstance(header.get("kid"), str):
        raise UnknownKeyError(NO_KID)
    algorithm = header.get("alg")
    if not (isinstance(algorithm, str) and algorithm in ALGORITHMS):
        raise InvalidAlgorithmError(OTHER_ALGORITHM)
    found = header.get("typ")
    if found != typ and not (typ is None and found == "JWT"):
        raise InvalidClaimError(OTHER_TYPE, "typ")


def _of_user(claims: dict[str, Any]) -> dict[str, Any]:
    """Return the claims, if they name a user.

    Raises:
        InvalidClaimError: ``sub`` is empty, or no text.
    """
    sub = claims["sub"]
    if not (isinstance(sub, str) and sub):
        raise InvalidClaimError(NO_USER, "sub")
    return claims
