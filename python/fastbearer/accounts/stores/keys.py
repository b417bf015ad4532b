"""Keys that a database gives, and whether it could give one twice.

A token names its user by the key of their row. If the next user could get the key
of one who was deleted, the tokens of the one would be those of the other.
"""

import re
from typing import Any

from sqlalchemy import Column, Connection, Integer, inspect, text
from sqlalchemy.orm import Session

from fastbearer.errors import ConfigurationError

__all__ = ["check_keys", "check_table", "gives_keys"]

REUSED = (
    "SQLite would give the id of a user who was deleted to the next one, and with it"
    " their tokens: the table {!r} needs an AUTOINCREMENT key (in SQLModel:"
    ' __table_args__ = {{"sqlite_autoincrement": True}}), or ids that are made at'
    " random"
)
DECLARED = re.compile(r"\bAUTOINCREMENT\b", re.IGNORECASE)


def gives_keys(column: Column[Any]) -> bool:
    """Tell whether the ids of a column are integers that the database gives."""
    is_given = column.primary_key and column.default is None
    return isinstance(column.type, Integer) and is_given


def check_keys(session: Session, column: Column[Any]) -> None:
    """Check the key of a model's table, as it is or as it will be made.

    Raises:
        ConfigurationError: An integer that the database gives could come again.
    """
    table = column.table
    if session.get_bind(clause=table.select()).dialect.name != "sqlite":
        return  # sequences, identities and AUTO_INCREMENT go on counting
    connection = session.connection(bind_arguments={"clause": table.select()})
    if inspect(connection).has_table(table.name, table.schema):
        check_table(connection, table.name, table.schema)
    elif not table.dialect_options["sqlite"]["autoincrement"]:
        raise ConfigurationError(REUSED.format(table.name))


def check_table(connection: Connection, name: str, schema: str | None = None) -> None:
    """Check the integer key of a table in the database.

    Raises:
        ConfigurationError: As in `check_keys`.
    """
    if connection.dialect.name != "sqlite":
        return
    prefix = "" if schema is None else f'"{schema.replace(chr(34), chr(34) * 2)}".'
    query = text(
        f"SELECT sql FROM {prefix}sqlite_master WHERE type = 'table' AND name = :name"  # noqa: S608
    )
    found: Any = connection.execute(query, {"name": name}).scalar()
    if found is not None and not DECLARED.search(found):
        raise ConfigurationError(REUSED.format(name))
