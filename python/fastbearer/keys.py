"""Keys, and sets of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core import Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Key", "KeySet"]


class KeySet:
    """An ordered, immutable set of keys, for rotation and for several issuers.

    A verifier tries the keys of the algorithm that a token's header names; a
    ``kid`` in the header narrows them to the keys that have it, or have none.

    Args:
        keys: At least one Key.

    Raises:
        ValueError: There is no key.
        TypeError: Something in it is not a Key.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)
        if not self._keys:
            raise ValueError("a KeySet needs at least one Key")
        if not all(isinstance(key, Key) for key in self._keys):
            raise TypeError("a KeySet holds Keys only")

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __getitem__(self, kid: str) -> Key:
        """Return the first key of that id; KeyError if there is none."""
        for key in self._keys:
            if key.kid == kid:
                return key
        raise KeyError(kid)

    def __repr__(self) -> str:
        return f"KeySet({list(self._keys)!r})"
