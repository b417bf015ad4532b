"""scrypt, as passlib writes it."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import ClassVar

from fastbearer._core import password_hash, password_scheme, password_verify
from fastbearer.compat.passlib.handlers.rounds import ROUNDS_ALIASES, RoundsHandler
from fastbearer.compat.passlib.settings import Settings
from fastbearer.errors import InvalidHashError

__all__ = ["scrypt"]

MOST_BLOCKS = 1 << 16
MOST_SALT = 128
DIGEST_BYTES = 32


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
        block = asked.number("block_size", 1, MOST_BLOCKS)
        lanes = asked.number("parallelism", 1, MOST_BLOCKS)
        salt = asked.number("salt_size", 0, MOST_SALT)
        self.block_size = block or self.block_size
        self.parallelism = lanes or self.parallelism
        self.salt_size = self.salt_size if salt is None else salt
        self._check_cost()

    def make(self, password: bytes) -> str:
        return password_hash(password, self._setting())

    def matches(self, password: bytes, hash: str) -> bool:
        try:
            return password_verify(password, hash)
        except InvalidHashError:
            raise self.malformed() from None

    def differs(self, hash: str) -> bool:
        parts = self.parts(hash)
        now = self.block_size, self.parallelism
        return (int(parts["block"]), int(parts["lanes"])) != now

    def _setting(self) -> str:
        cost = f"ln={self.default_rounds},r={self.block_size},p={self.parallelism}"
        return f"$scrypt${cost}${_b64(os.urandom(self.salt_size))}$"

    def _check_cost(self) -> None:
        try:
            password_scheme(self._setting() + _b64(bytes(DIGEST_BYTES)))
        except InvalidHashError:
            message = "rounds, block_size and parallelism ask for too much"
            raise ValueError(f"{self.name}: {message}") from None


def _b64(data: bytes) -> str:
    return b64encode(data).rstrip(b"=").decode("ascii")


scrypt = _Scrypt()
