"""Whose question comes next, where many wait to be put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from fastbearer.fair_queue import FairQueue

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["Turns"]

T = TypeVar("T")


class Turns(Generic[T]):
    """Questions that wait, each of them a client's, about known or about new subjects.

    Known ones go first, and new ones get a turn for each client that has some, but
    every other turn at most, however many clients these are. Among those of a kind the
    clients take turns.

    Where no more may wait, the client with the most questions about new subjects loses
    the newest of them, as long as known ones fill no more than half of the room. Beyond
    that, it is the client with the most questions of both kinds, which loses a new one
    first. Of several with equally many, it is one with new subjects, and the one that
    asks now before others. The caller has the lock.

    Args:
        most: How many may wait.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: FairQueue[T] = FairQueue()
        self._new: FairQueue[T] = FairQueue()
        self._known_in_a_row = 0

    def __len__(self) -> int:
        return len(self._known) + len(self._new)

    def put(self, client: Hashable, question: T, *, is_known: bool) -> T | None:
        """Let a question wait.

        Args:
            client: Whose question it is.
            question: The question.
            is_known: Whether it is about a known subject.

        Returns:
            The question that waits no more for want of room, which may be this one;
            else None.
        """
        kind = self._known if is_known else self._new
        kind.put(client, question)
        return self._drop(client) if len(self) > self._most else None

    def _drop(self, asking: Hashable) -> T | None:
        """Take away a question of whoever has the most; ``asking`` is the latest."""
        known, new = self._known.keys(), self._new.keys()
        if new and len(self._known) <= self._most // 2:
            # the first of equals
            return self._new.drop(max((asking, *new), key=self._new.count))
        greatest = max((asking, *known, *new), key=self._load)
        loser = self._new.drop(greatest)
        return self._known.drop(greatest) if loser is None else loser

    def _load(self, client: Hashable) -> tuple[int, bool]:
        """Return how many questions a client has, and whether some are new."""
        new = self._new.count(client)
        return self._known.count(client) + new, new > 0

    def take(self) -> T | None:
        """Return the question whose turn it is, or None where none waits."""
        if not self._known or self._is_new_due():
            self._known_in_a_row = 0
            return self._new.take()
        self._known_in_a_row = self._known_in_a_row + 1 if self._new else 0
        return self._known.take()

    def _is_new_due(self) -> bool:
        """Tell whether those with known subjects have had their share of the turns."""
        had = self._known_in_a_row * len(self._new.keys())
        return had >= len(self._known.keys())

    def remove(self, client: Hashable, question: T) -> None:
        """Take out a question that is given up, if it still waits."""
        if not self._new.remove(client, question):
            self._known.remove(client, question)
