"""Tokens signed with the keys of a Better Auth server (plugin ``jwt()``)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastbearer import Key, KeySet, Verifier, unverified_header
from fastbearer.errors import (
    ConfigurationError,
    InvalidAlgorithmError,
    InvalidKeyError,
)
from fastbearer.issuers import Issuer
from fastbearer.issuers.member import CACHED_TOKENS
from fastbearer.issuers.rules import Rules
from fastbearer.issuers.server_profiles import BETTER_AUTH_ALGORITHMS
from fastbearer.issuers.usable_keys import UsableKeys, is_usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fastbearer.jwks import JWKSClient, JWKSVerifier

__all__ = [
    "SESSION_TYPE",
    "SignedByKey",
    "issuer_of_session_data",
    "issuer_of_tokens",
    "prepared_keys",
]

ALGORITHMS = frozenset(BETTER_AUTH_ALGORITHMS)
"""The algorithms that the plugin signs with."""

SESSION_TYPE = "better-auth.session-cache+jwt"
SESSION_AUDIENCE = "better-auth:session-cache"

OTHER_ALGORITHM = "the token has an algorithm that Better Auth does not sign with"
NO_KEYS = "none of the keys is of an algorithm that Better Auth signs with"


def issuer_of_tokens(
    origin: str, issuer: str | None, audience: str | Iterable[str] | None
) -> Issuer:
    """Return the issuer of the plugin's tokens.

    Args:
        origin: The server's.
        issuer: The ``iss``, if it is not the origin.
        audience: The ``aud``, if it is not the origin.

    Raises:
        ConfigurationError: One of them makes no sense.
    """
    # http is none of its business: whoever fetches keys has a client for it.
    made = Issuer.better_auth(origin, audience=audience or None, allow_http=True)
    return made if issuer is None else replace(made, url=issuer)


def issuer_of_session_data(origin: str, max_bytes: int) -> Issuer:
    """Return the issuer of session data that is signed with a key."""
    return replace(
        issuer_of_tokens(origin, None, SESSION_AUDIENCE),
        url=(origin, SESSION_AUDIENCE),
        typ=SESSION_TYPE,
        max_bytes=max_bytes,
    )


class SignedByKey:
    """The rules of one type of token, whichever keys sign it.

    They are those of an `Issuer`, as for every other door of its tokens; where its
    keys are is not asked here.

    Args:
        issuer: Whose tokens they are.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, issuer: Issuer, clock: Callable[[], float] | None = None
    ) -> None:
        self._rules = Rules(issuer, clock)
        self.options: dict[str, Any] = self._rules.options
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
        self._check_header(token)
        return self._rules.check_claims(self._verifier(jwks).verify(token))

    async def averify(self, token: str | bytes, jwks: Any) -> dict[str, Any]:
        """Like `verify`, for asyncio: a client's fetch is awaited."""
        self._check_header(token)
        verifier = self._verifier(jwks)
        if isinstance(verifier, Verifier):
            return self._rules.check_claims(verifier.verify(token))
        return self._rules.check_claims(await verifier.averify(token))

    def _check_header(self, token: str | bytes) -> None:
        """Refuse a token that Better Auth's keys do not sign, before they are fetched.

        Its own tokens always name their key; those of its OAuth provider have another
        type. A client may offer keys of other algorithms, which sign no tokens.

        Raises:
            TokenError: The header names no key, another algorithm or another type.
        """
        self._rules.check_header(token)
        algorithm = unverified_header(token).get("alg")
        if not (isinstance(algorithm, str) and algorithm in ALGORITHMS):
            raise InvalidAlgorithmError(OTHER_ALGORITHM)

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

            client: Any = UsableKeys(jwks, ALGORITHMS, NO_KEYS)
            return JWKSVerifier(client, cache=CACHED_TOKENS, **self.options)
        return Verifier(_usable(jwks), **self.options)


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
    usable = [key for key in keys if is_usable(key, ALGORITHMS)]
    if not usable:
        raise InvalidKeyError(NO_KEYS)
    return usable
