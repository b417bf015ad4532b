"""An issuer from an object of JSON, as settings have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any

from fastbearer import KeySet
from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.issuers.introspection_settings import introspection_of
from fastbearer.issuers.issuer import Issuer
from fastbearer.issuers.profile import Options, URLOptions

__all__ = ["issuer_of"]


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
    known = arguments_of(profile)
    make = Issuer if profile is None else getattr(Issuer, profile)
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
        for owner in Issuer.__mro__
        for name, value in vars(owner).items()
        if isinstance(value, classmethod) and not name.startswith("_")
    )


def arguments_of(profile: Any) -> dict[str, bool]:
    """Return the names that an issuer may have: name -> whether it is needed.

    Args:
        profile: The name of a profile, or None for a plain issuer.

    Raises:
        ConfigurationError: There is no such profile.
    """
    if profile is None:
        return _fields()
    names = profile_names()
    if profile not in names:
        raise ConfigurationError(f"profile must be one of {', '.join(names)}")
    known: dict[str, bool] = {}
    for parameter in signature(getattr(Issuer, profile)).parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            options = _options(str(parameter.annotation))
            known |= dict.fromkeys(options, False)
        else:
            known[parameter.name] = parameter.default is Parameter.empty
    return known


def _options(annotation: str) -> set[str]:
    """Return the fields that a profile takes besides its arguments."""
    if URLOptions.__name__ in annotation:
        return set(URLOptions.__annotations__)
    names = set(Options.__annotations__)
    # A shared secret is the keys.
    return names if Options.__name__ in annotation else names - {"keys"}


def _fields() -> dict[str, bool]:
    return {field.name: field.name == "url" for field in fields(Issuer)}


def _hint(name: object, known: Iterable[str]) -> str:
    """Return words about the name that may be meant."""
    near = get_close_matches(str(name), known, 1)
    return f": did you mean {near[0]}?" if near else ""


def _value(name: str, value: Any) -> Any:
    """Return a value of JSON as an issuer wants it; the issuer judges it."""
    if name == "introspect":
        return introspection_of(value)
    if name != "keys" or isinstance(value, str):
        return value
    try:
        return KeySet.from_jwks(value)
    except (InvalidKeyError, TypeError) as error:
        raise ConfigurationError(f"keys: {error}") from None
