"""One configuration of the FastAPI layer, and the default one."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from fastbearer import Signer, unverified_header
from fastbearer.errors import ConfigurationError, TokenError
from fastbearer.fastapi.bearer import BearerReader, TokenVerifier
from fastbearer.fastapi.challenges import PLAIN
from fastbearer.fastapi.client_address import ClientAddresses
from fastbearer.fastapi.cookie import TokenCookie
from fastbearer.fastapi.doors import Doors
from fastbearer.fastapi.dpop import DPoP
from fastbearer.fastapi.issuer_settings import changed_rules
from fastbearer.fastapi.issuers_in_force import Issuers
from fastbearer.fastapi.own_tokens import OwnTokens
from fastbearer.fastapi.path_users import check_path_users
from fastbearer.fastapi.protection import BoundTokens, Protection
from fastbearer.fastapi.redis_source import needed, redis_source
from fastbearer.fastapi.resource import Resource, metadata_router
from fastbearer.fastapi.settings import Settings
from fastbearer.fastapi.start import told_start
from fastbearer.fastapi.token_header import Header
from fastbearer.fastapi.token_settings import listed
from fastbearer.fastapi.users import UserOf, named_user, user_of
from fastbearer.fastapi.verifiers import make_verifier
from fastbearer.issuers import Issuer
from fastbearer.issuers.naming import DEFAULT_NAMING, Naming
from fastbearer.revocation import MemoryRevocations, RevocationStore
from fastbearer.revocation.protocol import foreign_scope, scope_of
from fastbearer.urls import read_url

if TYPE_CHECKING:
    from fastbearer.connections.redis import RedisClient, RedisSource

__all__ = ["Auth", "auth"]

COOKIE_NAME = "fastbearer"
JTI_BYTES = 16
SECRET_BYTES = 32
TWO_SOURCES = (
    "Auth(verifier=...) verifies tokens in place of the settings: BETTER_AUTH_URL or"
    " JWKS_URL beside it ask for other keys, which nobody would use"
)
TWO_RULES = (
    "Auth(verifier=...) verifies tokens in place of the settings: {} beside it would be"
    " used for nothing"
)
VERIFIER_AND_ISSUERS = "Auth(verifier=...) and Auth(issuers=...) exclude each other"
OWN_CLOCK = "Auth(verifier=...) has a clock of its own: give that verifier clock=..."
NO_DATABASE = (
    "REVOCATION=database needs Accounts over the same Auth, or "
    "Auth(revocations=DatabaseRevocations(...))"
)


class Auth(Doors):
    """Token verification and signing for FastAPI, from one set of settings.

    Several of them live side by side. The dependencies are made once, so
    ``app.dependency_overrides`` finds them by identity.

    Args:
        settings: The settings; without them, the environment is read when it
            is first needed (by ``lifespan``, a token, or a signature).
        verifier: Anything with ``verify(token) -> dict`` that raises
            ``TokenError``, in place of the one that the settings describe.
            Where it has ``averify`` too, that is awaited instead. What else the
            settings ask for holds all the same: cookies, the check of their
            origin, revocation. A secret is needed to sign only.
        issuers: Whose tokens are accepted as well as those that the settings name;
            then the settings need neither a secret nor a source of keys.
        header: Name of the request header that has the token. Several are asked in
            their order, each a name or a `TokenHeader` with a scheme of its own; None
            for no header at all.
        scheme: What stands before the token in a header that is given by its name;
            None where the token stands alone, as in ``Cf-Access-Jwt-Assertion``.
        cookies: Names of cookies with tokens that somebody else sets, beside those of
            the setting ``token_cookies``. A header goes before them, and what changes
            something must come from a trusted origin.
        revocations: Which tokens have ended, in place of the store that the
            setting ``revocation`` describes.
        clock: In place of the system's: a callable that returns seconds since
            the epoch.
        resource: What this service tells clients of itself (RFC 9728).
        dpop: How tokens that are bound to a key are accepted (RFC 9449).
        bound_tokens: What happens to such a token that comes without a proof:
            "refuse", or "bearer" to accept it like any other.
        redis: A client of redis.asyncio in place of the setting ``redis_url``, for all
            that is kept in Redis: ``Redis``, ``RedisCluster``, or what
            ``Sentinel.master_for`` returns. You close it.

    Attributes:
        clients: Tells the clients of requests apart, for the accounts as well.
        verify_jwt_token: Dependency: the user, or 401.
        verify_user_id: Dependency: the user, if the path's ``user_id`` is
            theirs, or 403.
        optional_user: Dependency: the user, or None without credentials.
        token_claims: Dependency: the whole payload, or 401.
        requires: Dependency for ``Security(auth.requires, scopes=[...])``: the
            user, if the token has the scopes, or 403.
        database_revocations: Makes the store of ``REVOCATION=database``;
            ``Accounts`` sets it.
        revocations_of_accounts: Makes the store of ``REVOCATION=auto``; accounts that
            are running set it.
        home_issuers: The issuers whose subjects are our own users, or None for all:
            what ends for a subject of another issuer ends for nobody else, and the
            accounts know no such user. Accounts that are running set it, unless you
            have.
        home_algorithm: That of the tokens whose subjects are our own users, or None
            for any; for you to set with ``home_issuers``.
        foreign_issuers: Issuers whose subjects are not our own users, whatever their
            ``iss``; set with ``home_issuers``.

    Raises:
        ConfigurationError: ``header`` is not a header name, ``scheme`` not a scheme, or
            ``cookies`` not a list of names; or verifier and issuers were given.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        verifier: TokenVerifier | None = None,
        issuers: Iterable[Issuer] | None = None,
        header: Header = "Authorization",
        scheme: str | None = "Bearer",
        cookies: Iterable[str] = (),
        revocations: RevocationStore | None = None,
        clock: Callable[[], float] | None = None,
        resource: Resource | None = None,
        dpop: DPoP | None = None,
        bound_tokens: BoundTokens | None = None,
        redis: RedisClient | None = None,
    ) -> None:
        if verifier is not None and issuers is not None:
            raise ConfigurationError(VERIFIER_AND_ISSUERS)
        if settings is not None:
            self.settings = settings
        self._given = None if issuers is None else tuple(issuers)
        if verifier is not None:
            self.verifier = verifier
        self._revocations = revocations
        self._given_redis = redis
        self.clock: Callable[[], float] = time.time if clock is None else clock
        self._verifier_clock = clock
        self._is_verifier_given = verifier is not None
        self._needs_no_settings = verifier is not None and settings is None
        self.database_revocations: Callable[[], RevocationStore] | None = None
        self.revocations_of_accounts: Callable[[], RevocationStore] | None = None
        self.home_issuers: frozenset[str] | None = None
        self.home_algorithm: str | None = None
        self.foreign_issuers: frozenset[Issuer] = frozenset()
        self.protection: Protection = Protection(
            lambda: self._policy,
            resource=resource,
            dpop=dpop,
            bound_tokens=bound_tokens,
            clock=lambda: self.clock(),
            redis=lambda: self.redis,
        )
        self.clients: ClientAddresses = ClientAddresses(lambda: self._policy)
        self._cookie_names = self._open(header, scheme, cookies)

    def set_clock(
        self, clock: Callable[[], float] | None
    ) -> Callable[[], float] | None:
        """Tell the time by another clock; for `fastbearer.testing`.

        Args:
            clock: What returns seconds since the epoch, or None for the system's.

        Returns:
            The clock of before, in the same sense.

        Raises:
            ConfigurationError: A verifier was given, and it has a clock of its own.
        """
        if self._is_verifier_given:
            raise ConfigurationError(OWN_CLOCK)
        before, self._verifier_clock = self._verifier_clock, clock
        self.clock = time.time if clock is None else clock
        self.protection.set_clock(clock)
        for made in ("verifier", "signer"):
            vars(self).pop(made, None)
        BearerReader.renew(self)
        return before

    @cached_property
    def settings(self) -> Settings:
        """The settings given, else those of the environment, read once.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        return Settings() if self._given is None else _SettingsBesideIssuers()

    @cached_property
    def verifier(self) -> TokenVerifier:
        """The verifier given, else the strict one of the settings.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        return make_verifier(self.issuers, self._verifier_clock)

    @cached_property
    def issuers(self) -> Issuers:
        """Whose tokens are accepted, by the settings and by the code.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        configured = self._policy.issuers(audience=self._own_audience)
        further = (*configured.further, *(self._given or ()))
        return configured._replace(further=tuple(map(self._for_this_resource, further)))

    def _for_this_resource(self, issuer: Issuer) -> Issuer:
        """Return an issuer whose tokens must be for this service, if it has a URL."""
        resource = self.protection.resource
        if resource is None or issuer.audience is not None or issuer.ignore_audience:
            return issuer
        return replace(issuer, audience=resource.url)

    @property
    def algorithm(self) -> str | None:
        """The one algorithm of the accepted tokens, or None for several."""
        if self._is_verifier_given or len(self.issuers.every) != 1:
            return None
        algorithms = _algorithms_of(self.issuers.own)
        return next(iter(algorithms)) if len(algorithms) == 1 else None

    @cached_property
    def user_of(self) -> UserOf:
        """What returns the user whom verified claims name, or raises a 401."""
        naming_of, challenges = self._naming_of, self.protection.challenges
        if naming_of is not None:
            return partial(named_user, naming_of, challenges=challenges)
        if challenges == PLAIN:
            return user_of
        return partial(user_of, challenges=challenges)

    def client_of(self, scope: MutableMapping[str, Any]) -> str | None:
        """Return what counts as one client, like an address; None where it is unknown.

        The proxies of ``TRUSTED_PROXIES`` are believed about it.

        Args:
            scope: ASGI's, of a request or a WebSocket.
        """
        return self.clients.of(scope)

    def scopes_of(self, claims: Mapping[str, Any]) -> set[str]:
        """Return the scopes that verified claims have."""
        naming_of = self._naming_of
        naming = DEFAULT_NAMING if naming_of is None else naming_of(claims)
        return naming.scopes_of(claims)

    def named(self, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return claims whose ``sub`` names the user, as revocations know them."""
        naming_of = self._naming_of
        if naming_of is None:
            return claims
        naming = naming_of(claims)
        if naming.user == DEFAULT_NAMING.user:
            return claims
        try:
            user_id: str | None = naming.user_id(claims)
        except TokenError:
            user_id = None
        return {**claims, "sub": user_id, "user_id": None}

    @cached_property
    def _naming_of(self) -> Callable[[Mapping[str, Any]], Naming] | None:
        """What names the claims of each issuer, or None where all do as usual."""
        verifier: Any = self.verifier
        if getattr(verifier, "naming", None) == DEFAULT_NAMING:
            return None
        naming_of: Any = getattr(verifier, "naming_of", None)
        return naming_of  # type: ignore[no-any-return]

    @cached_property
    def cookie(self) -> TokenCookie | None:
        """The cookie that may have the token, or None: see ``AUTH_COOKIE``."""
        return self.make_cookie(COOKIE_NAME)

    def make_cookie(self, name: str) -> TokenCookie | None:
        """Return a cookie of the settings' kind, or None where they want none."""
        policy = self._policy
        if not policy.auth_cookie:
            return None
        return TokenCookie(
            name,
            secure=policy.cookie_secure,
            same_site=policy.cookie_samesite,
            trusted_origins=policy.origins(),
            requests_without_origin=policy.requests_without_origin,
        )

    @cached_property
    def token_cookies(self) -> tuple[TokenCookie, ...]:
        """The cookies that may have a token: ours, then those that others set."""
        policy = self._policy
        names = dict.fromkeys((*self._cookie_names, *policy.token_cookie_names()))
        foreign = [
            TokenCookie(
                name,
                trusted_origins=policy.origins(),
                requests_without_origin=policy.requests_without_origin,
                is_foreign=True,
            )
            for name in names
        ]
        return (*foreign,) if self.cookie is None else (self.cookie, *foreign)

    @cached_property
    def _policy(self) -> Settings:
        """The settings that have nothing to do with keys.

        They hold for a verifier that was given, too. That needs no secret, so the
        one that is missing here is replaced, and used for nothing.
        """
        if self._needs_no_settings:
            return Settings(better_auth_secret=secrets.token_urlsafe(SECRET_BYTES))
        return self.settings

    @property
    def redis(self) -> RedisSource | None:
        """Where Redis is: the client given, else the URL of the settings, or None.

        Raises:
            ConfigurationError: There are both, or neither where one is needed; or the
                environment is not fit for use.
        """
        return redis_source(self._policy, self._given_redis)

    @property
    def revocations(self) -> RevocationStore | None:
        """Which tokens have ended; None where none end before they expire.

        Raises:
            ConfigurationError: The setting ``revocation`` names a store that
                there is not.
        """
        if self._revocations is None:
            self._revocations = self._configured_revocations()
        return self._revocations

    def _configured_revocations(self) -> RevocationStore | None:
        policy = self._policy
        if policy.revocation == "memory":
            return MemoryRevocations(self.clock)
        if policy.revocation == "redis":
            return self.redis_revocations()
        if policy.revocation == "database":
            if self.database_revocations is None:
                raise ConfigurationError(NO_DATABASE)
            return self.database_revocations()
        if policy.revocation == "auto" and self.revocations_of_accounts is not None:
            return self.revocations_of_accounts()
        return None

    def redis_revocations(self) -> RevocationStore:
        """Return a store in the Redis that is configured.

        Raises:
            ConfigurationError: There is none.
        """
        # Only those who ask for Redis need the extra.
        from fastbearer.revocation.redis import RedisRevocations

        policy = self._policy
        return RedisRevocations(
            needed(self.redis), clock=self.clock, max_lag=policy.revocation_lag_seconds
        )

    def scope_of(self, token: str, claims: Mapping[str, Any]) -> str:
        """Return what stands before the names of a token: "" for those of our users.

        An issuer and its subject name a user, not the subject alone (ASVS 5.0 6.8.1).

        Args:
            token: As it came; verified.
            claims: Its claims.
        """
        home = self.home_algorithm
        if home is not None and _algorithm(token) != home:
            return foreign_scope(claims)
        issuer_of = getattr(self.verifier, "issuer_of", None)
        if self.foreign_issuers and issuer_of is not None:
            issuer = issuer_of(token, claims)
            if issuer in self.foreign_issuers:
                return foreign_scope(claims)
        return scope_of(claims, self.home_issuers)

    @property
    def is_open_without_revocations(self) -> bool:
        """Whether tokens are taken while the store of revocations is down."""
        return self._policy.revocation_failure == "open"

    @cached_property
    def signer(self) -> Signer:
        """What signs the tokens: HS256, with the claims that are configured.

        Of several issuers and audiences, the first.

        Raises:
            ConfigurationError: There is no secret, or the environment is not
                fit for use.
        """
        settings = self.settings
        return Signer(
            settings.signing_key(),
            issuer=next(iter(listed(settings.jwt_issuer)), None),
            audience=next(iter(listed(settings.jwt_audience)), self._own_audience),
            lifetime=self.lifetime,
            # The same that says when sessions ended: the core's own may lag.
            clock=self.clock,
        )

    @property
    def _own_audience(self) -> str | None:
        """This service's URL, where no other audience is configured (RFC 8707 2)."""
        resource = self.protection.resource
        if resource is None or self._policy.jwt_audience is not None:
            return None
        return resource.url

    @property
    def resource_metadata(self) -> APIRouter:
        """A router with the metadata of this service (RFC 9728), for all to read.

        For ``app.include_router(auth.resource_metadata)``, in the application that
        serves the root of the host. The settings are read for it.

        Raises:
            ConfigurationError: There is no resource, or the environment is not fit for
                use.
        """
        resource = self.protection.needed_resource()
        return metadata_router(resource.metadata_path, self.resource_document)

    def resource_document(self) -> dict[str, Any]:
        """Return the metadata of this service (RFC 9728 2).

        Raises:
            ConfigurationError: There is no resource, or the environment is not fit for
                use.
        """
        dpop = self.protection.dpop
        return self.protection.needed_resource().document(
            self.issuer_urls(),
            () if dpop is None else dpop.algorithms,
            needs_proof=self.protection.needs_proof,
        )

    def issuer_urls(self) -> list[str]:
        """Return the issuers that clients can get tokens from: those that are URLs."""
        every = self.issuers.every
        names = dict.fromkeys(name for issuer in every for name in issuer.names)
        return [name for name in names if name is not None and read_url(name)]

    @property
    def lifetime(self) -> int:
        """Lifetime of a signed token, in seconds."""
        days = timedelta(days=self.settings.jwt_expiration_days)
        return math.ceil(days.total_seconds())

    def generate_jwt_token(
        self,
        user_id: str,
        email: str,
        *,
        scopes: Iterable[str] = (),
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """Sign a token for a user, with HS256.

        Its claims are ``sub`` and ``user_id`` (the same), ``email``, ``iat``
        and ``exp`` (whole seconds, RFC 7519 4.1), ``iss`` and ``aud`` where
        they are configured, and where tokens can be revoked ``jti``, and ``gen``,
        how often the user has ended all sessions, by a number that grows. With
        ``requestType`` (0) Better Auth does not take them for its links.

        Args:
            user_id: Not empty.
            email: May be empty.
            scopes: For the claim ``scope`` (RFC 8693 4.2).
            claims: More claims, or others in place of these.

        Raises:
            ValueError: ``user_id`` or ``email`` is not such a string, or a
                scope is not one (RFC 6749 3.3).
            ConfigurationError: The environment is not fit for use.
        """
        if not (isinstance(user_id, str) and user_id and isinstance(email, str)):
            raise ValueError("user_id must be a non-empty string, email a string")
        own = self._own_tokens.claims(user_id, email, scopes)
        if self.revocations is not None:
            own["jti"] = secrets.token_urlsafe(JTI_BYTES)
            generation = getattr(self.revocations, "generation", None)
            if generation is not None:
                own["gen"] = generation(user_id)
        whole = own if claims is None else {**own, **claims}
        return self.signer.sign(whole, headers=self._own_tokens.header)

    @property
    def own_claims(self) -> frozenset[str]:
        """The claims of our tokens that name the user, or that all of them have.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        return self._own_tokens.names

    def _check_verifier(self) -> None:
        """Refuse what would be used for nothing beside the verifier given."""
        configured = self._policy.issuers()
        if configured.others or configured.further:
            raise ConfigurationError(TWO_SOURCES)
        for name in changed_rules(self._policy):
            raise ConfigurationError(TWO_RULES.format(name))

    @cached_property
    def _own_tokens(self) -> OwnTokens:
        return OwnTokens(self.issuers.own)

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Read the settings at start-up, so that bad ones stop the start.

        For ``FastAPI(lifespan=auth.lifespan)``, or within a lifespan of your
        own: ``async with auth.lifespan(app): ...``. Where a verifier was given, a
        secret is not needed. What others have ended is read meanwhile.

        Raises:
            ConfigurationError: The environment is not fit for use.
        """
        with told_start():
            self.protection.check()
            check_path_users(app)
            _ = self.verifier, self.token_cookies, self.redis
            if self._is_verifier_given:
                self._check_verifier()
            revocations: Any = self.revocations
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.protection.aclose)
            close = getattr(revocations, "aclose", None)
            if close is not None:
                stack.push_async_callback(close)
            if hasattr(revocations, "lifespan"):
                await stack.enter_async_context(revocations.lifespan(app))
            yield


def _algorithm(token: str) -> object:
    """Return the algorithm of a verified token, or None if it is no JWT."""
    try:
        return unverified_header(token).get("alg")
    except TokenError:
        return None


def _algorithms_of(issuer: Issuer | None) -> frozenset[str]:
    keys: Any = () if issuer is None else issuer.keys
    return frozenset(key.algorithm for key in keys)


class _SettingsBesideIssuers(Settings):
    """Settings beside issuers that the code names: they need none of their own."""

    needs_keys = False


auth: Auth = Auth()
