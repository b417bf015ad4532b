"""Errors of connecting to a database, told from those of the work that is done there.

A server may turn a client away for many reasons: too many connections, a database that
is gone or closed, a password that was changed, a role that may not sign in. Their
SQLSTATEs and numbers mean other things after a statement. So it is noted of an error
where it came up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.engine import Engine

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext

__all__ = ["is_of_connecting"]

MARK = "_fastbearer_is_of_connecting"


def is_of_connecting(error: BaseException) -> bool:
    """Tell whether an error of SQLAlchemy's is of a connection that was not made."""
    return getattr(error, MARK, False)


@event.listens_for(Engine, "handle_error")
def _note(context: ExceptionContext) -> None:
    """Note it; of every engine, because users may be in a database of the project's.

    The error itself stays as it is.
    """
    if context.connection is None and context.sqlalchemy_exception is not None:
        setattr(context.sqlalchemy_exception, MARK, True)
