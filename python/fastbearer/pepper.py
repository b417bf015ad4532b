"""A pepper: a secret that passwords are keyed with before they are hashed.

Whoever has stolen the hashes, but not the pepper, cannot guess at them.
"""

from __future__ import annotations

from .errors import (
    ConfigurationError,
    InvalidHashError,
    PasswordError,
    PasswordTooLongError,
)
from .utf8 import utf8_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Pepper", "split"]

MARK = "$pepper$"
MINIMUM_BYTES = 32
MAXIMUM_PASSWORD_BYTES = 4096
LONGEST_VERSION = 32  # characters


class Pepper:
    """Versioned secrets, of which the last one is for new hashes.

    A peppered hash is ``$pepper$<version>`` and the hash of
    base64(HMAC-SHA-256(secret, password)) after it.

    Args:
        secrets: Version -> secret of at least 32 bytes. A version is made of
            ASCII letters and digits.

    Raises:
        ConfigurationError: There is no secret, or one breaks these rules.
    """

    __slots__ = ("_secrets", "version")

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        if not hasattr(secrets, "keys"):
            raise TypeError("a pepper is a mapping of versions to secrets")
        self._secrets = dict(secrets)
        if not self._secrets:
            raise ConfigurationError("a pepper needs a secret")
        for version, secret in self._secrets.items():
            if not _is_version(version):
                raise ConfigurationError("a pepper's version is letters and digits")
            if not isinstance(secret, bytes) or len(secret) < MINIMUM_BYTES:
                raise ConfigurationError(
                    f"a pepper's secret is at least {MINIMUM_BYTES} bytes"
                )
        self.version: str = list(self._secrets)[-1]

    def mark(self, hash: str) -> str:
        """Return the hash with the newest version before it."""
        return f"{MARK}{self.version}{hash}"

    def key(self, password: str | bytes, version: str | None = None) -> bytes:
        """Return what is hashed in place of the password: 44 characters.

        Raises:
            InvalidHashError: There is no such version.
            PasswordTooLongError: Over 4096 bytes.
            PasswordError: A lone surrogate.
        """
        import hmac
        from base64 import b64encode

        secret = self._secrets.get(self.version if version is None else version)
        if secret is None:
            raise InvalidHashError("the hash has a pepper of an unknown version")
        text = utf8_of(password) if isinstance(password, str) else password
        if text is None:
            raise PasswordError("the password holds a lone surrogate")
        if len(text) > MAXIMUM_PASSWORD_BYTES:
            raise PasswordTooLongError("the password has over 4096 bytes")
        return b64encode(hmac.digest(secret, text, "sha256"))


def _is_version(text: object) -> bool:
    return (
        isinstance(text, str)
        and text.isascii()
        and text.isalnum()
        and len(text) <= LONGEST_VERSION
    )


def split(hash: str) -> tuple[str | None, str]:
    """Return a hash's version, or None without a pepper, and the hash itself.

    Raises:
        InvalidHashError: The mark is there, but no hash after it.
    """
    if not hash.startswith(MARK):
        return None, hash
    version, dollar, rest = hash[len(MARK) :].partition("$")
    if not (version and dollar):
        raise InvalidHashError("a malformed password hash")
    return version, dollar + rest
