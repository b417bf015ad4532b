"""What has ended in one process, which has not read it in the journal yet."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastbearer.revocation.ended import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fastbearer.revocation.ended import Place

__all__ = ["Unread"]

UNREAD_MAX = 10_000
"""Some 3 MiB."""


class Unread:
    """Changes that a journal may lack, of each key the greatest.

    It could not be written to, or has answered and may lose it all the same: a master
    dies, and its replica is late. What is read there is kept there.

    Whoever adds one looks for room first, so that the number has a bound.

    Args:
        clock: A callable that returns seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._values: dict[Place, int] = {}
        self._under_way: set[Place] = set()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._values)

    def has_room(self, change: Change) -> bool:
        """Tell whether a change can be kept; what has expired makes room."""
        if len(self._values) >= UNREAD_MAX:
            self._forget_expired()
        place = change.place
        return len(self._values) < UNREAD_MAX or place in self._values

    def add(self, change: Change) -> None:
        """Keep a change; the greater of two values stays."""
        place = change.place
        self._values[place] = max(change.value, self._values.get(place, 0))

    def add_all(self, changes: Sequence[Change]) -> bool:
        """Keep some changes, if there is room for all of them, and tell whether."""
        if len(self._values) + len(changes) > UNREAD_MAX:
            return False
        for change in changes:
            self.add(change)
        return True

    @contextmanager
    def writing(self, change: Change) -> Iterator[None]:
        """Keep a change that is written within: no reading can lack it yet."""
        place = change.place
        self.add(change)
        self._under_way.add(place)
        try:
            yield
        finally:
            self._under_way.discard(place)

    def expected(self) -> list[Change]:
        """Return what a reading that begins now is to have."""
        return [
            Change(*place, value)
            for place, value in self._values.items()
            if place not in self._under_way
        ]

    def beside(self, expected: Iterable[Change]) -> list[Change]:
        """Return what is here and was not expected."""
        known = set(expected)
        changes = (Change(*place, value) for place, value in self._values.items())
        return [one for one in changes if one not in known]

    def remove(self, read: Iterable[Change]) -> None:
        """Forget what was read, but for what is greater here."""
        for change in read:
            place = change.place
            if self._values.get(place, math.inf) <= change.value:
                del self._values[place]

    def among(self, changes: Iterable[Change]) -> list[Change]:
        """Return those of some changes that are here still, and not greater."""
        return [one for one in changes if self._values.get(one.place) == one.value]

    def _forget_expired(self) -> None:
        """Forget what no token needs any more; a user's generation never expires."""
        now = self._clock()
        self._values = {
            (kind, key): value
            for (kind, key), value in self._values.items()
            if kind == "user" or value > now
        }
