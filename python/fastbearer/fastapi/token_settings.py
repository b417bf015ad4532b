"""The settings of tokens: whose they are, and what they must have."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from fastbearer.better_auth.secrets import Secrets
from fastbearer.errors import ConfigurationError

__all__ = [
    "MISSING_SECRET",
    "Text",
    "TokenSettings",
    "as_variable",
    "listed",
    "setting",
]

SECRET_NAMES = "BETTER_AUTH_SECRET (or AUTH_SECRET)"
MISSING_SECRET = "BETTER_AUTH_SECRET environment variable is required"

Text = Annotated[str, Field(min_length=1)]


def setting(default: Any, rule: str, **options: Any) -> Any:
    """Return a field: an error says "<NAME> must be <rule>"."""
    return Field(default=default, description=rule, **options)


def as_variable(field: FieldInfo, value: object) -> str:
    """Return the value of a field as its variable would have it."""
    if not isinstance(value, bool):
        return str(value)
    off, on = ("off", "on") if field.description == "on or off" else ("0", "1")
    return on if value else off


class TokenSettings(BaseSettings):
    """What tokens are verified and signed with.

    Each field is read from the environment variable of its name in upper
    case; a keyword argument wins over the environment. An empty variable
    counts as unset. No ``.env`` file is read. Settings are immutable.

    Raises:
        ConfigurationError: A setting is missing, unknown or breaks its rule.
            The message names variable and rule and shows no value.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_file=None,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        loc_by_alias=False,
    )

    needs_keys: ClassVar[bool] = True

    better_auth_secret: SecretStr = setting(
        SecretStr(""),
        "a string",
        validation_alias=AliasChoices("better_auth_secret", "auth_secret"),
    )
    """The HS256 secret shared with Better Auth, at least 32 bytes of UTF-8 (RFC
    7518 3.2). From ``BETTER_AUTH_SECRET``, then ``AUTH_SECRET``. Required unless
    there is a list of them or another issuer; needed to sign in any case."""

    better_auth_secrets: SecretStr = setting(SecretStr(""), "a string")
    """Better Auth's list of secrets, ``2:new,1:old``: the first is in use."""

    better_auth_url: Text | None = setting(None, "a URL")
    """The base URL of a Better Auth server with the plugin ``jwt()``. Tokens
    signed with the keys of its ``/api/auth/jwks`` are accepted as well, if their
    ``iss`` is its origin or one of ``jwt_issuer``, and their ``aud`` its origin, or
    where it is set, one of ``jwt_audience``."""

    # Not in the repr: there may be a key in such a URL's query, or a password.
    jwks_url: Text | None = setting(None, "a URL", repr=False)
    """Where the keys are, if elsewhere. Without ``better_auth_url`` it needs
    ``jwt_issuer``, unless ``jwt_any_issuer`` is set."""

    jwt_expiration_days: int | float = setting(
        7, "a number of days greater than 0 and at most 36500", gt=0, le=36500
    )
    """Lifetime of a signed token, in days."""

    jwt_issuer: Text | None = setting(None, "a non-empty string")
    """The ``iss`` that tokens must have, one of several with commas between them; ours
    get the first. Without a secret, ``better_auth_url`` and ``jwks_url``, each is the
    URL of an issuer whose keys are discovered."""

    jwt_audience: Text | None = setting(None, "a non-empty string")
    """The ``aud`` that tokens must have, one of several with commas between them; ours
    get the first. None: then a token with an ``aud`` is refused (RFC 7519 4.1.3)."""

    jwt_issuers: SecretStr = setting(SecretStr(""), "a JSON list of issuers")
    """Further issuers, as JSON: a list of objects with the fields of an ``Issuer``, or
    with ``"profile": "keycloak"`` and the arguments of ``Issuer.keycloak``."""

    jwt_any_issuer: bool = setting(False, "1 or 0")
    """Whether tokens of ``jwks_url`` may have any ``iss``: for keys that sign for
    nobody else (RFC 8725 3.8)."""

    jwt_leeway: int | float = setting(
        0, "a number of seconds from 0 to 3600", ge=0, le=3600
    )
    """By how many seconds clocks may differ."""

    jwt_algorithms: Text | None = setting(None, "algorithms")
    """The accepted algorithms, with commas between them; None for HS256 under the
    secret, and for those of the keys elsewhere."""

    jwt_typ: Text | None = setting(None, "types")
    """What the header's ``typ`` must be, like ``at+jwt`` (RFC 9068 4): one of several
    with commas between them, of which "none" lets it be absent."""

    jwt_required: Text | None = setting(None, "a JSON object")
    """Claims that must have a value, as JSON: name or path -> the value, or a list of
    the values of which the claim must have one: ``{"azp": ["web", "app"]}``."""

    jwt_user_claim: Text | None = setting(None, "names of claims")
    """The claim that names the user, in place of ``sub``, else ``user_id``; of several
    with commas between them the first that is a string. A path has dots."""

    jwt_email_claim: Text | None = setting(None, "names of claims")
    """The claim with the e-mail, in place of ``email``."""

    jwt_scope_claims: Text | None = setting(None, "names of claims")
    """The claims that may have the scopes, in place of ``scope``, else ``scp``: the
    first that is there counts."""

    jwt_role_claims: Text | None = setting(None, "names of claims")
    """Claims whose strings count as scopes as well, like ``realm_access.roles``."""

    jwt_max_bytes: int = setting(
        16384, "a whole number from 1024 to 1048576", ge=1024, le=1_048_576
    )
    """Longer tokens are refused before they are read."""

    jwt_allow_http: bool = setting(False, "1 or 0")
    """Whether keys may come over http from another machine, as within a cluster."""

    jwt_key_headers: SecretStr = setting(SecretStr(""), "a JSON object of texts")
    """Headers of requests for keys, as JSON."""

    jwt_ca_file: Text | None = setting(None, "a file", repr=False)
    """A file of CA certificates in PEM that verify the servers of keys, in place of the
    system's."""

    introspection_client_id: Text | None = setting(None, "a client's name")
    """Who this service is at the issuer of ``jwt_issuer``, ``jwks_url`` or
    ``better_auth_url``, which is asked about opaque tokens then (RFC 7662). A key file
    of Zitadel has it."""

    introspection_client_secret: SecretStr = setting(SecretStr(""), "a string")
    """The client's secret, sent as ``client_secret_basic``."""

    introspection_private_key_file: Text | None = setting(None, "a file", repr=False)
    """In place of a secret, a file with the client's private key: PEM, a JWK, or the
    key file of a Zitadel application."""

    introspection_url: Text | None = setting(None, "a URL", repr=False)
    """The endpoint that is asked; None for that of the issuer's discovery document."""

    allow_short_secret: bool = setting(False, "1 or 0")
    """Accept a secret shorter than 32 bytes."""

    def __init__(self, **values: Any) -> None:
        if "better_auth_secret" in values:
            # A keyword wins over the environment: also over the list there.
            values.setdefault("better_auth_secrets", "")
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(_broken_rules(type(self), error)) from None

    @property
    def has_secret(self) -> bool:
        """Whether tokens can be signed.

        Raises:
            ConfigurationError: The list of secrets is malformed.
        """
        return self.secrets() is not None

    def secrets(self) -> Secrets | None:
        """Return the secrets of the settings, or None.

        Raises:
            ConfigurationError: The list of secrets is malformed.
        """
        return Secrets.read(
            self.better_auth_secrets.get_secret_value(),
            self.better_auth_secret.get_secret_value(),
        )

    @property
    def secret_name(self) -> str:
        """The variable that has the secret in use."""
        is_listed = self.better_auth_secrets.get_secret_value()
        return "BETTER_AUTH_SECRETS" if is_listed else SECRET_NAMES


def listed(text: str | None) -> list[str]:
    """Return the parts of a string with commas between them."""
    return [part.strip() for part in text.split(",")] if text else []


def _broken_rules(settings: type[BaseSettings], error: ValidationError) -> str:
    """Return one clause per offending setting, in our words only."""
    names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
    return "; ".join(_broken_rule(settings, name) for name in names)


def _broken_rule(settings: type[BaseSettings], name: str) -> str:
    field = settings.model_fields.get(name)
    if field is None:
        return f"unknown setting {name!r}"
    return f"{name.upper()} must be {field.description or 'valid'}"
