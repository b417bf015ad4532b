"""Better Auth's sessions, looked up in its own tables: PostgreSQL and SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fastbearer.awaited import awaited
from fastbearer.better_auth.fields import BAN_FIELDS, Shown
from fastbearer.better_auth.session import is_token
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from fastbearer.extras import needs_extra

with needs_extra("sql"):
    from sqlalchemy import bindparam, select
    from sqlalchemy.exc import SQLAlchemyError

    from fastbearer.better_auth.tables import DATABASE, Tables
    from fastbearer.connections.sql import Connections

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from fastbearer.better_auth.session import Session

__all__ = ["SQLSessions", "Tables"]

UNREADABLE = "Better Auth's tables session and user cannot be read"


class LookUp(NamedTuple):
    """The query for a token, and the fields that its columns are, in order."""

    query: Select[Any]
    session_fields: tuple[str, ...]
    user_fields: tuple[str, ...]


class SQLSessions:
    """A `SessionStore` over Better Auth's tables ``session`` and ``user``.

    It sends one query for each token and writes nothing: a PostgreSQL role that may
    SELECT from both tables will do. The first look-up finds out whether the plugin
    ``admin()`` has added its columns for bans.

    Args:
        url: SQLAlchemy's, with an async driver: ``postgresql://...``, which need not
            name one, or ``sqlite+aiosqlite:///...``.
        tables: What the tables are called.
        user_fields: Fields of the user to show beside Better Auth's own, like
            ``role``. No others are read.
        session_fields: The same of the session, like ``impersonatedBy``.

    Raises:
        ConfigurationError: The URL is malformed, or its driver is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        tables: Tables | None = None,
        user_fields: Iterable[str] = (),
        session_fields: Iterable[str] = (),
    ) -> None:
        self._connections = Connections(url, DATABASE, can_write=False)
        self._tables = Tables() if tables is None else tables
        self._shown = Shown(user_fields, session_fields)
        self._look_up: LookUp | None = None

    @awaited
    async def find(self, token: str, now: float) -> Session | None:
        """As in `SessionStore`.

        Raises:
            StoreUnavailableError: The database cannot be reached, is too busy, or
                has no such tables.
        """
        if not is_token(token):
            return None
        try:
            return await self._find(token, now)
        except (ConfigurationError, SQLAlchemyError) as error:
            raise StoreUnavailableError(UNREADABLE) from error

    async def check(self) -> None:
        """Look once, so that a wrong name is noticed when the application starts.

        Raises:
            ConfigurationError: A table or column is missing, or may not be read.
            StoreUnavailableError: The database cannot be reached, or is too busy.
        """
        try:
            await self._find("0" * 32, 0)
        except SQLAlchemyError as error:
            raise ConfigurationError(UNREADABLE) from error

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._connections.aclose()

    async def _find(self, token: str, now: float) -> Session | None:
        async with self._connections.reading() as connection:
            look_up = self._look_up
            if look_up is None:
                look_up = self._look_up = await self._prepared(connection)
            found = await connection.execute(look_up.query, {"token": token})
            rows = found.all()
        if len(rows) != 1:
            return None
        values = iter(rows[0])
        session = {field: next(values) for field in look_up.session_fields}
        user = {field: next(values) for field in look_up.user_fields}
        dated = self._tables.dated
        return self._shown.session_of(dated(session), dated(user), token, now)

    async def _prepared(self, connection: AsyncConnection) -> LookUp:
        session = await self._tables.look_at(connection, "session")
        user = await self._tables.look_at(connection, "user")
        of_session = [session.column(field) for field in self._shown.session]
        bans = [field for field in BAN_FIELDS if user.has(field)]
        user_fields = tuple(dict.fromkeys((*self._shown.user, *bans)))
        columns = [*of_session, *(user.column(field) for field in user_fields)]
        query = (
            select(*columns)
            .join_from(
                session.clause,
                user.clause,
                user.column("id") == session.column("userId"),
            )
            .where(session.column("token") == bindparam("token"))
        )
        return LookUp(query, self._shown.session, user_fields)
