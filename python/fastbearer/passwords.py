"""Passwords: Argon2id (RFC 9106) by default, bcrypt or scrypt where they are needed."""

from __future__ import annotations

import os

from . import _core
from .awaited import awaited
from .errors import ConfigurationError, InvalidHashError, PasswordError
from .hash_profiles import costs_of_profile
from .hash_slots import password_hash, password_verify
from .pepper import Pepper, split
from .verifier_chain import VerifierChain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .hash_verifiers import HashVerifier

__all__ = ["PasswordHash", "hash_password", "verify_password"]

SALT_BYTES = 16  # RFC 9106 3.1 recommends 16; bcrypt takes no other length
COST_LIMIT = 2**32  # RFC 9106 3.1; what is allowed, the core decides
YES = ("1", "true", "yes", "on")


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
        weak_hashes: Whether hashes of weak formats verify, too: those of which a
            guesser tries millions in a second.
        verifiers: They are asked first, in their order, about each hash that has no
            pepper: for formats of which the core knows nothing.

    The defaults are the second recommendation of RFC 9106 4 (low memory), and
    for scrypt the first of OWASP's.

    Raises:
        ConfigurationError: The scheme is unknown, a cost out of range, or the
            pepper too short.
        TypeError: A cost is no integer, or a verifier lacks a method.
    """

    __slots__ = ("_costs", "_parts", "_pepper", "_verifiers", "scheme", "weak_hashes")

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
        weak_hashes: bool = False,
        verifiers: Iterable[HashVerifier] = (),
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
        self.weak_hashes: bool = weak_hashes
        self._verifiers = VerifierChain(verifiers)
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
        return cls(**costs_of_profile(name))

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
            InvalidHashError: The hash is malformed, of an unknown format or of a
                weak one, or asks for more memory or time than is allowed; or the
                verifier that took it for its own has failed.
        """
        return self._verify(password, hash, 0)

    def identify(self, hash: str | bytes) -> str:
        """Return the name of a hash's format: "argon2id", "bcrypt", ...

        Raises:
            InvalidHashError: As in `verify`, but that weak formats have names, too.
        """
        version, text = split(_text(hash))
        name = self._verifiers.identify(text) if version is None else None
        return _core.password_scheme(text) if name is None else name

    def needs_rehash(self, hash: str | bytes) -> bool:
        """Return whether this hasher would make the hash in another way.

        Raises:
            InvalidHashError: As in `identify`.
        """
        version, text = split(_text(hash))
        if version is None and self._verifiers.find(text) is not None:
            return True
        return _core.password_parts(text) != self._parts or version != (
            None if self._pepper is None else self._pepper.version
        )

    def decoy(self, like: str | bytes | None = None) -> str:
        """Return nobody's hash, which takes as long to verify as one of a user's.

        No work is needed to make it, and no password is known that it is of.

        Args:
            like: A hash, perhaps an outdated one: the decoy has its format and its
                costs, and nothing of its salt and digest. Without it, it is one that
                this hasher could make.

        Raises:
            InvalidHashError: The hash is none as in `verify`, or is of a format of
                which a verifier makes no decoys.
        """
        if like is not None:
            return self._decoy_like(_text(like))
        setting = self._setting()
        return setting if self._pepper is None else self._pepper.mark(setting)

    def _decoy_like(self, hash: str) -> str:
        from .hash_decoys import made_up

        version, text = split(hash)
        verifier = self._verifiers.find(text) if version is None else None
        if verifier is not None and hasattr(verifier, "decoy"):
            return self._verifiers.decoy(verifier, text)
        return hash[: len(hash) - len(text)] + made_up(text)

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
        if not self.needs_rehash(hash) or not self._has_seen_all(password, hash):
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
            verifier = self._verifiers.find(text)
            if verifier is not None:
                return self._verifiers.verify(verifier, password, text)
            return password_verify(password, hash, threads, self.weak_hashes)
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

        One thread works at each hash, because there are as many slots as cores.

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

    def _has_seen_all(self, password: str | bytes, hash: str | bytes) -> bool:
        """Return whether a right password is the one its hash was made of."""
        version, text = split(_text(hash))
        if version is not None:
            return True  # what a pepper has keyed is short, and ASCII
        verifier = self._verifiers.find(text)
        if verifier is not None:
            return self._verifiers.is_sole(verifier, password, text)
        return _core.password_is_sole(password, text)

    def __repr__(self) -> str:
        after = 1 if self.scheme == "bcrypt" else 2  # the digest, or salt and digest
        costs = self._setting().rsplit("$", after)[0]
        return f"<PasswordHash {costs}$>"

    def _setting(self) -> str:
        salt = os.urandom(SALT_BYTES)
        return _core.password_setting(self.scheme, salt, **self._costs)


def _text(hash: str | bytes) -> str:
    """Return a hash as text; text that is not ASCII is not a hash."""
    if isinstance(hash, str):
        return str.__str__(hash)  # as it is: one of another class could lie
    if not isinstance(hash, (bytes, bytearray)):
        raise TypeError("a hash must be str or bytes")
    if not hash.isascii():  # an error of decode() would hold it
        raise InvalidHashError("not a hash of a supported format")
    return hash.decode("ascii")


_default: PasswordHash | None = None


def _default_hasher() -> PasswordHash:
    """Return the hasher of the environment, which is read at first use."""
    global _default
    if _default is None:
        _default = PasswordHash(
            os.environ.get("PASSWORD_SCHEME") or "argon2id",
            weak_hashes=os.environ.get("PASSWORD_WEAK_HASHES", "").lower() in YES,
        )
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

    The environment's ``PASSWORD_WEAK_HASHES=1`` is for hashes of weak formats.

    Raises:
        InvalidHashError: As in `PasswordHash.verify`.
    """
    return _default_hasher().verify(plain_password, hashed_password)
