"""One Better Auth server: reads and writes what it issues."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastbearer import _core
from fastbearer.awaited import awaited
from fastbearer.better_auth.cookies import (
    CookieJar,
    CookieNames,
    SameSite,
    set_cookies,
)
from fastbearer.better_auth.judging import Good, signed_tokens
from fastbearer.better_auth.jwt_plugin import (
    SignedByKey,
    issuer_of_tokens,
    prepared_keys,
)
from fastbearer.better_auth.origins import origins_and_rules
from fastbearer.better_auth.passwords import SCHEME, better_auth_hash
from fastbearer.better_auth.secrets import Secrets, session_secrets, signing_key
from fastbearer.better_auth.session import Session, session_of_claims
from fastbearer.better_auth.session_data import SessionData, Strategy
from fastbearer.errors import (
    ConfigurationError,
    InvalidHashError,
    MalformedTokenError,
    MissingClaimError,
    TokenError,
)
from fastbearer.hash_slots import password_verify
from fastbearer.urls import origin_and_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from fastbearer.better_auth.session_store import SessionStore

__all__ = ["BetterAuth", "Strategy"]

WEEK = 604_800  # seconds: Better Auth's session.expiresIn

NO_DATA = "there is no session data"
NO_TOKEN = "there is no session token"
NO_STORE = "a session token alone identifies a user only with a store"
WRONG_URL = "base_url must be an absolute http or https URL"
SIMILAR = (
    "there is no cookie {}, but there is {}: cookie_prefix, cookie_names and secure say"
    " what the server calls it"
)
NO_KEYS = "tokens of the plugin jwt() need the server's keys"
NOT_ASCII = "not ASCII"


class BetterAuth:
    """What a Better Auth server signs, seals and hashes.

    An instance is immutable and safe to share between threads.

    Args:
        secret: The server's secret, the one in use (``BETTER_AUTH_SECRET``).
        base_url: The server's ``baseURL``; its origin is the issuer and audience of
            tokens of its plugin ``jwt()``.
        cookie_prefix: The server's ``advanced.cookiePrefix``.
        cookie_names: ``{"session_token": "sid"}`` where the server has names of its
            own (``advanced.cookies.session_token.name``), and the same for
            ``session_data``; both without ``__Secure-``.
        secure: Whether the names of cookies begin with ``__Secure-``, as they do
            where the server's ``baseURL`` is https. Without it, both are read.
        previous: Earlier secrets: they open session data (strategy "jwe") that was
            sealed with them, and nothing else, as on the server.
        cache_version: The server's ``session.cookieCache.version``, or a callable
            that returns it for session and user.
        issuer: The ``iss`` of tokens of the plugin ``jwt()``, where it is not the
            origin of ``base_url``.
        audience: The ``aud`` of such tokens, where it is not that origin.
        clock: A callable that returns seconds since the epoch.
        store: The store in which session tokens are looked up.
        jwks: The keys of the plugin ``jwt()``, where its ``sessionCookieCache`` signs
            session data: a KeySet, a JWKSClient, or a JWK Set.
        trusted_origins: The server's ``trustedOrigins``, such as
            ``https://*.example.com`` or ``myapp://``: cookies count in requests of
            their pages, and of those of ``base_url``.
        allow_short_secret: Accept a secret of less than 32 bytes, as the server does.

    Attributes:
        origin: The origin of ``base_url``.
        trusted_origins: Those that are named exactly.
        origin_rules: What tells of another origin whether it is trusted.
        store: The store.

    Raises:
        ConfigurationError: A secret is too short, Better Auth's well-known default,
            or a public key; or ``base_url`` is not a URL.
    """

    def __init__(
        self,
        secret: str,
        *,
        base_url: str = "http://localhost:3000",
        cookie_prefix: str = "better-auth",
        cookie_names: Mapping[str, str] | None = None,
        secure: bool = False,
        previous: Iterable[str] = (),
        cache_version: Any = "1",
        issuer: str | None = None,
        audience: str | Iterable[str] | None = None,
        clock: Callable[[], float] | None = None,
        store: SessionStore | None = None,
        jwks: Any = None,
        trusted_origins: Iterable[str] = (),
        allow_short_secret: bool = False,
    ) -> None:
        key = signing_key(secret, allow_short_secret=allow_short_secret)
        every = session_secrets(secret, previous, allow_short_secret=allow_short_secret)
        self.origin = _origin(base_url)
        exact, rules = origins_and_rules(trusted_origins)
        self.trusted_origins = frozenset((self.origin, *exact))
        self.origin_rules = tuple(rules)
        self.store = store
        self._names = CookieNames(cookie_prefix, secure=secure, names=cookie_names)
        self._is_secure = secure
        self._secret = every[0]
        self._clock = time.time if clock is None else clock
        self._jwks = None if jwks is None else prepared_keys(jwks)
        self._tokens = SignedByKey(
            issuer_of_tokens(self.origin, issuer, audience), clock
        )
        self._data = SessionData(
            every, key, origin=self.origin, version=cache_version, clock=clock
        )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, **options: Any
    ) -> BetterAuth:
        """Return an instance with the secrets that the server reads.

        Args:
            environment: In place of that of the process.
            **options: Those of the class, but for ``secret`` and ``previous``.
                ``base_url`` is ``BETTER_AUTH_URL`` unless it is given,
                ``trusted_origins`` are ``BETTER_AUTH_TRUSTED_ORIGINS``, and
                ``secure`` is whether ``base_url`` is https, as on the server.

        Raises:
            ConfigurationError: There is no secret, or it must not be used.
        """
        import os

        found = os.environ if environment is None else environment
        secrets = Secrets.from_environment(found)
        if found.get("BETTER_AUTH_URL"):
            options.setdefault("base_url", found["BETTER_AUTH_URL"])
        listed = found.get("BETTER_AUTH_TRUSTED_ORIGINS") or ""
        origins = [one.strip() for one in listed.split(",") if one.strip()]
        options.setdefault("trusted_origins", origins)
        url = options.get("base_url")
        options.setdefault("secure", str(url).lower().startswith("https://"))
        return cls(secrets.current, previous=secrets.previous, **options)

    @property
    def has_keys(self) -> bool:
        """Whether there are keys of the plugin ``jwt()``."""
        return self._jwks is not None

    def __repr__(self) -> str:
        return f"BetterAuth(base_url={self.origin!r})"

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

    # --- the store -----------------------------------------------------------------

    @awaited
    async def find_session(self, token: str) -> Session | None:
        """Return the session of a token, looked up; None if there is none.

        Raises:
            ConfigurationError: There is no store.
            StoreUnavailableError: The store cannot be reached at the moment.
        """
        if self.store is None:
            raise ConfigurationError(NO_STORE)
        return await self.store.find(token, self._clock())

    # --- tokens of the plugin jwt() --------------------------------------------------

    def verify_jwt(self, token: str | bytes, jwks: Any = None) -> dict[str, Any]:
        """Return the claims of a token of the plugin ``jwt()``.

        Args:
            token: The token: EdDSA, ES256, ES512, PS256 or RS256, with ``kid``,
                ``sub``, ``exp``, ``iss`` and ``aud``.
            jwks: The server's keys, in place of those of the instance: a KeySet, a
                JWKSClient (which blocks while it fetches), or a JWK Set as a mapping
                or JSON, which is read at every call.

        Raises:
            TokenError: The token was not accepted; the class says why.
            KeySourceError: The keys cannot be fetched.
            ConfigurationError: There are no keys.
        """
        return self._tokens.verify(token, self._keys(jwks))

    @awaited
    async def averify_jwt(self, token: str | bytes, jwks: Any = None) -> dict[str, Any]:
        """Like `verify_jwt`, for asyncio: a fetch is awaited."""
        return await self._tokens.averify(token, self._keys(jwks))

    def session_of_jwt(self, claims: dict[str, Any]) -> Session:
        """Return the session of the claims of such a token.

        Raises:
            TokenError: The claims do not name a user.
        """
        return session_of_claims(claims)

    def _keys(self, jwks: Any) -> Any:
        keys = self._jwks if jwks is None else jwks
        if keys is None:
            raise ConfigurationError(NO_KEYS)
        return keys

    # --- passwords -------------------------------------------------------------------

    def hash_password(self, password: str) -> str:
        """Return the hash that the server would store: scrypt of the password in NFKC.

        It takes a tenth of a second or more: on an event loop, use `BetterAuthHash`.

        Raises:
            PasswordError: The password has a lone surrogate or over 4096 bytes.
        """
        return better_auth_hash(password)

    def verify_password(self, password: str, hashed: str) -> bool:
        """Return whether the password made the hash, in the server's form alone.

        It takes as long as `hash_password`.

        Raises:
            InvalidHashError: The hash has another form.
        """
        if _core.password_scheme(hashed) != SCHEME:
            raise InvalidHashError("not a hash of Better Auth")
        return password_verify(password, hashed)


def _data_of(jar: CookieJar) -> list[str]:
    values = jar.every_session_data()
    if not values:
        raise MissingClaimError(NO_DATA, "session_data")
    return values


def _origin(url: str) -> str:
    found = origin_and_path(url)
    if found is None:
        raise ConfigurationError(WRONG_URL)
    return found[0]


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError("session data is str or bytes")
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedTokenError(NOT_ASCII) from None
