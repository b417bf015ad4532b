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

    Known ones go first, but take every other turn where new ones wait, so that neither
    can keep the other waiting for long. Among those of a kind the clients take turns.
    Where no more may wait, the newest question is lost by whoever has the most of the
    kind of which there are more. The caller has the lock.

    Args:
        most: How many may wait.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: FairQueue[T] = FairQueue()
        self._new: FairQueue[T] = FairQueue()
        self._is_new_due = False

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
        kind, other = self._new, self._known
        if is_known:
            kind, other = other, kind
        loser = None
        if len(self) >= self._most:
            # With one more, the two kinds would only change places.
            is_other_greater = len(other) > len(kind) + 1
            loser = other.drop() if is_other_greater else kind.make_room(client)
            if loser is None:
                return question
        kind.put(client, question)
        return loser

    def take(self) -> T | None:
        """Return the question whose turn it is, or None where none waits."""
        are_both = bool(self._known and self._new)
        is_known = bool(self._known) and not (are_both and self._is_new_due)
        self._is_new_due = are_both and is_known
        return (self._known if is_known else self._new).take()

    def remove(self, client: Hashable, question: T) -> None:
        """Take out a question that is given up, if it still waits."""
        if not self._new.remove(client, question):
            self._known.remove(client, question)
