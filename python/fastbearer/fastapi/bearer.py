"""From the headers of a request to verified claims (RFC 6750 2.1)."""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import NoneType
from typing import Any, ClassVar, Protocol
from weakref import WeakSet

from fastapi import HTTPException

from fastbearer._core import bearer_token
from fastbearer.errors import (
    KeySourceError,
    RevokedTokenError,
    StoreUnavailableError,
    TokenError,
)
from fastbearer.fastapi.challenges import answer_to
from fastbearer.fastapi.cookie import TokenCookie
from fastbearer.fastapi.hints import hint_for
from fastbearer.fastapi.protection import Protection
from fastbearer.fastapi.refusal_log import log_token_error
from fastbearer.fastapi.subprotocols import Offer
from fastbearer.fastapi.token_finder import CHOSEN, TokenFinder
from fastbearer.fastapi.token_header import HeaderReader, TokenHeader
from fastbearer.fastapi.users import TokenUser, UserOf, user_of
from fastbearer.issuers.flights import asking_client
from fastbearer.revocation.protocol import (
    RevocationStore,
    names_of,
    session_id,
)

__all__ = [
    "BearerReader",
    "Claims",
    "TokenSource",
    "TokenUser",
    "TokenVerifier",
    "has_ended",
    "user_of",
]

Claims = dict[str, Any]
Verify = Callable[[str], Claims | Coroutine[Any, Any, Claims]]
HasEnded = Callable[[str, Claims, str], bool]
Judge = Callable[[str, Claims], None]

READY = (dict, NoneType)
"""What ``BearerReader.claims`` gives where there is nothing to wait for."""

NO_REVOCATIONS = "Tokens cannot be checked at the moment. Please try again."
REVOKED_REASON = "the session has ended"

logger: logging.Logger = logging.getLogger("fastbearer")


class TokenVerifier(Protocol):
    """Anything that turns a token into its claims.

    It may have a coroutine function ``averify`` of the same meaning as well,
    which is then awaited instead. Where it has ``asks`` and that is true,
    `asking_client` names the client of the request meanwhile.
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
    def clock(self) -> Callable[[], float]:
        """What says the time; for the log."""
        ...

    @property
    def token_cookies(self) -> Sequence[TokenCookie]:
        """Where tokens may be that come in no header; the first that came counts."""
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
    def protection(self) -> Protection:
        """What is asked of tokens beside their claims."""
        ...

    @property
    def user_of(self) -> UserOf:
        """What returns the user whom verified claims name, or raises a 401."""
        ...

    def client_of(self, scope: Any) -> str | None:
        """Return what counts as one client, of a request; None where it is unknown."""
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

    What a client sends on purpose goes before the cookies that a browser sends anyhow:
    the headers, in their order; for a WebSocket its subprotocols; then the cookies.
    What is found first is judged, and nothing else where it is bad.

    Args:
        source: Gives the verifier.
        headers: The request headers that may have the token.

    Attributes:
        token, offer, nothing: Those of the `TokenFinder`.
    """

    token: Callable[[Any], str | None]
    nothing: Callable[..., HTTPException]
    offer: Callable[[Any], Offer | None]
    _all: ClassVar[WeakSet["BearerReader"]] = WeakSet()

    def __init__(
        self, source: TokenSource, headers: Sequence[TokenHeader] = (TokenHeader(),)
    ) -> None:
        self._source = source
        self._finder = TokenFinder(source, headers)
        self.token, self.nothing = self._finder.token, self._finder.nothing
        self.offer = self._finder.offer
        # The first of them is read without detours: most have no other.
        first = HeaderReader(headers[0]) if headers else None
        is_bearer = first is not None and first.is_bearer
        self._read = bearer_token if is_bearer else _read_nothing
        self._raw_header = b"" if first is None else first.raw_name
        self._verify: Verify | None = None
        self._asks = False
        self._all.add(self)

    @classmethod
    def renew(cls, source: TokenSource) -> None:
        """Let all its readers ask a source again what verifies: tests stop clocks."""
        for reader in list(cls._all):
            reader.forget(source)

    def forget(self, source: TokenSource) -> None:
        """Ask that source again, if it is this reader's."""
        if self._source is source:
            self._verify = None

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
        try:
            token = self._read(scope["headers"], self._raw_header)
        except ValueError:
            raise self._finder.two_headers() from None
        if not token:
            found = self._finder.found(scope)
            tokens = found.tokens
            if found.is_proven:
                return self._proven(scope, tokens[0])
            if len(tokens) > 1:
                return self._the_good_one(scope, tokens)
            if not tokens:
                return None
            token = tokens[0]
        # As in claims_of; that call would cost more than what it does.
        verify = self._verify or self._prepared()
        if self._asks:
            self._name_client(scope)
        try:
            claims: Any = verify(token)
            if isinstance(claims, dict) and (
                "cnf" in claims or "typ" in claims or "token_type" in claims
            ):
                self._source.protection.check_unproven(claims)
            return claims  # type: ignore[no-any-return]
        except (TokenError, KeySourceError) as error:
            raise self._refusal(error, token) from error

    def claims_of(
        self, token: str, scope: Any = None
    ) -> Claims | Coroutine[Any, Any, Claims]:
        """Return the claims of a token, wherever it comes from; as in ``claims``.

        Args:
            token: The token alone.
            scope: ASGI's, of what it came over, whose client an issuer is asked for;
                None where there is no connection.

        Raises:
            HTTPException: 401 for a bad token, 503 while it cannot be told.
        """
        verify = self._verify or self._prepared()
        if self._asks and scope is not None:
            self._name_client(scope)
        try:
            claims: Any = verify(token)
            if isinstance(claims, dict) and (
                "cnf" in claims or "typ" in claims or "token_type" in claims
            ):
                self._source.protection.check_unproven(claims)
            return claims  # type: ignore[no-any-return]
        except (TokenError, KeySourceError) as error:
            raise self._refusal(error, token) from error

    def is_proven(self, scope: Any) -> bool:
        """Tell whether the token of a request came after ``DPoP``."""
        return self._finder.found(scope).is_proven

    def _name_client(self, scope: Any) -> None:
        """Say for whom an issuer is asked about the token, where one may be."""
        if getattr(self._source.verifier, "asks", False):
            asking_client.set(self._source.client_of(scope))

    def _proven(self, scope: Any, token: str) -> Coroutine[Any, Any, Claims] | None:
        """Return the claims of a token with a proof, where such are accepted."""
        if self._source.protection.proofs is None:
            return None
        self._name_client(scope)
        return self._verify_later(token, scope)

    def _prepared(self) -> Verify:
        """Return what turns a token into claims, for the tokens to come."""
        verifier, revocations = self._source.verifier, self._source.revocations
        self._asks = getattr(verifier, "asks", False)
        self._source.protection.check()
        begin = getattr(verifier, "begin", None)
        if self._source.protection.needs_proof:
            self._verify = self._source.protection.refuse_unproven
        elif begin is not None and (
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
        scope_of = self._source.scope_of

        def verify_now(token: str) -> Claims:
            claims: Any = verify(token)
            try:
                ended = has_ended(token, claims, scope_of(token, claims))
            except StoreUnavailableError as error:
                self._pass_or_refuse(error)
                return claims  # type: ignore[no-any-return]
            if ended:
                raise RevokedTokenError(REVOKED_REASON)
            return claims  # type: ignore[no-any-return]

        return verify_now

    def _begin_with(self, begin: Verify) -> Verify:
        """Return what verifies at once where no keys are awaited."""
        if self._source.revocations is not None:
            judge: Judge = self._judge
        elif self._source.verifier.waits:  # type: ignore[attr-defined]
            judge = _judge_nothing
        else:
            return begin

        async def wait(token: str, coming: Coroutine[Any, Any, Claims]) -> Claims:
            try:
                claims = await coming
                self._source.protection.check_unproven(claims)
                judge(token, claims)
            except (TokenError, KeySourceError) as error:
                raise self._refusal(error, token) from error
            return claims

        def verify(token: str) -> Claims | Coroutine[Any, Any, Claims]:
            claims = begin(token)
            if not isinstance(claims, dict):
                return wait(token, claims)
            judge(token, claims)
            return claims

        return verify

    def _judge(self, token: str, claims: Claims) -> None:
        """Refuse a token that has ended, as the memory of this process knows."""
        source: Any = self._source
        scope = source.scope_of(token, claims)
        try:
            ended = source.revocations.has_ended(token, source.named(claims), scope)
        except StoreUnavailableError as error:
            self._pass_or_refuse(error)
            return
        if ended:
            raise RevokedTokenError(REVOKED_REASON)

    async def _verify_later(self, token: str, proven: Any = None) -> Claims:
        try:
            return await self._judged(token, proven)
        except (TokenError, KeySourceError) as error:
            is_proven = proven is not None
            raise self._refusal(error, token, is_proven=is_proven) from error

    async def _judged(self, token: str, proven: Any = None) -> Claims:
        """Return the claims of a token, whose proof is in the scope ``proven``."""
        protection = self._source.protection
        if proven is None and protection.needs_proof:
            protection.refuse_unproven(token)
        verifier = self._source.verifier
        averify = getattr(verifier, "averify", None)
        claims: Claims = (
            verifier.verify(token) if averify is None else await averify(token)
        )
        if proven is None:
            protection.check_unproven(claims)
        else:
            await protection.check_proof(proven, token, claims)
        if self._source.revocations is not None:
            await self._check_revocation(self._source.revocations, token, claims)
        return claims

    async def _the_good_one(self, scope: Any, tokens: Sequence[str]) -> Claims:
        """Judge the cookies of one name: two good ones that differ are refused."""
        self._name_client(scope)
        good: dict[str, Claims] = {}
        refused: tuple[TokenError, str] | None = None
        for token in tokens:
            try:
                good[token] = await self._judged(token)
            except TokenError as error:
                refused = refused or (error, token)
            except KeySourceError as error:
                raise self._refusal(error, token) from error
        if len(good) > 1:
            raise self._finder.two_cookies()
        for token, claims in good.items():
            scope[CHOSEN] = token
            return claims
        assert refused is not None  # noqa: S101 - there was one at least
        raise self._refusal(*refused) from refused[0]

    def _refusal(
        self, error: TokenError | KeySourceError, token: str, *, is_proven: bool = False
    ) -> HTTPException:
        if isinstance(error, TokenError):
            log_token_error(error, hint_for(error, token, self._source))
        challenges = self._source.protection.challenges
        return answer_to(error, None, challenges, is_proven=is_proven)

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


def _read_nothing(_headers: Any, _name: bytes) -> None:
    return None


def _judge_nothing(_token: str, _claims: Claims) -> None:
    """Accept what is verified."""


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
