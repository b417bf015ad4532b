"""Errors of databases about values that do not fit."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from sqlalchemy import exc

__all__ = ["UNFIT_STATES", "is_unfit"]

UNFIT_STATES = ("22", "23")
"""SQLSTATE: data exceptions, and violated constraints."""

OF_VALUES = (ValueError, ArithmeticError, LookupError)
"""What the type of a column raises for a value: the last one is an Enum's."""

UNKNOWN_COLUMN = 1054
"""What MySQL says of a word that it does not know."""


def is_unfit(error: BaseException) -> bool:
    """Tell whether a database refuses values that were to be stored.

    They are too long or too large, NULL where there must be something, or what
    another row has.
    """
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    if name == "SQLITE_CONSTRAINT_TRIGGER":
        return False  # whatever a trigger minds; other databases call it otherwise
    if isinstance(error, (OverflowError, exc.IntegrityError, exc.DataError)):
        return True  # SQLite's driver says the first, in no error of SQLAlchemy's
    if not isinstance(error, exc.StatementError):
        return False
    told = error.orig
    state = getattr(told, "sqlstate", None)
    if _has_no_word(error, state):
        return True
    if state:
        return str(state).startswith(UNFIT_STATES)
    # asyncpg judges values itself: its DataError is also a ValueError.
    source = None if told is None else told.__cause__
    return isinstance(told, OF_VALUES) or isinstance(source, ValueError)


def _has_no_word(error: exc.StatementError, state: object) -> bool:
    """Tell whether MySQL was to store a number that is not finite.

    It has no word for one. Drivers refuse it themselves, without a number of an
    error, or write what MySQL takes for the name of a column.

    Args:
        error: Of SQLAlchemy.
        state: The SQLSTATE, if there is one: then a database said it.
    """
    said = error.orig.args[0] if error.orig is not None and error.orig.args else ""
    is_word = said == UNKNOWN_COLUMN
    is_text = isinstance(said, str) and not state
    is_of_driver = is_text and isinstance(error, exc.ProgrammingError)
    return (is_word or is_of_driver) and not all(map(_is_finite, _sent(error.params)))


def _sent(params: Any) -> Iterator[object]:
    """Yield the values of a statement, for one row or for several."""
    for row in params if isinstance(params, list) else [params]:
        yield from row.values() if isinstance(row, Mapping) else row or ()


def _is_finite(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()
    return not isinstance(value, float) or isfinite(value)
