"""Ids of users: any text that a token has, and what a column keeps."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, literal

__all__ = ["comparable", "is_storable", "key_of"]

INTEGERS = range(-(2**63), 2**63)


def key_of(user_id: str, kind: type) -> Any:
    """Return a user's id as its column has it, or None for another text.

    Args:
        user_id: Any text.
        kind: What the column keeps: int, UUID or str.
    """
    try:
        if kind is int:
            # Short, and ASCII: int() takes more than that.
            if len(user_id) > 20 or not user_id.isascii():
                return None
            number = int(user_id)
            return number if number in INTEGERS else None
        if kind is UUID:
            return UUID(user_id)
        user_id.encode()
    except ValueError:
        return None
    return None if "\0" in user_id else user_id


def comparable(key: Any) -> Any:
    """Return an id to compare with: one too large for its column is just not there."""
    return literal(key, BigInteger) if isinstance(key, int) else key


def is_storable(user_id: str) -> bool:
    """Tell whether a token's ``sub`` can be compared in every database."""
    try:
        user_id.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in user_id
