"""bcrypt, and passlib's own format over it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import ClassVar

from fastbearer._core import password_setting
from fastbearer.compat.passlib._settings import Settings
from fastbearer.compat.passlib.exc import PasswordTruncateError
from fastbearer.compat.passlib.handlers._rounds import ROUNDS_ALIASES, RoundsHandler
from fastbearer.hash_slots import password_hash

__all__ = ["bcrypt", "bcrypt_sha256"]

SEEN_BYTES = 72
"""bcrypt looks at no more of a password."""
SALT_BYTES = 16


class _BcryptSettings(RoundsHandler):
    """The settings that all have whose work bcrypt does."""

    setting_kwds: ClassVar[tuple[str, ...]] = ("rounds", "ident", "truncate_error")
    aliases: ClassVar[Mapping[str, str]] = {**ROUNDS_ALIASES, "default_ident": "ident"}
    idents: ClassVar[tuple[str, ...]] = ("2b",)

    default_rounds: int = 12
    min_rounds: ClassVar[int] = 4
    max_rounds: ClassVar[int] = 16
    ident: str = "2b"
    truncate_error: bool = False
    truncate_size: int | None = SEEN_BYTES

    def configure(self, asked: Settings) -> None:
        """Take the rounds, the kind, and whether to refuse long passwords."""
        super().configure(asked)
        ident = asked.take("ident")
        if ident is not None:
            self.ident = self._ident(ident)
        truncate_error = asked.flag("truncate_error")
        if truncate_error is not None:
            self.truncate_error = truncate_error

    def _ident(self, ident: str | bytes) -> str:
        text = ident.decode("ascii") if isinstance(ident, bytes) else str(ident)
        if text.strip("$") not in self.idents:
            raise ValueError(f"invalid ident for {self.name}")
        return text.strip("$")


class _Bcrypt(_BcryptSettings):
    name = "bcrypt"
    pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"\$2[abxy]?\$(?P<rounds>[0-9]{2})\$[./A-Za-z0-9]{53}\Z"
    )
    idents: ClassVar[tuple[str, ...]] = ("2a", "2b", "2y")
    takes_nul = False

    def make(self, password: bytes) -> str:
        if self.truncate_error and len(password) > SEEN_BYTES:
            raise PasswordTruncateError(self)
        return password_hash(password[:SEEN_BYTES], self.setting())

    def setting(self) -> str:
        return password_setting(
            "bcrypt",
            os.urandom(SALT_BYTES),
            rounds=self.default_rounds,
            kind=self.ident[1],
        )

    def matches(self, password: bytes, hash: str) -> bool:
        return self.core_verify(password[:SEEN_BYTES], hash)


class _BcryptSha256(_BcryptSettings):
    """bcrypt of a digest, which is never too long (passlib's own format)."""

    name = "bcrypt_sha256"
    pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"\$bcrypt-sha256\$(?:v=(?P<version>2),t=2b,r=|2[ab],)(?P<rounds>[0-9]{1,2})"
        r"\$(?P<salt>[./A-Za-z0-9]{22})\$(?P<digest>[./A-Za-z0-9]{31})\Z"
    )
    version: int = 2
    truncate_size: int | None = None

    def configure(self, asked: Settings) -> None:
        """Take those of bcrypt, and the version of the format."""
        super().configure(asked)
        version = asked.take("version")
        if version is not None and version not in (1, 2):
            raise ValueError(f"{self.name}: version is 1 or 2")
        self.version = version or self.version

    def make(self, password: bytes) -> str:
        return password_hash(password, self.setting())

    def setting(self) -> str:
        return password_setting(
            "bcrypt-sha256",
            os.urandom(SALT_BYTES),
            rounds=self.default_rounds,
            version=self.version,
        )

    def matches(self, password: bytes, hash: str) -> bool:
        return self.core_verify(password, hash)

    def differs(self, hash: str) -> bool:
        return int(self.parts(hash)["version"] or 1) < self.version


bcrypt: _Bcrypt = _Bcrypt()
bcrypt_sha256: _BcryptSha256 = _BcryptSha256()
