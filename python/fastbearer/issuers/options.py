"""What the options of an issuer may be, and the one form in which they are kept.

Each function takes the name of the option, for its message; no message repeats a
value, because some are secrets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from os import PathLike
from ssl import SSLContext
from typing import Any

from fastbearer import Key, KeySet
from fastbearer._core import algorithms as known_algorithms
from fastbearer.errors import ConfigurationError

__all__ = [
    "alternatives",
    "duration",
    "key_source",
    "maybe_absent",
    "names_of_algorithms",
    "positive",
    "text",
    "text_items",
    "texts",
    "tls",
    "truth",
    "values",
]

MOST_SECONDS = 2.0**52
"""As in `Verifier`."""


def text(name: str, value: Any) -> str:
    """Return a string that is not empty."""
    if not (isinstance(value, str) and value):
        raise ConfigurationError(f"{name} must be a text, and not empty")
    return value


def truth(name: str, value: Any) -> bool:
    """Return True or False: the text "false" would be true."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False")
    return value


def texts(name: str, value: Any, *, least: int = 1) -> tuple[str, ...]:
    """Return one string or several as a tuple, of which none is empty."""
    found = (value,) if isinstance(value, str) else _tuple(name, value, "texts")
    if not all(isinstance(one, str) and one for one in found):
        raise ConfigurationError(f"{name} must be texts, none of them empty")
    if len(found) < least:
        raise ConfigurationError(f"{name} must have at least one text")
    return tuple(dict.fromkeys(found))


def maybe_absent(name: str, value: Any) -> tuple[str | None, ...] | None:
    """Return one string or several; None among them lets what they are of be absent."""
    if value is None:
        return None
    several = (value,) if isinstance(value, str) else _tuple(name, value, "texts")
    found = texts(name, [one for one in several if one is not None], least=0)
    if not several:
        raise ConfigurationError(f"{name} must have at least one text")
    return (*found, None) if None in several else found


def alternatives(name: str, value: Any) -> tuple[str | tuple[str, ...], ...]:
    """Return names, and groups of names of which one will do."""
    if isinstance(value, str):
        raise ConfigurationError(f"{name} must be several names, not one text")
    found = _tuple(name, value, "names")
    return tuple(
        text(name, one) if isinstance(one, str) else texts(name, one) for one in found
    )


def values(name: str, value: Any) -> dict[str, tuple[Any, ...]]:
    """Return names, each with the values of which the claim must have one."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name} must be a mapping of names to values")
    made = {text(name, one): _several(several) for one, several in value.items()}
    for one, several in made.items():
        if not several:
            raise ConfigurationError(f"{name}: {one} must have at least one value")
        if not all(map(_is_json, several)):
            raise ConfigurationError(f"{name}: a value of {one} is not one of JSON")
    return made


def text_items(name: str, value: Any) -> dict[str, str]:
    """Return a mapping of strings."""
    if not isinstance(value, Mapping) or not all(
        isinstance(one, str) for pair in value.items() for one in pair
    ):
        raise ConfigurationError(f"{name} must be a mapping of texts to texts")
    return dict(value)


def duration(name: str, value: Any) -> float:
    """Return seconds."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not (is_number and 0 <= seconds <= MOST_SECONDS):
        raise ConfigurationError(f"{name} must be seconds, or a timedelta, from 0 on")
    return float(seconds)


def tls(name: str, value: Any) -> Any:
    """Return a context, or the name of a file of certificates."""
    if value is None or isinstance(value, (SSLContext, PathLike)):
        return value
    if isinstance(value, str) and value:
        return value
    raise ConfigurationError(
        f"{name} must be an ssl.SSLContext, or a file of CA certificates in PEM"
    )


def positive(name: str, value: Any) -> int:
    """Return a number of bytes."""
    if type(value) is not int or not 0 < value < 2**62:
        raise ConfigurationError(f"{name} must be a whole number of at least 1")
    return value


def names_of_algorithms(name: str, value: Any) -> tuple[str, ...] | None:
    """Return the names of signature algorithms."""
    if value is None:
        return None
    found = texts(name, value)
    if not set(found) <= set(known_algorithms):
        raise ConfigurationError(
            f"{name} must be of {', '.join(known_algorithms)}; capitals matter"
        )
    return found


def key_source(name: str, value: Any) -> Any:
    """Return a URL, a KeySet, or a client, of what may be given for keys."""
    if value is None or _is_client(value) or isinstance(value, KeySet):
        return value
    if isinstance(value, str):
        return text(name, value)
    if isinstance(value, Key):
        return KeySet([value])
    try:
        return KeySet(value)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"{name} must be a URL, a Key or several, a KeySet, or a client with the"
            " methods keys and akeys"
        ) from None


def _is_client(value: Any) -> bool:
    return all(callable(getattr(value, one, None)) for one in ("keys", "akeys"))


def _tuple(name: str, value: Any, what: str) -> tuple[Any, ...]:
    if isinstance(value, Mapping | bytes) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{name} must be one or several {what}")
    return tuple(value)


def _several(value: Any) -> tuple[Any, ...]:
    is_several = isinstance(value, (list, tuple, set, frozenset))
    return tuple(value) if is_several else (value,)


def _is_json(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return all(map(_is_json, value))
    if isinstance(value, Mapping):
        return all(isinstance(one, str) and _is_json(value[one]) for one in value)
    return value is None or isinstance(value, (str, int))
