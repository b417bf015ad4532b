"""How tokens are asked about, from an object of JSON, as settings have it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import Any

from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.issuers.introspection import Introspection

__all__ = ["introspection_of"]

KEY_FILE = "private_key_file"
CODE_ONLY = frozenset(("ssl_context", "clock"))
KNOWN = [n for n in signature(Introspection).parameters if n not in CODE_ONLY]


def introspection_of(settings: Any) -> Introspection:
    """Return what an object of JSON describes.

    Args:
        settings: The arguments of `Introspection`, or in place of ``private_key`` the
            path of its file as ``private_key_file``. What is null counts as not given.

    Raises:
        ConfigurationError: A name is unknown, or its value makes no sense. The message
            names it and shows no value.
    """
    if not isinstance(settings, Mapping):
        raise ConfigurationError("introspect must be an object of JSON")
    given = {name: value for name, value in settings.items() if value is not None}
    for name in given:
        if name not in (*KNOWN, KEY_FILE):
            raise ConfigurationError(f"introspect: unknown name {name!r}{_hint(name)}")
    if KEY_FILE in given:
        if "private_key" in given or not isinstance(given[KEY_FILE], str):
            raise ConfigurationError(f"introspect: {KEY_FILE} must be one path")
        given["private_key"] = Path(given.pop(KEY_FILE))
    try:
        return Introspection(**given)
    except (ConfigurationError, InvalidKeyError) as error:
        raise ConfigurationError(f"introspect: {error}") from error


def _hint(name: str) -> str:
    if name in CODE_ONLY:
        return ": it can be given in code only"
    near = get_close_matches(name, [*KNOWN, KEY_FILE], 1)
    return f": did you mean {near[0]}?" if near else ""
