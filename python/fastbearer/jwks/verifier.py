"""Verifying with the keys of a JWK Set behind a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbearer import Key, Verifier, unverified_header
from fastbearer._core import algorithms
from fastbearer.awaited import awaited
from fastbearer.errors import (
    InvalidAlgorithmError,
    InvalidSignatureError,
    TokenError,
    UnknownKeyError,
)
from fastbearer.jwks.client import JWKSClient

if TYPE_CHECKING:
    from typing import Any

    from fastbearer.keys import KeySet

__all__ = ["JWKSVerifier"]

ASYMMETRIC_ALGORITHMS = frozenset(
    name for name in algorithms if not name.startswith("HS")
)


class JWKSVerifier:
    """Verifies tokens with the keys of a JWK Set; beside `Verifier`, for URLs.

    A token that names an unknown key has the set fetched again, within the
    client's cool-down.

    Args:
        client: Where the keys come from, or the URL of the set.
        options: Those of `Verifier`.

    Raises:
        ConfigurationError: An option has a value that makes no sense.
        TypeError: An option has the wrong type, or is unknown.
    """

    def __init__(self, client: JWKSClient | str, **options: Any) -> None:
        Verifier(Key.generate("HS256"), **options)  # judges the options now
        self._client = JWKSClient(client) if isinstance(client, str) else client
        self._options = options
        self._made: tuple[KeySet, Verifier] | None = None

    def verify(self, token: str | bytes) -> dict[str, Any]:
        """Return the claims of a good token; blocks while keys are fetched.

        Raises:
            TokenError: The token was not accepted.
            KeySourceError: The keys cannot be fetched, which says nothing of
                the token.
        """
        keys = self._client.keys()
        try:
            return self._verifier(keys).verify(token)
        except TokenError as error:
            if not _names_another_key(token, keys, error):
                raise
            newer = self._client.keys(unknown_kid=True)
            if newer is keys:
                raise
        return self._verifier(newer).verify(token)

    @awaited
    async def averify(self, token: str | bytes) -> dict[str, Any]:
        """Like `verify`, for asyncio: a fetch is awaited."""
        keys = await self._client.akeys()
        try:
            return self._verifier(keys).verify(token)
        except TokenError as error:
            if not _names_another_key(token, keys, error):
                raise
            newer = await self._client.akeys(unknown_kid=True)
            if newer is keys:
                raise
        return self._verifier(newer).verify(token)

    def __copy__(self) -> JWKSVerifier:
        return self

    def __deepcopy__(self, memo: object) -> JWKSVerifier:
        return self

    def _verifier(self, keys: KeySet) -> Verifier:
        """Return the verifier of these keys, made once for a set."""
        made = self._made
        if made is None or made[0] is not keys:
            made = self._made = (keys, Verifier(keys, **self._options))
        return made[1]


def _names_another_key(token: str | bytes, keys: KeySet, error: TokenError) -> bool:
    """Tell whether a refused token may be signed with a key yet to be fetched."""
    refusals = (UnknownKeyError, InvalidAlgorithmError, InvalidSignatureError)
    if not isinstance(error, refusals):
        return False
    try:
        header = unverified_header(token)
    except TokenError:  # padded, where the verifier takes that
        return False
    kid = header.get("kid")
    return (
        header.get("alg") in ASYMMETRIC_ALGORITHMS
        and isinstance(kid, str)
        and all(key.kid != kid for key in keys)
    )
