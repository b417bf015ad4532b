"""pwdlib 0.3, as its users know it, over fastbearer's core."""

from __future__ import annotations

from collections.abc import Sequence

from fastbearer._core import password_is_sole
from fastbearer.compat.pwdlib.exceptions import UnknownHash
from fastbearer.compat.pwdlib.hashers import HasherProtocol
from fastbearer.compat.pwdlib.hashers.argon2 import Argon2Hasher
from fastbearer.errors import InvalidHashError

__version__ = "0.3.1"
__all__ = ["PasswordHash"]


class PasswordHash:
    """Hashes with the first hasher, and verifies with all of them.

    Args:
        hashers: At least one; the first makes the new hashes.
    """

    def __init__(self, hashers: Sequence[HasherProtocol]) -> None:
        if not hashers:
            raise ValueError("You must specify at least one hasher.")
        self.hashers = hashers
        self.current_hasher: HasherProtocol = hashers[0]

    @classmethod
    def recommended(cls) -> PasswordHash:
        """Return one with Argon2id."""
        return cls((Argon2Hasher(),))

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return the hash of a password; ``salt`` is for tests."""
        return self.current_hasher.hash(password, salt=salt)

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Tell whether the password made the hash.

        Raises:
            UnknownHash: No hasher knows it.
        """
        return self._hasher_of(hash).verify(password, hash)

    def verify_and_update(
        self, password: str | bytes, hash: str | bytes
    ) -> tuple[bool, str | None]:
        """Tell the same, and give the hash to store in its place, if any.

        There is none where bcrypt has seen but the first 72 bytes of the password:
        what was typed after them may not be its owner's.

        Raises:
            UnknownHash: No hasher knows it.
        """
        hasher = self._hasher_of(hash)
        if not hasher.verify(password, hash):
            return False, None
        is_old = hasher is not self.current_hasher or hasher.check_needs_rehash(hash)
        is_new_one_due = is_old and _has_seen_all(password, hash)
        return True, self.hash(password) if is_new_one_due else None

    def _hasher_of(self, hash: str | bytes) -> HasherProtocol:
        for hasher in self.hashers:
            if hasher.identify(hash):
                return hasher
        raise UnknownHash(hash)


def _has_seen_all(password: str | bytes, hash: str | bytes) -> bool:
    try:
        return password_is_sole(password, hash)
    except InvalidHashError:  # of a hasher that is not ours
        return True
