"""Argon2: new hashes are Argon2id's."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import ClassVar

from fastbearer._core import password_setting
from fastbearer.compat.passlib._settings import Settings
from fastbearer.compat.passlib.handlers._rounds import ROUNDS_ALIASES, RoundsHandler
from fastbearer.hash_slots import password_hash

__all__ = ["argon2"]

MOST_KIB = 1 << 21
MOST_LANES = 64
SALT_BYTES = 8, 64
DIGEST_BYTES = 16, 128
TOO_MUCH = "memory_cost is at least 8 * parallelism, and all is bounded"


class _Argon2(RoundsHandler):
    name = "argon2"
    setting_kwds: ClassVar[tuple[str, ...]] = (
        "salt_size",
        "salt_len",
        "rounds",
        "time_cost",
        "memory_cost",
        "parallelism",
        "digest_size",
        "hash_len",
        "type",
    )
    aliases: ClassVar[Mapping[str, str]] = {
        **ROUNDS_ALIASES,
        "time_cost": "rounds",
        "salt_len": "salt_size",
        "default_salt_size": "salt_size",
        "hash_len": "digest_size",
        "checksum_size": "digest_size",
    }
    pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"\$argon2(?P<type>id|i|d)\$(?:v=(?P<version>[0-9]{1,9})\$)?"
        r"m=(?P<memory>[0-9]{1,9}),t=(?P<rounds>[0-9]{1,9}),p=(?P<lanes>[0-9]{1,9})"
        r"\$(?P<salt>[^$]+)\$(?P<digest>[^$]+)\Z"
    )
    default_rounds: int = 3
    memory_cost: int = 65536
    parallelism: int = 4
    salt_size: int = 16
    digest_size: int = 32
    max_threads: int = -1

    def configure(self, asked: Settings) -> None:
        """Take the cost and the sizes.

        Raises:
            ValueError: All of it is more than is computed here.
        """
        super().configure(asked)
        _check_type(asked.take("type"))
        number_or = asked.number_or
        self.memory_cost = number_or(self.memory_cost, "memory_cost", 8, MOST_KIB)
        self.parallelism = number_or(self.parallelism, "parallelism", 1, MOST_LANES)
        self.salt_size = number_or(self.salt_size, "salt_size", *SALT_BYTES)
        self.digest_size = number_or(self.digest_size, "digest_size", *DIGEST_BYTES)
        self.max_threads = number_or(self.max_threads, "max_threads", -1, MOST_LANES)
        if self.max_threads == 0:
            raise ValueError("max_threads is -1, which is any number, or at least 1")
        self.written(TOO_MUCH)

    def make(self, password: bytes) -> str:
        threads = max(self.max_threads, 0)
        return password_hash(password, self.written(TOO_MUCH), threads)

    def matches(self, password: bytes, hash: str) -> bool:
        return self.core_verify(password, hash, max(self.max_threads, 0))

    def differs(self, hash: str) -> bool:
        parts = self.parts(hash)
        return (
            (parts["type"], parts["version"]) != ("id", "19")
            or int(parts["memory"]) != self.memory_cost
            or int(parts["lanes"]) != self.parallelism
            or len(parts["digest"]) != -(-self.digest_size * 4 // 3)
        )

    def setting(self) -> str:
        return password_setting(
            "argon2id",
            os.urandom(self.salt_size),
            rounds=self.default_rounds,
            memory_cost=self.memory_cost,
            parallelism=self.parallelism,
            digest_size=self.digest_size,
        )


def _check_type(kind: object) -> None:
    if kind is None:
        return
    if not isinstance(kind, str):
        raise TypeError(f"type must be str, not {type(kind).__name__}")
    if kind.lower() != "id":
        raise ValueError("new hashes of argon2 are of the type ID (RFC 9106 4)")


argon2: _Argon2 = _Argon2()
