"""Password hashes of formats that the core does not know: whoever knows one tells.

`HashVerifier` says what is asked of an object that verifies them; two are here, for
hashes that cannot be verified without a secret of their project.
"""

from __future__ import annotations

from typing import Protocol

from . import _core
from .errors import ConfigurationError, InvalidHashError
from .hash_decoys import made_up
from .utf8 import utf8_of

__all__ = ["DeviseBcrypt", "FirebaseScrypt", "HashVerifier"]


class HashVerifier(Protocol):
    """Verifies the hashes of one format.

    It may have three members more: ``name``, a str, which `PasswordHash.identify`
    returns in place of the name of its class; ``is_sole(password, hash)``, which
    is asked before a hash is renewed whether this password alone, of all, verifies;
    and ``decoy(hash)``, which returns a hash of nobody that takes as long to verify.
    It is called from several threads at a time.
    """

    def identify(self, hash: str, /) -> bool:
        """Return whether the hash is of this format. It must cost next to nothing."""

    def verify(self, password: bytes, hash: str, /) -> bool:
        """Return whether the password made the hash.

        Args:
            password: UTF-8, at most 4096 bytes.
            hash: One that ``identify`` has taken.
        """


class DeviseBcrypt:
    """bcrypt of a password and a pepper after it, as Rails' Devise makes it.

    It takes every bcrypt hash for its own, so new ones must be of another scheme.

    Args:
        pepper: Devise's ``config.pepper``.

    Raises:
        ConfigurationError: The pepper is not UTF-8, or is empty: then Devise's hashes
            are bcrypt's, and need no verifier.
    """

    name = "devise-bcrypt"

    def __init__(self, pepper: str | bytes) -> None:
        text = utf8_of(pepper) if isinstance(pepper, str) else pepper
        if not text:
            raise ConfigurationError("Devise's pepper is empty, or not UTF-8")
        self._pepper = text

    def identify(self, hash: str) -> bool:
        """Return whether it is bcrypt's."""
        return hash.startswith(("$2a$", "$2b$", "$2y$"))

    def verify(self, password: bytes, hash: str) -> bool:
        """Return whether password and pepper made the hash."""
        return _core.password_verify(password + self._pepper, hash, 1)

    def is_sole(self, password: bytes, hash: str) -> bool:
        """Return whether bcrypt has seen all of both: 72 bytes are the most."""
        return _core.password_is_sole(password + self._pepper, hash)

    def __repr__(self) -> str:
        return "<DeviseBcrypt>"


class FirebaseScrypt:
    """Firebase Authentication's scrypt, with a project's parameters.

    They stand in the Firebase console at "Password hash parameters". `stored` gives
    the text to store for each user of an export; the parameters, of which one is a
    secret, stay here. The core itself knows the text in which Supabase Auth has both,
    ``$fbscrypt$``.

    Args:
        signer_key: base64_signer_key.
        salt_separator: base64_salt_separator.
        rounds: 1 to 8.
        mem_cost: The logarithm of scrypt's N.

    Raises:
        ConfigurationError: A parameter is malformed, or costs more than is allowed.
    """

    name = "firebase-scrypt"
    mark = "$firebase$"

    def __init__(
        self,
        signer_key: str,
        *,
        salt_separator: str = "Bw==",
        rounds: int = 8,
        mem_cost: int = 14,
    ) -> None:
        costs = f"$fbscrypt$v=1,n={mem_cost:d},r={rounds:d},p=1"
        separator, key = _standard(salt_separator), _standard(signer_key)
        self._setting = f"{costs},ss={separator},sk={key}"
        try:
            _core.password_scheme(f"{self._setting}$c2FsdA==${key}")
        except InvalidHashError:
            raise ConfigurationError("a parameter of Firebase is malformed") from None

    def stored(self, password_hash: str, salt: str) -> str:
        """Return the text to store for a user: ``$firebase$salt$hash``.

        Args:
            password_hash: The export's ``passwordHash``, base64 of either alphabet.
            salt: The export's ``salt``.

        Raises:
            InvalidHashError: They are malformed.
        """
        text = f"{self.mark}{_standard(salt)}${_standard(password_hash)}"
        _core.password_scheme(self._whole(text))
        return text

    def identify(self, hash: str) -> bool:
        """Return whether `stored` made it."""
        return hash.startswith(self.mark)

    def verify(self, password: bytes, hash: str) -> bool:
        """Return whether the password made the hash."""
        return _core.password_verify(password, self._whole(hash), 1)

    def is_sole(self, password: bytes, hash: str) -> bool:
        """Return whether this password alone verifies."""
        return _core.password_is_sole(password, self._whole(hash))

    def decoy(self, hash: str) -> str:
        """Return a hash of nobody, with as long a salt."""
        made = made_up(self._whole(hash))
        return f"{self.mark}{made[len(self._setting) + 1 :]}"

    def _whole(self, hash: str) -> str:
        return f"{self._setting}${hash[len(self.mark) :]}"

    def __repr__(self) -> str:
        return "<FirebaseScrypt>"


def _standard(base64: str) -> str:
    """Return base64 in its standard alphabet; exports have either."""
    return base64.replace("-", "+").replace("_", "/")
