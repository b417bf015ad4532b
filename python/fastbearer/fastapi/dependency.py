"""The dependencies that turn a bearer token into a user (RFC 6750).

No ``from __future__ import annotations`` here: FastAPI has to see the real
class in the signature of ``__call__``.
"""

import logging
import math
import re
from typing import Any, Protocol

from fastapi import HTTPException
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

# pydantic takes the TypedDict of typing from Python 3.12 on only.
from typing_extensions import TypedDict

from fastbearer import unverified_header
from fastbearer._core import algorithms
from fastbearer.errors import (
    ConfigurationError,
    ExpiredTokenError,
    InvalidAlgorithmError,
    KeySourceError,
    MissingClaimError,
    TokenError,
)

__all__ = [
    "BearerDependency",
    "ClaimsDependency",
    "OptionalUserDependency",
    "PathUserDependency",
    "TokenUser",
    "TokenVerifier",
    "UserDependency",
    "VerifierSource",
]

NOT_AUTHENTICATED = "Not authenticated"
EXPIRED = "Token has expired. Please sign in again."
INVALID = "Invalid token"
MISSING_USER_ID = "Invalid token: missing user_id"
UNAVAILABLE = "Keys cannot be fetched at the moment. Please try again."
OTHER_USER = "User ID mismatch: You can only access your own data"

KNOWN_ALGORITHMS = frozenset((*algorithms, "none"))

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2

logger = logging.getLogger("fastbearer")


class TokenUser(TypedDict):
    """The signed-in user, as the token names them.

    Attributes:
        user_id: The claim ``sub``, else ``user_id``; never empty.
        email: The claim ``email``, or ``""``.
    """

    user_id: str
    email: str


class TokenVerifier(Protocol):
    """Anything that turns a token into its claims.

    It may have a coroutine function ``averify`` of the same meaning as well,
    which is then awaited instead.
    """

    def verify(self, token: str, /) -> dict[str, Any]:
        """Return the claims of a good token.

        Raises:
            TokenError: The token was not accepted.
            KeySourceError: It cannot be told at the moment.
        """
        ...


class VerifierSource(Protocol):
    """Whoever owns the verifier; asked at the first token, not earlier."""

    @property
    def verifier(self) -> TokenVerifier:
        """The verifier."""
        ...

    @property
    def algorithm(self) -> str | None:
        """The one algorithm of the verifier, where known; for the log."""
        ...


class BearerDependency(SecurityBase):
    """What all flavours share: find the token, verify it, refuse it.

    Serves HTTP and WebSocket routes alike. Instances are compared and hashed
    by identity, which ``dependency_overrides`` relies on.

    Args:
        source: Gives the verifier.
        header: Name of the request header that has the token.

    Raises:
        ConfigurationError: ``header`` is not a header name (RFC 9110 5.1).
    """

    def __init__(
        self,
        source: VerifierSource,
        *,
        header: str = "Authorization",
    ) -> None:
        self.model = _security_scheme(header)
        self.scheme_name = "Bearer" if _is_standard(header) else header
        self._source = source
        self._header = header
        self._raw_header = header.lower().encode()

    async def _verified(self, conn: HTTPConnection) -> dict[str, Any] | None:
        """Return the verified claims, or None if no credentials came.

        Raises:
            HTTPException: 401 for a bad token, 400 for two headers, 503 while
                the keys cannot be fetched.
        """
        token = self._token(conn)
        if token is None:
            return None
        verifier = self._source.verifier
        averify = getattr(verifier, "averify", None)
        try:
            claims: dict[str, Any] = (
                verifier.verify(token) if averify is None else await averify(token)
            )
        except TokenError as error:
            logger.warning("token refused: %s%s", error.code, self._hint(error, token))
            raise _invalid_token(_detail(error)) from error
        except KeySourceError as error:
            raise _unavailable(error) from error
        return claims

    async def _required(self, conn: HTTPConnection) -> dict[str, Any]:
        """Like ``_verified``, but without credentials it is a 401 as well."""
        claims = await self._verified(conn)
        if claims is None:
            raise _refusal(401, NOT_AUTHENTICATED)
        return claims

    def _token(self, conn: HTTPConnection) -> str | None:
        # ASGI has the header names in lower case, the values as bytes.
        wanted = self._raw_header
        value: bytes | None = None
        for name, candidate in conn.scope["headers"]:
            if name == wanted:
                if value is not None:
                    raise self._two_headers()
                value = candidate
        if value is None:
            return None
        scheme, _, token = value.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        # Latin-1 never fails; what is not a token is the verifier's to say.
        return token.lstrip(b" ").decode("latin-1") or None

    def _two_headers(self) -> HTTPException:
        detail = f"More than one {self._header} header"
        return _refusal(400, detail, "invalid_request")

    def _hint(self, error: TokenError, token: str) -> str:
        """Return what may help to find the cause, for the end of a log line."""
        if not isinstance(error, InvalidAlgorithmError):
            return ""
        alg = _known_algorithm(token)
        if alg is None:
            return ""
        only = self._source.algorithm
        if only is None or alg == only:
            return f": alg is {alg}"
        hint = f": alg is {alg}, this verifier has only {only}"
        if not alg.startswith("HS") and alg != "none":
            hint += "; Better Auth's jwt() plugin? Set BETTER_AUTH_URL."
        return hint


class ClaimsDependency(BearerDependency):
    """The whole payload of the token."""

    async def __call__(self, conn: HTTPConnection) -> dict[str, Any]:
        """Return the claims; 401 without a good token."""
        return await self._required(conn)


class UserDependency(BearerDependency):
    """The signed-in user."""

    async def __call__(self, conn: HTTPConnection) -> TokenUser:
        """Return the user; 401 without a good token."""
        return _user(await self._required(conn))


class OptionalUserDependency(BearerDependency):
    """The signed-in user, where there is one."""

    async def __call__(self, conn: HTTPConnection) -> TokenUser | None:
        """Return the user, or None without credentials; 401 for bad ones."""
        claims = await self._verified(conn)
        return None if claims is None else _user(claims)


class PathUserDependency(BearerDependency):
    """The signed-in user, on the paths that are theirs."""

    async def __call__(self, conn: HTTPConnection) -> TokenUser:
        """Return the user; 403 unless the path's ``user_id`` is theirs."""
        user = _user(await self._required(conn))
        # A path without one is nobody's: "" is no user's id.
        if str(conn.path_params.get("user_id", "")) != user["user_id"]:
            raise _refusal(403, OTHER_USER, "insufficient_scope")
        return user


def _user(claims: dict[str, Any]) -> TokenUser:
    user_id = claims.get("sub")
    if not (isinstance(user_id, str) and user_id):
        user_id = claims.get("user_id")
        if not (isinstance(user_id, str) and user_id):
            missing = MissingClaimError("the token names no user", "sub")
            logger.warning("token refused: %s: no sub, no user_id", missing.code)
            raise _invalid_token(MISSING_USER_ID) from missing
    email = claims.get("email")
    return {"user_id": user_id, "email": email if isinstance(email, str) else ""}


def _refusal(status: int, detail: str, error: str | None = None) -> HTTPException:
    """Return a refusal with its challenge.

    RFC 6750 3 asks for at least one parameter after ``Bearer``, and for no
    error code when no credentials came.

    Args:
        status: The HTTP status.
        detail: A text of ours; never anything that was sent.
        error: The error code of RFC 6750 3.1.
    """
    challenge = 'Bearer realm="fastbearer"'
    if error is not None:
        challenge += f', error="{error}", error_description="{detail}"'
    return HTTPException(status, detail, headers={"WWW-Authenticate": challenge})


def _invalid_token(detail: str) -> HTTPException:
    return _refusal(401, detail, "invalid_token")


def _unavailable(error: KeySourceError) -> HTTPException:
    """Return a 503: nothing is wrong with the token, as far as one knows."""
    headers = {"Retry-After": str(math.ceil(error.retry_after))}
    return HTTPException(503, UNAVAILABLE, headers=headers)


def _detail(error: TokenError) -> str:
    return EXPIRED if isinstance(error, ExpiredTokenError) else INVALID


def _known_algorithm(token: str) -> str | None:
    """Return the header's ``alg`` if it is a name we know, fit for a log."""
    try:
        alg = unverified_header(token).get("alg")
    except TokenError:
        return None
    return alg if isinstance(alg, str) and alg in KNOWN_ALGORITHMS else None


def _is_standard(header: str) -> bool:
    return header.lower() == "authorization"


def _security_scheme(header: str) -> SecurityScheme:
    """Return what OpenAPI says about the header (the Authorize button)."""
    if HEADER_NAME.fullmatch(header) is None:
        raise ConfigurationError("header must be the name of an HTTP header")
    if _is_standard(header):
        return HTTPBearer(bearerFormat="JWT")
    # The type "http" of OpenAPI always means the header Authorization.
    return APIKey.model_validate(
        {"in": APIKeyIn.header, "name": header, "description": "Bearer <token>"}
    )
