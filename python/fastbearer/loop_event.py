"""An event that any thread sets and coroutines await, on asyncio or trio."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import trio

__all__ = ["LoopEvent"]


class LoopEvent:
    """An event of the event loop in which it is made.

    Waiting for it takes no thread, of which a loop has few: they are for others.
    """

    def __init__(self) -> None:
        self._event: asyncio.Event | trio.Event
        self._soon: Callable[[Callable[[], None]], Any]
        try:
            self._soon = asyncio.get_running_loop().call_soon_threadsafe
            self._event = asyncio.Event()
        except RuntimeError:
            import trio

            self._soon = trio.lowlevel.current_trio_token().run_sync_soon
            self._event = trio.Event()

    async def wait(self) -> None:
        """Return when it is set."""
        await self._event.wait()

    def set(self) -> None:
        """Set it, from any thread; a loop that has ended has nobody who waits.

        Raises:
            MemoryError: Then it may be set once more.
        """
        with suppress(RuntimeError):
            self._soon(self._event.set)
