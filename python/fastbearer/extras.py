"""The extras of this package, named where an import does not find what they add."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["needs_extra"]

NEEDED = (
    '{} is not installed, and fastbearer needs it here: pip install "fastbearer[{}]"'
)
YOURS = frozenset(("mcp", "fastmcp"))
"""Packages of which a project has its own version: no extra brings them."""


@contextmanager
def needs_extra(name: str) -> Iterator[None]:
    """Say what to install where an import within does not find a package.

    Args:
        name: The extra that has all that is imported within.

    Raises:
        ModuleNotFoundError: As within; but the message names the extra.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "fastbearer"):
            raise
        text = NEEDED.format(package, name)
        if package in YOURS:
            text = f"{text} {package}"
        raise ModuleNotFoundError(text, name=package) from None
