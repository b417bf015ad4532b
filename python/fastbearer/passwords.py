"""Passwords: Argon2id (RFC 9106) by default, bcrypt for those who need it."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import TYPE_CHECKING

from . import _core
from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PasswordHash", "hash_password", "verify_password"]

SALT_BYTES = 16  # RFC 9106 3.1 recommends 16; bcrypt takes no other length
ARGON2_DIGEST_CHARACTERS = 43  # 32 bytes
BCRYPT_CHARACTERS = 60
COST_LIMIT = 2**32  # RFC 9106 3.1; what is allowed, the core decides

BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
BCRYPT64 = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
TO_BCRYPT64 = bytes.maketrans(BASE64, BCRYPT64)


class PasswordHash:
    """Hashes passwords with one scheme and verifies every supported one.

    Immutable, and safe to share between threads.

    Args:
        scheme: "argon2id", or "bcrypt".
        time_cost: Argon2's passes over the memory.
        memory_cost: Argon2's memory in KiB.
        parallelism: Argon2's lanes.
        rounds: bcrypt's cost: the hash takes 2 ** rounds steps.

    The defaults are the second recommendation of RFC 9106 4 (low memory).

    Raises:
        ConfigurationError: The scheme is unknown, or its cost out of range.
    """

    __slots__ = ("_characters", "_prefix", "_salt", "_tail", "scheme")

    def __init__(
        self,
        scheme: str = "argon2id",
        *,
        time_cost: int = 3,
        memory_cost: int = 65536,
        parallelism: int = 4,
        rounds: int = 12,
    ) -> None:
        for cost in (time_cost, memory_cost, parallelism, rounds):
            if not isinstance(cost, int):
                raise TypeError("the costs of a password hash are integers")
            if not 0 < cost < COST_LIMIT:
                raise ConfigurationError("a cost of the hash is out of range")
        self.scheme = scheme
        self._salt: Callable[[], str]
        if scheme == "argon2id":
            self._prefix = (
                f"$argon2id$v=19$m={memory_cost},t={time_cost},p={parallelism}$"
            )
            self._salt = _argon2_salt
            self._characters = len(self._setting()) + 1 + ARGON2_DIGEST_CHARACTERS
        elif scheme == "bcrypt":
            self._prefix = f"$2b${rounds:02d}$"
            self._salt = _bcrypt_salt
            self._characters = BCRYPT_CHARACTERS
        else:
            raise ConfigurationError("the password scheme must be argon2id or bcrypt")
        is_argon2 = scheme == "argon2id"
        self._tail = (
            ARGON2_DIGEST_CHARACTERS
            if is_argon2
            else BCRYPT_CHARACTERS - len(self._prefix)
        )
        self._check_cost()

    @classmethod
    def recommended(cls) -> PasswordHash:
        """Return the default: Argon2id with RFC 9106's low-memory cost."""
        return cls()

    def hash(self, password: str | bytes) -> str:
        """Return the hash of a password, with a fresh salt.

        Args:
            password: A str is taken as UTF-8; at most 4096 bytes.

        Returns:
            PHC text for Argon2id, modular-crypt text for bcrypt.

        Raises:
            PasswordTooLongError: Over 4096 bytes, or over 72 for bcrypt,
                which would forget the rest.
            PasswordError: A lone surrogate, or a NUL for bcrypt.
        """
        return self._hash(password, 0)

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Return whether the password made the hash, of any supported format.

        bcrypt hashes are compared by the first 72 bytes, as all their makers
        did. What can be hashed in no format matches none: over 4096 bytes, a
        lone surrogate, a NUL for bcrypt.

        Raises:
            InvalidHashError: The hash is malformed, of an unknown format, or
                asks for more memory or time than is allowed.
        """
        return self._verify(password, hash, 0)

    def needs_rehash(self, hash: str | bytes) -> bool:
        """Return whether this hasher would make the hash in another way.

        Raises:
            InvalidHashError: As in `verify`.
        """
        _core.password_scheme(hash)
        text = hash if isinstance(hash, str) else hash.decode()
        # The last "$" stands where ours does, so salt and digest are as long.
        return (
            not text.startswith(self._prefix)
            or len(text) != self._characters
            or len(text.rpartition("$")[2]) != self._tail
        )

    def verify_and_update(
        self, password: str | bytes, hash: str | bytes
    ) -> tuple[bool, str | None]:
        """Verify, and hash anew where the stored hash is outdated.

        Returns:
            Whether the password is right, and the hash to store, or None to
            keep the one there is.

        Raises:
            InvalidHashError: As in `verify`.
        """
        return self._verify_and_update(password, hash, 0)

    def _verify_and_update(
        self, password: str | bytes, hash: str | bytes, threads: int
    ) -> tuple[bool, str | None]:
        if not self._verify(password, hash, threads):
            return False, None
        if not self.needs_rehash(hash):
            return True, None
        return True, self._hash(password, threads)

    def _hash(self, password: str | bytes, threads: int) -> str:
        """Hash with so many threads; 0 is one a core."""
        return _core.password_hash(password, self._setting(), threads)

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        return _core.password_verify(password, hash, threads)

    async def ahash(self, password: str | bytes) -> str:
        """`hash`, on a bounded pool of threads off the event loop.

        One thread works at each hash, for there are as many slots as cores.

        Raises:
            HasherBusyError: All slots and the queue before them are taken.
        """
        from .pool import shared_pool

        return await shared_pool().run(self._hash, password, 1)

    async def averify(self, password: str | bytes, hash: str | bytes) -> bool:
        """`verify`, on the same pool as `ahash`."""
        from .pool import shared_pool

        return await shared_pool().run(self._verify, password, hash, 1)

    async def averify_and_update(
        self, password: str | bytes, hash: str | bytes
    ) -> tuple[bool, str | None]:
        """`verify_and_update`, on the same pool as `ahash`."""
        from .pool import shared_pool

        return await shared_pool().run(self._verify_and_update, password, hash, 1)

    def __repr__(self) -> str:
        return f"<PasswordHash {self._prefix}>"

    def _setting(self) -> str:
        return self._prefix + self._salt()

    def _check_cost(self) -> None:
        """Let the core judge the cost, on a hash that nobody made."""
        setting = self._setting()
        filler = "A" if self.scheme == "argon2id" else "."
        separator = "$" if self.scheme == "argon2id" else ""
        digest = filler * (self._characters - len(setting) - len(separator))
        try:
            _core.password_scheme(setting + separator + digest)
        except Exception:
            raise ConfigurationError(
                f"the cost of {self._prefix} is out of range"
            ) from None


def _argon2_salt() -> str:
    return b64encode(os.urandom(SALT_BYTES)).rstrip(b"=").decode()


def _bcrypt_salt() -> str:
    encoded = b64encode(os.urandom(SALT_BYTES)).rstrip(b"=")
    return encoded.translate(TO_BCRYPT64).decode()


_default: PasswordHash | None = None


def _default_hasher() -> PasswordHash:
    """Return the hasher of ``PASSWORD_SCHEME``, read at first use."""
    global _default
    if _default is None:
        _default = PasswordHash(os.environ.get("PASSWORD_SCHEME") or "argon2id")
    return _default


def hash_password(password: str | bytes) -> str:
    """Return the hash of a password by the default hasher.

    Argon2id; the environment's ``PASSWORD_SCHEME=bcrypt`` makes it bcrypt.

    Raises:
        PasswordError: As in `PasswordHash.hash`.
    """
    return _default_hasher().hash(password)


def verify_password(plain_password: str | bytes, hashed_password: str | bytes) -> bool:
    """Return whether the password made the hash, of any supported format.

    Raises:
        InvalidHashError: As in `PasswordHash.verify`.
    """
    return _core.password_verify(plain_password, hashed_password)
