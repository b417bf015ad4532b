"""What the handlers have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar

from fastbearer import errors
from fastbearer._core import password_is_sole
from fastbearer.compat.passlib._settings import Settings
from fastbearer.compat.passlib.exc import (
    InvalidHashError,
    MalformedHashError,
    NullPasswordError,
    PasswordSizeError,
    PasswordValueError,
)
from fastbearer.hash_slots import password_verify
from fastbearer.utf8 import utf8_of

__all__ = ["Handler", "text_of"]

MOST_BYTES = 4096


class Handler:
    """Makes and verifies the hashes of one scheme.

    passlib has classes here; these are objects with the same methods.

    Attributes:
        name: Of the scheme.
        setting_kwds: The names of its settings.
        is_disabled: Whether its hashes are nobody's.
        truncate_size: How many bytes of a password it sees; None for all.
    """

    name: str = ""
    setting_kwds: ClassVar[tuple[str, ...]] = ()
    context_kwds: ClassVar[tuple[str, ...]] = ()
    aliases: ClassVar[Mapping[str, str]] = {}
    pattern: ClassVar[re.Pattern[str]]
    takes_nul: bool = True
    is_disabled: bool = False
    truncate_size: int | None = None

    def using(self, relaxed: bool = False, **settings: Any) -> Any:
        """Return such a handler with other settings.

        Args:
            relaxed: Bring numbers that are out of range back into it, with a
                warning.
            **settings: What changes; the rest stays.

        Raises:
            ValueError: One is out of range.
            TypeError: There is none of that name, or it is of another type.
        """
        asked = Settings(self.name, settings, self.aliases, is_relaxed=relaxed)
        made = copy(self)
        made.configure(asked)
        asked.finish()
        return made

    def configure(self, asked: Settings) -> None:
        """Take the settings of this kind of handler."""

    def everywhere_kwds(self) -> set[str]:
        """Return which of the settings of every scheme it takes."""
        return set(self.setting_kwds)

    def identify(self, hash: str | bytes) -> bool:
        """Tell whether it is a hash of this scheme."""
        return self.pattern.match(text_of(hash)) is not None

    def hash(self, secret: str | bytes, **settings: Any) -> str:
        """Return the hash of a password.

        Raises:
            PasswordValueError: The scheme does not take such a password.
            TypeError: It is neither str nor bytes.
        """
        handler = self.using(**settings) if settings else self
        return str(handler.make(self._password(secret)))

    encrypt = hash

    def verify(self, secret: str | bytes, hash: str | bytes) -> bool:
        """Tell whether the password made the hash.

        Raises:
            InvalidHashError: It is not one of this scheme, or broken.
            PasswordValueError: The scheme does not take such a password.
        """
        password = self._password(secret)
        return self.matches(password, self._own(hash))

    def needs_update(self, hash: str | bytes, secret: Any = None) -> bool:
        """Tell whether the settings that made the hash are not those of today.

        Raises:
            InvalidHashError: It is not one of this scheme.
        """
        return self.is_outdated(self._own(hash))

    def make(self, password: bytes) -> str:
        """Return the hash of a password that may be hashed."""
        raise NotImplementedError

    def matches(self, password: bytes, hash: str) -> bool:
        """Tell whether the password made a hash of this scheme."""
        raise NotImplementedError

    def is_outdated(self, hash: str) -> bool:
        """Tell whether other settings made a hash of this scheme."""
        return False

    def parts(self, hash: str) -> re.Match[str]:
        """Return the parts of a hash of this scheme.

        Raises:
            InvalidHashError: The hash is not one of the scheme.
        """
        match = self.pattern.match(hash)
        if match is None:
            raise InvalidHashError(f"not a valid {self.name} hash")
        return match

    def core_verify(self, password: bytes, hash: str, threads: int = 0) -> bool:
        """Tell whether the password made a hash that the core reads.

        Raises:
            MalformedHashError: The hash does not have its form.
        """
        try:
            return password_verify(password, hash, threads)
        except errors.InvalidHashError:
            raise self.malformed() from None

    def setting(self) -> str:
        """Return nobody's hash of these settings, with a salt of its own."""
        raise NotImplementedError

    def written(self, message: str) -> str:
        """Return the same.

        Raises:
            ValueError: It is more than the core computes; ``message`` says so.
        """
        try:
            return self.setting()
        except errors.InvalidHashError:
            raise ValueError(f"{self.name}: {message}") from None

    def can_renew(self, secret: str | bytes, hash: str | bytes, old: Handler) -> bool:
        """Tell whether a hash of this scheme does for the owner of an old one.

        Where the old scheme has not seen all of a password that verifies, it may
        not be what its owner chose, whom a new hash of it would lock out.
        """
        password = self._password(secret)
        if self.truncate_size is not None and self.truncate_size == old.truncate_size:
            # Whatever the rest is, the new hash takes it for the same as the old.
            password = password[: self.truncate_size - 1]
        try:
            return password_is_sole(password, text_of(hash))
        except errors.InvalidHashError:
            return True  # one of Django's old digests: they see all

    def malformed(self) -> MalformedHashError:
        """Return the error of a broken hash, or one that costs too much."""
        return MalformedHashError(f"malformed {self.name} hash")

    def _own(self, hash: Any) -> str:
        text = text_of(hash)
        if not self.identify(text):
            raise InvalidHashError(f"not a valid {self.name} hash")
        return text

    def _password(self, secret: Any) -> bytes:
        if isinstance(secret, str):
            secret = utf8_of(secret)
            if secret is None:
                raise PasswordValueError("password has a lone surrogate")
        if not isinstance(secret, bytes):
            raise TypeError(
                f"secret must be unicode or bytes, not {type(secret).__name__}"
            )
        if len(secret) > MOST_BYTES:
            raise PasswordSizeError(MOST_BYTES)
        if not self.takes_nul and b"\0" in secret:
            raise NullPasswordError(
                f"{self.name} does not allow NULL bytes in password"
            )
        return secret

    def __repr__(self) -> str:
        return f"<passlib handler {self.name}>"


def text_of(hash: Any) -> str:
    """Return a hash as text; bytes that are not ASCII are not a hash.

    Raises:
        TypeError: It is neither str nor bytes.
    """
    if isinstance(hash, bytes):
        try:
            return hash.decode("ascii")
        except UnicodeDecodeError:
            return ""
    if isinstance(hash, str):
        return hash
    raise TypeError(f"hash must be unicode or bytes, not {type(hash).__name__}")
