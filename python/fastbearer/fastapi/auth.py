"""One configuration of the FastAPI layer, and the default one."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from fastbearer import Signer
from fastbearer.fastapi.dependency import (
    ClaimsDependency,
    OptionalUserDependency,
    PathUserDependency,
    TokenVerifier,
    UserDependency,
)
from fastbearer.fastapi.settings import ALGORITHM, Settings
from fastbearer.fastapi.verifiers import make_verifier

__all__ = ["Auth", "auth"]

SECONDS_PER_DAY = 86_400


class Auth:
    """Token verification and signing for FastAPI, from one set of settings.

    Several of them live side by side. The dependencies are made once, so
    ``app.dependency_overrides`` finds them by identity.

    Args:
        settings: The settings; without them, the environment is read when it
            is first needed (by ``lifespan``, a token, or a signature).
        verifier: Anything with ``verify(token) -> dict`` that raises
            ``TokenError``, in place of the one that the settings describe.
            Where it has ``averify`` too, that is awaited instead.
        header: Name of the request header that has the token, after the
            scheme ``Bearer``.

    Attributes:
        verify_jwt_token: Dependency: the user, or 401.
        verify_user_id: Dependency: the user, if the path's ``user_id`` is
            theirs, or 403.
        optional_user: Dependency: the user, or None without credentials.
        token_claims: Dependency: the whole payload, or 401.

    Raises:
        ConfigurationError: ``header`` is not a header name.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        verifier: TokenVerifier | None = None,
        header: str = "Authorization",
    ) -> None:
        if settings is not None:
            self.settings = settings
        if verifier is not None:
            self.verifier = verifier
        self._is_verifier_given = verifier is not None
        self.verify_jwt_token = UserDependency(self, header=header)
        self.verify_user_id = PathUserDependency(self, header=header)
        self.optional_user = OptionalUserDependency(self, header=header)
        self.token_claims = ClaimsDependency(self, header=header)

    @cached_property
    def settings(self) -> Settings:
        """The settings given, else those of the environment, read once.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        return Settings()

    @cached_property
    def verifier(self) -> TokenVerifier:
        """The verifier given, else the strict one of the settings.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        return make_verifier(self.settings)

    @property
    def algorithm(self) -> str | None:
        """The one algorithm of the accepted tokens, or None for several."""
        is_one = not self._is_verifier_given and self.settings.jwks_source() is None
        return ALGORITHM if is_one else None

    @cached_property
    def signer(self) -> Signer:
        """What signs the tokens: HS256, with the claims that are configured.

        Raises:
            ConfigurationError: There is no secret, or the environment is not
                fit for use.
        """
        return Signer(
            self.settings.signing_key(),
            issuer=self.settings.jwt_issuer,
            audience=self.settings.jwt_audience,
            lifetime=math.ceil(self.settings.jwt_expiration_days * SECONDS_PER_DAY),
        )

    def generate_jwt_token(self, user_id: str, email: str) -> str:
        """Sign a token for a user, with HS256.

        Its claims are ``sub`` and ``user_id`` (the same), ``email``, ``iat``
        and ``exp`` (whole seconds, RFC 7519 4.1), and ``iss`` and ``aud``
        where they are configured.

        Args:
            user_id: Not empty.
            email: May be empty.

        Raises:
            ValueError: ``user_id`` or ``email`` is not such a string.
            ConfigurationError: The environment is not fit for use.
        """
        if not (isinstance(user_id, str) and user_id and isinstance(email, str)):
            raise ValueError("user_id must be a non-empty string, email a string")
        return self.signer.sign({"sub": user_id, "user_id": user_id, "email": email})

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Read the settings at start-up, so that bad ones stop the start.

        For ``FastAPI(lifespan=auth.lifespan)``, or within a lifespan of your
        own: ``async with auth.lifespan(app): ...``. Settings are not needed,
        and not read, where a verifier was given.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        _ = self.verifier
        yield


auth = Auth()
