"""From the headers of a request to verified claims (RFC 6750 2.1)."""

import logging
import re
from collections.abc import Callable, Coroutine, Mapping
from types import NoneType
from typing import Any, Protocol

from fastapi import HTTPException

# pydantic takes the TypedDict of typing from Python 3.12 on only.
from typing_extensions import TypedDict

from fastbearer import unverified_header
from fastbearer._core import algorithms, bearer_token
from fastbearer.errors import (
    ConfigurationError,
    InvalidAlgorithmError,
    KeySourceError,
    MissingClaimError,
    RevokedTokenError,
    StoreUnavailableError,
    TokenError,
)
from fastbearer.fastapi.challenges import (
    MISSING_USER_ID,
    WRONG_USER_ID,
    answer_to,
    invalid_request,
)
from fastbearer.fastapi.cookie import TokenCookie
from fastbearer.issuers.naming import DEFAULT_NAMING, Naming
from fastbearer.revocation.protocol import (
    RevocationStore,
    names_of,
    scope_of,
    session_id,
    subject_of,
)

__all__ = [
    "BearerReader",
    "Claims",
    "TokenSource",
    "TokenUser",
    "TokenVerifier",
    "has_ended",
    "named_user",
    "user_of",
]

Claims = dict[str, Any]
Verify = Callable[[str], Claims | Coroutine[Any, Any, Claims]]
HasEnded = Callable[[str, Claims, str], bool]

READY = (dict, NoneType)
"""What ``BearerReader.claims`` gives where there is nothing to wait for."""

KNOWN_ALGORITHMS = frozenset((*algorithms, "none"))

NO_REVOCATIONS = "Tokens cannot be checked at the moment. Please try again."
REVOKED_REASON = "the session has ended"

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


class TokenSource(Protocol):
    """Whoever owns the verifier; asked at the first token, not earlier."""

    @property
    def verifier(self) -> TokenVerifier:
        """The verifier."""
        ...

    @property
    def algorithm(self) -> str | None:
        """The one algorithm of the verifier, where known; for the log."""
        ...

    @property
    def cookie(self) -> TokenCookie | None:
        """Where tokens may be that come in no header."""
        ...

    @property
    def revocations(self) -> RevocationStore | None:
        """Which tokens have ended."""
        ...

    @property
    def is_open_without_revocations(self) -> bool:
        """Whether tokens are taken while that store is down."""
        ...

    @property
    def home_issuers(self) -> frozenset[str] | None:
        """The issuers whose subjects are our own users, or None for all."""
        ...

    @property
    def user_of(self) -> "Callable[[Mapping[str, Any]], TokenUser]":
        """What returns the user whom verified claims name, or raises a 401."""
        ...

    def scopes_of(self, claims: Mapping[str, Any]) -> set[str]:
        """Return the scopes that verified claims have."""
        ...

    def named(self, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return claims whose ``sub`` names the user."""
        ...

    def scope_of(self, token: str, claims: Mapping[str, Any]) -> str:
        """Return what stands before the names of a verified token."""
        ...


class BearerReader:
    """Finds the token of a request, and verifies it.

    Args:
        source: Gives the verifier.
        header: Name of the request header that has the token.

    Raises:
        ConfigurationError: ``header`` is not a header name (RFC 9110 5.1).
    """

    def __init__(self, source: TokenSource, header: str = "Authorization") -> None:
        if HEADER_NAME.fullmatch(header) is None:
            raise ConfigurationError("header must be the name of an HTTP header")
        self._source = source
        self._header = header
        self._raw_header = header.lower().encode()
        self._verify: Verify | None = None

    def claims(self, scope: Any) -> Claims | Coroutine[Any, Any, Claims] | None:
        """Return the verified claims, or None if no credentials came.

        Where there is something to wait for, that is a coroutine of the
        claims: a coroutine that waits for nothing would cost as much as the
        verification.

        Args:
            scope: ASGI's, of a request or a WebSocket.

        Raises:
            HTTPException: 401 for a bad token, 400 for two, 403 for a cookie
                from another site, 503 while it cannot be told.
        """
        token = self.token(scope)
        if token is None:
            return None
        verify = self._verify or self._prepared()
        try:
            return verify(token)
        except (TokenError, KeySourceError) as error:
            raise self._refusal(error, token) from error

    def _prepared(self) -> Verify:
        """Return what turns a token into claims, for the tokens to come."""
        verifier, revocations = self._source.verifier, self._source.revocations
        begin = getattr(verifier, "begin", None)
        if begin is not None and (
            revocations is None or hasattr(revocations, "has_ended")
        ):
            self._verify = self._begin_with(begin)
        elif hasattr(verifier, "averify"):
            self._verify = self._verify_later
        elif revocations is None:
            self._verify = verifier.verify
        elif hasattr(revocations, "has_ended"):
            self._verify = self._verify_with(verifier.verify, revocations.has_ended)
        else:
            self._verify = self._verify_later
        return self._verify

    def _verify_with(self, verify: Verify, has_ended: HasEnded) -> Verify:
        """Return what verifies, and asks the memory of this process."""
        home = self._source.home_issuers

        def verify_now(token: str) -> Claims:
            claims: Any = verify(token)
            try:
                ended = has_ended(token, claims, scope_of(claims, home))
            except StoreUnavailableError as error:
                self._pass_or_refuse(error)
                return claims  # type: ignore[no-any-return]
            if ended:
                raise RevokedTokenError(REVOKED_REASON)
            return claims  # type: ignore[no-any-return]

        return verify_now

    def _begin_with(self, begin: Verify) -> Verify:
        """Return what verifies at once where no keys are awaited."""
        revocations: Any = self._source.revocations
        ended = None if revocations is None else revocations.has_ended

        def judge(token: str, claims: Claims) -> Claims:
            if ended is None:
                return claims
            scope = self._source.scope_of(token, claims)
            try:
                has = ended(token, self._source.named(claims), scope)
            except StoreUnavailableError as error:
                self._pass_or_refuse(error)
                return claims
            if has:
                raise RevokedTokenError(REVOKED_REASON)
            return claims

        async def wait(token: str, coming: Coroutine[Any, Any, Claims]) -> Claims:
            try:
                return judge(token, await coming)
            except (TokenError, KeySourceError) as error:
                raise self._refusal(error, token) from error

        def verify(token: str) -> Claims | Coroutine[Any, Any, Claims]:
            found = begin(token)
            if isinstance(found, dict):
                return judge(token, found)
            return wait(token, found)

        return verify

    async def _verify_later(self, token: str) -> Claims:
        verifier = self._source.verifier
        averify = getattr(verifier, "averify", None)
        try:
            claims: Claims = (
                verifier.verify(token) if averify is None else await averify(token)
            )
            if self._source.revocations is not None:
                await self._check_revocation(self._source.revocations, token, claims)
        except (TokenError, KeySourceError) as error:
            raise self._refusal(error, token) from error
        return claims

    def _refusal(self, error: TokenError | KeySourceError, token: str) -> HTTPException:
        if isinstance(error, TokenError):
            logger.warning("token refused: %s%s", error.code, self._hint(error, token))
        return answer_to(error)

    async def _check_revocation(
        self, revocations: RevocationStore, token: str, claims: Claims
    ) -> None:
        scope = self._source.scope_of(token, claims)
        try:
            named = self._source.named(claims)
            ended = await has_ended(revocations, token, named, scope)
        except StoreUnavailableError as error:
            self._pass_or_refuse(error)
            return
        if ended:
            raise RevokedTokenError(REVOKED_REASON)

    def _pass_or_refuse(self, error: StoreUnavailableError) -> None:
        logger.error("revocation not checked: %s", error.__cause__ or error)
        if not self._source.is_open_without_revocations:
            raise answer_to(error, NO_REVOCATIONS) from error

    def token(self, scope: Any) -> str | None:
        """Return the token of a request, as it came, or None.

        Raises:
            HTTPException: 400 for two, 403 for a cookie from another site.
        """
        try:
            token = bearer_token(scope["headers"], self._raw_header)
        except ValueError:
            raise self._two_headers() from None
        if token is None:
            return self._token_of_cookie(scope)
        return token or None

    def _token_of_cookie(self, scope: Any) -> str | None:
        if not any(name == b"cookie" for name, _ in scope["headers"]):
            return None
        cookie = self._source.cookie
        return None if cookie is None else cookie.read(scope)

    def _two_headers(self) -> HTTPException:
        return invalid_request(f"More than one {self._header} header")

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


async def has_ended(
    revocations: RevocationStore, token: str, claims: Mapping[str, Any], scope: str
) -> bool:
    """Ask a store, which may be somebody else's."""
    here = getattr(revocations, "has_ended", None)
    if here is not None:
        return bool(here(token, claims, scope))
    names = names_of(token, claims, scope)
    if await revocations.is_revoked(names.token, names.user_id, names.since):
        return True
    if names.session is None:
        return False
    session = session_id(names.session)
    return await revocations.is_revoked(session, names.user_id, names.since)


def user_of(claims: Mapping[str, Any]) -> TokenUser:
    """Return the user whom verified claims name.

    Raises:
        HTTPException: 401 where they name none.
    """
    user_id = subject_of(claims)
    if user_id is None:
        raise _nobody(DEFAULT_NAMING, claims)
    email = claims.get("email")
    return {"user_id": user_id, "email": email if isinstance(email, str) else ""}


def named_user(
    naming_of: Callable[[Mapping[str, Any]], Naming], claims: Mapping[str, Any]
) -> TokenUser:
    """Return the user whom verified claims name, as their issuer names users.

    Raises:
        HTTPException: 401 where they name none.
    """
    naming = naming_of(claims)
    try:
        user_id = naming.user_id(claims)
    except TokenError:
        raise _nobody(naming, claims) from None
    return {"user_id": user_id, "email": naming.email_of(claims)}


def _nobody(naming: Naming, claims: Mapping[str, Any]) -> HTTPException:
    """Return the 401 of claims that name nobody, or nobody by a text."""
    error = naming.nobody(claims)
    logger.warning("token refused: %s: %s (%s)", error.code, error.reason, error.claim)
    is_missing = isinstance(error, MissingClaimError)
    refusal = answer_to(error, MISSING_USER_ID if is_missing else WRONG_USER_ID)
    refusal.__cause__ = error
    return refusal


def _known_algorithm(token: str) -> str | None:
    """Return the header's ``alg`` if it is a name we know, fit for a log."""
    try:
        alg = unverified_header(token).get("alg")
    except TokenError:
        return None
    return alg if isinstance(alg, str) and alg in KNOWN_ALGORITHMS else None
