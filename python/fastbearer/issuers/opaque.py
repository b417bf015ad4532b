"""Verifying tokens that only their issuer can read."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fastbearer import Key, Verifier, jws
from fastbearer.awaited import awaited
from fastbearer.errors import (
    ConfigurationError,
    InactiveTokenError,
    IntrospectionError,
    InvalidClaimError,
    KeySourceError,
    MalformedTokenError,
)
from fastbearer.issuers.flights import FlightError, Flights
from fastbearer.issuers.introspection import Introspection, Question
from fastbearer.issuers.remembered import Remembered
from fastbearer.issuers.rules import is_name
from fastbearer.jwks.discovery import DiscoveredKeys
from fastbearer.jwks.fetch import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastbearer.issuers.introspection import Metadata
    from fastbearer.issuers.issuer import Issuer

__all__ = ["OpaqueVerifier"]

B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""What a Bearer token is made of (RFC 6750 2.1)."""

CLIENT_CLAIMS = frozenset(("azp", "cid"))
"""What JWTs call the client, where answers have ``client_id`` (RFC 7662 2.2): a rule
for one of these is meant for the other."""

FOR_GOOD = float("inf")
"""Until others push it out."""

INACTIVE = "the issuer says that the token is not active"
NOT_ACCESS = "the issuer says that it is not an access token"
TOO_LONG = "the token is longer than max_bytes"
FOREIGN = "the token has characters that no Bearer token has"
NO_INTROSPECTION = "the issuer has no introspect=Introspection(...)"
NO_NAME = "introspection needs the issuer's url"


@dataclass(frozen=True)
class Answer:
    """What the issuer has said of a token.

    Attributes:
        claims: What it said, as a token of ours; None where it is not active.
        is_access: Whether it is an access token.
        expires: Its ``exp``, in seconds since the epoch.
    """

    claims: str | None
    is_access: bool = True
    expires: float = float("inf")


@dataclass(frozen=True)
class Failure:
    """Why the issuer has said nothing."""

    reason: str
    retry_after: float


class OpaqueVerifier:
    """Verifies tokens by asking their issuer, and then as any others (RFC 7662).

    What the issuer says is signed with a key that lives in this object alone, and
    verified: so ``exp``, ``nbf``, ``iss``, ``aud`` and the required names are judged
    by the core, by the same rules as those of a JWT.

    Args:
        issuer: Whose tokens; with ``introspect``.
        metadata: Where its discovery document comes from, if its keys have one.
        clock: In place of the system's: seconds since the epoch.

    Raises:
        ConfigurationError: The issuer has no ``introspect``, or no URL; or the
            endpoint is unknown, or must not be asked.
    """

    def __init__(
        self,
        issuer: Issuer,
        metadata: Metadata | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        how = issuer.introspect
        if not isinstance(how, Introspection):
            raise ConfigurationError(NO_INTROSPECTION)
        self._names = tuple(name for name in issuer.names if name is not None)
        if not self._names:
            raise ConfigurationError(NO_NAME)
        self._how = how
        self._client_claims = CLIENT_CLAIMS & _needed(issuer)
        self._max_bytes = issuer.max_bytes
        self._clock = time.time if clock is None else clock
        self._key = Key.generate("HS256")
        self._verifier = _verifier(issuer, self._names, self._key, clock, how.max_bytes)
        self._question = _question(issuer, how, self._names[0], metadata)
        self._flights: Flights[Answer | Failure] = Flights(
            how.concurrency, how.waiting, how.timeout, 2 * how.timeout, how.clock
        )
        self._active: Remembered[Answer] = Remembered(how.remembered)
        # Apart, so that tokens which somebody makes up push out no good ones.
        self._inactive: Remembered[Answer] = Remembered(how.remembered)
        # That they were good, and nothing of what was said: they are asked about first.
        self._known: Remembered[bool] = Remembered(how.remembered)

    def verify(self, token: str | bytes) -> dict[str, Any]:
        """Return the claims of a good token; blocks while the issuer is asked.

        Raises:
            TokenError: The token was not accepted; `InactiveTokenError` where the
                issuer says so.
            KeySourceError: The issuer cannot be asked, which says nothing of the
                token; `IntrospectionError` where it has no good answer.
        """
        text = self._checked(token)
        subject = sha256(text.encode()).digest()
        known: Answer | Failure | None = self._remembered(subject)
        if known is None:
            try:
                known = self._flights.answer(
                    subject,
                    lambda: self._ask(subject, text),
                    is_known=self._is_known(subject),
                )
            except FlightError as error:
                known = Failure(str(error), 1)
        return self._claims(known)

    @awaited
    async def averify(self, token: str | bytes) -> dict[str, Any]:
        """Like `verify`, for asyncio: nothing blocks."""
        text = self._checked(token)
        subject = sha256(text.encode()).digest()
        known: Answer | Failure | None = self._remembered(subject)
        if known is None:
            try:
                known = await self._flights.aanswer(
                    subject,
                    lambda: self._ask(subject, text),
                    is_known=self._is_known(subject),
                )
            except FlightError as error:
                known = Failure(str(error), 1)
        return self._claims(known)

    def _checked(self, token: str | bytes) -> str:
        """Return a token that may be sent: form and length cost nobody a request."""
        if not isinstance(token, (str, bytes)):
            raise TypeError("a token must be str or bytes")
        if len(token) > self._max_bytes:
            raise _malformed(TOO_LONG, "token_too_long")
        text = token if isinstance(token, str) else token.decode("latin-1")
        if B64TOKEN.fullmatch(text) is None:
            raise _malformed(FOREIGN, "token_characters")
        return text

    def _remembered(self, subject: bytes) -> Answer | None:
        now = self._how.clock()
        known = self._active.get(subject, now)
        if known is not None and self._clock() < known.expires:
            return known
        return self._inactive.get(subject, now)

    def _is_known(self, subject: bytes) -> bool:
        """Tell whether a token was active when its issuer last spoke of it."""
        return self._known.get(subject, self._how.clock()) is not None

    async def _ask(self, subject: bytes, token: str) -> Answer | Failure:
        """Ask, and remember the answer."""
        try:
            members = await self._question.ask(token)
            answer = self._answer(members)
        except KeySourceError as error:
            return Failure(str(error), error.retry_after)
        now = self._how.clock()
        if answer.claims is None:
            self._inactive.put(subject, answer, now + self._how.inactive_lifetime)
            self._known.forget(subject)
        else:
            self._active.put(subject, answer, now + self._how.lifetime)
            self._known.put(subject, True, FOR_GOOD)
        return answer

    def _answer(self, members: dict[str, Any] | None) -> Answer:
        if members is None:
            return Answer(None)
        # Many servers write null for what there is not; a null cnf binds all the same.
        members = {
            name: value
            for name, value in members.items()
            if value is not None or name == "cnf"
        }
        members.setdefault("iss", self._names[0])
        for name in self._client_claims:
            if "client_id" in members:
                members.setdefault(name, members["client_id"])
        exp = members.get("exp")
        return Answer(
            jws.sign(json.dumps(members).encode(), self._key),
            self._question.is_access_token(members),
            exp if isinstance(exp, (int, float)) else float("inf"),
        )

    def _claims(self, answer: Answer | Failure) -> dict[str, Any]:
        """Return the claims of an answer, judged anew: clocks go on."""
        if isinstance(answer, Failure):
            raise IntrospectionError(answer.reason, answer.retry_after)
        if answer.claims is None:
            refused = InactiveTokenError(INACTIVE)
            refused.reason = "token_inactive"
            raise refused
        if not answer.is_access:
            wrong = InvalidClaimError(NOT_ACCESS, "token_type")
            wrong.reason = "not_access_token"
            raise wrong
        return self._verifier.verify(answer.claims)


def _needed(issuer: Issuer) -> set[str]:
    """Return the names of claims that an issuer asks for."""
    groups = [(one,) if isinstance(one, str) else one for one in issuer.require]
    return {*issuer.required, *(name for group in groups for name in group)}


def _verifier(
    issuer: Issuer,
    names: tuple[str, ...],
    key: Key,
    clock: Callable[[], float] | None,
    max_bytes: int,
) -> Verifier:
    """Return what judges the claims.

    ``exp`` is there or not (RFC 7662 2.2): that the token is active now, its issuer
    has said.
    """
    return Verifier(
        key,
        issuer=names,
        audience=issuer.audience,
        ignore_audience=issuer.ignore_audience,
        leeway=issuer.leeway,
        # Paths and alternatives are judged where several issuers are.
        require=[one for one in issuer.require if is_name(one) and one != "exp"],
        # What was read within max_bytes is written again, with escapes, in base64url.
        max_bytes=16 * max_bytes + 4096,
        clock=clock,
    )


def _question(
    issuer: Issuer, how: Introspection, name: str, metadata: Metadata | None
) -> Question:
    headers = issuer.headers if how.headers is None else how.headers

    def fetcher(headers: Mapping[str, str] | None) -> Fetcher:
        return Fetcher(
            allow_http=issuer.allow_http if how.allow_http is None else how.allow_http,
            headers=headers,
            ssl_context=how.ssl_context or issuer.ssl_context,
            timeout=how.timeout,
            max_bytes=how.max_bytes,
        )

    if how.url is None and metadata is None:
        metadata = DiscoveredKeys(
            name,
            allow_http=issuer.allow_http,
            headers=issuer.headers,
            ssl_context=issuer.ssl_context,
            timeout=how.timeout,
        )
    return Question(how, name, metadata, fetcher(headers), fetcher(None))


def _malformed(text: str, reason: str) -> MalformedTokenError:
    error = MalformedTokenError(text)
    error.reason = reason
    return error
