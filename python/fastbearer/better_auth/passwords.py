"""Passwords, hashed as Better Auth hashes them."""

from __future__ import annotations

from secrets import token_hex

from fastbearer import PasswordHash
from fastbearer._core import password_setting
from fastbearer.hash_slots import password_hash

__all__ = ["SCHEME", "BetterAuthHash", "better_auth_hash", "password_length"]

SCHEME = "better-auth-scrypt"


def password_length(password: str) -> int:
    """Return the length of a password as the server counts it: UTF-16 code units.

    It refuses one of more than 128 even where somebody signs in.
    """
    return len(password.encode("utf-16-le", "surrogatepass")) // 2


def better_auth_hash(password: str | bytes, threads: int = 0) -> str:
    """Return the hash that the server would store: scrypt of the password in NFKC.

    Raises:
        PasswordError: The password has a lone surrogate or over 4096 bytes.
    """
    return password_hash(password, _setting(), threads)


class BetterAuthHash(PasswordHash):
    """Hashes as the server does, and verifies every supported format.

    No hash counts as outdated: what is stored stays, so that the server can verify it.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("scrypt", n=16384, r=16, p=1)

    def needs_rehash(self, hash: str | bytes) -> bool:
        """Return False.

        Raises:
            InvalidHashError: The hash has no supported format.
        """
        self.identify(hash)
        return False

    def _setting(self) -> str:
        return _setting()

    def __repr__(self) -> str:
        return "<BetterAuthHash>"


def _setting() -> str:
    return password_setting(SCHEME, token_hex(16))
