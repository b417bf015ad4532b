"""Passwords: Argon2id (RFC 9106) by default, bcrypt or scrypt where they are needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import _core
from .awaited import awaited
from .errors import ConfigurationError, InvalidHashError, PasswordError
from .hash_slots import password_hash, password_verify
from .pepper import Pepper, split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["PasswordHash", "hash_password", "verify_password"]

SALT_BYTES = 16  # RFC 9106 3.1 recommends 16; bcrypt takes no other length
COST_LIMIT = 2**32  # RFC 9106 3.1; what is allowed, the core decides

TESTING = "testing"
PROFILES: dict[str, dict[str, Any]] = {
    # RFC 9106 4: the second recommendation, then the first
    "rfc9106-low-memory": {"time_cost": 3, "memory_cost": 65536, "parallelism": 4},
    "rfc9106": {"time_cost": 1, "memory_cost": 2097152, "parallelism": 4},
    # OWASP Password Storage Cheat Sheet: of equal strength, less memory each
    "owasp-46mib": {"time_cost": 1, "memory_cost": 47104, "parallelism": 1},
    "owasp-19mib": {"time_cost": 2, "memory_cost": 19456, "parallelism": 1},
    "owasp-12mib": {"time_cost": 3, "memory_cost": 12288, "parallelism": 1},
    "owasp-9mib": {"time_cost": 4, "memory_cost": 9216, "parallelism": 1},
    "owasp-7mib": {"time_cost": 5, "memory_cost": 7168, "parallelism": 1},
    "owasp-scrypt": {"scheme": "scrypt", "n": 2**17, "r": 8, "p": 1},
    "owasp-bcrypt": {"scheme": "bcrypt", "rounds": 10},
    # RFC 9106 3.1: the least that Argon2 takes
    TESTING: {"time_cost": 1, "memory_cost": 8, "parallelism": 1},
}


class PasswordHash:
    """Hashes passwords with one scheme and verifies every supported one.

    Immutable, and safe to share between threads.

    Args:
        scheme: "argon2id", "bcrypt" or "scrypt".
        time_cost: Argon2's passes over the memory.
        memory_cost: Argon2's memory in KiB.
        parallelism: Argon2's lanes.
        rounds: bcrypt's cost: the hash takes 2 ** rounds steps.
        n: scrypt's N, a power of two: 128 * n * r bytes of memory.
        r: scrypt's block size.
        p: scrypt's parallelism.
        pepper: Version -> secret of at least 32 bytes, kept apart from the
            hashes; the last version is used for new ones.

    The defaults are the second recommendation of RFC 9106 4 (low memory), and
    for scrypt the first of OWASP's.

    Raises:
        ConfigurationError: The scheme is unknown, a cost out of range, or the
            pepper too short.
    """

    __slots__ = ("_costs", "_parts", "_pepper", "scheme")

    def __init__(
        self,
        scheme: str = "argon2id",
        *,
        time_cost: int = 3,
        memory_cost: int = 65536,
        parallelism: int = 4,
        rounds: int = 12,
        n: int = 131072,
        r: int = 8,
        p: int = 1,
        pepper: Mapping[str, bytes] | None = None,
    ) -> None:
        for cost in (time_cost, memory_cost, parallelism, rounds, n, r, p):
            if not isinstance(cost, int):
                raise TypeError("the costs of a password hash are integers")
            if not 0 < cost < COST_LIMIT:
                raise ConfigurationError("a cost of the hash is out of range")
        self._costs: dict[str, Any]
        if scheme == "argon2id":
            self._costs = {
                "rounds": time_cost,
                "memory_cost": memory_cost,
                "parallelism": parallelism,
            }
        elif scheme == "bcrypt":
            self._costs = {"rounds": rounds}
        elif scheme == "scrypt":
            if n & (n - 1):
                raise ConfigurationError("scrypt's n must be a power of two")
            self._costs = {"rounds": n, "block_size": r, "parallelism": p}
        else:
            raise ConfigurationError(
                "the password scheme must be argon2id, bcrypt or scrypt"
            )
        self.scheme = scheme
        self._pepper = None if pepper is None else Pepper(pepper)
        try:
            self._parts = _core.password_parts(self._setting())
        except InvalidHashError:
            raise ConfigurationError(f"a cost of {scheme} is out of range") from None

    @classmethod
    def recommended(cls) -> PasswordHash:
        """Return the default: Argon2id with RFC 9106's low-memory cost."""
        return cls()

    @classmethod
    def from_profile(cls, name: str) -> PasswordHash:
        """Return the hasher of a published recommendation.

        Args:
            name: "rfc9106-low-memory" (the default's), "rfc9106" (2 GiB);
                OWASP's "owasp-46mib", "owasp-19mib", "owasp-12mib",
                "owasp-9mib", "owasp-7mib", "owasp-scrypt", "owasp-bcrypt"; or
                "testing", which is worth nothing, and is refused unless the
                environment says ``FASTBEARER_TESTING=1``.

        Raises:
            ConfigurationError: There is no such profile, or it is refused.
        """
        if name not in PROFILES:
            raise ConfigurationError(f"a profile is one of {', '.join(PROFILES)}")
        if name == TESTING and os.environ.get("FASTBEARER_TESTING") != "1":
            raise ConfigurationError(
                "the profile testing protects no password: "
                "it needs FASTBEARER_TESTING=1 in the environment"
            )
        return cls(**PROFILES[name])

    def hash(self, password: str | bytes) -> str:
        """Return the hash of a password, with a fresh salt.

        Args:
            password: A str is taken as UTF-8; at most 4096 bytes.

        Returns:
            PHC text for Argon2id and scrypt, modular-crypt text for bcrypt.

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

    def identify(self, hash: str | bytes) -> str:
        """Return the name of a hash's format: "argon2id", "bcrypt", ...

        Raises:
            InvalidHashError: As in `verify`.
        """
        return _core.password_scheme(split(_text(hash))[1])

    def needs_rehash(self, hash: str | bytes) -> bool:
        """Return whether this hasher would make the hash in another way.

        Raises:
            InvalidHashError: As in `verify`.
        """
        version, text = split(_text(hash))
        return _core.password_parts(text) != self._parts or version != (
            None if self._pepper is None else self._pepper.version
        )

    def decoy(self) -> str:
        """Return nobody's hash, which takes as long to verify as one of a user's.

        No work is needed to make it, and no password is known that it is of.
        """
        setting = self._setting()
        return setting if self._pepper is None else self._pepper.mark(setting)

    def verify_and_update(
        self, password: str | bytes, hash: str | bytes
    ) -> tuple[bool, str | None]:
        """Verify, and hash anew where the stored hash is outdated.

        The hash is kept where a new one would not do for its owner: where the
        old scheme may have seen a part of it only (bcrypt, of 72 bytes or more), or
        takes several for one (Better Auth's, for its NFKC), what was typed may
        not be what was once chosen; and some passwords the new scheme cannot
        hash.

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
        if not self.needs_rehash(hash) or not _has_seen_all(password, hash):
            return True, None
        try:
            return True, self._hash(password, threads)
        except PasswordError:
            return True, None

    def _hash(self, password: str | bytes, threads: int) -> str:
        """Hash with at most that many threads; 0 means one per core."""
        if self._pepper is None:
            return password_hash(password, self._setting(), threads)
        keyed = self._pepper.key(password)
        return self._pepper.mark(password_hash(keyed, self._setting(), threads))

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        version, text = split(_text(hash))
        if version is None:
            return password_verify(password, hash, threads)
        if self._pepper is None:
            raise InvalidHashError("the hash has a pepper, and this hasher has none")
        try:
            keyed = self._pepper.key(password, version)
        except InvalidHashError:
            raise
        except PasswordError:  # no hash was ever made of it
            password_verify("", text, threads)
            return False
        return password_verify(keyed, text, threads)

    @awaited
    async def ahash(self, password: str | bytes) -> str:
        """`hash`, on a bounded pool of threads off the event loop.

        One thread works at each hash, for there are as many slots as cores.

        Raises:
            HasherBusyError: All slots and the queue before them are taken.
        """
        from .hashing_pool import shared_pool

        return await shared_pool().run(self._hash, password, 1)

    @awaited
    async def averify(self, password: str | bytes, hash: str | bytes) -> bool:
        """`verify`, on the same pool as `ahash`."""
        from .hashing_pool import shared_pool

        return await shared_pool().run(self._verify, password, hash, 1)

    @awaited
    async def averify_and_update(
        self, password: str | bytes, hash: str | bytes
    ) -> tuple[bool, str | None]:
        """`verify_and_update`, on the same pool as `ahash`."""
        from .hashing_pool import shared_pool

        return await shared_pool().run(self._verify_and_update, password, hash, 1)

    def __repr__(self) -> str:
        after = 1 if self.scheme == "bcrypt" else 2  # the digest, or salt and digest
        costs = self._setting().rsplit("$", after)[0]
        return f"<PasswordHash {costs}$>"

    def _setting(self) -> str:
        salt = os.urandom(SALT_BYTES)
        return _core.password_setting(self.scheme, salt, **self._costs)


def _has_seen_all(password: str | bytes, hash: str | bytes) -> bool:
    """Return whether a right password is the one its hash was made of."""
    version, text = split(_text(hash))
    # What a pepper has keyed is short, and ASCII.
    return version is not None or _core.password_is_sole(password, text)


def _text(hash: str | bytes) -> str:
    """Return a hash as text; text that is not ASCII is not a hash."""
    if isinstance(hash, str):
        return hash
    try:
        return hash.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidHashError("not a hash of a supported format") from None
    except AttributeError:
        raise TypeError("a hash must be str or bytes") from None


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
    return password_verify(plain_password, hashed_password)
