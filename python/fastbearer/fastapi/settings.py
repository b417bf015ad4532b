"""The settings of the FastAPI layer, read from the environment."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr

from fastbearer.better_auth.cookies import SameSite
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.cookie import named_cookies
from fastbearer.fastapi.cross_site import read_origin
from fastbearer.fastapi.issuer_settings import issuers_of, secret_keys
from fastbearer.fastapi.mail_settings import (
    MailServer,
    check_link,
    check_sender,
    read_smtp_url,
)
from fastbearer.fastapi.token_settings import Text, TokenSettings, listed, setting

if TYPE_CHECKING:
    from fastbearer import Key
    from fastbearer.fastapi.issuers_in_force import Issuers

__all__ = ["Settings"]

WRONG_ORIGINS = (
    "TRUSTED_ORIGINS must be origins like https://app.example.com, or those of apps"
    " like capacitor://localhost, with commas between"
)
WRONG_PROXIES = (
    "TRUSTED_PROXIES must be networks like 10.0.0.0/8, or unix, with commas between"
)
WRONG_COOKIES = "TOKEN_COOKIES must be names of cookies, with commas between them"
UNIX = "unix"
COOKIE_NOT_SECURE = "COOKIE_SAMESITE=none needs COOKIE_SECURE=1 (RFC 6265bis 5.7)"

NO_RESOURCE_URL = "RESOURCE_SCOPES and RESOURCE_NAME need RESOURCE_URL"
NO_DPOP = (
    "DPOP_BASE_URL, DPOP_NONCE_SECRET and DPOP_REPLAYS need DPOP=optional or required"
)

Network = IPv4Network | IPv6Network


class Settings(TokenSettings):
    """What the FastAPI layer, the accounts and the service can be told.

    Each field is read from the environment variable of its name in upper
    case; a keyword argument wins over the environment. An empty variable
    counts as unset. No ``.env`` file is read. Settings are immutable.

    Raises:
        ConfigurationError: A setting is missing, unknown or breaks its rule.
            The message names variable and rule and shows no value.
    """

    password_scheme: Literal["argon2id", "bcrypt", "scrypt"] = setting(
        "argon2id", "argon2id, bcrypt or scrypt"
    )
    """The scheme of new password hashes."""

    password_weak_hashes: bool = setting(False, "1 or 0")
    """Whether passwords are verified against old hashes of weak formats, too."""

    password_min_length: int = setting(8, "a whole number of at least 1", ge=1)
    """Least length of a new password, in characters."""

    password_max_length: int = setting(128, "a whole number of at least 1", ge=1)
    """Greatest length of a password, in characters."""

    site_name: Text | None = setting(None, "a non-empty string")
    """Name of the site: a new password made of it and of digits is too common."""

    password_refuse_common: bool = setting(True, "1 or 0")
    """Refuse new passwords that are among the most common ones (NIST SP
    800-63B-4 3.1.1.2)."""

    database_url: Text = setting(
        "sqlite+aiosqlite:///./fastbearer.db", "a database URL", repr=False
    )
    """URL of the database: PostgreSQL's, MariaDB's, MySQL's, or SQLAlchemy's with an
    async driver."""

    database_pooler: Literal["none", "pgbouncer"] = setting("none", "none or pgbouncer")
    """The pooler in front of PostgreSQL: "pgbouncer" in transaction mode, for every URL
    of these settings. ``pgbouncer=true`` in one URL says so of that one."""

    better_auth_database_url: Text | None = setting(None, "a database URL", repr=False)
    """SQLAlchemy URL of a Better Auth server's database: then the users are those
    of its tables."""

    better_auth_upgrade_hashes: bool = setting(False, "1 or 0")
    """Whether passwords there are hashed with ``password_scheme``, which the
    server cannot verify."""

    redis_url: Text | None = setting(None, "a redis:// URL", repr=False)
    """URL of Redis, of a Redis Cluster or of Sentinels: then what is counted there is
    common to all processes."""

    throttle: bool = setting(True, "on or off")
    """Whether sign-ins and their like are limited."""

    throttle_failures: Text = setting("10/minute, 30/hour, 50/day", "like 10/minute")
    """Failed sign-ins for one name or user from one client; several windows make
    whoever goes on wait longer and longer."""

    throttle_account_failures: Text = setting("100/day", "like 10/minute")
    """Failed sign-ins for one name or user from all clients from which nobody has
    signed in with the password of today; and from all others."""

    throttle_requests: Text = setting("300/minute", "like 10/minute")
    """Requests from one address to the open routes, and to those that check a
    password."""

    throttle_messages: Text = setting("5/hour", "like 10/minute")
    """Messages to one e-mail, or caused by one user, that one client asks for."""

    throttle_account_messages: Text = setting("20/hour", "like 10/minute")
    """The same from all clients from which nobody has signed in with the password of
    today; and from all others."""

    trusted_proxies: Text | None = setting(None, "networks")
    """Networks of the proxies that are believed about their clients, with commas
    between them; "unix" for what comes over a unix socket."""

    forwarded_header: Literal["x-forwarded-for", "forwarded"] = setting(
        "x-forwarded-for", "x-forwarded-for or forwarded"
    )
    """The header that those proxies write. Without any ``X-Forwarded-For``, the
    header ``Forwarded`` (RFC 7239) is read in any case. With "forwarded", the server
    must read neither: ``uvicorn --no-proxy-headers``."""

    revocation: Literal["auto", "off", "memory", "database", "redis"] = setting(
        "auto", "auto, off, memory, database or redis"
    )
    """Where sessions are recorded that have ended before their tokens expired;
    "auto": with accounts, where those are, otherwise "off", nowhere."""

    revocation_failure: Literal["closed", "open"] = setting("closed", "closed or open")
    """What happens to tokens while that store is down: "closed" is a 503, "open"
    lets them pass, with an error in the log."""

    revocation_lag_seconds: int = setting(
        10, "a number of seconds from 2 to 3600", ge=2, le=3600
    )
    """Seconds for which a process goes on with what it knows, while it cannot read
    what others have ended."""

    refresh_tokens: bool = setting(False, "1 or 0")
    """Whether sign-in gives a refresh token as well."""

    refresh_days: int | float = setting(
        30, "a number of days greater than 0", gt=0, le=36500
    )
    """Days for which a session can be refreshed."""

    refresh_grace_seconds: int = setting(
        10, "a number of seconds from 0 to 300", ge=0, le=300
    )
    """Seconds for which a used refresh token may come again without ending its
    session."""

    code_minutes: int = setting(
        10, "a number of minutes from 1 to 10080", ge=1, le=10080
    )
    """Minutes for which a code of a message is good (OWASP ASVS 5.0 6.5.5: ten)."""

    sign_up: Literal["open", "closed", "invitation"] = setting(
        "open", "open, closed or invitation"
    )
    """Who may sign up: everybody, nobody, or only people with an invitation."""

    email_verification: bool = setting(False, "1 or 0")
    """Whether sign-up sends a code to the e-mail."""

    require_verified_email: bool = setting(False, "1 or 0")
    """Whether only users whose e-mail is verified have sessions: sign-up then sends a
    code, and answers the same whether or not the e-mail is taken."""

    smtp_url: Text | None = setting(None, "a URL", repr=False)
    """The server that messages are sent through, ``smtp://user:password@host:587``
    (with STARTTLS) or ``smtps://``; needs ``mail_from``."""

    mail_from: Text | None = setting(None, "an e-mail address")
    """Whom messages come from, like ``App <no-reply@example.com>``."""

    mail_link: Text | None = setting(None, "a URL with {code}")
    """The page that takes a code, ``https://app.example.com/{purpose}?code={code}``:
    then messages have a link in place of the code."""

    mail_console: bool = setting(False, "1 or 0")
    """Whether messages go to standard error where there is no ``smtp_url``: for
    development, because they contain codes."""

    api_docs: bool = setting(True, "1 or 0")
    """Whether the service shows its OpenAPI document, and the pages /docs and
    /redoc."""

    auth_cookie: bool = setting(False, "1 or 0")
    """Whether tokens go in an HttpOnly cookie, not in responses."""

    cookie_samesite: SameSite = setting("lax", "lax, strict or none")
    """When browsers send the cookie from other sites."""

    cookie_secure: bool = setting(True, "1 or 0")
    """Whether the cookie is for HTTPS only. Without it, for development over
    HTTP, its name has no ``__Host-``."""

    trusted_origins: Text | None = setting(None, "origins")
    """Origins of other sites whose pages may send the cookie, with commas between
    them."""

    resource_url: Text | None = setting(None, "a URL")
    """The URL of this service as its clients see it, for metadata and challenges (RFC
    9728). Where there is no ``jwt_audience``, tokens must have it as ``aud``."""

    resource_scopes: Text | None = setting(None, "scopes")
    """The scopes that clients may ask for, with spaces between them."""

    resource_name: Text | None = setting(None, "a non-empty string")
    """What people call this service."""

    dpop: Literal["off", "optional", "required"] = setting(
        "off", "off, optional or required"
    )
    """Whether tokens that are bound to a key are accepted, with a proof of it (RFC
    9449); "required" accepts no others."""

    dpop_base_url: Text | None = setting(None, "a URL")
    """Scheme, host and path prefix of this service as its clients see it, where that is
    not the origin of ``resource_url``."""

    dpop_replays: Literal["memory", "redis"] = setting("memory", "memory or redis")
    """Where used proofs are remembered; several processes need Redis."""

    dpop_nonce_secret: SecretStr = setting(SecretStr(""), "a string")
    """At least 32 bytes, the same for all processes: then each proof needs a nonce of
    this service (RFC 9449 9)."""

    bound_tokens: Literal["refuse", "bearer"] = setting("refuse", "refuse or bearer")
    """What happens to a token that is bound to a key or a certificate (``cnf``) and
    comes without proof: "bearer" accepts it like any other."""

    requests_without_origin: Literal["refuse", "allow"] = setting(
        "refuse", "refuse or allow"
    )
    """What happens to a request with a cookie that changes something, and has neither
    ``Origin`` nor ``Sec-Fetch-Site``: servers send such, browsers do not."""

    token_cookies: Text | None = setting(None, "names of cookies")
    """Cookies with tokens that somebody else sets, with commas between their names."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        # After pydantic, whose errors would show the values of a validator.
        self._check_password_lengths()
        self.issuers()
        self.origins()
        self.token_cookie_names()
        self.proxies()
        self._check_cookies()
        self._check_mail()
        self._check_resource()

    def issuers(self, audience: str | None = None) -> Issuers:
        """Return the issuers whose tokens are accepted.

        Args:
            audience: That of tokens, where ``jwt_audience`` names none (RFC 8707 2).

        Raises:
            ConfigurationError: There are none, or a setting contradicts another.
        """
        found = issuers_of(self)
        return found if audience is None else found.of_audience(audience)

    def signing_key(self) -> Key:
        """Return the HS256 key that signs and verifies the tokens.

        Raises:
            ConfigurationError: There is none, or the secret must not be used as
                one: it is too short, known to everybody, or a public key.
        """
        return secret_keys(self)[0]

    def origins(self) -> frozenset[str]:
        """Return the trusted origins, as browsers write them.

        Raises:
            ConfigurationError: One is not an origin (RFC 6454 6.1).
        """
        origins = set()
        for text in listed(self.trusted_origins):
            origin = read_origin(text)
            if origin is None:
                raise ConfigurationError(WRONG_ORIGINS)
            origins.add(origin)
        return frozenset(origins)

    def token_cookie_names(self) -> tuple[str, ...]:
        """Return the names of the cookies that somebody else sets.

        Raises:
            ConfigurationError: One is not the name of a cookie.
        """
        try:
            return named_cookies(listed(self.token_cookies))
        except ConfigurationError:
            raise ConfigurationError(WRONG_COOKIES) from None

    def proxies(self) -> tuple[Network, ...]:
        """Return the networks of the trusted proxies.

        Raises:
            ConfigurationError: One is not a network.
        """
        texts = listed(self.trusted_proxies)
        try:
            return tuple(ip_network(text) for text in texts if text != UNIX)
        except ValueError:
            raise ConfigurationError(WRONG_PROXIES) from None

    @property
    def trusts_unix_sockets(self) -> bool:
        """Whether whoever is connected over a unix socket is a trusted proxy."""
        return UNIX in listed(self.trusted_proxies)

    @property
    def needs_redis(self) -> bool:
        """Whether something is to be kept in Redis and nowhere else."""
        return "redis" in (self.revocation, self.dpop_replays)

    def mail_server(self) -> MailServer | None:
        """Return the server that messages are sent through, if there is one.

        Raises:
            ConfigurationError: The URL is not that of one.
        """
        return None if self.smtp_url is None else read_smtp_url(self.smtp_url)

    def _check_mail(self) -> None:
        if self.mail_link is not None:
            check_link(self.mail_link)
        if self.mail_server() is not None or self.mail_from is not None:
            check_sender(self.mail_from)

    def scopes_of_resource(self) -> tuple[str, ...]:
        """Return the scopes that clients may ask for."""
        return tuple((self.resource_scopes or "").split())

    def _check_resource(self) -> None:
        about = self.resource_scopes, self.resource_name
        if self.resource_url is None and any(about):
            raise ConfigurationError(NO_RESOURCE_URL)
        of_dpop = (
            self.dpop_base_url,
            self.dpop_nonce_secret.get_secret_value(),
            self.dpop_replays == "redis",
        )
        if self.dpop == "off" and any(of_dpop):
            raise ConfigurationError(NO_DPOP)

    def _check_cookies(self) -> None:
        if self.cookie_samesite == "none" and not self.cookie_secure:
            raise ConfigurationError(COOKIE_NOT_SECURE)

    def _check_password_lengths(self) -> None:
        if self.password_min_length > self.password_max_length:
            raise ConfigurationError(
                "PASSWORD_MIN_LENGTH must not be greater than PASSWORD_MAX_LENGTH"
            )
