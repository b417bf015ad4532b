"""A queue whose places are shared out among those who fill it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, KeysView
from typing import Generic, TypeVar

__all__ = ["FairQueue"]

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items that wait, each for somebody, taken in turns.

    Whoever has many items waits for them; whoever comes with one is served
    within one round. Where the queue is full, the one with the most items loses
    the newest of them to somebody who has fewer. The caller has the lock.

    Each change is one step, the last that may fail: an error leaves no half of it.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, deque[T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def keys(self) -> KeysView[Hashable]:
        """Return for whom items wait."""
        return self._waiting.keys()

    def count(self, key: Hashable) -> int:
        """Return how many items wait for somebody."""
        return len(self._waiting.get(key, ()))

    def put(self, key: Hashable, item: T) -> None:
        """Add somebody's item at the end of theirs."""
        items = self._waiting.get(key)
        if items is None:
            self._waiting[key] = deque((item,))
        else:
            items.append(item)

    def take(self) -> T | None:
        """Return the oldest item of the one whose turn it is, or None."""
        if not self._waiting:
            return None
        key, items = next(iter(self._waiting.items()))
        if len(items) > 1:
            self._waiting.move_to_end(key)
        else:
            del self._waiting[key]
        return items.popleft()

    def loser(self, key: Hashable) -> T | None:
        """Return the newest item of the one who has the most, and leave it there.

        Returns:
            None where nobody has two more than the one who asks for a place:
            they would only change places.
        """
        if not self._waiting:
            return None
        greatest = self._greatest()
        if self.count(greatest) < self.count(key) + 2:
            return None
        return self._waiting[greatest][-1]

    def drop(self, key: Hashable) -> T | None:
        """Take away somebody's newest item, if there is any."""
        items = self._waiting.get(key)
        if items is None:
            return None
        if len(items) == 1:
            del self._waiting[key]
        return items.pop()

    def _greatest(self) -> Hashable:
        """Return the key of the one who has the most items."""
        return max(self._waiting, key=self.count)

    def remove(self, key: Hashable, item: T) -> bool:
        """Take an item out, and tell whether it was still waiting."""
        items = self._waiting.get(key)
        if items is None or item not in items:
            return False
        if len(items) == 1:
            del self._waiting[key]
        else:
            items.remove(item)
        return True
