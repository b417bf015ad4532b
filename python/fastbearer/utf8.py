"""Text as bytes, without an error that would hold it."""

from __future__ import annotations

__all__ = ["utf8_of"]


def utf8_of(text: str) -> bytes | None:
    """Return a string's UTF-8, or None where a lone surrogate has none.

    A UnicodeEncodeError holds the whole text, and stays the context of whatever is
    raised in its place: secrets and passwords are encoded here.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None
