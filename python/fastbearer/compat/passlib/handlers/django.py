"""Django's hashes, as passlib has them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from fastbearer.compat.passlib._settings import Settings
from fastbearer.compat.passlib.handlers._base import Handler, text_of
from fastbearer.compat.passlib.handlers._rounds import RoundsHandler
from fastbearer.compat.passlib.handlers.argon2 import argon2
from fastbearer.compat.passlib.handlers.bcrypt import bcrypt
from fastbearer.compat.passlib.handlers.pbkdf2 import Pbkdf2

__all__ = [
    "django_argon2",
    "django_bcrypt",
    "django_bcrypt_sha256",
    "django_disabled",
    "django_pbkdf2_sha1",
    "django_pbkdf2_sha256",
    "django_salted_md5",
    "django_salted_sha1",
]

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SALT_LETTERS = 12
MOST_SALT = 1024


def _letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(count))


class _DjangoPbkdf2(Pbkdf2):
    """PBKDF2 whose salt is used as it is written."""

    salt_size: int = SALT_LETTERS
    least_salt = 1

    def new_salt(self) -> str:
        return _letters(self.salt_size)

    def salt_bytes(self, salt: str) -> bytes:
        return salt.encode("ascii")

    def text(self, rounds: int, salt: str, key: bytes) -> str:
        return f"{self.word}${rounds}${salt}${b64encode(key).decode('ascii')}"


def _pattern(word: str, digest_characters: int) -> re.Pattern[str]:
    return re.compile(
        rf"{word}\$(?P<rounds>[1-9][0-9]{{0,9}})\$(?P<salt>[!-#%-~]+)"
        rf"\$[+/A-Za-z0-9]{{{digest_characters}}}=\Z"
    )


class _DjangoPbkdf2Sha1(_DjangoPbkdf2):
    name: str = "django_pbkdf2_sha1"
    word: ClassVar[str] = "pbkdf2_sha1"
    digest: ClassVar[str] = "sha1"
    default_rounds: int = 131000
    pattern: ClassVar[re.Pattern[str]] = _pattern(word, 27)


class _DjangoPbkdf2Sha256(_DjangoPbkdf2):
    name: str = "django_pbkdf2_sha256"
    word: ClassVar[str] = "pbkdf2_sha256"
    digest: ClassVar[str] = "sha256"
    default_rounds: int = 29000
    pattern: ClassVar[re.Pattern[str]] = _pattern(word, 43)


class _DjangoSalted(Handler):
    """One round of a digest: worth little, and of databases of before 2012."""

    word: ClassVar[str]
    digest: ClassVar[Callable[..., Any]]
    setting_kwds: ClassVar[tuple[str, ...]] = ("salt_size",)
    aliases: ClassVar[Mapping[str, str]] = {"default_salt_size": "salt_size"}
    salt_size: int = SALT_LETTERS

    def configure(self, asked: Settings) -> None:
        """Take the salt's size."""
        self.salt_size = asked.number_or(self.salt_size, "salt_size", 0, MOST_SALT)

    def make(self, password: bytes) -> str:
        return self._write(password, _letters(self.salt_size))

    def matches(self, password: bytes, hash: str) -> bool:
        made = self._write(password, self.parts(hash)["salt"])
        return hmac.compare_digest(made, hash)

    def _write(self, password: bytes, salt: str) -> str:
        made = type(self).digest(salt.encode("ascii") + password).hexdigest()
        return f"{self.word}${salt}${made}"


class _DjangoSaltedSha1(_DjangoSalted):
    name: str = "django_salted_sha1"
    word: ClassVar[str] = "sha1"
    digest: ClassVar[Callable[..., Any]] = hashlib.sha1
    pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"sha1\$(?P<salt>[!-#%-~]*)\$[0-9a-f]{40}\Z"
    )


class _DjangoSaltedMd5(_DjangoSalted):
    name: str = "django_salted_md5"
    word: ClassVar[str] = "md5"
    digest: ClassVar[Callable[..., Any]] = hashlib.md5
    pattern: ClassVar[re.Pattern[str]] = re.compile(
        r"md5\$(?P<salt>[!-#%-~]*)\$[0-9a-f]{32}\Z"
    )


class _Prefixed(Handler):
    """Another scheme's hash after a word."""

    prefix: ClassVar[str]

    def __init__(self, inner: RoundsHandler) -> None:
        self._inner = inner
        self.truncate_size: int | None = inner.truncate_size
        self.setting_kwds = inner.setting_kwds  # type: ignore[misc]

    def using(self, relaxed: bool = False, **settings: Any) -> Any:
        return type(self)(self._inner.using(relaxed, **settings))

    def everywhere_kwds(self) -> set[str]:
        return self._inner.everywhere_kwds()

    def identify(self, hash: str | bytes) -> bool:
        text = text_of(hash)
        return text.startswith(self.prefix) and self._inner.identify(self._rest(text))

    def make(self, password: bytes) -> str:
        return self.prefix + self._inner.make(password)

    def matches(self, password: bytes, hash: str) -> bool:
        return self._inner.matches(password, self._rest(hash))

    def is_outdated(self, hash: str) -> bool:
        return self._inner.is_outdated(self._rest(hash))

    def _rest(self, hash: str) -> str:
        return hash[len(self.prefix) :]


class _DjangoBcrypt(_Prefixed):
    name: str = "django_bcrypt"
    prefix: ClassVar[str] = "bcrypt$"
    takes_nul: bool = False


class _DjangoArgon2(_Prefixed):
    name: str = "django_argon2"
    prefix: ClassVar[str] = "argon2"


class _DjangoBcryptSha256(_Prefixed):
    """bcrypt of the hexadecimal SHA-256 of the password."""

    name: str = "django_bcrypt_sha256"
    prefix: ClassVar[str] = "bcrypt_sha256$"

    def __init__(self, inner: RoundsHandler) -> None:
        super().__init__(inner)
        self.truncate_size = None

    def make(self, password: bytes) -> str:
        return super().make(_hexdigest(password))

    def matches(self, password: bytes, hash: str) -> bool:
        return super().matches(_hexdigest(password), hash)


class _DjangoDisabled(Handler):
    """The hash of an account that nobody signs in to."""

    name = "django_disabled"
    pattern: ClassVar[re.Pattern[str]] = re.compile("!")
    is_disabled = True

    def make(self, password: bytes) -> str:
        return "!" + _letters(40)

    def matches(self, password: bytes, hash: str) -> bool:
        return False

    def disable(self, hash: str | bytes | None = None) -> str:
        """Return a hash that nobody's password makes."""
        return self.make(b"")

    def enable(self, hash: str | bytes) -> str:
        """Return the hash of before, which is not kept.

        Raises:
            ValueError: Always.
        """
        raise ValueError("cannot restore original hash")


def _hexdigest(password: bytes) -> bytes:
    return hashlib.sha256(password).hexdigest().encode("ascii")


django_pbkdf2_sha1: _DjangoPbkdf2Sha1 = _DjangoPbkdf2Sha1()
django_pbkdf2_sha256: _DjangoPbkdf2Sha256 = _DjangoPbkdf2Sha256()
django_salted_sha1: _DjangoSaltedSha1 = _DjangoSaltedSha1()
django_salted_md5: _DjangoSaltedMd5 = _DjangoSaltedMd5()
django_bcrypt: _DjangoBcrypt = _DjangoBcrypt(bcrypt)
django_bcrypt_sha256: _DjangoBcryptSha256 = _DjangoBcryptSha256(bcrypt)
django_argon2: _DjangoArgon2 = _DjangoArgon2(argon2)
django_disabled: _DjangoDisabled = _DjangoDisabled()
