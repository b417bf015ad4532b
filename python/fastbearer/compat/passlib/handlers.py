"""What the handlers have in common."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from fastbearer.compat.passlib.exc import (
    InvalidHashError,
    MalformedHashError,
    NullPasswordError,
    PasswordSizeError,
    PasswordValueError,
)

__all__ = ["Handler"]

MOST_BYTES = 4096


class Handler:
    """Makes and verifies the hashes of one scheme.

    passlib has classes here; these are objects with the same methods.

    Args:
        **settings: In place of the defaults; see each kind.

    Attributes:
        name: Of the scheme.
        setting_kwds: The names of its settings.
    """

    name = ""
    setting_kwds: ClassVar[tuple[str, ...]] = ("rounds",)
    pattern: ClassVar[re.Pattern[str]]
    takes_nul = True

    rounds = 0
    least_rounds = 1
    most_rounds = 2**32 - 1

    def __init__(self, **settings: Any) -> None:
        self.min_desired_rounds: int | None = None
        self.max_desired_rounds: int | None = None
        rounds = settings.pop("rounds", settings.pop("default_rounds", None))
        if rounds is not None:
            self.rounds = self._checked(int(rounds))
            self.min_desired_rounds = self.max_desired_rounds = self.rounds
        least = settings.pop("min_rounds", settings.pop("min_desired_rounds", None))
        most = settings.pop("max_rounds", settings.pop("max_desired_rounds", None))
        if least is not None:
            self.min_desired_rounds = int(least)
            self.rounds = max(self.rounds, int(least))
        if most is not None:
            self.max_desired_rounds = int(most)
            self.rounds = min(self.rounds, int(most))
        self._take(settings)
        if settings:
            raise TypeError(f"{self.name} has no setting {', '.join(sorted(settings))}")

    def _checked(self, rounds: int) -> int:
        if not self.least_rounds <= rounds <= self.most_rounds:
            raise ValueError(
                f"rounds of {self.name} are {self.least_rounds} to {self.most_rounds}"
            )
        return rounds

    def _take(self, settings: dict[str, Any]) -> None:
        """Take what settings there are beside the rounds."""

    def using(self, relaxed: bool = False, **settings: Any) -> Any:
        """Return such a handler with other settings.

        Raises:
            ValueError: One is out of range.
            TypeError: There is none of that name.
        """
        return type(self)(**{**self.kept(), **settings})

    def kept(self) -> dict[str, Any]:
        """Return the settings that `using` goes on from."""
        return {}

    def identify(self, hash: str | bytes) -> bool:
        """Tell whether it is a hash of this scheme."""
        return self.pattern.match(_text_of(hash)) is not None

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
        password, text = self._password(secret), _text_of(hash)
        if not self.identify(text):
            raise InvalidHashError(f"not a valid {self.name} hash")
        return self.matches(password, text)

    def needs_update(self, hash: str | bytes, secret: Any = None) -> bool:
        """Tell whether the settings that made the hash are not those of today.

        Raises:
            InvalidHashError: It is not one of this scheme.
        """
        text = _text_of(hash)
        if not self.identify(text):
            raise InvalidHashError(f"not a valid {self.name} hash")
        rounds = self.rounds_of(text)
        least, most = self.min_desired_rounds, self.max_desired_rounds
        if least is not None and rounds < least:
            return True
        return (most is not None and rounds > most) or self.differs(text)

    def make(self, password: bytes) -> str:
        """Return the hash of a password that may be hashed."""
        raise NotImplementedError

    def matches(self, password: bytes, hash: str) -> bool:
        """Tell whether the password made a hash of this scheme."""
        raise NotImplementedError

    def rounds_of(self, hash: str) -> int:
        """Return the rounds that made a hash of this scheme."""
        match = self.pattern.match(hash)
        assert match is not None  # noqa: S101 - asked before
        return int(match["rounds"])

    def differs(self, hash: str) -> bool:
        """Tell whether other settings than the rounds are not those of today."""
        return False

    def _password(self, secret: Any) -> bytes:
        if isinstance(secret, str):
            try:
                secret = secret.encode("utf-8")
            except UnicodeEncodeError:
                raise PasswordValueError("password has a lone surrogate") from None
        if not isinstance(secret, bytes):
            raise TypeError(
                f"secret must be unicode or bytes, not {type(secret).__name__}"
            )
        if len(secret) > MOST_BYTES:
            raise PasswordSizeError("password exceeds maximum allowed size")
        if not self.takes_nul and b"\0" in secret:
            raise NullPasswordError(
                f"{self.name} does not allow NULL bytes in password"
            )
        return secret

    def malformed(self) -> MalformedHashError:
        """Return the error of a broken hash."""
        return MalformedHashError(f"malformed {self.name} hash")

    def __repr__(self) -> str:
        return f"<passlib handler {self.name}>"


def _text_of(hash: Any) -> str:
    if isinstance(hash, bytes):
        try:
            return hash.decode("ascii")
        except UnicodeDecodeError:
            return ""
    if isinstance(hash, str):
        return hash
    raise TypeError(f"hash must be unicode or bytes, not {type(hash).__name__}")
