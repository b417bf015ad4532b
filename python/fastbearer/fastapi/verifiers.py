"""The verifiers that settings describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbearer import Verifier
from fastbearer.better_auth.jwt_plugin import CACHED_TOKENS
from fastbearer.errors import InvalidAlgorithmError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fastbearer.fastapi.bearer import TokenVerifier
    from fastbearer.fastapi.settings import JWKSSource, Settings
    from fastbearer.jwks import JWKSVerifier

__all__ = ["make_verifier"]


class EitherVerifier:
    """Tokens of the secret, and tokens of keys from a URL.

    Each side takes its own algorithms only: the secret HS256, a JWK Set from
    elsewhere none of its kind. So neither can be mistaken for the other.
    """

    def __init__(self, secret: Verifier, keys: JWKSVerifier) -> None:
        self._secret = secret
        self._keys = keys

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a good token; blocks while keys are fetched."""
        try:
            return self._secret.verify(token)
        except InvalidAlgorithmError:
            return self._keys.verify(token)

    async def averify(self, token: str) -> dict[str, Any]:
        """Return the claims of a good token; a fetch is awaited."""
        try:
            return self._secret.verify(token)
        except InvalidAlgorithmError:
            return await self._keys.averify(token)


def make_verifier(
    settings: Settings,
    clock: Callable[[], float] | None = None,
    audience: str | None = None,
) -> TokenVerifier:
    """Return what verifies the tokens that the settings accept.

    Args:
        settings: The settings.
        clock: In place of the system's.
        audience: That of tokens, where the settings name none (RFC 8707 2).

    Raises:
        ConfigurationError: The keys' URL is none that may be fetched, or the
            extra ``jwks`` is not installed.
    """
    source = settings.jwks_source()
    if source is None:
        return _secret_verifier(settings, clock, audience)
    jwks = _jwks_verifier(source, clock, audience)
    if not settings.has_secret:
        return jwks
    return EitherVerifier(_secret_verifier(settings, clock, audience), jwks)


def _secret_verifier(
    settings: Settings, clock: Callable[[], float] | None, audience: str | None
) -> Verifier:
    return Verifier(
        settings.signing_key(),
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience or audience,
        clock=clock,
    )


def _jwks_verifier(
    source: JWKSSource, clock: Callable[[], float] | None, audience: str | None
) -> JWKSVerifier:
    # Only those who ask for keys from a URL need the extra.
    from fastbearer.jwks import JWKSVerifier

    return JWKSVerifier(
        source.url,
        issuer=source.issuer,
        audience=[one for one in (source.audience, audience) if one] or None,
        # A client sends its token with every request: check its signature once.
        cache=CACHED_TOKENS,
        clock=clock,
    )
