"""A process that may open no more files, as far as event loops go."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

REASON = os.strerror(errno.EMFILE).lower()
"""What a log says of it."""


@contextmanager
def no_more_loops() -> Iterator[None]:
    """Let nobody make an event loop; those that there are go on."""

    def enter(_: asyncio.Runner) -> asyncio.Runner:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Runner, "__enter__", enter)
        yield
