"""Verifying with keys that are fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastbearer import Key, Verifier, unverified_header
from fastbearer._core import algorithms
from fastbearer.awaited import awaited
from fastbearer.errors import (
    ConfigurationError,
    InvalidAlgorithmError,
    InvalidSignatureError,
    TokenError,
    UnknownKeyError,
)
from fastbearer.jwks.client import JWKSClient
from fastbearer.jwks.source import KeySource

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from fastbearer.keys import KeySet

__all__ = ["JWKSVerifier"]

SECRETS_ONLY = "algorithms has none of keys that are fetched, only of shared secrets"
EDWARDS = frozenset(("EdDSA", "Ed25519", "Ed448"))
ASYMMETRIC_ALGORITHMS = frozenset(
    name for name in algorithms if not name.startswith("HS")
)


class JWKSVerifier:
    """Verifies tokens with the keys of a source; beside `Verifier`, for URLs.

    A token that names an unknown key has the keys fetched again, within the
    source's cool-down.

    Args:
        client: Where the keys come from: `JWKSClient`, `DiscoveredKeys`, an object of
            yours that is a `KeySource`, or the URL of a JWK Set.
        options: Those of `Verifier`. A key without ``alg`` verifies every algorithm
            of its kind (RFC 7517 4.4); ``algorithms`` narrows that.

    Raises:
        ConfigurationError: An option has a value that makes no sense.
        TypeError: An option has the wrong type, or is unknown; or the source is not
            one.
    """

    def __init__(self, client: KeySource | str, **options: Any) -> None:
        for name, value in options.items():
            if isinstance(
                value, Iterator
            ):  # it could be read once, and is needed again
                options[name] = tuple(value)
        Verifier(Key.generate("HS256"), **options)  # judges the options now
        if isinstance(client, str):
            client = JWKSClient(client)
        if not isinstance(client, KeySource):
            raise TypeError("a source of keys has keys() and akeys()")
        self._source = client
        self._options = options
        self._algorithms = _fetched_algorithms(options.get("algorithms"))
        self._made: tuple[KeySet, Verifier] | None = None

    def verify(self, token: str | bytes) -> dict[str, Any]:
        """Return the claims of a good token; blocks while keys are fetched.

        Raises:
            TokenError: The token was not accepted.
            KeySourceError: The keys cannot be fetched, which says nothing of
                the token.
        """
        keys = self._source.keys()
        try:
            return self._verifier(keys).verify(token)
        except TokenError as error:
            if not self._needs_another_key(token, keys, error):
                raise
            newer = self._source.keys(unknown_kid=True)
            if newer is keys:
                raise
        return self._verifier(newer).verify(token)

    @awaited
    async def averify(self, token: str | bytes) -> dict[str, Any]:
        """Like `verify`, for asyncio: a fetch is awaited."""
        keys = await self._source.akeys()
        try:
            return self._verifier(keys).verify(token)
        except TokenError as error:
            if not self._needs_another_key(token, keys, error):
                raise
            newer = await self._source.akeys(unknown_kid=True)
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

    def _needs_another_key(
        self, token: str | bytes, keys: KeySet, error: TokenError
    ) -> bool:
        """Tell whether a refused token may be signed with a key yet to be fetched."""
        refusals = (UnknownKeyError, InvalidAlgorithmError, InvalidSignatureError)
        if not isinstance(error, refusals):
            return False
        try:
            header = unverified_header(token)
        except TokenError:  # padded, where the verifier takes that
            return False
        algorithm, kid = header.get("alg"), header.get("kid")
        return (
            isinstance(algorithm, str)
            and algorithm in self._algorithms
            and isinstance(kid, str)
            and all(key.kid != kid for key in keys)
        )


def _fetched_algorithms(given: str | Iterable[str] | None) -> frozenset[str]:
    """Return the algorithms for which it is of use to fetch keys.

    Raises:
        ConfigurationError: Those given are of shared secrets, which no source has.
    """
    if given is None:
        return ASYMMETRIC_ALGORITHMS
    named = {given} if isinstance(given, str) else set(given)
    found = ASYMMETRIC_ALGORITHMS & named
    if not found:
        raise ConfigurationError(SECRETS_ONLY)
    # Either name of an algorithm means the other as well (RFC 9864 2.2).
    return found | EDWARDS if found & EDWARDS else found
