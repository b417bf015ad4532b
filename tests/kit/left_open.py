"""Sockets that a test leaves open when its event loop ends.

Python tells of one when it collects it, which may be while another test runs, hours
and rooms away. An event loop knows its own when it is closed.
"""

from __future__ import annotations

from asyncio.selector_events import BaseSelectorEventLoop

__all__ = ["found_open", "watch_event_loops"]

_left: list[str] = []


def watch_event_loops() -> None:
    """Note from now on what is open when an event loop is closed."""
    close = BaseSelectorEventLoop.close

    def noting(loop: BaseSelectorEventLoop) -> None:
        if not loop.is_closed():
            transports = list(loop._transports.values())  # type: ignore[attr-defined]
            _left.extend(repr(one) for one in transports if not one.is_closing())
        close(loop)

    BaseSelectorEventLoop.close = noting  # type: ignore[method-assign]


def found_open() -> list[str]:
    """Return what was noted since the last call."""
    found = _left.copy()
    _left.clear()
    return found
