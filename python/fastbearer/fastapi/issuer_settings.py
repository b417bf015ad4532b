"""The issuers that settings describe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastbearer import Key
from fastbearer._core import json_object
from fastbearer.better_auth.secrets import signing_key
from fastbearer.errors import ConfigurationError, InvalidKeyError, MalformedTokenError
from fastbearer.fastapi.issuer_checks import (
    RULES,
    TRANSPORT,
    asks_somebody,
    check_algorithms,
    check_any_issuer,
    check_asked,
    check_used,
    is_set,
)
from fastbearer.fastapi.issuers_in_force import Issuers
from fastbearer.fastapi.token_settings import MISSING_SECRET, listed
from fastbearer.issuers import Issuer, options
from fastbearer.issuers.introspection_settings import introspection_of
from fastbearer.issuers.naming import DEFAULT_NAMING
from fastbearer.issuers.settings import issuer_of
from fastbearer.urls import origin_and_path, read_url

if TYPE_CHECKING:
    from fastbearer.fastapi.token_settings import TokenSettings

__all__ = ["changed_rules", "issuers_of", "secret_keys"]

ALGORITHM = "HS256"
BETTER_AUTH_PATH = "/api/auth"

WRONG_URL = "BETTER_AUTH_URL must be an absolute http or https URL of ASCII"
NOT_DISCOVERED = (
    f"{MISSING_SECRET}, or JWT_ISSUER must be the https URL of an issuer, whose keys"
    " are discovered then"
)
NONE_OF_SECRET = (
    "JWT_ALGORITHMS has no algorithm of the secret: add HS256 there, or take"
    " BETTER_AUTH_SECRET away"
)
NONE_OF_KEYS = (
    "JWT_ALGORITHMS has no algorithm of the keys: add one like RS256 there, or take"
    " BETTER_AUTH_URL or JWKS_URL away"
)
NOT_OF_BETTER_AUTH = (
    "JWT_ALGORITHMS has no algorithm that BETTER_AUTH_URL signs with: {}"
)
NO_ISSUERS = "JWT_ISSUERS must be a JSON list of objects, and not an empty one"


def issuers_of(settings: TokenSettings) -> Issuers:
    """Return the issuers of settings, each setting used.

    Raises:
        ConfigurationError: A setting is not one, would be used for nothing, or
            contradicts another. The message names them and shows no value.
    """
    wanted = _algorithms(settings)
    rules = _rules(settings)
    keys = None if settings.secrets() is None else secret_keys(settings)
    others = _others(settings, wanted, {**rules, **_transport(settings)})
    others = _asked(settings, others)
    further = _further(settings)
    if keys is None and not others:
        if settings.jwt_issuer is not None:
            raise ConfigurationError(NOT_DISCOVERED)
        if settings.needs_keys and not further:
            raise ConfigurationError(MISSING_SECRET)
    own = None
    if keys is not None:
        names = _names(settings)
        any_issuer = names is None
        own = Issuer(names, keys=keys, any_issuer=any_issuer, **rules)
    found = Issuers(own, others, further)
    check_algorithms(settings, found, wanted)
    check_used(settings, found)
    return found


def secret_keys(settings: TokenSettings) -> list[Key]:
    """Return the keys that the secret in use is, the one that signs first.

    Raises:
        ConfigurationError: There is none, or the secret must not be used as
            one: it is too short, known to everybody, or a public key.
    """
    secrets = settings.secrets()
    if secrets is None:
        raise ConfigurationError(MISSING_SECRET)
    short, name = settings.allow_short_secret, settings.secret_name
    first = signing_key(secrets.current, allow_short_secret=short, name=name)
    wanted = _algorithms(settings) or (ALGORITHM,)
    names = [one for one in wanted if one.startswith("HS")]
    if not names:
        raise ConfigurationError(NONE_OF_SECRET)
    try:
        return [
            first
            if one == ALGORITHM
            else Key.from_secret(secrets.current, one, allow_short_secret=short)
            for one in names
        ]
    except InvalidKeyError as error:
        raise ConfigurationError(f"{name}: {error}") from None


def _json(name: str, text: str, rule: str) -> dict[str, Any]:
    """Return the object of a setting's JSON, which is read strictly.

    Raises:
        ConfigurationError: It is not one. The message shows no value.
    """
    try:
        return json_object(text)
    except MalformedTokenError:
        raise ConfigurationError(f"{name} must be {rule}") from None


def changed_rules(settings: TokenSettings) -> list[str]:
    """Return the names of the rules of tokens that settings have changed."""
    names = [name for name in RULES.values() if name != "jwt_audience"]
    return [name.upper() for name in names if is_set(settings, name)]


# --- each kind ---------------------------------------------------------------------


def _others(
    settings: TokenSettings, wanted: tuple[str, ...] | None, fields: dict[str, Any]
) -> tuple[Issuer, ...]:
    algorithms = None
    if wanted is not None:
        algorithms = [one for one in wanted if not one.startswith("HS")]
        if not algorithms and _has_source(settings):
            raise ConfigurationError(NONE_OF_KEYS)
    if algorithms:
        fields["algorithms"] = algorithms
    check_any_issuer(settings)
    if settings.better_auth_url is not None:
        return (_better_auth(settings, fields),)
    names = _names(settings)
    if settings.jwks_url is not None:
        return (
            Issuer(
                names,
                keys=settings.jwks_url,
                any_issuer=settings.jwt_any_issuer,
                **fields,
            ),
        )
    if settings.has_secret or names is None:
        return ()
    if not all(read_url(name) for name in names):
        return ()
    return tuple(Issuer(name, **fields) for name in names)


def _asked(settings: TokenSettings, others: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
    """Return the issuers, one of which is asked about opaque tokens where told."""
    names = ("url", "client_id", "private_key_file", "client_secret")
    given = {name: getattr(settings, f"introspection_{name}") for name in names}
    given["client_secret"] = given["client_secret"].get_secret_value() or None
    if not any(given.values()):
        return others
    check_asked(settings, others)
    try:
        return (replace(others[0], introspect=introspection_of(given)),)
    except ConfigurationError as error:
        raise ConfigurationError(f"INTROSPECTION_CLIENT_ID: {error}") from None


def _has_source(settings: TokenSettings) -> bool:
    if settings.better_auth_url is not None or settings.jwks_url is not None:
        return True
    return not settings.has_secret and settings.jwt_issuer is not None


def _better_auth(settings: TokenSettings, fields: dict[str, Any]) -> Issuer:
    parsed = origin_and_path(settings.better_auth_url or "")
    if parsed is None:
        raise ConfigurationError(WRONG_URL)
    # Like Better Auth, which takes this path where the URL has none.
    origin, path = parsed[0], parsed[1].rstrip("/") or BETTER_AUTH_PATH
    if settings.jwks_url is not None:
        fields["keys"] = settings.jwks_url
    issuer = Issuer.better_auth(origin + path)
    known: Any = issuer.algorithms
    wanted = fields.get("algorithms", known)
    fields["algorithms"] = [one for one in wanted if one in known]
    if not fields["algorithms"]:
        raise ConfigurationError(NOT_OF_BETTER_AUTH.format(", ".join(known)))
    # Those of the secret may have the same iss, and name users as these do.
    fields.setdefault("user_claim", DEFAULT_NAMING.user)
    return replace(issuer, url=[origin, *(_names(settings) or ())], **fields)


def _further(settings: TokenSettings) -> tuple[Issuer, ...]:
    text = settings.jwt_issuers.get_secret_value()
    if not text:
        return ()
    # An object around the list, for what reads an object strictly.
    whole = _json("JWT_ISSUERS", f'{{"issuers":{text}}}', "a JSON list")
    entries = whole["issuers"]
    if len(whole) != 1 or not isinstance(entries, list) or not entries:
        raise ConfigurationError(NO_ISSUERS)
    made = []
    for number, entry in enumerate(entries, 1):
        try:
            made.append(_fetched_so(settings, issuer_of(entry)))
        except ConfigurationError as error:
            raise ConfigurationError(f"JWT_ISSUERS: issuer {number}: {error}") from None
    return tuple(made)


def _fetched_so(settings: TokenSettings, issuer: Issuer) -> Issuer:
    if not asks_somebody(issuer):
        return issuer
    changed = {name: one for name, one in TRANSPORT.items() if is_set(settings, name)}
    more: Any = {field: getattr(settings, name) for name, field in changed.items()}
    return replace(issuer, **more)


# --- fields ------------------------------------------------------------------------


def _names(settings: TokenSettings) -> tuple[str, ...] | None:
    return _texts(settings, "jwt_issuer")


def _texts(settings: TokenSettings, name: str) -> tuple[str, ...] | None:
    value = getattr(settings, name)
    return None if value is None else options.texts(name.upper(), listed(value))


def _algorithms(settings: TokenSettings) -> tuple[str, ...] | None:
    found = _texts(settings, "jwt_algorithms")
    return options.names_of_algorithms("JWT_ALGORITHMS", found)


def _rules(settings: TokenSettings) -> dict[str, Any]:
    """Return the fields that settings have changed."""
    made: dict[str, Any] = {}
    for field, name in RULES.items():
        if not is_set(settings, name):
            continue
        value = getattr(settings, name)
        if name == "jwt_required":
            value = _json("JWT_REQUIRED", value, "a JSON object")
            value = options.values("JWT_REQUIRED", value)
        elif isinstance(value, str):
            value = _texts(settings, name)
        if name == "jwt_typ":
            value = [None if one == "none" else one for one in value]
        made[field] = value
    return made


def _transport(settings: TokenSettings) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if settings.jwt_allow_http:
        made["allow_http"] = True
    text = settings.jwt_key_headers.get_secret_value()
    if text:
        value = _json("JWT_KEY_HEADERS", text, "a JSON object of texts")
        made["headers"] = options.text_items("JWT_KEY_HEADERS", value)
    if settings.jwt_ca_file is not None:
        made["ssl_context"] = settings.jwt_ca_file
    return made
