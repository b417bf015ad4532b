"""Where the documentation site tells of an error code."""

from __future__ import annotations

import os
import sys
import webbrowser
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import metadata

from fastbearer import ConfigurationError
from fastbearer.cli.reasons import REASONS
from fastbearer.errors import FastbearerError

__all__ = ["REQUEST_CODES", "codes", "open_in_browser", "page_of"]

QUESTIONS = "questions/codes/"
REQUEST_CODES = (
    "cross_site",
    "insufficient_role",
    "insufficient_scope",
    "invalid_request",
    "not_authenticated",
)
"""Codes of lines in the log that stand for no class."""

SIMILAR = 0.85
"""A name that is as much like a known one is taken for a slip of the keyboard."""

DISPLAYS = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")


def site() -> str:
    """Return the address of the site, which the package's metadata has."""
    for entry in metadata("fastbearer").get_all("Project-URL", []):
        label, _, address = entry.partition(", ")
        if label == "Documentation":
            return str(address)
    raise ConfigurationError("the package's metadata has no address of a site")


def codes() -> dict[str, str]:
    """Return what an error may be called: class or code -> code."""
    with suppress(ImportError):  # the accounts have codes of their own
        import_module("fastbearer.accounts")
    found = {code: code for code in REQUEST_CODES}
    errors = [FastbearerError]
    for error in errors:
        errors += error.__subclasses__()
        found |= {error.__name__: error.code, error.code: error.code}
    return found


def page_of(name: str | None) -> str:
    """Return the address of what the site says of an error, or of its first page.

    Args:
        name: A code, the name of a class, or a reason.

    Raises:
        LookupError: Nothing is called so.
    """
    if name is None:
        return site()
    known = {reason: reason for reason in REASONS} | codes()
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=SIMILAR)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise LookupError(f"no error has the code or reason {name!r}{hint}")
    return f"{site()}{QUESTIONS}#{known[name]}"


def open_in_browser(address: str) -> bool:
    """Open an address where there is a browser with a window; tell whether."""
    has_window = sys.platform in ("darwin", "win32") or any(map(os.getenv, DISPLAYS))
    return bool(has_window and webbrowser.open(address))
