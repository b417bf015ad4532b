"""Keys, and sets of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core import Key, json_object, key_set_max, key_set_text_max
from .errors import InvalidKeyError, MalformedTokenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

__all__ = ["Key", "KeySet"]


class KeySet:
    """An ordered, immutable set of keys, for rotation and for several issuers.

    A verifier tries the keys of the algorithm that a token's header names; a
    ``kid`` in the header narrows them to the keys that have it, or have none.

    Args:
        keys: At least one Key.

    Raises:
        ValueError: There is no key.
        TypeError: Something in it is not a Key.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)
        if not self._keys:
            raise ValueError("a KeySet needs at least one Key")
        if not all(isinstance(key, Key) for key in self._keys):
            raise TypeError("a KeySet holds Keys only")

    @classmethod
    def from_jwks(
        cls, jwks: Mapping[str, Any] | str | bytes, *, private: bool = False
    ) -> KeySet:
        """Read the usable keys of a JWK Set (RFC 7517 5).

        Entries that are no key for signatures, or that break a rule of
        `Key.from_jwk`, are left out, so that one bad entry does not lock out
        the others.

        Args:
            jwks: A mapping, or its JSON text.
            private: Also takes private keys and shared secrets. Without it
                they are left out, unread: a set from elsewhere must not have
                them.

        Raises:
            InvalidKeyError: It is no JWK Set, has more than 256 entries or a
                text of more than a mebibyte, or none of its keys is usable.
        """
        usable = [_usable_key(entry, private=private) for entry in _entries(jwks)]
        keys = [key for key in usable if key is not None]
        if not keys:
            raise InvalidKeyError("the JWK Set has no usable key")
        return cls(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __getitem__(self, kid: str) -> Key:
        """Return the first key of that id; KeyError if there is none."""
        for key in self._keys:
            if key.kid == kid:
                return key
        raise KeyError(kid)

    def __repr__(self) -> str:
        return f"KeySet({list(self._keys)!r})"


def _entries(jwks: Mapping[str, Any] | str | bytes) -> list[Any]:
    try:
        members = _members(jwks) if isinstance(jwks, (str, bytes)) else jwks
        entries = members["keys"]
    except (MalformedTokenError, KeyError, TypeError):
        entries = None
    if not isinstance(entries, (list, tuple)):
        raise InvalidKeyError("a JWK Set is an object with an array of keys")
    if len(entries) > key_set_max:
        raise InvalidKeyError(f"a JWK Set of more than {key_set_max} keys")
    return list(entries)


def _members(text: str | bytes) -> dict[str, Any]:
    if len(text) > key_set_text_max:
        raise InvalidKeyError(f"a JWK Set of more than {key_set_text_max} bytes")
    return json_object(text)


def _usable_key(entry: Any, *, private: bool) -> Key | None:
    """Return the key of an entry, or None where RFC 7517 5 says to ignore it."""
    if not private and _is_private(entry):
        return None
    try:
        key = Key.from_jwk(entry)
    except InvalidKeyError:
        return None
    return key if private or not key.is_private else None


def _is_private(entry: Any) -> bool:
    """Tell at a glance: to build such a key only to drop it would cost a lot."""
    return isinstance(entry, dict) and ("d" in entry or entry.get("kty") == "oct")
