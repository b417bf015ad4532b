"""scrypt, as passlib writes it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import ClassVar

from fastbearer._core import password_setting
from fastbearer.compat.passlib._settings import Settings
from fastbearer.compat.passlib.handlers._rounds import ROUNDS_ALIASES, RoundsHandler
from fastbearer.hash_slots import password_hash

__all__ = ["scrypt"]

MOST_BLOCKS = 1 << 16
MOST_SALT = 128
TOO_MUCH = "rounds, block_size and parallelism ask for too much"


class _Scrypt(RoundsHandler):
    name = "scrypt"
    setting_kwds: ClassVar[tuple[str, ...]] = (
        "salt_size",
        "rounds",
        "block_size",
        "parallelism",
    )
    aliases: ClassVar[Mapping[str, str]] = {
        **ROUNDS_ALIASES,
        "default_salt_size": "salt_size",
    }
    pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"\$scrypt\$ln=(?P<rounds>[0-9]{1,9}),r=(?P<block>[0-9]{1,9}),"
        r"p=(?P<lanes>[0-9]{1,9})\$[^$]*\$[^$]+\Z"
    )
    default_rounds: int = 16
    max_rounds: ClassVar[int] = 20
    block_size: int = 8
    parallelism: int = 1
    salt_size: int = 16

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
        self.written(TOO_MUCH)

    def make(self, password: bytes) -> str:
        return password_hash(password, self.setting())

    def matches(self, password: bytes, hash: str) -> bool:
        return self.core_verify(password, hash)

    def differs(self, hash: str) -> bool:
        parts = self.parts(hash)
        now = self.block_size, self.parallelism
        return (int(parts["block"]), int(parts["lanes"])) != now

    def setting(self) -> str:
        return password_setting(
            "scrypt",
            os.urandom(self.salt_size),
            rounds=1 << self.default_rounds,
            block_size=self.block_size,
            parallelism=self.parallelism,
        )


scrypt: _Scrypt = _Scrypt()
