"""API keys, looked up in Better Auth's own tables: PostgreSQL and SQLite."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from fastbearer.awaited import awaited
from fastbearer.better_auth.api_keys.key import (
    DEFAULT,
    FIELDS,
    UNKNOWN,
    WRONG_OWNER,
    APIKey,
    KeyRules,
    Owner,
    check_allowed,
    is_key,
    refused,
    stored_form,
    unreadable,
)
from fastbearer.better_auth.api_keys.limits import limits_of
from fastbearer.better_auth.fields import BAN_FIELDS, USER_FIELDS, cleaned
from fastbearer.errors import (
    ConfigurationError,
    StoreUnavailableError,
)
from fastbearer.extras import needs_extra

with needs_extra("sql"):
    from sqlalchemy import bindparam, case, cast, select, types
    from sqlalchemy.exc import SQLAlchemyError

    from fastbearer.better_auth.api_keys.counting import Counting
    from fastbearer.better_auth.tables import DATABASE, Table, Tables
    from fastbearer.connections.sql import Connections

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["SQLAPIKeys"]

UNREADABLE = "Better Auth's table apikey cannot be read"
OLD_REFERENCE = "userId"
"""What the column referenceId was called while the plugin was part of better-auth."""

IDS: Mapping[type, tuple[str, Any]] = {
    int: ("^[0-9]{1,18}$", types.BigInteger()),
    UUID: ("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", types.Uuid()),
}
"""Type of ids -> how a string looks that is one, and what the database calls it."""


class LookUp(NamedTuple):
    """The query for a key, the fields that its columns are, and the table."""

    query: Select[Any]
    key_fields: tuple[str, ...]
    user_fields: tuple[str, ...]
    table: Table


class SQLAPIKeys:
    """An `APIKeyStore` over Better Auth's tables ``apikey`` and ``user``.

    It sends one query for each key. Unless it may write, it writes nothing, and refuses
    keys whose requests have to be counted: those with ``remaining``, and those with a
    rate limit, which the plugin gives to every key unless told otherwise.

    Args:
        url: SQLAlchemy's, with an async driver: ``postgresql://...``, which need not
            name one, or ``sqlite+aiosqlite:///...``.
        tables: What the tables are called.
        config_id: The configuration of the plugin whose keys are taken.
        references: Whom its keys belong to. A user must exist, and not be banned.
        hashed: Whether keys are stored as their hash; False for a server with
            ``disableKeyHashing``.
        may_write: Whether requests are counted, as the server counts them: each then
            updates the row of its key.
        rate_limit: Whether the rate limit is on; False for a server with
            ``rateLimit: { enabled: false }``.
        user_fields: Fields of the user to show beside Better Auth's own.

    Raises:
        ConfigurationError: The URL is malformed, its driver is not installed, or
            ``references`` is neither of both.
    """

    def __init__(
        self,
        url: str,
        *,
        tables: Tables | None = None,
        config_id: str = DEFAULT,
        references: Owner = "user",
        hashed: bool = True,
        may_write: bool = False,
        rate_limit: bool = True,
        user_fields: Iterable[str] = (),
    ) -> None:
        if references not in ("user", "organization"):
            raise ConfigurationError(WRONG_OWNER)
        self._connections = Connections(url, DATABASE, can_write=may_write)
        self._tables = Tables() if tables is None else tables
        self._rules = KeyRules(config_id, references, rate_limit, counts=may_write)
        self._is_hashed = hashed
        self._user_fields = tuple(dict.fromkeys((*USER_FIELDS, *user_fields)))
        self._look_up: LookUp | None = None

    @awaited
    async def verify(
        self,
        key: str,
        *,
        permissions: Mapping[str, Iterable[str]] | None = None,
        now: float | None = None,
    ) -> APIKey:
        """As in `APIKeyStore`."""
        if not is_key(key):
            raise refused(UNKNOWN, "api_key_unknown")
        stored = stored_form(key, hashed=self._is_hashed)
        moment = time.time() if now is None else now
        try:
            async with self._connections.reading() as connection:
                look_up = await self._prepared(connection)
                found, row = await self._find(connection, look_up, stored, moment)
            check_allowed(found, permissions)
            limits = limits_of(look_up.table.dated(row))
            if self._rules.counts and self._rules.is_limited(limits):
                async with self._connections.writing() as connection:
                    counting = Counting(connection, look_up.table, self._rules)
                    await counting.count(row, moment)
        except (ConfigurationError, SQLAlchemyError) as error:
            raise StoreUnavailableError(UNREADABLE) from error
        return found

    async def check(self) -> None:
        """Look once, so that a wrong name is noticed when the application starts.

        Raises:
            ConfigurationError: A table or column is missing, or may not be read.
            StoreUnavailableError: The database cannot be reached, or is too busy.
        """
        try:
            async with self._connections.reading() as connection:
                look_up = await self._prepared(connection)
                await connection.execute(look_up.query, {"stored": ""})
        except SQLAlchemyError as error:
            raise ConfigurationError(UNREADABLE) from error

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._connections.aclose()

    async def _find(
        self, connection: AsyncConnection, look_up: LookUp, stored: str, now: float
    ) -> tuple[APIKey, dict[str, Any]]:
        """Return a good key, and its row."""
        rows = (await connection.execute(look_up.query, {"stored": stored})).all()
        if len(rows) != 1:
            raise refused(UNKNOWN, "api_key_unknown")
        values = iter(rows[0])
        row = dict.fromkeys(FIELDS) | {
            name: next(values) for name in look_up.key_fields
        }
        user = {field: next(values) for field in look_up.user_fields}
        if user.get("id") is None:
            user = {}
        found = self._rules.judge(
            self._tables.dated(row),
            stored,
            now,
            self._tables.dated(user) if self._rules.owner == "user" else None,
        )
        try:
            shown = cleaned(self._tables.dated(user), self._user_fields)
        except ValueError as error:
            raise unreadable(error) from None
        return replace(found, user=shown), row

    async def _prepared(self, connection: AsyncConnection) -> LookUp:
        if self._look_up is None:
            self._look_up = await self._made(connection)
        return self._look_up

    async def _made(self, connection: AsyncConnection) -> LookUp:
        keys = await self._tables.look_at(connection, "apikey")
        reference = "referenceId" if keys.has("referenceId") else OLD_REFERENCE
        optional = {"configId"} if reference == OLD_REFERENCE else set()
        fields = [f for f in FIELDS if f not in optional or keys.has(f)]
        columns = [
            keys.column(reference if field == "referenceId" else field)
            for field in fields
        ]
        user_fields: tuple[str, ...] = ()
        source: Any = keys.clause
        if self._rules.owner == "user":
            users = await self._tables.look_at(connection, "user")
            bans = [field for field in BAN_FIELDS if users.has(field)]
            user_fields = tuple(dict.fromkeys((*self._user_fields, *bans)))
            columns += [users.column(field) for field in user_fields]
            is_sqlite = connection.dialect.name == "sqlite"
            owner = keys.column(reference)
            kind = str if is_sqlite else users.kind("id")
            is_owner = users.column("id") == _as(kind, owner)
            source = keys.clause.outerjoin(users.clause, is_owner)
        query = (
            select(*columns)
            .select_from(source)
            .where(keys.column("key") == bindparam("stored"))
        )
        return LookUp(query, tuple(fields), user_fields, keys)


def _as(kind: type, reference: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a reference as an id: the plugin stores a string, whatever ids are.

    What is no such id, like that of an organization, is NULL.
    """
    if kind is str:
        return reference
    pattern, type_ = IDS[kind]
    return case((reference.regexp_match(pattern), cast(reference, type_)), else_=None)
