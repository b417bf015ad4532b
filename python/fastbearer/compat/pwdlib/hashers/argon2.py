"""Argon2id."""

from __future__ import annotations

from typing import Any

from fastbearer.compat.passlib.handlers.argon2 import argon2
from fastbearer.hash_slots import password_hash

__all__ = ["Argon2Hasher"]


class Argon2Hasher:
    """Argon2id.

    Args:
        time_cost: Passes over the memory.
        memory_cost: Memory in KiB.
        parallelism: Lanes.
        hash_len: Bytes of the digest.
        salt_len: Bytes of the salt.
        type: argon2-cffi's ``Type.ID``, or None.

    Raises:
        ValueError: One is out of range, or the type another (RFC 9106 4).
    """

    def __init__(
        self,
        time_cost: int = 3,
        memory_cost: int = 65536,
        parallelism: int = 4,
        hash_len: int = 32,
        salt_len: int = 16,
        type: Any = None,
    ) -> None:
        self._handler = argon2.using(
            time_cost=time_cost,
            memory_cost=memory_cost,
            parallelism=parallelism,
            hash_len=hash_len,
            salt_len=salt_len,
            type=getattr(type, "name", type),
        )

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        """Tell whether it is Argon2's."""
        return argon2.identify(hash)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return the hash of a password."""
        return password_hash(password, self._handler.setting(salt))

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Tell whether the password made the hash; a broken one is nobody's."""
        try:
            return argon2.verify(password, hash)
        except ValueError:
            return False

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Tell whether other settings made it."""
        handler = self._handler
        if handler.needs_update(hash):
            return True
        # passlib does not look at the salt's size; argon2-cffi does.
        return bool(handler.salt_size_of(hash) != handler.salt_size)
