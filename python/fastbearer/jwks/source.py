"""What a source of keys is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from fastbearer.keys import KeySet

__all__ = ["KeySource"]


@runtime_checkable
class KeySource(Protocol):
    """Where keys come from: `JWKSClient`, `DiscoveredKeys`, or an object of yours.

    It raises KeySourceError while there are no keys to be had. The same keys should
    be the same KeySet, for which verifiers remember what they have verified.
    """

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        """Return the keys; may block.

        Args:
            unknown_kid: A token names a key that the last set did not have.
        """
        ...

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        """Like `keys`, for asyncio: nothing blocks."""
        ...
