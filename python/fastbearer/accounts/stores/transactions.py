"""Transactions in the sessions that a project gives."""

import inspect
from collections.abc import Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from typing import Any, TypeVar

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, scoped_session

from fastbearer.connections.engine import sql_outages
from fastbearer.errors import ConfigurationError

__all__ = ["Transactions"]

NO_FUNCTION = (
    "session_dependency is no function: give the one that FastAPI's Depends takes, or"
    " a sessionmaker"
)
PARAMETERS = (
    "{} takes the argument {}, which only FastAPI could give: give the store a function"
    " without arguments"
)
NO_SESSION = "{} gives a {}, and neither a Session nor an AsyncSession of SQLAlchemy"
WRONG_KIND = "{} is no async function, and gives an AsyncSession"

T = TypeVar("T")
Work = Callable[[Session], T]


class Transactions:
    """Does work in sessions of the project: those that its routes have, too.

    Args:
        sessions: A function that gives one: with ``yield``, as a context manager, or
            as its value; or a ``sessionmaker`` or ``async_sessionmaker``. It may
            commit or roll back at its end; what was done here is then committed.

    Raises:
        ConfigurationError: It is no function, or takes arguments.
    """

    def __init__(self, sessions: Callable[[], Any]) -> None:
        self._name = getattr(sessions, "__name__", type(sessions).__name__)
        if not callable(sessions):
            raise ConfigurationError(NO_FUNCTION)
        self._check_arguments(sessions)
        self._sessions = sessions

    async def run(self, work: Work[T]) -> T:
        """Do some work in one transaction, wholly or not at all.

        A ``Session`` is used in a thread.

        Raises:
            StoreUnavailableError: The database cannot be reached, or is too busy.
            ConfigurationError: What was given is no session.
        """
        with sql_outages():
            given = self._sessions()
            if inspect.isawaitable(given):
                given = await given
            given = _managed(given)
            if isinstance(given, AbstractAsyncContextManager):
                return await self._run_in_async(given, work)
            if isinstance(given, AbstractContextManager):
                return await to_thread.run_sync(self._run_in, given, work)
            raise self._wrong(given)

    @property
    def dependency(self) -> Callable[[], Any] | None:
        """The function, if it has a ``yield``: then ``Depends`` closes its sessions."""
        function = self._sessions
        is_one = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(
            function
        )
        return function if is_one else None

    async def run_in(self, session: Any, work: Work[T]) -> T:
        """Do some work in a session that is open, and leave its transaction so.

        Raises:
            StoreUnavailableError: The database cannot be reached, or is too busy.
            ConfigurationError: What was given is no session.
        """
        with sql_outages():
            return await self._do(_begun, session, work)

    async def _do(self, step: Callable[..., T], session: Any, work: Work[T]) -> T:
        """Take a step with some work in a session of either kind."""
        if isinstance(session, async_scoped_session):
            session = session()
        if isinstance(session, AsyncSession):
            return await session.run_sync(step, work)
        if isinstance(session, (Session, scoped_session)):
            return await to_thread.run_sync(step, session, work)
        raise self._wrong(session)

    async def _run_in_async(
        self, opened: AbstractAsyncContextManager[Any], work: Work[T]
    ) -> T:
        failure: Exception
        async with opened as session:
            try:
                return await self._do(_committed, session, work)
            except Exception as error:
                failure = error
                raise
        raise failure  # which the dependency has kept to itself

    def _run_in(self, opened: AbstractContextManager[Any], work: Work[T]) -> T:
        failure: Exception
        with opened as session:
            try:
                if not isinstance(session, (Session, scoped_session)):
                    raise self._wrong(session)
                return _committed(session, work)
            except Exception as error:
                failure = error
                raise
        raise failure

    def _check_arguments(self, sessions: Callable[[], Any]) -> None:
        if isinstance(sessions, type):
            return
        try:
            parameters = inspect.signature(sessions).parameters.values()
        except (TypeError, ValueError):
            return
        for one in parameters:
            is_needed = one.default is one.empty and one.kind in (
                one.POSITIONAL_ONLY,
                one.POSITIONAL_OR_KEYWORD,
                one.KEYWORD_ONLY,
            )
            # Not compared with FastAPI's class: stores know no web framework.
            is_marker = type(one.default).__module__.startswith("fastapi.")
            if is_needed or is_marker:
                raise ConfigurationError(PARAMETERS.format(self._name, one.name))

    def _wrong(self, given: Any) -> ConfigurationError:
        if isinstance(given, (AsyncSession, async_scoped_session)):
            return ConfigurationError(WRONG_KIND.format(self._name))
        kind = type(given).__name__
        return ConfigurationError(NO_SESSION.format(self._name, kind))


def _managed(given: Any) -> Any:
    """Return the context manager of what a function with ``yield`` has given."""
    if inspect.isgenerator(given):
        return contextmanager(lambda: given)()
    if inspect.isasyncgen(given):
        return asynccontextmanager(lambda: given)()
    return given


def _begun(session: Any, work: Work[T]) -> T:
    if not session.in_transaction():
        session.begin()  # with autobegin=False, nobody else does
    return work(session)


def _committed(session: Any, work: Work[T]) -> T:
    """Do some work and commit it; after a failure the session can be used again."""
    try:
        result = _begun(session, work)
        session.commit()
    except Exception:
        with suppress(SQLAlchemyError, OSError):
            session.rollback()
        raise
    return result
