"""scrypt, as passlib writes it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import ClassVar

from fastbearer.compat.passlib._settings import Settings
from fastbearer.compat.passlib.handlers._rounds import ROUNDS_ALIASES, RoundsHandler
from fastbearer.hash_slots import password_hash
from fastbearer.passwords import b64

__all__ = ["scrypt"]

MOST_BLOCKS = 1 << 16
MOST_SALT = 128
DIGEST_BYTES = 32
TOO_MUCH = "rounds, block_size and parallelism ask for too much"


class _Scrypt(RoundsHandler):
    name = "scrypt"
    setting_kwds = ("salt_size", "rounds", "block_size", "parallelism")
    aliases: ClassVar[Mapping[str, str]] = {
        **ROUNDS_ALIASES,
        "default_salt_size": "salt_size",
    }
    pattern = re.compile(
        r"\$scrypt\$ln=(?P<rounds>[0-9]{1,9}),r=(?P<block>[0-9]{1,9}),"
        r"p=(?P<lanes>[0-9]{1,9})\$[^$]*\$[^$]+\Z"
    )
    default_rounds = 16
    max_rounds = 20
    block_size = 8
    parallelism = 1
    salt_size = 16

    def configure(self, asked: Settings) -> None:
        """Take the cost and the salt's size.

        Raises:
            ValueError: All of it is more than is computed here.
        """
        super().configure(asked)
        number_or = asked.number_or
        self.block_size = number_or(self.block_size, "block_size", 1, MOST_BLOCKS)
        self.parallelism = number_or(self.parallelism, "parallelism", 1, MOST_BLOCKS)
        self.salt_size = number_or(self.salt_size, "salt_size", 0, MOST_SALT)
        self.check_cost(self._setting() + b64(bytes(DIGEST_BYTES)), TOO_MUCH)

    def make(self, password: bytes) -> str:
        return password_hash(password, self._setting())

    def matches(self, password: bytes, hash: str) -> bool:
        return self.core_verify(password, hash)

    def differs(self, hash: str) -> bool:
        parts = self.parts(hash)
        now = self.block_size, self.parallelism
        return (int(parts["block"]), int(parts["lanes"])) != now

    def _setting(self) -> str:
        cost = f"ln={self.default_rounds},r={self.block_size},p={self.parallelism}"
        return f"$scrypt${cost}${b64(os.urandom(self.salt_size))}$"


scrypt = _Scrypt()
