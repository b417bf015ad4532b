"""What a Better Auth server signs for a session: tokens, data, and their cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastbearer.awaited import awaited
from fastbearer.better_auth.cookies import (
    CookieJar,
    CookieNames,
    SameSite,
    set_cookies,
)
from fastbearer.better_auth.judging import Good, signed_tokens
from fastbearer.better_auth.session import Session
from fastbearer.better_auth.session_data import SessionData, Strategy
from fastbearer.errors import MalformedTokenError, MissingClaimError, TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from fastbearer._core import SessionSecret

__all__ = ["SignedSessions"]

WEEK = 604_800  # seconds: Better Auth's session.expiresIn

NO_DATA = "there is no session data"
NO_TOKEN = "there is no session token"
NOT_ASCII = "not ASCII"
SIMILAR = (
    "there is no cookie {}, but there is {}: cookie_prefix, cookie_names and secure say"
    " what the server calls it"
)


class SignedSessions:
    """Reads and writes what is signed, or sealed, with the secret of a server.

    `BetterAuth` is one, and makes what this needs.
    """

    _data: SessionData
    _is_secure: bool
    _jwks: Any
    _names: CookieNames
    _secret: SessionSecret

    # --- session tokens ------------------------------------------------------------

    def read_session_token(self, value: str | bytes) -> str:
        """Return the token of a signed cookie or bearer value.

        It identifies a user only together with a store, or with session data.

        Args:
            value: Token, dot and signature; percent-encoded or not, quoted or not.

        Raises:
            TokenError: The value has no session token, or is not signed with this
                secret.
        """
        return self._secret.read_token(value)

    def sign_session_token(self, token: str) -> str:
        """Return the value that the server gives its cookie ``session_token``.

        Args:
            token: 32 letters and digits. Nothing else is signed, since the same
                secret signs tokens of other kinds.

        Raises:
            ValueError: The text is not a session token.
        """
        return quote(self._secret.sign_token(token), safe="")

    # --- session data --------------------------------------------------------------

    def read_session_data(
        self,
        value: str | bytes,
        *,
        session_token: str | None = None,
        jwks: Any = None,
    ) -> Session:
        """Return the session of the value of a cookie ``session_data``.

        The strategies "compact", "jwt" and "jwe" are told apart by their shape.

        Args:
            value: The value, its pieces joined.
            session_token: The token that the data must belong to; None for any.
            jwks: Keys in place of those of the instance; a JWKSClient blocks while it
                fetches.

        Raises:
            TokenError: The value is not session data, was altered or has expired; the
                class says which.
            KeySourceError: The keys cannot be fetched.
            InvalidKeyError: None of the keys given here can be used.
        """
        text = value if isinstance(value, str) else _text(value)
        keys = self._jwks if jwks is None else jwks
        return self._data.read(text, session_token, keys)

    @awaited
    async def aread_session_data(
        self,
        value: str | bytes,
        *,
        session_token: str | None = None,
        jwks: Any = None,
    ) -> Session:
        """Like `read_session_data`, for asyncio: a fetch of the keys is awaited."""
        text = value if isinstance(value, str) else _text(value)
        keys = self._jwks if jwks is None else jwks
        return await self._data.aread(text, session_token, keys)

    def write_session_data(
        self,
        session: Mapping[str, Any],
        user: Mapping[str, Any],
        *,
        strategy: Strategy = "compact",
        max_age: float | timedelta = 300,
    ) -> str:
        """Return the value of a cookie ``session_data``, as the server writes it.

        Args:
            session: With ``id``, ``token``, ``userId``, ``expiresAt``, ``createdAt``
                and ``updatedAt``; dates may be datetimes.
            user: With ``id``, ``email``, ``name``, ``emailVerified``, ``createdAt``
                and ``updatedAt``.
            strategy: The server's ``session.cookieCache.strategy``.
            max_age: How long the data is good: seconds, or a timedelta.

        Raises:
            ValueError: The session does not belong to the user, has a value that
                JavaScript would not write, or could not be read again.
        """
        return self._data.write(session, user, strategy=strategy, max_age=max_age)

    # --- cookies -------------------------------------------------------------------

    def read_cookies(self, cookie_header: str | bytes, *, jwks: Any = None) -> Session:
        """Return the session of a request's cookies.

        Both cookies are needed: ``session_token``, and ``session_data`` of the same
        token, which may come in pieces. The data may be as old as the server's
        ``cookieCache.maxAge``; `find_session` looks a session up instead.

        Args:
            cookie_header: The request's ``Cookie``.
            jwks: Keys in place of those of the instance.

        Raises:
            MissingClaimError: One of the cookies is missing.
            TokenError: A cookie was not accepted; the class says why.
        """
        if isinstance(cookie_header, str):
            cookie_header = cookie_header.encode("latin-1", "replace")
        return self.read_jar(self.cookies([(b"cookie", cookie_header)]), jwks=jwks)

    def read_jar(self, jar: CookieJar, *, jwks: Any = None) -> Session:
        """Return the session of a request's cookies, as `read_cookies` does.

        Where several cookies of one name came, each is judged.
        """
        tokens, values = self.signed_tokens(jar), _data_of(jar)
        if len(tokens) == len(values) == 1:
            return self.read_session_data(values[0], session_token=tokens[0], jwks=jwks)
        good = Good(tokens)
        for value in values:
            try:
                session = self.read_session_data(value, jwks=jwks)
            except TokenError as error:
                good.refuse(error)
            else:
                good.add(session.session["token"], session)
        return good.one()

    @awaited
    async def aread_jar(self, jar: CookieJar, *, jwks: Any = None) -> Session:
        """Like `read_jar`, for asyncio: a fetch of the keys is awaited."""
        tokens, values = self.signed_tokens(jar), _data_of(jar)
        if len(tokens) == len(values) == 1:
            return await self.aread_session_data(
                values[0], session_token=tokens[0], jwks=jwks
            )
        good = Good(tokens)
        for value in values:
            try:
                session = await self.aread_session_data(value, jwks=jwks)
            except TokenError as error:
                good.refuse(error)
            else:
                good.add(session.session["token"], session)
        return good.one()

    def signed_tokens(self, jar: CookieJar) -> list[str]:
        """Return the session tokens of a request's cookies that are signed.

        Raises:
            MissingClaimError: There is no such cookie.
            TokenError: None of them is signed with this secret.
        """
        values = jar.session_tokens
        if not values:
            raise MissingClaimError(NO_TOKEN, "session_token")
        if len(values) == 1:
            return [self._secret.read_token(values[0])]
        return signed_tokens(values, self._secret.read_token)

    def cookies(self, headers: Sequence[Sequence[bytes]]) -> CookieJar:
        """Return the cookies among ASGI's headers of a request, unverified.

        Raises:
            MalformedTokenError: A cookie of the server was sent too often.
        """
        return self._names.find(headers)

    def hint_at_cookies(self, headers: Sequence[Sequence[bytes]]) -> str | None:
        """Return a line for a log where a request has no session token of this name.

        It says so if another cookie could be meant, and how to read that. Its name
        comes from the client, and has no other characters than a name may have.
        """
        similar = self._names.similar(headers)
        if similar is None:
            return None
        return SIMILAR.format(self._names.session_token, similar)

    def write_cookies(
        self,
        session: Mapping[str, Any],
        user: Mapping[str, Any],
        *,
        strategy: Strategy | None = "compact",
        max_age: int = 300,
        expires_in: int = WEEK,
        remember: bool = True,
        domain: str | None = None,
        same_site: SameSite = "lax",
    ) -> list[str]:
        """Return the ``Set-Cookie`` headers that sign somebody in.

        Args:
            session: As in `write_session_data`; its ``token`` is signed.
            user: As in `write_session_data`.
            strategy: As in `write_session_data`; None writes no session data.
            max_age: Seconds for which the session data is good.
            expires_in: Seconds for which the browser keeps the session token.
            remember: False for a session that ends with the browser.
            domain: The domain whose hosts all get the cookies.
            same_site: Whether browsers send the cookies from other sites.

        Raises:
            ValueError: As in `write_session_data`, or the data is too long, even in
                pieces.
        """
        common = {
            "domain": domain,
            "secure": self._is_secure,
            "same_site": same_site,
        }
        signed = self._secret.sign_token(session.get("token", ""))
        lasting = {**common, "max_age": expires_in if remember else None}
        made = set_cookies(self._names.session_token, signed, lasting)
        if strategy is None:
            return made
        age = max_age if remember else min(max_age, 60)  # the server's own minute
        data = self.write_session_data(session, user, strategy=strategy, max_age=age)
        brief = {**common, "max_age": age if remember else None}
        name = self._names.session_data
        return made + set_cookies(name, data, brief, may_split=True)


def _data_of(jar: CookieJar) -> list[str]:
    values = jar.every_session_data()
    if not values:
        raise MissingClaimError(NO_DATA, "session_data")
    return values


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError("session data is str or bytes")
    if not value.isascii():  # an error of decode() would hold it
        raise MalformedTokenError(NOT_ASCII)
    return value.decode("ascii")
