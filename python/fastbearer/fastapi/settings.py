"""The settings of the FastAPI layer, read from the environment."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fastbearer import Key
from fastbearer.better_auth.secrets import DEFAULT_SECRET
from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.urls import origin_and_path

__all__ = ["Settings"]

ALGORITHM = "HS256"
MINIMUM_SECRET_BYTES = 32

SECRET_NAMES = "BETTER_AUTH_SECRET (or AUTH_SECRET)"
MISSING_SECRET = "BETTER_AUTH_SECRET environment variable is required"
PUBLIC_SECRET = (
    f"{SECRET_NAMES} is Better Auth's built-in default, which everybody knows; "
    "make one of your own with `fastbearer secret`"
)
SHORT_SECRET = (
    f"{SECRET_NAMES} must be at least {MINIMUM_SECRET_BYTES} bytes long for "
    f"{ALGORITHM} (RFC 7518 3.2); make one with `fastbearer secret`, or set "
    "ALLOW_SHORT_SECRET=1 to use a short one all the same"
)
UNENCODABLE_SECRET = f"{SECRET_NAMES} must be valid UTF-8"

WRONG_ORIGINS = (
    "TRUSTED_ORIGINS must be origins like https://app.example.com, with commas between"
)
WRONG_PROXIES = (
    "TRUSTED_PROXIES must be networks like 10.0.0.0/8, with commas between them"
)
NO_REDIS_URL = "REDIS_URL environment variable is required for Redis"
COOKIE_NOT_SECURE = "COOKIE_SAMESITE=none needs COOKIE_SECURE=1 (RFC 6265bis 5.7)"

WRONG_URL = "BETTER_AUTH_URL must be an absolute http or https URL of ASCII"
BETTER_AUTH_PATH = "/api/auth"

Text = Annotated[str, Field(min_length=1)]
Network = IPv4Network | IPv6Network


class JWKSSource(NamedTuple):
    """Where keys come from, and whom the tokens signed with them must name."""

    url: str
    issuer: str | None
    audience: str | None


class Settings(BaseSettings):
    """What the FastAPI layer, the accounts and the service can be told.

    Each field is read from the environment variable of its name in upper
    case; a keyword argument wins over the environment. An empty variable
    counts as unset. No ``.env`` file is read. Settings are immutable.

    Attributes:
        better_auth_secret: The HS256 secret shared with Better Auth, at least
            32 bytes of UTF-8 (RFC 7518 3.2). From ``BETTER_AUTH_SECRET``,
            then ``AUTH_SECRET``. Required unless there is a JWKS source; needed
            to sign in any case.
        better_auth_url: The base URL of a Better Auth server with the plugin
            ``jwt()``. Tokens signed with the keys of its ``/api/auth/jwks`` are
            accepted as well, if their ``iss`` and ``aud`` are its origin.
        jwks_url: Where the keys are, if elsewhere. Without ``better_auth_url``
            the tokens must have ``jwt_issuer`` and ``jwt_audience``.
        jwt_expiration_days: Lifetime of a signed token, in days.
        jwt_issuer: The ``iss`` that tokens get and must have, or None.
        jwt_audience: The ``aud`` that tokens get and must have, or None:
            then a token that has an ``aud`` is refused (RFC 7519 4.1.3).
        allow_short_secret: Accept a secret shorter than 32 bytes.
        password_scheme: The scheme of new password hashes.
        password_min_length: Least length of a new password, in characters.
        password_max_length: Greatest length of a password, in characters.
        password_refuse_common: Refuse new passwords that are among the most
            common ones (NIST SP 800-63B-4 3.1.1.2).
        database_url: SQLAlchemy URL of the database, with an async driver.
        better_auth_database_url: SQLAlchemy URL of a Better Auth server's database:
            then the users are those of its tables.
        better_auth_upgrade_hashes: Whether passwords there are hashed with
            ``password_scheme``, which the server cannot verify.
        redis_url: URL of Redis: then what is counted there is common to all
            processes.
        throttle: Whether sign-ins and their like are limited.
        throttle_failures: Failed sign-ins for one e-mail, like "10/minute".
        throttle_requests: Requests to the open routes from one address.
        throttle_messages: Messages to one e-mail.
        trusted_proxies: Networks of the proxies whose ``X-Forwarded-For`` is
            believed, with commas between them.
        revocation: Where it is kept which tokens have ended before they
            expired: "off" (none do), "memory", "database" or "redis".
        revocation_failure: What happens to tokens while that store is down:
            "closed" is a 503, "open" lets them pass, with an error in the log.
        refresh_tokens: Whether sign-in gives a refresh token as well.
        refresh_days: Days for which a session can be refreshed.
        refresh_grace_seconds: Seconds for which a used refresh token may come
            again without ending its session.
        code_minutes: Minutes for which a code of a message is good.
        email_verification: Whether sign-up sends a code to the e-mail.
        auth_cookie: Whether tokens go in an HttpOnly cookie, not in answers.
        cookie_samesite: "lax", "strict" or "none".
        cookie_secure: Whether the cookie is for HTTPS only. Without it, for
            development over HTTP, its name has no ``__Host-``.
        trusted_origins: Origins of other sites whose pages may send the
            cookie, with commas between them.

    Raises:
        ConfigurationError: A setting is missing, unknown or breaks its rule.
            The message names variable and rule and shows no value.
    """

    model_config = SettingsConfigDict(
        env_file=None,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        loc_by_alias=False,
    )

    # A field's description is its rule: "<NAME> must be <description>".
    better_auth_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("better_auth_secret", "auth_secret"),
        description="a string",
    )
    better_auth_url: Text | None = Field(default=None, description="a URL")
    jwks_url: Text | None = Field(default=None, description="a URL")
    jwt_expiration_days: int | float = Field(
        default=7,
        gt=0,
        le=36500,
        description="a number of days greater than 0 and at most 36500",
    )
    jwt_issuer: Text | None = Field(default=None, description="a non-empty string")
    jwt_audience: Text | None = Field(default=None, description="a non-empty string")
    allow_short_secret: bool = Field(default=False, description="1 or 0")
    password_scheme: Literal["argon2id", "bcrypt", "scrypt"] = Field(
        default="argon2id", description="argon2id, bcrypt or scrypt"
    )
    password_min_length: int = Field(
        default=8, ge=1, description="a whole number of at least 1"
    )
    password_max_length: int = Field(
        default=128, ge=1, description="a whole number of at least 1"
    )
    password_refuse_common: bool = Field(default=True, description="1 or 0")
    # Not in the repr: such a URL often has a password in it.
    database_url: Text = Field(
        default="sqlite+aiosqlite:///./fastbearer.db",
        repr=False,
        description="a database URL",
    )
    better_auth_database_url: Text | None = Field(
        default=None, repr=False, description="a database URL"
    )
    better_auth_upgrade_hashes: bool = Field(default=False, description="1 or 0")
    redis_url: Text | None = Field(
        default=None, repr=False, description="a redis:// URL"
    )
    throttle: bool = Field(default=True, description="on or off")
    throttle_failures: Text = Field(default="10/minute", description="like 10/minute")
    throttle_requests: Text = Field(default="300/minute", description="like 10/minute")
    throttle_messages: Text = Field(default="5/hour", description="like 10/minute")
    trusted_proxies: Text | None = Field(default=None, description="networks")
    revocation: Literal["off", "memory", "database", "redis"] = Field(
        default="off", description="off, memory, database or redis"
    )
    revocation_failure: Literal["closed", "open"] = Field(
        default="closed", description="closed or open"
    )
    refresh_tokens: bool = Field(default=False, description="1 or 0")
    refresh_days: int | float = Field(
        default=30, gt=0, le=36500, description="a number of days greater than 0"
    )
    refresh_grace_seconds: int = Field(
        default=10, ge=0, le=300, description="a number of seconds from 0 to 300"
    )
    code_minutes: int = Field(
        default=60, ge=1, le=10080, description="a number of minutes from 1 to 10080"
    )
    email_verification: bool = Field(default=False, description="1 or 0")
    auth_cookie: bool = Field(default=False, description="1 or 0")
    cookie_samesite: Literal["lax", "strict", "none"] = Field(
        default="lax", description="lax, strict or none"
    )
    cookie_secure: bool = Field(default=True, description="1 or 0")
    trusted_origins: Text | None = Field(default=None, description="origins")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(_broken_rules(type(self), error)) from None
        # After pydantic, whose errors would show the values of a validator.
        self._check_password_lengths()
        self._check_secret()
        if self.has_secret:
            self.signing_key()
        self.jwks_source()
        self.origins()
        self.proxies()
        self._check_stores()

    @property
    def has_secret(self) -> bool:
        """Whether tokens can be signed."""
        return bool(self.better_auth_secret.get_secret_value())

    def signing_key(self) -> Key:
        """Return the HS256 key that signs and verifies the tokens.

        Raises:
            ConfigurationError: There is none, or the secret is not one, but a
                public key, a certificate or a JWK (RFC 8725 3.1: algorithm
                confusion).
        """
        if not self.has_secret:
            raise ConfigurationError(MISSING_SECRET)
        try:
            return Key.from_secret(
                self.better_auth_secret.get_secret_value(),
                ALGORITHM,
                allow_short_secret=self.allow_short_secret,
            )
        except InvalidKeyError as error:
            raise ConfigurationError(f"{SECRET_NAMES}: {error}") from None

    def jwks_source(self) -> JWKSSource | None:
        """Return where the keys of other tokens come from, if anywhere.

        Raises:
            ConfigurationError: ``better_auth_url`` is not such a URL.
        """
        if self.better_auth_url is not None:
            origin, path = _origin(self.better_auth_url)
            return JWKSSource(self.jwks_url or f"{origin}{path}/jwks", origin, origin)
        if self.jwks_url is not None:
            return JWKSSource(self.jwks_url, self.jwt_issuer, self.jwt_audience)
        return None

    def origins(self) -> frozenset[str]:
        """Return the trusted origins, as browsers write them.

        Raises:
            ConfigurationError: One is not an origin (RFC 6454 6.1).
        """
        origins = set()
        for text in _listed(self.trusted_origins):
            origin = origin_and_path(text)
            if origin is None or origin[1].strip("/"):
                raise ConfigurationError(WRONG_ORIGINS)
            origins.add(origin[0])
        return frozenset(origins)

    def proxies(self) -> tuple[Network, ...]:
        """Return the networks of the trusted proxies.

        Raises:
            ConfigurationError: One is not a network.
        """
        try:
            return tuple(ip_network(text) for text in _listed(self.trusted_proxies))
        except ValueError:
            raise ConfigurationError(WRONG_PROXIES) from None

    def redis(self) -> str:
        """Return the URL of Redis.

        Raises:
            ConfigurationError: There is none.
        """
        if self.redis_url is None:
            raise ConfigurationError(NO_REDIS_URL)
        return self.redis_url

    def _check_stores(self) -> None:
        if self.revocation == "redis":
            self.redis()
        if self.cookie_samesite == "none" and not self.cookie_secure:
            raise ConfigurationError(COOKIE_NOT_SECURE)

    def _check_password_lengths(self) -> None:
        if self.password_min_length > self.password_max_length:
            raise ConfigurationError(
                "PASSWORD_MIN_LENGTH must not be greater than PASSWORD_MAX_LENGTH"
            )

    def _check_secret(self) -> None:
        secret = self.better_auth_secret.get_secret_value()
        if not secret:
            if self.better_auth_url is None and self.jwks_url is None:
                raise ConfigurationError(MISSING_SECRET)
            return
        if secret == DEFAULT_SECRET:
            raise ConfigurationError(PUBLIC_SECRET)
        try:
            size = len(secret.encode())
        except UnicodeEncodeError:
            raise ConfigurationError(UNENCODABLE_SECRET) from None
        if size < MINIMUM_SECRET_BYTES and not self.allow_short_secret:
            raise ConfigurationError(SHORT_SECRET)


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []


def _origin(url: str) -> tuple[str, str]:
    """Return the origin of a base URL, as its server writes it, and its path.

    Like Better Auth, which takes ``/api/auth`` where the URL has no path.
    """
    parsed = origin_and_path(url)
    if parsed is None:
        raise ConfigurationError(WRONG_URL)
    return parsed[0], parsed[1].rstrip("/") or BETTER_AUTH_PATH


def _broken_rules(settings: type[Settings], error: ValidationError) -> str:
    """Return one clause per offending setting, in our words only."""
    names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
    return "; ".join(_broken_rule(settings, name) for name in names)


def _broken_rule(settings: type[Settings], name: str) -> str:
    field = settings.model_fields.get(name)
    if field is None:
        return f"unknown setting {name!r}"
    return f"{name.upper()} must be {field.description or 'valid'}"
