"""Steps of Python code after which an exception comes, as of a signal's handler."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any

__all__ = ["SignalError", "interrupted"]


class SignalError(Exception):
    """What a signal's handler raises."""


def interrupted(call: Callable[[], object], *modules: ModuleType) -> Iterator[int]:
    """Make a call until it ends undisturbed, each time interrupted one step later.

    A step is a bytecode of these modules: CPython looks for signals at some of them.

    Args:
        call: What is called, in this thread.
        modules: Where it is interrupted.

    Yields:
        The number of the step, after the call has raised `SignalError`.
    """
    files = {module.__file__ for module in modules}
    step = 0
    while _is_interrupted(call, files, step):
        yield step
        step += 1


def _is_interrupted(
    call: Callable[[], object], files: set[str | None], step: int
) -> bool:
    left = step

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if left == 0:
                sys.settrace(None)
                raise SignalError
            left -= 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except SignalError:
        return True
    finally:
        sys.settrace(before)
    return False
