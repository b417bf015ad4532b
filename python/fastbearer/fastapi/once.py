"""What is done once for a request, however many of its dependencies ask for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, MutableMapping

__all__ = ["once"]

T = TypeVar("T")

KEPT = "fastbearer.once"
"""Where ASGI's scope has what has been done: what -> an outcome."""


class Outcome:
    """What a piece of work has given, once it is done."""

    __slots__ = ("given", "lock")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.given: list[Any] = []


async def once(
    scope: MutableMapping[str, Any],
    what: Hashable,
    work: Callable[[], Awaitable[T]],
) -> T:
    """Return what a piece of work has given, which is done for the first who asks.

    Whoever asks meanwhile waits for it. If it fails, or whoever asked first is
    cancelled, nothing is kept, and the next one does it.

    Args:
        scope: ASGI's, of the request or WebSocket.
        what: Names the work, among all that is done for one request.
        work: Does it.

    Raises:
        Exception: What the work has raised.
    """
    outcome: Outcome = scope.setdefault(KEPT, {}).setdefault(what, Outcome())
    async with outcome.lock:
        if not outcome.given:
            outcome.given.append(await work())
    found: T = outcome.given[0]
    return found
