"""Errors of databases, without the values that were to be stored.

Password hashes and e-mails are among them. SQLAlchemy shows them unless its engine
is told otherwise, and so do PostgreSQL ("Failing row contains ...") and MySQL
("Duplicate entry ...") in words of their own.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import exc

from fastbearer.connections.unfit import UNFIT_STATES, is_unfit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["HiddenError", "hide_values", "shows"]

HIDDEN = "***"
LEAST_SHOWN = 36
"""Characters of a value: all of an Argon2 hash's costs, and some of its salt."""

DATA = "22000"
"""The SQLSTATE of a data exception, for values whose refusal has none, or another."""

NAMES = ("constraint_name", "table_name", "column_name")


class HiddenError(Exception):
    """What a driver said, without values.

    Attributes:
        sqlstate: The SQLSTATE, or an empty string.
    """

    sqlstate = ""


def hide_values(error: BaseException, *values: str) -> None:
    """Take the values out of an error, and out of those that it came from.

    The classes stay, and with them what code may decide by; so do tracebacks.

    Args:
        error: Of any class; of SQLAlchemy's, all values are taken out.
        values: What is taken out of the arguments of other errors.
    """
    for one in list(_chain(error)):
        if _notes(one):
            one.__notes__ = [str(_without(note, values)) for note in _notes(one)]
        if isinstance(one, exc.StatementError):
            _hide(one)
        elif isinstance(one, exc.SQLAlchemyError):
            # A session that goes on after a failure repeats the failure's text.
            one.args = (str(one).partition(" Original exception was")[0],)
        elif shows(one, values):
            one.args = tuple(_without(argument, values) for argument in one.args)


def shows(error: BaseException, values: Sequence[str]) -> bool:
    """Tell whether an error, or one that it came from, shows one of some values.

    The beginning of a long one counts as well: PostgreSQL, for one, cuts what it
    shows after 64 bytes.
    """
    told = [f"{one} {one!r} {_notes(one)}" for one in _chain(error)]
    starts = [value[:LEAST_SHOWN] for value in values if value]
    return any(start in text for start in starts for text in told)


def _without(argument: object, values: Sequence[str]) -> object:
    text = argument if isinstance(argument, str) else repr(argument)
    for value in values:
        text = text.replace(value, HIDDEN) if value else text
    return text


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _notes(error: BaseException) -> list[object]:
    """Return what was added to an error, which tracebacks show."""
    notes: list[object] = getattr(error, "__notes__", [])
    return notes


def _hide(error: exc.StatementError) -> None:
    is_of_values = is_unfit(error)  # which looks at what is taken out
    error.params = None
    error.hide_parameters = True
    is_plain = isinstance(error.orig, (sqlite3.Error, HiddenError))
    if error.statement is None or error.orig is None or is_plain:
        return  # nothing was sent; or SQLite, whose texts name columns only
    error.orig = _hidden(error.orig, is_of_values=is_of_values)
    error.args = (f"({type(error).__name__}) {error.orig}",)
    error.__cause__ = error.__context__ = None


def _hidden(told: BaseException, *, is_of_values: bool) -> HiddenError:
    """Return what a driver said, in whose SQLSTATE a judgement of values lasts."""
    source: Any = told.__cause__ or told
    state = getattr(told, "sqlstate", None) or getattr(source, "sqlstate", None)
    number = told.args[0] if told.args and isinstance(told.args[0], int) else ""
    facts = [type(source).__name__, str(state or ""), str(number)]
    for name in NAMES:
        value = getattr(source, name, None) or getattr(
            getattr(source, "diag", None), name, None
        )
        if isinstance(value, str):
            facts.append(f"{name.removesuffix('_name')} {value}")
    hidden = HiddenError(", ".join(fact for fact in facts if fact))
    said = str(state or "")
    hidden.sqlstate = (
        DATA if is_of_values and not said.startswith(UNFIT_STATES) else said
    )
    return hidden
