"""An attempt whose outcome is shared by all who wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["SharedAttempt"]

CLOSED = "what was waited for has been closed"


class SharedAttempt:
    """One attempt at a time, for all who need it meanwhile.

    Its failure is everybody's as well: nobody tries again what others have waited for.
    It is a task of its own, so that whoever is cancelled takes nobody along.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None

    async def join(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Wait for the attempt that is under way, or make one.

        Args:
            work: What is attempted.

        Raises:
            Exception: What the work has raised.
            ConnectionAbortedError: The attempt has been ended.
        """
        task = self._current()
        if task is None:
            task = self._task = asyncio.create_task(work())
            task.add_done_callback(self._forget)
        await asyncio.wait([task])
        if task.cancelled():
            raise ConnectionAbortedError(CLOSED)
        task.result()

    async def aclose(self) -> None:
        """End the attempt that is under way."""
        task = self._current()
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _current(self) -> asyncio.Task[Any] | None:
        """Return what is under way, unless its event loop is another one."""
        task = self._task
        if task is None or task.done():
            return None
        return task if task.get_loop() is asyncio.get_running_loop() else None

    def _forget(self, task: asyncio.Task[Any]) -> None:
        if self._task is task:
            self._task = None
        if not task.cancelled():
            task.exception()  # those who wanted to know it may be gone
