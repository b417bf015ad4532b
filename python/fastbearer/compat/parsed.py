"""Keys that are given as text at every call are parsed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Parsed"]

T = TypeVar("T")
SIZE = 256


class Parsed(Generic[T]):
    """What was made of recent texts, found again by their content.

    It never holds more than ``SIZE``; when it is full, it begins anew. Of two
    threads that make the same thing at a time, both may: what they make is
    immutable, so either will do.

    Args:
        make: Takes the text and the rest of the question.
    """

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make
        self._made: dict[Hashable, T] = {}

    def __call__(self, text: str | bytes, *rest: Any) -> T:
        """Return what is made of a text.

        Raises:
            TypeError: Something in ``rest`` cannot be hashed.
        """
        # The class first: comparing str with bytes is an error under -bb.
        question = (text.__class__, text, rest)
        made = self._made.get(question)
        if made is None:
            made = self._make(text, *rest)
            if len(self._made) >= SIZE:
                self._made.clear()
            self._made[question] = made
        return made
