"""Answers that are remembered for a moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["Remembered"]

T = TypeVar("T")


class Remembered(Generic[T]):
    """Remembers answers until a time; the one that was used longest ago goes first.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[bytes, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, subject: bytes, now: float) -> T | None:
        """Return an answer that still holds."""
        with self._lock:
            found = self._answers.get(subject)
            if found is None:
                return None
            until, answer = found
            if now >= until:
                del self._answers[subject]
                return None
            self._answers.move_to_end(subject)
            return answer

    def put(self, subject: bytes, answer: T, until: float) -> None:
        """Remember an answer."""
        with self._lock:
            self._answers[subject] = (until, answer)
            self._answers.move_to_end(subject)
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)

    def forget(self, subject: bytes) -> None:
        """Forget an answer, if there is one."""
        with self._lock:
            self._answers.pop(subject, None)
