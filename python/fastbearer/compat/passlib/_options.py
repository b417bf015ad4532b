"""The options of a context, sorted by whom they are for."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from fastbearer.compat.passlib._settings import UnknownSettingError
from fastbearer.compat.passlib.exc import PasslibConfigWarning
from fastbearer.compat.passlib.handlers._base import Handler

__all__ = ["configured", "names_in", "scheme_options"]

EVERY = "all"
"""The scheme that stands for each of them."""
GLOBAL = {"truncate_error", "vary_rounds"}
IGNORED = {"harden_verify", "min_verify_time"}


def scheme_options(options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of each scheme.

    Args:
        options: Like ``bcrypt__rounds``, and ``truncate_error`` for every scheme
            that knows it.

    Raises:
        KeyError: There is no such option.
    """
    sorted_ones: dict[str, dict[str, Any]] = {EVERY: {}}
    for option, value in options.items():
        scheme, name = _parts(option)
        if scheme is None and name in IGNORED:
            _warn(f"{name} is ignored, as in passlib 1.7", DeprecationWarning)
            continue
        if scheme is None and name not in GLOBAL:
            raise KeyError(f"unknown CryptContext keyword: {name!r}")
        if name == "salt":
            raise KeyError("a context has no fixed salt")
        if scheme == EVERY:
            _warn_of_every(name)
        sorted_ones.setdefault(scheme or EVERY, {})[name] = value
    return sorted_ones


def configured(handler: Handler, options: Mapping[str, Mapping[str, Any]]) -> Handler:
    """Return a handler with its own settings, and those of every scheme.

    Raises:
        KeyError: It has no such setting.
        ValueError: One is out of range.
    """
    known = handler.everywhere_kwds()
    shared = {name: value for name, value in options[EVERY].items() if name in known}
    settings = {**shared, **options.get(handler.name, {})}
    try:
        made: Handler = handler.using(relaxed=True, **settings)
    except UnknownSettingError as error:
        raise KeyError(str(error)) from None
    return made


def names_in(names: Any) -> list[Any]:
    """Return a list of names, or of handlers, of what may be a string with commas."""
    if names is None:
        return []
    if isinstance(names, str):
        return [name.strip() for name in names.split(",") if name.strip()]
    return list(names) if isinstance(names, Iterable) else [names]


def _parts(option: str) -> tuple[str | None, str]:
    """Return whose option it is, or None, and which."""
    parts = option.replace(".", "__").split("__")
    if len(parts) == 3 and parts[0] == "default":
        parts = parts[1:]
    if len(parts) > 2:
        raise KeyError(f"user categories are not supported: {option!r}")
    return (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def _warn_of_every(name: str) -> None:
    if name not in GLOBAL:
        _warn(f"{name} should be set for each scheme", PasslibConfigWarning)
    _warn("the scheme 'all' is deprecated in passlib 1.7", DeprecationWarning)


def _warn(message: str, category: type[Warning]) -> None:
    warnings.warn(message, category, stacklevel=4)
