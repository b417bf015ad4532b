"""What steps do to tables, on every database.

MariaDB and MySQL commit each change of a table by itself: a step that fails there
leaves a part of its work behind. When it is taken again, what is there is not made
again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

__all__ = [
    "MOMENT",
    "TEXT",
    "add_column",
    "create_index",
    "create_table",
    "drop_table",
    "insert_rows",
    "rows_of",
]

MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
"""The type of a time, to the microsecond."""

TEXT = sa.String().with_variant(mysql.TEXT(), "mysql")
"""The type of a string of any length."""

# Texts are equal only if they are the same, blanks at their ends included.
MARIADB_COLLATION = "utf8mb4_nopad_bin"
MYSQL_COLLATION = "utf8mb4_0900_bin"


def create_table(
    name: str, *columns: sa.Column[Any], if_not_exists: bool = False
) -> sa.Table:
    """Create a table.

    Args:
        name: Of the table.
        columns: Its columns.
        if_not_exists: Whether one that is there will do.
    """
    if _is_repeated() and name in _tables():
        return sa.Table(name, sa.MetaData(), *columns)
    made: sa.Table = op.create_table(
        name, *columns, if_not_exists=if_not_exists, **_of_mysql()
    )
    return made


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column to a table."""
    if _is_repeated() and column.name in _columns(table):
        return
    op.add_column(table, column)


def create_index(
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    unique: bool = False,
    if_not_exists: bool = False,
) -> None:
    """Create an index on a table."""
    if _is_repeated():
        if name not in _indexes(table):
            op.create_index(name, table, columns, unique=unique)
        return
    op.create_index(name, table, columns, unique=unique, if_not_exists=if_not_exists)


def drop_table(name: str) -> None:
    """Drop a table, with what is in it."""
    if _is_repeated() and name not in _tables():
        return
    op.drop_table(name)


def insert_rows(table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows into a table whose primary key is ``id``."""
    if _is_repeated():
        found = op.get_bind().execute(sa.select(table.c.id)).scalars().all()
        rows = [row for row in rows if row["id"] not in found]
    op.bulk_insert(table, [dict(row) for row in rows])


def rows_of(table: sa.TableClause) -> Sequence[Any]:
    """Return the rows of a table that a later change drops."""
    if _is_repeated() and table.name not in _tables():
        return []
    return op.get_bind().execute(sa.select(table)).all()


def _is_repeated() -> bool:
    """Tell whether a part of this step may have been done before."""
    return op.get_bind().dialect.name == "mysql"


def _tables() -> list[str]:
    return sa.inspect(op.get_bind()).get_table_names()


def _columns(table: str) -> list[str]:
    return [one["name"] for one in sa.inspect(op.get_bind()).get_columns(table)]


def _indexes(table: str) -> list[str | None]:
    return [one["name"] for one in sa.inspect(op.get_bind()).get_indexes(table)]


def _of_mysql() -> dict[str, str]:
    dialect: Any = op.get_bind().dialect
    is_mariadb = getattr(dialect, "is_mariadb", False)
    return {
        "mysql_engine": "InnoDB",
        "mysql_default_charset": "utf8mb4",
        "mysql_collate": MARIADB_COLLATION if is_mariadb else MYSQL_COLLATION,
    }
