"""Waiting for what will come, however slow the machine is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

HANG = 600.0
"""Seconds after which it is no slow machine any more, but a bug."""


def wait_until(condition: Callable[[], object]) -> None:
    """Return when the condition holds; fail after `HANG` seconds."""
    end = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < end, "what was waited for has not come"
        time.sleep(0.002)


async def until(condition: Callable[[], object]) -> None:
    """Return when the condition holds, and let the event loop go on meanwhile."""
    end = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < end, "what was waited for has not come"
        await asyncio.sleep(0.002)
