"""Filters for the migrations of the project around.

Where a project keeps its tables in the same database, ``alembic revision
--autogenerate`` takes ours for tables that it should drop. With one of these
filters in its ``env.py`` it does not see them.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import MetaData

from fastbearer.accounts.records import Record

__all__ = ["include_name", "include_object", "metadata"]

PREFIX = "fastbearer_"
"""How the names of all our tables begin, those of the versions too."""

metadata: MetaData = Record.metadata
"""Our tables, for foreign keys to them; Alembic need not be told of it."""


def include_object(
    object: Any, name: str | None, type_: str, reflected: bool, compare_to: Any
) -> bool:
    """Leave our tables to our own migrations: Alembic's ``include_object``.

    A table of the project's own is compared, whatever its name.

    Args:
        object: A table, or a column, index or constraint of one.
        name: Its name.
        type_: Alembic's word for what it is.
        reflected: Whether it comes from the database.
        compare_to: What it is compared with, if there is anything.
    """
    table = object if type_ == "table" else getattr(object, "table", None)
    if table is None:
        return True
    if not reflected:
        return table.metadata is not metadata
    if compare_to is not None:
        other = compare_to if type_ == "table" else compare_to.table
        return other.metadata is not metadata
    return type_ != "table" or not _is_ours(name)


def include_name(
    name: str | None, type_: str, parent_names: Mapping[str, str | None]
) -> bool:
    """Leave our tables to our own migrations: Alembic's ``include_name``.

    It goes by the name alone; with `metadata` among ``target_metadata`` only
    `include_object` will do.

    Args:
        name: Of what is in the database.
        type_: Alembic's word for what it is.
        parent_names: The names of the schema and table that it is in.
    """
    table = name if type_ == "table" else parent_names.get("table_name")
    return not _is_ours(table)


def _is_ours(table: str | None) -> bool:
    return table is not None and table.startswith(PREFIX)
