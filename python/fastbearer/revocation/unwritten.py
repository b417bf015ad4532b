"""What has ended in one process, and is to be written to a journal that was away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbearer.revocation.ended import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastbearer.revocation.ended import Kind

__all__ = ["Unwritten"]

UNWRITTEN_MAX = 10_000
"""Some 3 MiB."""


class Unwritten:
    """Changes that a journal lacks, of each key the greatest.

    Whoever adds one looks for room first, so that the number has a bound, but for
    what is under way meanwhile.

    Args:
        clock: A callable that returns seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._values: dict[tuple[Kind, str], int] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._values)

    def has_room(self, change: Change) -> bool:
        """Tell whether a change can be kept; what has expired makes room."""
        if len(self._values) >= UNWRITTEN_MAX:
            self._forget_expired()
        place = change.kind, change.key
        return len(self._values) < UNWRITTEN_MAX or place in self._values

    def add(self, change: Change) -> None:
        """Keep a change; the greater of two values stays."""
        place = change.kind, change.key
        self._values[place] = max(change.value, self._values.get(place, 0))

    def changes(self) -> list[Change]:
        """Return what is to be written."""
        return [Change(*place, value) for place, value in self._values.items()]

    def remove(self, written: Iterable[Change]) -> None:
        """Forget what was written, but for what has become greater meanwhile."""
        for change in written:
            place = change.kind, change.key
            if self._values.get(place) == change.value:
                del self._values[place]

    def _forget_expired(self) -> None:
        """Forget what no token needs any more; a user's generation never expires."""
        now = self._clock()
        self._values = {
            (kind, key): value
            for (kind, key), value in self._values.items()
            if kind == "user" or value > now
        }
