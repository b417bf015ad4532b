"""Argon2id."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import Any

from fastbearer._core import password_hash
from fastbearer.compat.passlib.hash import argon2

__all__ = ["Argon2Hasher"]


class Argon2Hasher:
    """Argon2id.

    Args:
        time_cost: Passes over the memory.
        memory_cost: Memory in KiB.
        parallelism: Lanes.
        hash_len: 32: the only length here.
        salt_len: Bytes of the salt.
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
        if hash_len != 32:
            raise ValueError("hash_len is 32 here")
        self._salt_len = salt_len
        self._setting = f"$argon2id$v=19$m={memory_cost},t={time_cost},p={parallelism}$"
        self._handler = argon2.using(
            rounds=time_cost, memory_cost=memory_cost, parallelism=parallelism
        )

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        """Tell whether it is Argon2's."""
        return argon2.identify(hash)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return the hash of a password."""
        salt = os.urandom(self._salt_len) if salt is None else salt
        text = b64encode(salt).rstrip(b"=").decode("ascii")
        return password_hash(password, self._setting + text)

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Tell whether the password made the hash; a broken one is nobody's."""
        try:
            return argon2.verify(password, hash)
        except ValueError:
            return False

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Tell whether other settings made it."""
        return bool(self._handler.needs_update(hash))
