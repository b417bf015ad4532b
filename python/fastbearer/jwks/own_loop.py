"""Work on a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from fastbearer.jwks.reasons import reason_of_system

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["run_apart"]


def run_apart(work: Callable[[], Awaitable[None]], lost: Callable[[str], None]) -> None:
    """Begin work on a thread and an event loop of its own, and return.

    Args:
        work: Does it; called there.
        lost: Called, on whichever thread, where the work is not begun or does not come
            to its end: with the reason, in words that are fit for a log.
    """

    def run() -> None:
        try:
            # Whichever loops others like: this work needs no more than such a one.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(_with_daemons(work))
        except BaseException as error:
            lost(_reason(error))  # without files not even a loop can be made

    try:
        threading.Thread(target=run, name="fastbearer-fetch", daemon=True).start()
    except Exception as error:
        lost(_reason(error))


async def _with_daemons(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.get_running_loop().set_default_executor(_DaemonThreads())
    await work()


class _DaemonThreads(ThreadPoolExecutor):
    """Runs each call in a daemon thread, and waits for none at its end.

    The resolver is asked in such a thread, and may take half a minute to find that
    there is no answer: neither the loop's end nor the interpreter's waits for it.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kw: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kw))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=run, name="fastbearer-read", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nobody."""


def _reason(error: BaseException) -> str:
    """Return why work was lost; Python says itself that it has no more threads."""
    if isinstance(error, RuntimeError):
        return str(error)
    known = reason_of_system(error) if isinstance(error, OSError) else None
    return known or type(error).__name__
