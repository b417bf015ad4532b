"""What stops a start, said in one line before the server shows its traceback."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CANNOT_START", "says_errors", "told_start"]

says_errors: ContextVar[bool] = ContextVar("says_errors", default=False)
"""Whether whoever starts the application shows its errors in one line, too."""

CANNOT_START = "cannot start: %s"
TOLD = "_fastbearer_told"

logger: logging.Logger = logging.getLogger("fastbearer")


@contextmanager
def told_start() -> Iterator[None]:
    """Log what stops the start; once, where one start is within another.

    Raises:
        ConfigurationError: As within.
    """
    try:
        yield
    except ConfigurationError as error:
        if not says_errors.get() and not hasattr(error, TOLD):
            setattr(error, TOLD, True)
            logger.error(CANNOT_START, error)
        raise
