"""Better Auth's tables: the names of tables and columns, and what columns contain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import column, inspect, table, types
from sqlalchemy.sql.elements import quoted_name

from fastbearer.better_auth.fields import milliseconds
from fastbearer.better_auth.javascript import iso
from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection, TableClause
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.sql.elements import ColumnClause
    from sqlalchemy.types import TypeEngine

__all__ = ["DATABASE", "Tables"]

DATABASE = "the URL of Better Auth's database"
"""How errors name it."""

MODELS = ("user", "session", "account", "apikey")
NAME = re.compile("[^\\0\ud800-\udfff]+")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

WRONG_MODEL = "models and fields have the keys user, session, account and apikey"
WRONG_ZONE = (
    "zone is {!r}, which is not a time zone of this machine, like Europe/Berlin (where"
    " the system has none, the package tzdata brings them)"
)
WRONG_NAME = "the name of a table or column must be text"


class Tables:
    """What Better Auth's tables are called.

    Without arguments they have the names of its own migration: ``user``, ``session``,
    ``account`` and ``apikey``, with columns like ``emailVerified``.

    Args:
        models: Model -> name of its table, exactly (``user.modelName``).
        fields: Model -> field -> name of its column (``user.fields``).
        use_plural: Whether tables without a name in ``models`` end in ``s``
            (``usePlural``).
        snake_case: Whether columns without a name in ``fields`` are like
            ``email_verified``.
        schema: PostgreSQL's schema, where it is not in the search path.
        zone: The time zone of the server's process (``TZ``), which columns
            ``timestamp`` without a zone are in: ``"Europe/Berlin"``, or a tzinfo.
            Columns with a zone have no need of it.

    Raises:
        ConfigurationError: There is no such model or zone, or a name is not text.
    """

    def __init__(
        self,
        *,
        models: Mapping[str, str] | None = None,
        fields: Mapping[str, Mapping[str, str]] | None = None,
        use_plural: bool = False,
        snake_case: bool = False,
        schema: str | None = None,
        zone: str | tzinfo = UTC,
    ) -> None:
        self._models = dict(models or {})
        self._fields = dict(fields or {})
        self._plural = "s" if use_plural else ""
        self._snake_case = snake_case
        self.schema = schema
        self.zone: tzinfo = _zone(zone)
        self._check()

    def _check(self) -> None:
        if not {*self._models, *self._fields} <= set(MODELS):
            raise ConfigurationError(WRONG_MODEL)
        names = [
            *self._models.values(),
            *([] if self.schema is None else [self.schema]),
        ]
        if not all(isinstance(own, Mapping) for own in self._fields.values()):
            raise ConfigurationError(WRONG_MODEL)
        names += [name for own in self._fields.values() for name in own.values()]
        if not all(_is_name(name) for name in names):
            raise ConfigurationError(WRONG_NAME)

    def table(self, model: str) -> str:
        """Return the name of a model's table."""
        return self._models.get(model) or f"{model}{self._plural}"

    def column(self, model: str, field: str) -> str:
        """Return the name of a field's column."""
        named = self._fields.get(model, {}).get(field)
        if named is not None:
            return named
        return HUMP.sub("_", field).lower() if self._snake_case else field

    def dated(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row whose dates all have a zone; JavaScript writes local time."""
        zone = self.zone
        return {
            name: value.replace(tzinfo=zone)
            if isinstance(value, datetime) and value.tzinfo is None
            else value
            for name, value in row.items()
        }

    async def look_at(self, connection: AsyncConnection, model: str) -> Table:
        """Return a model's table as the database has it.

        Raises:
            ConfigurationError: The table, or a column that was named, is missing.
        """
        name, schema = self.table(model), self.schema

        def columns(connection: Connection) -> dict[str, TypeEngine[Any]]:
            inspector = inspect(connection)
            if not inspector.has_table(name, schema):
                raise ConfigurationError(f"there is no table {name!r}")
            found = inspector.get_columns(name, schema)
            return {column["name"]: column["type"] for column in found}

        declared = await connection.run_sync(columns)
        is_sqlite = connection.dialect.name == "sqlite"
        found = Table(self, model, declared, is_sqlite=is_sqlite)
        for field in self._fields.get(model, {}):
            found.column(field)  # a wrong name for bans would turn them off
        return found


class Table:
    """One table, as it is in the database.

    SQLAlchemy is told the types of its columns only in PostgreSQL: SQLite does not
    enforce them, and a declared type would get in the way of what is stored.

    Args:
        names: What it is called.
        model: Which it is.
        declared: Column -> type.
        is_sqlite: Whether it is in SQLite.

    Attributes:
        clause: SQLAlchemy's table; every name in it is quoted.
    """

    def __init__(
        self,
        names: Tables,
        model: str,
        declared: Mapping[str, TypeEngine[Any]],
        *,
        is_sqlite: bool,
    ) -> None:
        self._names = names
        self._model = model
        self._declared = declared
        self._is_sqlite = is_sqlite
        self.clause: TableClause[Any] = table(
            _quoted(names.table(model)),
            *(
                column(_quoted(name), None if is_sqlite else kind)
                for name, kind in declared.items()
            ),
            schema=None if names.schema is None else _quoted(names.schema),
        )

    def has(self, field: str) -> bool:
        """Tell whether there is a column for a field.

        Raises:
            ConfigurationError: There is no column of that name, but one like it.
        """
        name = self._names.column(self._model, field)
        if name in self._declared:
            return True
        for other in self._declared:
            if _spelled(other) in (_spelled(name), _spelled(field)):
                own = self._names.table(self._model)
                raise ConfigurationError(
                    f"the table {own!r} has a column {other!r}, which seems to be the"
                    f" field {field}: say so in fields"
                )
        return False

    def column(self, field: str) -> ColumnClause[Any]:
        """Return a field's column.

        Raises:
            ConfigurationError: The table has no such column.
        """
        found: ColumnClause[Any] = self.clause.c[self._name(field)]
        return found

    def kind(self, field: str) -> type:
        """Return what the column of an id keeps: int, UUID or str."""
        declared = self._declared[self._name(field)]
        if isinstance(declared, types.Integer):
            return int
        return UUID if isinstance(declared, types.Uuid) else str

    def dated(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """As `Tables.dated`."""
        return self._names.dated(row)

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return column -> value, as Better Auth stores it.

        Args:
            values: Field -> value: text, an id, a flag, or a datetime.

        Raises:
            ConfigurationError: The table has no column for a field.
        """
        names = {field: self._name(field) for field in values}
        return {
            names[field]: self._stored(value, self._declared[names[field]])
            for field, value in values.items()
        }

    def _name(self, field: str) -> str:
        name = self._names.column(self._model, field)
        if name not in self._declared:
            own = self._names.table(self._model)
            raise ConfigurationError(f"the table {own!r} has no column {name!r}")
        return name

    def _stored(self, value: Any, declared: TypeEngine[Any]) -> Any:
        if isinstance(value, bool) and self._is_sqlite:
            return int(value)
        if not isinstance(value, datetime):
            return value
        if self._is_sqlite:
            text = iso(value)
            # Drizzle's timestamp_ms is an integer.
            return milliseconds(text) if isinstance(declared, types.Integer) else text
        has_zone = getattr(declared, "timezone", False)
        if has_zone:
            return value
        return value.astimezone(self._names.zone).replace(tzinfo=None)


def _zone(zone: str | tzinfo) -> tzinfo:
    if isinstance(zone, tzinfo):
        return zone
    try:
        return ZoneInfo(zone)
    except (ValueError, TypeError, OSError, ZoneInfoNotFoundError):
        raise ConfigurationError(WRONG_ZONE.format(zone)) from None


def _spelled(name: str) -> str:
    return name.replace("_", "").lower()


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def _quoted(name: str) -> quoted_name:
    return quoted_name(name, quote=True)
