"""Keys, and sets of keys."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping

from ._core import (
    Key,
    json_secrets,
    json_wipe,
    jwk_set_key,
    key_set_max,
    key_set_text_max,
)
from .errors import InvalidKeyError, MalformedTokenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, NamedTuple

__all__ = ["Key", "KeySet", "SkippedKey"]

DOCUMENTATION = """An entry of a JWK Set that was left out: a named tuple.

Nothing in it is key material, so that it may be logged.

Attributes:
    position: Where the entry stands in the set, from 0.
    kid: Its ``kid``, where that is a string; it may be long, or anything.
    member: The member of the JWK that broke a rule, such as ``"n"``, or None.
    reason: The rule, for programs, such as ``"jwk_member"``.
    message: The rule, in words.
"""

SHOWN = 3  # entries that an error names
SHOWN_KID = 64  # characters

if TYPE_CHECKING:

    class SkippedKey(NamedTuple):  # noqa: D101
        position: int
        kid: str | None
        member: str | None
        reason: str
        message: str

else:  # NamedTuple would be a fifth of what importing this package costs
    SkippedKey = namedtuple(
        "SkippedKey", ("position", "kid", "member", "reason", "message")
    )
    SkippedKey.__doc__ = DOCUMENTATION


class KeySet:
    """An ordered, immutable set of keys, for rotation and for several issuers.

    A verifier tries the keys of the algorithm that a token's header names; a
    ``kid`` in the header narrows them to the keys that have it, or have none.

    Args:
        keys: At least one Key.

    Raises:
        ValueError: The set is empty.
        TypeError: Something in it is not a Key.
    """

    __slots__ = ("_keys", "_skipped")

    def __init__(self, keys: Iterable[Key]) -> None:
        if isinstance(keys, (Key, str, bytes, dict)):
            raise TypeError(
                f"a KeySet is made of Keys, not of a {type(keys).__name__}:"
                " KeySet([key]), or KeySet.from_jwks(jwks)"
            )
        self._keys = tuple(keys)
        self._skipped: tuple[SkippedKey, ...] = ()
        if not self._keys:
            raise ValueError("a KeySet needs at least one Key")
        # No generator: CPython 3.12.1 crashes where it has no memory for one.
        for key in self._keys:
            if not isinstance(key, Key):
                raise TypeError("a KeySet holds Keys only")

    @classmethod
    def from_jwks(
        cls,
        jwks: Mapping[str, Any] | str | bytes,
        *,
        private: bool = False,
        lenient: bool = False,
    ) -> KeySet:
        """Read the usable keys of a JWK Set (RFC 7517 5).

        Entries that are not keys for signatures, or that break a rule of
        `Key.from_jwk`, are left out, so that one bad entry does not lock out
        the others; ``skipped`` says which they were, and why. An RSA key that
        names no ``alg``, which is optional (RFC 7517 4.4), verifies RS256 to
        RS512 and PS256 to PS512; ``algorithms`` of a Verifier narrows that.

        Args:
            jwks: A mapping, or its JSON text.
            private: Also takes private keys and shared secrets. Without it
                they are left out, unread: a set from elsewhere must not have
                them.
            lenient: Reads each key as `Key.from_jwk` does with it: for public
                keys from a source that is trusted to be who it is.

        Raises:
            InvalidKeyError: It is no JWK Set, has more than 256 entries or a
                string of more than a mebibyte, or none of its keys is usable.
        """
        kept: list[Any] = []
        try:
            keys, skipped = _read(jwks, kept, private=private, lenient=lenient)
        finally:
            json_wipe(kept)
        if not keys:
            raise InvalidKeyError("the JWK Set has no usable key" + _told(skipped))
        made = cls(keys)
        made._skipped = tuple(skipped)
        return made

    @property
    def skipped(self) -> tuple[SkippedKey, ...]:
        """The entries of the JWK Set that were left out, in their order."""
        return self._skipped

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

    def __copy__(self) -> KeySet:
        return self

    def __deepcopy__(self, memo: object) -> KeySet:
        return self

    def __repr__(self) -> str:
        return f"KeySet({list(self._keys)!r})"


def _read(
    jwks: Mapping[str, Any] | str | bytes,
    kept: list[Any],
    *,
    private: bool,
    lenient: bool,
) -> tuple[list[Key], list[SkippedKey]]:
    """Return the usable keys, and the entries that were left out.

    The strings and dicts of a JSON document are added to `kept`.
    """
    keys: list[Key] = []
    skipped: list[SkippedKey] = []
    for index, entry in enumerate(_entries(jwks, kept)):
        try:
            keys.append(_usable_key(entry, private=private, lenient=lenient))
        except InvalidKeyError as error:
            skipped.append(_skipped(index, entry, error))
    return keys, skipped


def _entries(jwks: Mapping[str, Any] | str | bytes, kept: list[Any]) -> list[Any]:
    try:
        members = _members(jwks, kept) if isinstance(jwks, (str, bytes)) else jwks
        entries = members["keys"]
    except (MalformedTokenError, KeyError, TypeError):
        entries = None
    if not isinstance(entries, (list, tuple)):
        raise InvalidKeyError(
            "a JWK Set is an object with an array of keys;"
            " a single key is read with Key.from_jwk"
        )
    if len(entries) > key_set_max:
        raise InvalidKeyError(f"a JWK Set of more than {key_set_max} keys")
    return list(entries)


def _members(text: str | bytes, kept: list[Any]) -> dict[str, Any]:
    if len(text) > key_set_text_max:
        raise InvalidKeyError(f"a JWK Set of more than {key_set_text_max} bytes")
    return json_secrets(text, kept)


def _usable_key(entry: Any, *, private: bool, lenient: bool) -> Key:
    """Return the key of an entry; the error says why RFC 7517 5 has it ignored."""
    if not private and _is_private(entry, lenient=lenient):
        raise _private()
    key = jwk_set_key(entry, lenient)
    if key.is_private and not private:
        raise _private()
    return key


def _is_private(entry: Any, *, lenient: bool) -> bool:
    """Tell at a glance: to build such a key only to drop it would cost a lot."""
    if not isinstance(entry, Mapping):
        return False
    has_private = bool(entry.get("d")) if lenient else "d" in entry
    return has_private or entry.get("kty") == "oct"


def _private() -> InvalidKeyError:
    error = InvalidKeyError("private keys and secrets are not taken from this set")
    error.reason = "key_private"
    return error


def _skipped(index: int, entry: Any, error: InvalidKeyError) -> SkippedKey:
    kid = entry.get("kid") if isinstance(entry, dict) else None
    return SkippedKey(
        index,
        str(kid) if isinstance(kid, str) else None,
        error.member,
        error.reason or error.code,
        str(error),
    )


def _told(skipped: list[SkippedKey]) -> str:
    """Return what an error tells of the first of them."""
    told = [
        f"{'a key' if one.kid is None else repr(one.kid[:SHOWN_KID])}: {one.message}"
        for one in skipped[:SHOWN]
    ]
    return " (" + "; ".join(told) + ")" if told else ""
