"""Coroutines that say so when somebody forgets to await them."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from functools import update_wrapper
from types import MethodType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

__all__ = ["awaited"]

OF_TASKS = "asyncio.base_tasks"
"""The module that shows tasks, as an event loop does whose callbacks are slow."""


class _Awaited(Coroutine["Any", "Any", "T"]):
    """A coroutine that is neither true nor false.

    Every other coroutine is true, so that ``if hasher.averify(...)`` lets
    everybody in.
    """

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine

    def __bool__(self) -> bool:
        if sys._getframe(1).f_globals.get("__name__") == OF_TASKS:  # noqa: SLF001
            return True  # Python 3.13 and later ask so whether a task has a coroutine
        self._coroutine.close()  # or it would warn, which is said here already
        name = getattr(self._coroutine, "__qualname__", "this")
        raise TypeError(f"{name}() is a coroutine, not an answer: await it")

    def __await__(self) -> Generator[Any, Any, T]:
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __getattr__(self, name: str) -> Any:
        """Answer for the coroutine, into which event loops and debuggers look."""
        if name == "_coroutine":  # of one that is only half made
            raise AttributeError(name)
        return getattr(self._coroutine, name)

    def __repr__(self) -> str:
        return repr(self._coroutine)


class _AwaitedFunction:
    """A coroutine function whose coroutines are `_Awaited`.

    It has what `inspect` looks for in a function: by the flags of its code it is
    a coroutine function to frameworks, too.
    """

    def __init__(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        update_wrapper(self, function)
        self._function = function
        self.__code__ = function.__code__
        self.__defaults__ = function.__defaults__
        self.__kwdefaults__ = function.__kwdefaults__

    def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        return _Awaited(self._function(*args, **kwargs))

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return repr(self._function)


def awaited(
    function: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return a coroutine function whose coroutines raise where they are tested.

    For functions whose answer lets somebody in, or keeps them out. What it
    returns is a coroutine for ``await``, tasks, asyncio and trio.
    """
    return _AwaitedFunction(function)
