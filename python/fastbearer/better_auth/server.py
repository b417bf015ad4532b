"""One Better Auth server: reads and writes what it issues."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastbearer import _core
from fastbearer.awaited import awaited
from fastbearer.better_auth.cookies import (
    CookieNames,
)
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
from fastbearer.better_auth.signed_sessions import SignedSessions
from fastbearer.errors import (
    ConfigurationError,
    InvalidHashError,
)
from fastbearer.hash_slots import password_verify
from fastbearer.urls import origin_and_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta

    from fastbearer.better_auth.origins import Rule
    from fastbearer.better_auth.session_store import SessionStore

__all__ = ["BetterAuth", "Strategy"]


NO_STORE = "a session token alone identifies a user only with a store"
WRONG_URL = "base_url must be an absolute http or https URL"
NO_KEYS = "tokens of the plugin jwt() need the server's keys"


class BetterAuth(SignedSessions):
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
        leeway: By how much clocks may differ for tokens of the plugin ``jwt()``:
            seconds, or a timedelta.
        max_bytes: Longer tokens of the plugin ``jwt()`` are refused before they are
            read.

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
        leeway: float | timedelta = 0,
        max_bytes: int = 16384,
    ) -> None:
        key = signing_key(secret, allow_short_secret=allow_short_secret)
        every = session_secrets(secret, previous, allow_short_secret=allow_short_secret)
        self.origin: str = _origin(base_url)
        exact, rules = origins_and_rules(trusted_origins)
        self.trusted_origins: frozenset[str] = frozenset((self.origin, *exact))
        self.origin_rules: tuple[Rule, ...] = tuple(rules)
        self.store = store
        self._names = CookieNames(cookie_prefix, secure=secure, names=cookie_names)
        self._is_secure = secure
        self._secret = every[0]
        self._clock = time.time if clock is None else clock
        self._jwks = None if jwks is None else prepared_keys(jwks)
        tokens = issuer_of_tokens(self.origin, issuer, audience)
        self._tokens = SignedByKey(
            replace(tokens, leeway=leeway, max_bytes=max_bytes), clock
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


def _origin(url: str) -> str:
    found = origin_and_path(url)
    if found is None:
        raise ConfigurationError(WRONG_URL)
    return found[0]
