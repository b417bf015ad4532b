"""The schemes: those of the common recipes."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from base64 import b64encode
from typing import Any, ClassVar

from fastbearer._core import password_hash, password_verify
from fastbearer.compat.passlib.exc import PasswordTruncateError
from fastbearer.compat.passlib.handlers import Handler
from fastbearer.errors import InvalidHashError
from fastbearer.passwords import b64_salt, bcrypt_salt

__all__ = [
    "argon2",
    "bcrypt",
    "bcrypt_sha256",
    "django_argon2",
    "django_bcrypt",
    "django_bcrypt_sha256",
    "django_pbkdf2_sha256",
    "pbkdf2_sha256",
    "pbkdf2_sha512",
    "scrypt",
]

BCRYPT_BYTES = 72
DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class _CoreHandler(Handler):
    """What the core verifies as it stands."""

    def matches(self, password: bytes, hash: str) -> bool:
        try:
            return password_verify(password, hash, 0)
        except InvalidHashError:
            raise self.malformed() from None


class _Bcrypt(_CoreHandler):
    name = "bcrypt"
    setting_kwds = ("rounds", "ident", "truncate_error")
    pattern = re.compile(r"\$2[abxy]\$(?P<rounds>\d\d)\$[./A-Za-z0-9]{53}\Z")
    takes_nul = False
    rounds = 12
    least_rounds, most_rounds = 4, 31

    def _take(self, settings: dict[str, Any]) -> None:
        ident = str(settings.pop("ident", None) or "2b").strip("$")
        if ident not in ("2a", "2b", "2y"):
            raise ValueError(f"invalid ident for {self.name}")
        self.ident = ident
        self.truncate_error = bool(settings.pop("truncate_error", False))

    def kept(self) -> dict[str, Any]:
        return {
            "default_rounds": self.rounds,
            "ident": self.ident,
            "truncate_error": self.truncate_error,
        }

    def make(self, password: bytes) -> str:
        if len(password) > BCRYPT_BYTES:
            if self.truncate_error:
                raise PasswordTruncateError(
                    f"Password too long ({self.name} truncates to 72 characters)"
                )
            password = password[:BCRYPT_BYTES]
        made = password_hash(password, f"$2b${self.rounds:02d}${bcrypt_salt()}")
        # For what begins with "$2b$" the others are but other names.
        return f"${self.ident}${made[4:]}"

    def matches(self, password: bytes, hash: str) -> bool:
        return super().matches(password[:BCRYPT_BYTES], hash)


class _BcryptSha256(Handler):
    """bcrypt of an HMAC, which is never too long (passlib's own format)."""

    name = "bcrypt_sha256"
    pattern = re.compile(
        r"\$bcrypt-sha256\$(?:v=(?P<version>2),t=2b,r=|2[ab],)(?P<rounds>\d\d?)"
        r"\$(?P<salt>[./A-Za-z0-9]{22})\$(?P<digest>[./A-Za-z0-9]{31})\Z"
    )
    rounds = 12
    least_rounds, most_rounds = 4, 31

    def kept(self) -> dict[str, Any]:
        return {"default_rounds": self.rounds}

    def make(self, password: bytes) -> str:
        salt = bcrypt_salt()
        inner = b64encode(hmac.digest(salt.encode(), password, "sha256"))
        made = password_hash(inner, f"$2b${self.rounds:02d}${salt}")
        # bcrypt may have cleared bits of the salt that nobody sees.
        head = f"$bcrypt-sha256$v=2,t=2b,r={self.rounds}"
        return f"{head}${salt}${made[29:]}"

    def matches(self, password: bytes, hash: str) -> bool:
        match = self.pattern.match(hash)
        assert match is not None  # noqa: S101 - asked before
        salt, digest = match["salt"], match["digest"]
        if match["version"]:
            inner = b64encode(hmac.digest(salt.encode(), password, "sha256"))
        else:
            inner = b64encode(hashlib.sha256(password).digest())
        try:
            stored = f"$2b${int(match['rounds']):02d}${salt}{digest}"
            return password_verify(inner, stored, 0)
        except InvalidHashError:
            raise self.malformed() from None

    def differs(self, hash: str) -> bool:
        return not hash.startswith("$bcrypt-sha256$v=2,")


class _Argon2(_CoreHandler):
    name = "argon2"
    setting_kwds = ("rounds", "memory_cost", "parallelism", "time_cost", "type")
    pattern = re.compile(
        r"\$argon2(?P<type>id|i|d)\$(?:v=(?P<version>\d+)\$)?"
        r"m=(?P<memory>\d+),t=(?P<rounds>\d+),p=(?P<lanes>\d+)\$[^$]+\$[^$]+\Z"
    )
    rounds = 3

    def _take(self, settings: dict[str, Any]) -> None:
        if "time_cost" in settings:
            self.rounds = self._checked(int(settings.pop("time_cost")))
            self.min_desired_rounds = self.max_desired_rounds = self.rounds
        self.memory_cost = int(settings.pop("memory_cost", 65536))
        self.parallelism = int(settings.pop("parallelism", 4))
        if str(settings.pop("type", "ID")).upper() != "ID":
            raise ValueError("new hashes of argon2 are of the type ID (RFC 9106 4)")

    def kept(self) -> dict[str, Any]:
        return {
            "default_rounds": self.rounds,
            "memory_cost": self.memory_cost,
            "parallelism": self.parallelism,
        }

    def make(self, password: bytes) -> str:
        cost = f"m={self.memory_cost},t={self.rounds},p={self.parallelism}"
        return password_hash(password, f"$argon2id$v=19${cost}${b64_salt()}")

    def differs(self, hash: str) -> bool:
        match = self.pattern.match(hash)
        assert match is not None  # noqa: S101 - asked before
        return (
            (match["type"], match["version"]) != ("id", "19")
            or int(match["memory"]) != self.memory_cost
            or int(match["lanes"]) != self.parallelism
        )


class _Scrypt(_CoreHandler):
    name = "scrypt"
    setting_kwds = ("rounds", "block_size", "parallelism")
    pattern = re.compile(
        r"\$scrypt\$ln=(?P<rounds>\d+),r=(?P<block>\d+),p=(?P<lanes>\d+)\$[^$]*\$[^$]+\Z"
    )
    rounds = 16
    most_rounds = 31

    def _take(self, settings: dict[str, Any]) -> None:
        self.block_size = int(settings.pop("block_size", 8))
        self.parallelism = int(settings.pop("parallelism", 1))

    def kept(self) -> dict[str, Any]:
        return {
            "default_rounds": self.rounds,
            "block_size": self.block_size,
            "parallelism": self.parallelism,
        }

    def make(self, password: bytes) -> str:
        cost = f"ln={self.rounds},r={self.block_size},p={self.parallelism}"
        return password_hash(password, f"$scrypt${cost}${b64_salt()}$")

    def differs(self, hash: str) -> bool:
        match = self.pattern.match(hash)
        assert match is not None  # noqa: S101 - asked before
        return int(match["block"]) != self.block_size


class _Pbkdf2(_CoreHandler):
    digest = "sha256"
    setting_kwds = ("rounds", "salt_size")

    def _take(self, settings: dict[str, Any]) -> None:
        self.salt_size = int(settings.pop("salt_size", 16))

    def kept(self) -> dict[str, Any]:
        return {"default_rounds": self.rounds, "salt_size": self.salt_size}

    def make(self, password: bytes) -> str:
        salt = os.urandom(self.salt_size)
        made = hashlib.pbkdf2_hmac(self.digest, password, salt, self.rounds)
        head = f"$pbkdf2-{self.digest}${self.rounds}"
        return f"{head}${_ab64(salt)}${_ab64(made)}"


class _Pbkdf2Sha256(_Pbkdf2):
    name = "pbkdf2_sha256"
    rounds = 29000
    pattern = re.compile(r"\$pbkdf2-sha256\$(?P<rounds>\d+)\$[^$]*\$[^$]+\Z")


class _Pbkdf2Sha512(_Pbkdf2):
    name = "pbkdf2_sha512"
    digest = "sha512"
    rounds = 25000
    pattern = re.compile(r"\$pbkdf2-sha512\$(?P<rounds>\d+)\$[^$]*\$[^$]+\Z")


class _DjangoPbkdf2Sha256(_CoreHandler):
    name = "django_pbkdf2_sha256"
    rounds = 29000
    pattern = re.compile(r"pbkdf2_sha256\$(?P<rounds>\d+)\$[^$]+\$[^$]+\Z")

    def kept(self) -> dict[str, Any]:
        return {"default_rounds": self.rounds}

    def make(self, password: bytes) -> str:
        salt = "".join(secrets.choice(DIGITS) for _ in range(12))
        made = hashlib.pbkdf2_hmac("sha256", password, salt.encode(), self.rounds)
        return f"pbkdf2_sha256${self.rounds}${salt}${b64encode(made).decode()}"


class _Prefixed(Handler):
    """Another scheme's hash behind a word, as Django has them."""

    prefix = ""
    inner: ClassVar[Any]

    def __init__(self, **settings: Any) -> None:
        self._within = type(self).inner.using(**settings)
        super().__init__()
        self.rounds = self._within.rounds
        self.min_desired_rounds = self._within.min_desired_rounds
        self.max_desired_rounds = self._within.max_desired_rounds

    def kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = self._within.kept()
        return kept

    def identify(self, hash: str | bytes) -> bool:
        text = hash.decode("latin-1") if isinstance(hash, bytes) else hash
        if not isinstance(text, str):
            raise TypeError(f"hash must be unicode or bytes, not {type(hash).__name__}")
        inner: bool = text.startswith(self.prefix) and self._within.identify(
            text[len(self.prefix) :]
        )
        return inner

    def make(self, password: bytes) -> str:
        return self.prefix + str(self._within.make(password))

    def matches(self, password: bytes, hash: str) -> bool:
        found: bool = self._within.matches(password, hash[len(self.prefix) :])
        return found

    def rounds_of(self, hash: str) -> int:
        found: int = self._within.rounds_of(hash[len(self.prefix) :])
        return found

    def differs(self, hash: str) -> bool:
        found: bool = self._within.differs(hash[len(self.prefix) :])
        return found


def _ab64(data: bytes) -> str:
    """Return base64 with "." for "+", without padding (passlib's)."""
    return b64encode(data).rstrip(b"=").replace(b"+", b".").decode("ascii")


bcrypt = _Bcrypt()
bcrypt_sha256 = _BcryptSha256()
argon2 = _Argon2()
scrypt = _Scrypt()
pbkdf2_sha256 = _Pbkdf2Sha256()
pbkdf2_sha512 = _Pbkdf2Sha512()
django_pbkdf2_sha256 = _DjangoPbkdf2Sha256()


class _DjangoBcrypt(_Prefixed):
    name, prefix, inner, takes_nul = "django_bcrypt", "bcrypt$", bcrypt, False


class _DjangoArgon2(_Prefixed):
    name, prefix, inner = "django_argon2", "argon2", argon2


class _DjangoBcryptSha256(_Prefixed):
    """bcrypt of the hexadecimal SHA-256 of the password."""

    name, prefix, inner = "django_bcrypt_sha256", "bcrypt_sha256$", bcrypt

    def make(self, password: bytes) -> str:
        return super().make(hashlib.sha256(password).hexdigest().encode())

    def matches(self, password: bytes, hash: str) -> bool:
        return super().matches(hashlib.sha256(password).hexdigest().encode(), hash)


django_bcrypt = _DjangoBcrypt()
django_argon2 = _DjangoArgon2()
django_bcrypt_sha256 = _DjangoBcryptSha256()

HANDLERS: dict[str, Handler] = {
    handler.name: handler
    for handler in (
        bcrypt,
        bcrypt_sha256,
        argon2,
        scrypt,
        pbkdf2_sha256,
        pbkdf2_sha512,
        django_pbkdf2_sha256,
        django_bcrypt,
        django_bcrypt_sha256,
        django_argon2,
    )
}
