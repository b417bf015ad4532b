"""The settings of the FastAPI layer, read from the environment."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fastbearer import Key
from fastbearer.errors import ConfigurationError, InvalidKeyError

__all__ = ["Settings"]

ALGORITHM = "HS256"
MINIMUM_SECRET_BYTES = 32
BETTER_AUTH_DEFAULT_SECRET = "better-auth-secret-12345678901234567890"

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

WRONG_URL = "BETTER_AUTH_URL must be an absolute http or https URL of ASCII"
BETTER_AUTH_PATH = "/api/auth"
STANDARD_PORTS = {"http": 80, "https": 443}

Text = Annotated[str, Field(min_length=1)]


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
        database_url: SQLAlchemy URL of the database, with an async driver.

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
    # Not in the repr: such a URL often has a password in it.
    database_url: Text = Field(
        default="sqlite+aiosqlite:///./fastbearer.db",
        repr=False,
        description="a database URL",
    )

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
        if secret == BETTER_AUTH_DEFAULT_SECRET:
            raise ConfigurationError(PUBLIC_SECRET)
        try:
            size = len(secret.encode())
        except UnicodeEncodeError:
            raise ConfigurationError(UNENCODABLE_SECRET) from None
        if size < MINIMUM_SECRET_BYTES and not self.allow_short_secret:
            raise ConfigurationError(SHORT_SECRET)


def _origin(url: str) -> tuple[str, str]:
    """Return the origin of a base URL, as its server writes it, and its path.

    Like Better Auth, which takes ``/api/auth`` where the URL has no path. The
    origin has no default port (RFC 6454 6.1).
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(WRONG_URL) from None
    if not (
        url.isascii() and url.isprintable() and host and parts.scheme in STANDARD_PORTS
    ):
        raise ConfigurationError(WRONG_URL)
    host = f"[{host}]" if ":" in host else host
    if port is not None and port != STANDARD_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    return f"{parts.scheme}://{host}", parts.path.rstrip("/") or BETTER_AUTH_PATH


def _broken_rules(settings: type[Settings], error: ValidationError) -> str:
    """Return one clause per offending setting, in our words only."""
    names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
    return "; ".join(_broken_rule(settings, name) for name in names)


def _broken_rule(settings: type[Settings], name: str) -> str:
    field = settings.model_fields.get(name)
    if field is None:
        return f"unknown setting {name!r}"
    return f"{name.upper()} must be {field.description or 'valid'}"
