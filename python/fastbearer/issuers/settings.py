"""An issuer from an object of JSON, as settings have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any

from fastbearer import KeySet
from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.issuers.issuer import Issuer
from fastbearer.issuers.profile import URLOptions
from fastbearer.issuers.profiles import Profiles

__all__ = ["issuer_of"]

CODE_ONLY = frozenset(("ssl_context", "introspect"))


def issuer_of(settings: Mapping[str, Any]) -> Issuer:
    """Return the issuer that an object of JSON describes.

    Args:
        settings: ``{"profile": "keycloak", "url": ..., "realm": ...}``: the name of a
            method of `Issuer` and its arguments; without ``profile``, the fields of
            an `Issuer`. What is null counts as not given.

    Raises:
        ConfigurationError: A name is unknown or missing, or its value is of the wrong
            type. The message names it and shows no value.
    """
    if not isinstance(settings, Mapping):
        raise ConfigurationError("an issuer must be an object of JSON")
    given = {name: value for name, value in settings.items() if value is not None}
    profile = given.pop("profile", None)
    make, known = (Issuer, _fields()) if profile is None else _profile(profile)
    for name in given:
        if name not in known:
            raise ConfigurationError(f"unknown name {name!r}{_hint(name, known)}")
    for name, is_needed in known.items():
        if is_needed and name not in given:
            raise ConfigurationError(f"{name} is missing")
    return make(**{name: _value(name, value) for name, value in given.items()})


def profile_names() -> list[str]:
    """Return the names of the profiles, in order."""
    return sorted(
        name
        for owner in Profiles.__mro__
        for name, value in vars(owner).items()
        if isinstance(value, classmethod) and not name.startswith("_")
    )


def _profile(name: object) -> tuple[Callable[..., Issuer], dict[str, bool]]:
    """Return a profile's method, and its arguments: name -> whether it is needed."""
    names = profile_names()
    if not isinstance(name, str) or name not in names:
        raise ConfigurationError(f"profile must be one of {', '.join(names)}")
    method: Callable[..., Issuer] = getattr(Issuer, name)
    known = dict.fromkeys(_in_settings(URLOptions.__annotations__), False)
    for parameter in signature(method).parameters.values():
        if parameter.kind is not Parameter.VAR_KEYWORD:
            known[parameter.name] = parameter.default is Parameter.empty
    return method, known


def _fields() -> dict[str, bool]:
    names = _in_settings(field.name for field in fields(Issuer))
    return {name: name == "url" for name in names}


def _in_settings(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in CODE_ONLY]


def _hint(name: object, known: Iterable[str]) -> str:
    """Return words about the name that may be meant."""
    if name in CODE_ONLY:
        return ": it can be given in code only"
    near = get_close_matches(str(name), known, 1)
    return f": did you mean {near[0]}?" if near else ""


def _value(name: str, value: Any) -> Any:
    """Return a value of JSON as the field wants it.

    Raises:
        ConfigurationError: It has another type.
    """
    rule, is_right = KINDS.get(name, TEXTS)
    if not is_right(value):
        raise ConfigurationError(f"{name} must be {rule}")
    if name == "keys" and isinstance(value, Mapping):
        try:
            return KeySet.from_jwks(value)
        except (InvalidKeyError, TypeError) as error:
            raise ConfigurationError(f"keys: {error}") from None
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_texts(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, list) and all(map(_is_text, value)))


def _is_types(value: Any) -> bool:
    several = value if isinstance(value, list) else [value]
    return all(one is None or _is_text(one) for one in several)


def _is_names(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, list) and all(map(_is_texts, value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_headers(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_is_text, value.values()))


def _is_keys(value: Any) -> bool:
    return _is_text(value) or isinstance(value, Mapping)


TEXT = ("a text", _is_text)
TEXTS = ("a text, or a list of texts", _is_texts)
TRUTH = ("true or false", lambda value: isinstance(value, bool))
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "algorithms": (
        "a list of texts",
        lambda value: isinstance(value, list) and _is_texts(value),
    ),
    "allow_http": TRUTH,
    "any_issuer": TRUTH,
    "headers": ("an object of texts", _is_headers),
    "ignore_audience": TRUTH,
    "keys": ("a URL, or a JWK Set", _is_keys),
    "leeway": ("a number of seconds", _is_number),
    "max_bytes": ("a whole number", lambda value: type(value) is int),
    "require": ("a list of names, or of lists of which one will do", _is_names),
    "required": ("an object", lambda value: isinstance(value, Mapping)),
    "require_kid": TRUTH,
    "secret": TEXT,
    "typ": ("a text, or a list of texts and null", _is_types),
}
"""Name -> its rule in words, and as a test; others are `TEXTS`, which the profiles
themselves read more strictly."""
