"""Hashes of nobody, for passwords that are wrong: each of them is the same work."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from fastbearer.errors import InvalidHashError
from fastbearer.hash_decoys import Work, work_of
from fastbearer.pepper import split

if TYPE_CHECKING:
    from fastbearer import PasswordHash

__all__ = ["Decoys"]

MOST_OUTDATED = 4

Kind = tuple[str, Work]
"""The name of a format, and what work its hashes are."""


class Decoys:
    """A decoy of each kind of hash that a store is known to have.

    There is one of today's kind, and one of each outdated kind that was met, up to
    four. Nothing in them is of a hash that somebody has.

    Args:
        hasher: Makes today's hashes.

    Attributes:
        own: Of today's kind.
    """

    def __init__(self, hasher: PasswordHash) -> None:
        self._hasher = hasher
        self.own: str = hasher.decoy()
        self._own_kind = _kind(hasher, self.own)
        self._outdated: dict[Kind, str] = {}

    def meet(self, stored: str) -> Kind | None:
        """Remember of what kind a stored hash is, and return the kind if it has one.

        One whose verifier has no decoys is not remembered.
        """
        try:
            kind = _kind(self._hasher, stored)
        except InvalidHashError:
            return None
        is_known = kind == self._own_kind or kind in self._outdated
        if not is_known and len(self._outdated) < MOST_OUTDATED:
            with suppress(InvalidHashError):
                self._outdated[kind] = self._hasher.decoy(stored)
        return kind

    def besides(self, done: Kind | None) -> list[str]:
        """Return the decoys whose work is still to be done.

        Args:
            done: The kind of what was verified, and was not the password's.
        """
        kinds = {self._own_kind: self.own, **self._outdated}
        return [decoy for kind, decoy in kinds.items() if kind != done]

    def forget(self, decoy: str) -> None:
        """Forget an outdated kind, because its decoy cannot be verified."""
        known = self._outdated.items()
        self._outdated = {kind: one for kind, one in known if one != decoy}


def _kind(hasher: PasswordHash, hash: str) -> Kind:
    """Return the kind of a hash; of a verifier's own format, only its name is known.

    Raises:
        InvalidHashError: Nobody could verify it.
    """
    name = hasher.identify(hash)
    try:
        return name, work_of(split(hash)[1])
    except InvalidHashError:
        return name, ()
