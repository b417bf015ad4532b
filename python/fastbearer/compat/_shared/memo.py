"""A memo of recent answers: keys that come with every call are read once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["ObjectMemo", "TextMemo"]

T = TypeVar("T")
SIZE = 1024
MISSING: Any = object()


class _Recent(Generic[T]):
    """What was made recently: at most ``SIZE`` things; the oldest makes room first.

    Two threads may make the same thing at the same time: what they make is immutable,
    so either will do.

    Args:
        make: Makes the answer to a question.
    """

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make
        self._made: dict[Hashable, Any] = {}

    def _keep(self, question: Hashable, made: Any) -> None:
        if len(self._made) >= SIZE:
            # Another thread may have been faster.
            with suppress(KeyError, RuntimeError, StopIteration):
                del self._made[next(iter(self._made))]
        self._made[question] = made


class TextMemo(_Recent[T]):
    """What was made from recent strings, found again by their content."""

    def __call__(self, text: str | bytes, *rest: Any) -> T:
        """Return what is made from a string.

        Raises:
            TypeError: Something in ``rest`` cannot be hashed.
        """
        # The class first: comparing str with bytes is an error under -bb.
        question = (text.__class__, text, rest)
        made: T = self._made.get(question, MISSING)
        if made is MISSING:
            made = self._make(text, *rest)
            self._keep(question, made)
        return made


class ObjectMemo(_Recent[T]):
    """What was made from recent immutable objects, found again by their identity."""

    def __call__(self, thing: object, *rest: Any) -> T:
        """Return what is made from an object.

        Raises:
            TypeError: Something in ``rest`` cannot be hashed.
        """
        # The thing itself is kept, so that no other object is given its identity.
        made: tuple[T, object] | None = self._made.get((id(thing), rest))
        if made is None:
            made = (self._make(thing, *rest), thing)
            self._keep((id(thing), rest), made)
        return made[0]

    def remember(self, made: T, thing: object, *rest: Any) -> None:
        """Keep what is already known to be made from an object."""
        self._keep((id(thing), rest), (made, thing))
