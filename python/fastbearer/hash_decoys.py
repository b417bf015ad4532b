"""Hashes of nobody, of the format and costs of others."""

from __future__ import annotations

from ._core import password_parts
from .errors import InvalidHashError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Work", "made_up", "work_of"]

Work = tuple[tuple[str, int | str | bool], ...]
"""What tells how much work a hash is: its format and its costs."""

NOTHING = "A.0"
"""What stands for zero in one alphabet or another: base64's, crypt(3)'s, hex."""


def work_of(hash: str) -> Work:
    """Return what work it is to verify a hash.

    Raises:
        InvalidHashError: It could not be verified.
    """
    parts = password_parts(hash)
    del parts["salt_size"]  # salts are short, whatever their length
    return tuple(sorted(parts.items()))


def made_up(hash: str) -> str:
    """Return a hash of the same format and costs, with a salt and a digest of zeros.

    Whatever may be another character in a hash of the same kind becomes one: so
    nothing is left of salt and digest, wherever a format has them.

    Raises:
        InvalidHashError: The hash could not be verified.
    """
    parts = password_parts(hash)
    made = hash
    for place in range(len(hash)):
        if hash[place].isalnum() or hash[place] in "./+":
            made = _without(made, place, parts)
    return made


def _without(hash: str, place: int, parts: dict[str, Any]) -> str:
    """Return a hash with nothing at a place, or as it is where that is of its kind."""
    for one in NOTHING:
        changed = hash[:place] + one + hash[place + 1 :]
        try:
            if password_parts(changed) == parts:
                return changed
        except InvalidHashError:
            continue
    return hash
