"""Errors of databases about values that do not fit."""

from sqlalchemy import exc

__all__ = ["is_unfit"]

UNFIT_STATES = ("22", "23")
"""SQLSTATE: data exceptions, and violated constraints."""


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
    if state:
        return str(state).startswith(UNFIT_STATES)
    # asyncpg judges values itself: its DataError is also a ValueError.
    return isinstance(told, OverflowError) or (
        told is not None and isinstance(told.__cause__, ValueError)
    )
