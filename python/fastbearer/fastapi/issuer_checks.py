"""Settings of tokens that contradict each other, or would be used for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.token_settings import listed
from fastbearer.urls import read_url

if TYPE_CHECKING:
    from fastbearer.fastapi.issuers_in_force import Issuers
    from fastbearer.fastapi.token_settings import TokenSettings
    from fastbearer.issuers import Issuer

__all__ = [
    "ISSUER_OF_SECRET",
    "RULES",
    "TRANSPORT",
    "asks_somebody",
    "check_algorithms",
    "check_any_issuer",
    "check_asked",
    "check_used",
    "is_set",
    "names_provider",
]

NO_ISSUER = (
    "JWKS_URL needs JWT_ISSUER, for keys may sign for others as well (RFC 8725 3.8);"
    " JWT_ANY_ISSUER=1 takes tokens of any iss all the same"
)
ANY_OF_ONE = "JWT_ANY_ISSUER and JWT_ISSUER contradict each other"
ANY_OF_NONE = (
    "JWT_ANY_ISSUER is for JWKS_URL without BETTER_AUTH_URL: other tokens are known by"
    " their iss, and those of the secret may have any without JWT_ISSUER"
)
NO_SECRET_FOR = "JWT_ALGORITHMS has HS256 or its like, which needs BETTER_AUTH_SECRET"
NO_KEYS_FOR = (
    "JWT_ALGORITHMS has an algorithm of keys, which needs BETTER_AUTH_URL, JWKS_URL or"
    " an issuer to be discovered"
)
FOR_NOBODY = (
    "{} is for tokens of BETTER_AUTH_SECRET, BETTER_AUTH_URL, JWKS_URL or JWT_ISSUER,"
    " and none of them is set; other issuers have fields of their own"
)
NOTHING_FETCHED = (
    "{} is for keys from a URL of BETTER_AUTH_URL, JWKS_URL, JWT_ISSUER or JWT_ISSUERS,"
    " and these settings name none; an issuer in code has a field of its own, {}"
)
NO_HEADERS_FOR = (
    "JWT_KEY_HEADERS is for keys of BETTER_AUTH_URL, JWKS_URL or JWT_ISSUER, and these"
    " settings name none; an issuer of JWT_ISSUERS or in code has headers of its own"
)
ONE_IS_ASKED = (
    "INTROSPECTION_CLIENT_ID and its like are for the one issuer of BETTER_AUTH_URL,"
    " JWKS_URL or, without a secret, JWT_ISSUER; one of JWT_ISSUERS or in code has"
    " introspect of its own"
)
ISSUER_OF_SECRET = (
    "beside BETTER_AUTH_SECRET, JWT_ISSUER is only the iss of the secret's tokens, and"
    " no keys are discovered from it: JWT_ISSUERS names a provider, or BETTER_AUTH_URL"
    " a Better Auth server"
)

RULES = {
    "audience": "jwt_audience",
    "leeway": "jwt_leeway",
    "typ": "jwt_typ",
    "required": "jwt_required",
    "user_claim": "jwt_user_claim",
    "email_claim": "jwt_email_claim",
    "scope_claims": "jwt_scope_claims",
    "role_claims": "jwt_role_claims",
    "max_bytes": "jwt_max_bytes",
}
"""Field of an issuer -> the setting that it comes from."""

TRANSPORT = {"jwt_allow_http": "allow_http", "jwt_ca_file": "ssl_context"}
"""Setting -> the field of an issuer that it is."""


def is_set(settings: TokenSettings, name: str) -> bool:
    """Tell whether a setting has been changed."""
    default: object = type(settings).model_fields[name].default
    return bool(getattr(settings, name) != default)


def asks_somebody(issuer: Issuer) -> bool:
    """Tell whether requests are sent for tokens of an issuer."""
    is_fetched = issuer.keys is None or isinstance(issuer.keys, str)
    return is_fetched or issuer.introspect is not None


def check_any_issuer(settings: TokenSettings) -> None:
    """Refuse keys that may sign for others, and a leave that nobody needs."""
    is_for_keys = settings.jwks_url is not None and settings.better_auth_url is None
    if settings.jwt_any_issuer:
        if settings.jwt_issuer is not None:
            raise ConfigurationError(ANY_OF_ONE)
        if not is_for_keys:
            raise ConfigurationError(ANY_OF_NONE)
    elif is_for_keys and settings.jwt_issuer is None:
        raise ConfigurationError(NO_ISSUER)


def check_asked(settings: TokenSettings, others: tuple[Issuer, ...]) -> None:
    """Refuse to ask about tokens where it is not one issuer that may be asked."""
    if len(others) != 1:
        raise ConfigurationError(_told(settings, ONE_IS_ASKED))


def check_algorithms(
    settings: TokenSettings, found: Issuers, wanted: tuple[str, ...] | None
) -> None:
    """Refuse algorithms for which nobody has a key."""
    if wanted is None:
        return
    symmetric = [one.startswith("HS") for one in wanted]
    if any(symmetric) and found.own is None:
        raise ConfigurationError(NO_SECRET_FOR)
    if not all(symmetric) and not found.others:
        raise ConfigurationError(_told(settings, NO_KEYS_FOR))


def check_used(settings: TokenSettings, found: Issuers) -> None:
    """Refuse settings that would be used for nothing."""
    if found.own is None and not found.others:
        for name in RULES.values():
            if is_set(settings, name):
                raise ConfigurationError(FOR_NOBODY.format(name.upper()))
    asked = any(map(asks_somebody, (*found.others, *found.further)))
    for name, field in TRANSPORT.items():
        if is_set(settings, name) and not asked:
            text = NOTHING_FETCHED.format(name.upper(), field)
            raise ConfigurationError(_told(settings, text))
    if settings.jwt_key_headers.get_secret_value() and not found.others:
        raise ConfigurationError(_told(settings, NO_HEADERS_FOR))


def names_provider(issuer: Issuer | None) -> bool:
    """Tell whether the ``iss`` of a secret's tokens is what a provider's may be."""
    names = () if issuer is None else issuer.names
    return any(name is not None and read_url(name) for name in names)


def _told(settings: TokenSettings, text: str) -> str:
    """Return a string, and what ``JWT_ISSUER`` is where that may be mistaken."""
    is_elsewhere = settings.better_auth_url is not None or settings.jwks_url is not None
    if is_elsewhere or not settings.has_secret:
        return text
    is_url = any(map(read_url, listed(settings.jwt_issuer)))
    return f"{text}; {ISSUER_OF_SECRET}" if is_url else text
