"""Asking a provider about a token (RFC 7662)."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fastbearer._core import json_object
from fastbearer.errors import (
    ConfigurationError,
    IntrospectionError,
    MalformedTokenError,
)
from fastbearer.issuers.client_authentication import ClientAuthentication
from fastbearer.issuers.options import text_items
from fastbearer.jwks.fetch import Fetcher, FetchError, Response
from fastbearer.jwks.metadata import named_url
from fastbearer.urls import check_url, read_url, without_query

if TYPE_CHECKING:
    from fastbearer.issuers.client_authentication import AuthMethod, PrivateKey
    from fastbearer.jwks.fetch import TLSContext

__all__ = ["Introspection", "Question"]

ACCESS_TOKEN_TYPES = (
    "bearer",
    "dpop",
    "jwt",
    "at+jwt",
    "access",
    "access_token",
    "urn:ietf:params:oauth:token-type:access_token",
)
KINDS = ("token_type", "token_use", "typ")
"""Where servers say what a token is: the standard, Ory and Cognito, Keycloak."""

ERROR_CODE = re.compile("[a-z_]{1,40}")
SECONDS = re.compile("[0-9]{1,4}", re.ASCII)
SIGNED_ANSWER = "application/token-introspection+jwt"
RETRY_SECONDS = 1.0

WRONG_LIFETIME = "lifetime and inactive_lifetime must be seconds, at least 0"
WRONG_NUMBER = "timeout, max_bytes, concurrency and remembered must be positive"
WRONG_WAITING = "waiting must be a number of tokens, at least 0"
WRONG_TEXT = "url, assertion_audience and token_type_hint must be texts"

logger: logging.Logger = logging.getLogger("fastbearer")


class Metadata(Protocol):
    """What finds out what an issuer says of itself."""

    async def metadata(self) -> Mapping[str, Any]:
        """Return the issuer's document.

        Raises:
            KeySourceError: There is none at the moment.
        """
        ...


class Introspection:
    """How tokens are asked about at their issuer (RFC 7662).

    For ``Issuer(introspect=...)``. Tokens that are no JWTs go to the endpoint, which
    says whether they are active and whose they are. What it said is remembered for a
    moment, by the digest of the token.

    Args:
        url: The endpoint; None for the ``introspection_endpoint`` that the issuer's
            discovery document names.
        client_id: Who this service is there; Zitadel's key file has it.
        client_secret: Its secret.
        private_key: Its private key in place of a secret: a `Key`, a PEM, a JWK, or
            the key file of a Zitadel application, as text, as a mapping, or as a path.
        auth: ``client_secret_basic``, ``client_secret_post`` or ``private_key_jwt``;
            chosen by what is given.
        assertion_audience: The ``aud`` of assertions that the key signs; the issuer
            unless given, or the endpoint where the issuer is not a URL.
        always: Whether JWTs of the issuer are asked about as well, after their
            signature, so that those which the provider has revoked are refused.
        lifetime: Seconds for which an active token is not asked about again, at most
            until its ``exp``.
        inactive_lifetime: The same for one that is not active.
        remembered: How many tokens of either kind are remembered.
        concurrency: How many questions are under way at a time; others wait, and the
            clients take turns.
        waiting: How many may wait; further ones are a 503, of the client that has the
            most.
        token_type_hint: RFC 7662 2.1; None to send none.
        token_types: What ``token_type`` may be, and ``token_use`` and ``typ``, which
            some servers have: what access tokens have, unless given. Where an answer
            has none of these, ``require=["token_type"]`` of the issuer refuses it.
        headers: Further headers; those of the issuer unless given.
        ssl_context: What verifies the certificate; that of the issuer unless given.
        allow_http: Whether http may leave this machine; as with the issuer unless
            given.
        timeout: Seconds that a question may take.
        max_bytes: Greatest size of an answer.
        clock: A steady clock: a callable that returns seconds.

    Raises:
        ConfigurationError: A value is missing, or makes no sense.
        InvalidKeyError: The private key breaks a rule.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        private_key: PrivateKey | None = None,
        auth: AuthMethod | None = None,
        assertion_audience: str | None = None,
        always: bool = False,
        lifetime: float = 30,
        inactive_lifetime: float = 10,
        remembered: int = 4096,
        concurrency: int = 32,
        waiting: int = 1024,
        token_type_hint: str | None = "access_token",
        token_types: Iterable[str] = ACCESS_TOKEN_TYPES,
        headers: Mapping[str, str] | None = None,
        ssl_context: TLSContext | None = None,
        allow_http: bool | None = None,
        timeout: float = 5,
        max_bytes: int = 65_536,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self.client: ClientAuthentication = ClientAuthentication(
            client_id, client_secret, private_key, auth
        )
        self.assertion_audience = assertion_audience
        self.always = always
        self.lifetime: float = lifetime
        self.inactive_lifetime: float = inactive_lifetime
        self.remembered: int = remembered
        self.waiting: int = waiting
        self.concurrency = concurrency
        self.token_type_hint = token_type_hint
        self.token_types: frozenset[str] = _lower(token_types)
        self.headers: dict[str, str] | None = (
            None if headers is None else text_items("headers", headers)
        )
        self.ssl_context = ssl_context
        self.allow_http = allow_http
        self.timeout: float = timeout
        self.max_bytes: int = max_bytes
        self.clock = clock
        self._check()

    def _check(self) -> None:
        if not all(map(_is_number, (self.lifetime, self.inactive_lifetime))):
            raise ConfigurationError(WRONG_LIFETIME)
        positive = (self.timeout, self.max_bytes, self.concurrency, self.remembered)
        if not all(_is_number(number) and number > 0 for number in positive):
            raise ConfigurationError(WRONG_NUMBER)
        if not _is_number(self.waiting):
            raise ConfigurationError(WRONG_WAITING)
        texts = (self.url, self.assertion_audience, self.token_type_hint)
        if not all(isinstance(text, (str, type(None))) for text in texts):
            raise ConfigurationError(WRONG_TEXT)
        if not isinstance(self.always, bool):
            raise ConfigurationError("always must be True or False")
        if self.url is not None:
            # Whether http may leave this machine, the issuer says as well.
            check_url(self.url, allow_http=True, name="the introspection URL")

    def __repr__(self) -> str:
        where = "" if self.url is None else f"{without_query(self.url)!r}, "
        return f"Introspection({where}client_id={self.client.client_id!r})"


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_one and 0 <= value < float("inf")


def _lower(types: Iterable[str]) -> frozenset[str]:
    several = [] if isinstance(types, str) else list(types)
    if not (several and all(isinstance(one, str) for one in several)):
        raise ConfigurationError("token_types must be a list of texts")
    return frozenset(one.lower() for one in several)


class Question:
    """Asks one endpoint, as one client.

    Args:
        how: What to ask, and as whom.
        issuer: The issuer's name, for assertions.
        metadata: Where the endpoint is, unless ``how`` says it.
        fetcher: Sends the requests, with further headers.
        stranger: The same without these, for another origin than the issuer's.
    """

    def __init__(
        self,
        how: Introspection,
        issuer: str | None,
        metadata: Metadata | None,
        fetcher: Fetcher,
        stranger: Fetcher,
    ) -> None:
        self._how = how
        self._issuer = issuer
        self._metadata = metadata
        self._fetcher = fetcher
        self._stranger = stranger

    async def ask(self, token: str) -> dict[str, Any] | None:
        """Return what the server says of a token, or None where it is not active.

        Raises:
            IntrospectionError: It cannot be told.
            KeySourceError: The endpoint cannot be found out.
        """
        url = await self._endpoint()
        form = {"token": token}
        if self._how.token_type_hint is not None:
            form["token_type_hint"] = self._how.token_type_hint
        audience = self._how.assertion_audience or self._issuer or url
        proof = self._how.client.proof(audience)
        fetcher = self._fetcher if self._is_trusted(url) else self._stranger
        try:
            answer = await fetcher.post(
                url, {**form, **proof.form}, headers=proof.headers
            )
        except FetchError as error:
            raise _failed(url, str(error)) from None
        if answer.status != 200:
            raise _failed(
                url, _reason(answer), _seconds(answer), is_refused=_is_refused(answer)
            )
        try:
            return _read(answer)
        except MalformedTokenError as error:
            raise _failed(url, f"the answer is not one of RFC 7662: {error}") from None

    async def _endpoint(self) -> str:
        if self._how.url is not None or self._metadata is None:
            return self._how.url or ""
        metadata = await self._metadata.metadata()
        try:
            return named_url(
                "introspection_endpoint",
                metadata,
                self._issuer or "",
                allow_http=self._fetcher.allow_http,
            )
        except FetchError as error:
            raise _failed("", str(error)) from None

    def _is_trusted(self, url: str) -> bool:
        """Tell whether an endpoint may see the further headers.

        One that is given may, and one of the issuer's own origin.
        """
        if self._how.url is not None or self._issuer is None:
            return True
        here, there = read_url(url), read_url(self._issuer)
        return here is not None and there is not None and here.origin == there.origin

    def is_access_token(self, members: Mapping[str, Any]) -> bool:
        """Tell whether an answer is about an access token, as far as it says.

        Servers call refresh tokens active as well: a service that takes one would
        take it for months.
        """
        return all(
            isinstance(members[name], str)
            and members[name].lower() in self._how.token_types
            for name in KINDS
            if members.get(name) is not None
        )


def _read(answer: Response) -> dict[str, Any] | None:
    """Return the members of an answer about an active token, without ``active``.

    Raises:
        MalformedTokenError: It is not an answer of RFC 7662 2.2.
    """
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == SIGNED_ANSWER:
        raise MalformedTokenError("a signed one (RFC 9701), which is not supported")
    members = json_object(answer.body)
    active = members.pop("active", None)
    if not isinstance(active, bool):
        raise MalformedTokenError("it does not say whether the token is active")
    return members if active else None


def _code(answer: Response) -> str | None:
    """Return the code of an error (RFC 6749 5.2), or None."""
    try:
        code = json_object(answer.body).get("error")
    except MalformedTokenError:
        return None
    return code if isinstance(code, str) and ERROR_CODE.fullmatch(code) else None


def _is_refused(answer: Response) -> bool:
    """Tell whether we may not ask."""
    return answer.status in (401, 403) or _code(answer) == "invalid_client"


def _reason(answer: Response) -> str:
    """Return what a response that is not a 200 means, fit for the log."""
    code = _code(answer)
    reason = f"status {answer.status}" + ("" if code is None else f" ({code})")
    if _is_refused(answer):
        return f"{reason}: the server refuses our client_id, its secret or its key"
    if 300 <= answer.status < 400:
        return f"{reason}: a redirect, which is not followed"
    return reason


def _seconds(answer: Response) -> float:
    """Return after how many seconds the server may be asked again."""
    told = answer.headers.get("Retry-After", "")
    return float(told) if SECONDS.fullmatch(told) else RETRY_SECONDS


def _failed(
    url: str,
    reason: str,
    seconds: float = RETRY_SECONDS,
    *,
    is_refused: bool = False,
) -> IntrospectionError:
    where = f" at {without_query(url)}" if url else ""
    logger.warning(
        "token not introspected%s: %s", where, reason, extra={"is_refused": is_refused}
    )
    return IntrospectionError(f"the token cannot be introspected: {reason}", seconds)
