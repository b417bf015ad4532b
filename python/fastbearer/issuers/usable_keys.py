"""The keys of a source, where some are of an accepted algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastbearer.errors import InvalidKeyError, KeySourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastbearer import Key, KeySet

__all__ = ["UsableKeys", "is_usable"]

NO_KEYS = "none of the keys is of an accepted algorithm"


def is_usable(key: Key, algorithms: Iterable[str]) -> bool:
    """Tell whether a key verifies tokens of one of these algorithms."""
    return not set(algorithms).isdisjoint(key.algorithms)


class UsableKeys:
    """A source of keys that has none at the moment where none can be used.

    A set without such a key says nothing of a token: a server may make its first key
    when it needs one, and whatever stands between may answer in its place.

    Args:
        source: What has ``keys()`` and ``akeys()``.
        algorithms: Those that are accepted.
        message: What is said where there is no such key.
    """

    def __init__(
        self, source: Any, algorithms: Iterable[str], message: str = NO_KEYS
    ) -> None:
        self._source = source
        self._algorithms = frozenset(algorithms)
        self._message = message
        self._good: object = None

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        """Return the keys; a set without usable ones is fetched again.

        Raises:
            KeySourceError: The keys cannot be fetched, or none can be used.
        """
        try:
            found: KeySet = self._source.keys(unknown_kid=unknown_kid)
            if found is self._good:  # at every token, so it comes first
                return found
            if not (self._is_good(found) or unknown_kid):
                found = self._source.keys(unknown_kid=True)
        except InvalidKeyError as error:
            raise KeySourceError(self._message) from error
        return self._checked(found)

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        """Like `keys`, for asyncio."""
        try:
            found: KeySet = await self._source.akeys(unknown_kid=unknown_kid)
            if found is self._good:
                return found
            if not (self._is_good(found) or unknown_kid):
                found = await self._source.akeys(unknown_kid=True)
        except InvalidKeyError as error:
            raise KeySourceError(self._message) from error
        return self._checked(found)

    def _checked(self, keys: KeySet) -> KeySet:
        if not self._is_good(keys):
            raise KeySourceError(self._message)
        return keys

    def _is_good(self, keys: KeySet) -> bool:
        is_good = any(is_usable(key, self._algorithms) for key in keys)
        if is_good:
            self._good = keys
        return is_good
