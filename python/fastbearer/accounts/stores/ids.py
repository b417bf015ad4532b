"""Ids of users: any string that a token has, and what a column keeps."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, literal

__all__ = ["comparable", "is_storable", "key_of"]

INTEGERS = range(-(2**63), 2**63)
DIGITS = 20  # of the longest, with its sign; int() takes quadratic time


def key_of(user_id: str, kind: type) -> Any:
    """Return a user's id as its column has it, or None for another string.

    An id is written in one way only: "02", "+2", " 2" and "0_2" are not 2, nor
    is a UUID in capitals or braces. Else several strings would name one user, and
    what is noted of the one (a revocation, say) would not hold for the others.

    Args:
        user_id: Any string.
        kind: What the column keeps: int, UUID or str.
    """
    if not is_storable(user_id):
        return None
    if kind not in (int, UUID):
        return user_id
    try:
        if len(user_id) > (DIGITS if kind is int else len(str(UUID(int=0)))):
            return None
        key = kind(user_id)
    except ValueError:
        return None
    if str(key) != user_id or (kind is int and key not in INTEGERS):
        return None
    return key


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
