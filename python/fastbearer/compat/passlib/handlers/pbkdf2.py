"""PBKDF2, as passlib writes it."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import ClassVar

from fastbearer.compat.passlib._settings import Settings
from fastbearer.compat.passlib.handlers._rounds import ROUNDS_ALIASES, RoundsHandler

__all__ = ["Pbkdf2", "pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512"]

MOST_SALT = 1024


class Pbkdf2(RoundsHandler):
    """PBKDF2 with one digest; passlib's and Django's differ in how they write it."""

    word: ClassVar[str]
    digest: ClassVar[str]
    setting_kwds: ClassVar[tuple[str, ...]] = ("salt_size", "rounds")
    aliases: ClassVar[Mapping[str, str]] = {
        **ROUNDS_ALIASES,
        "default_salt_size": "salt_size",
    }
    salt_size: int = 16
    least_salt: ClassVar[int] = 0

    def configure(self, asked: Settings) -> None:
        """Take the rounds and the salt's size."""
        super().configure(asked)
        self.salt_size = asked.number_or(
            self.salt_size, "salt_size", self.least_salt, MOST_SALT
        )

    def make(self, password: bytes) -> str:
        """Return the hash of a password that may be hashed."""
        return self.write(password, self.new_salt(), self.default_rounds)

    def matches(self, password: bytes, hash: str) -> bool:
        """Tell whether the password made a hash of this scheme."""
        parts = self.parts(hash)
        rounds = int(parts["rounds"])
        if rounds > self.max_rounds:
            raise self.malformed()
        return hmac.compare_digest(self.write(password, parts["salt"], rounds), hash)

    def write(self, password: bytes, salt: str, rounds: int) -> str:
        """Return the hash that this salt and this many rounds make."""
        key = hashlib.pbkdf2_hmac(self.digest, password, self.salt_bytes(salt), rounds)
        return self.text(rounds, salt, key)

    def new_salt(self) -> str:
        """Return a fresh salt, as the hash has it."""
        return _ab64(os.urandom(self.salt_size))

    def salt_bytes(self, salt: str) -> bytes:
        """Return the bytes of a salt."""
        try:
            padded = salt.replace(".", "+") + "=" * (-len(salt) % 4)
            return b64decode(padded, validate=True)
        except ValueError:
            raise self.malformed() from None

    def text(self, rounds: int, salt: str, key: bytes) -> str:
        """Return the text of a hash."""
        return f"${self.word}${rounds}${salt}${_ab64(key)}"


def _pattern(word: str, digest_characters: int) -> re.Pattern[str]:
    return re.compile(
        rf"\${word}\$(?P<rounds>[1-9][0-9]{{0,9}})\$(?P<salt>[./A-Za-z0-9]*)"
        rf"\$[./A-Za-z0-9]{{{digest_characters}}}\Z"
    )


class _Pbkdf2Sha1(Pbkdf2):
    name: str = "pbkdf2_sha1"
    word: ClassVar[str] = "pbkdf2"
    digest: ClassVar[str] = "sha1"
    default_rounds: int = 131000
    pattern: ClassVar[re.Pattern[str]] = _pattern(word, 27)


class _Pbkdf2Sha256(Pbkdf2):
    name: str = "pbkdf2_sha256"
    word: ClassVar[str] = "pbkdf2-sha256"
    digest: ClassVar[str] = "sha256"
    default_rounds: int = 29000
    pattern: ClassVar[re.Pattern[str]] = _pattern(word, 43)


class _Pbkdf2Sha512(Pbkdf2):
    name: str = "pbkdf2_sha512"
    word: ClassVar[str] = "pbkdf2-sha512"
    digest: ClassVar[str] = "sha512"
    default_rounds: int = 25000
    pattern: ClassVar[re.Pattern[str]] = _pattern(word, 86)


def _ab64(data: bytes) -> str:
    """Return base64 with "." for "+", without padding (passlib's)."""
    return b64encode(data, b"./").decode("ascii").rstrip("=")


pbkdf2_sha1: _Pbkdf2Sha1 = _Pbkdf2Sha1()
pbkdf2_sha256: _Pbkdf2Sha256 = _Pbkdf2Sha256()
pbkdf2_sha512: _Pbkdf2Sha512 = _Pbkdf2Sha512()
