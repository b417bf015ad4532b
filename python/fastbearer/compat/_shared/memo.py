"""Keys that are given again at every call are parsed once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Known", "Parsed"]

T = TypeVar("T")
SIZE = 1024
MISSING: Any = object()


class _Recent(Generic[T]):
    """What was made lately: never more than ``SIZE``, and the oldest goes first.

    Of two threads that make the same thing at a time, both may: what they make is
    immutable, so either will do.

    Args:
        make: Takes the question.
    """

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make
        self._made: dict[Hashable, Any] = {}

    def _keep(self, question: Hashable, made: Any) -> None:
        if len(self._made) >= SIZE:
            # Another thread may be faster.
            with suppress(KeyError, RuntimeError, StopIteration):
                del self._made[next(iter(self._made))]
        self._made[question] = made


class Parsed(_Recent[T]):
    """What was made of recent texts, found again by their content."""

    def __call__(self, text: str | bytes, *rest: Any) -> T:
        """Return what is made of a text.

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


class Known(_Recent[T]):
    """What was made of recent immutable objects, found again by their identity."""

    def __call__(self, thing: object, *rest: Any) -> T:
        """Return what is made of an object.

        Raises:
            TypeError: Something in ``rest`` cannot be hashed.
        """
        # With the thing itself, lest another one is given its identity.
        made: tuple[T, object] | None = self._made.get((id(thing), rest))
        if made is None:
            made = (self._make(thing, *rest), thing)
            self._keep((id(thing), rest), made)
        return made[0]

    def tell(self, made: T, thing: object, *rest: Any) -> None:
        """Keep what is known already to be made of an object."""
        self._keep((id(thing), rest), (made, thing))
