"""A table's columns as the database has them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import CHAR, Connection, String, TypeDecorator, inspect

__all__ = ["TableColumn", "keeps_bytes", "length_of", "look_at"]


class TableColumn(NamedTuple):
    """A column; the defaults are those of one that is not known.

    Attributes:
        length: In characters, or None for any number.
        is_binary: Whether it keeps bytes alone.
        is_padded: Whether it fills strings up with spaces.
        is_nullable: Whether it takes NULL.
        must_be_given: Whether an INSERT must give it a value.
        is_unique: Whether a value, or one in lower case, is in one row only.
    """

    length: int | None = None
    is_binary: bool = False
    is_padded: bool = False
    is_nullable: bool = True
    must_be_given: bool = False
    is_unique: bool = False


def look_at(
    connection: Connection, name: str, schema: str | None
) -> dict[str, TableColumn]:
    """Return the columns of a table, by name; none where it is not there."""
    names: Mapping[Any, Any] = (
        connection.get_execution_options().get("schema_translate_map") or {}
    )
    schema = names.get(schema, schema)
    inspector = inspect(connection)
    if not inspector.has_table(name, schema):
        return {}
    unique = set(_unique(inspector, name, schema))
    takes_all = connection.dialect.name == "sqlite"  # whatever a type says
    return {
        one["name"]: TableColumn(
            length=length_of(one["type"]),
            is_binary=not takes_all and keeps_bytes(one["type"]),
            is_padded=isinstance(one["type"], CHAR),
            is_nullable=one["nullable"],
            must_be_given=_must_be_given(one),
            is_unique=one["name"] in unique,
        )
        for one in inspector.get_columns(name, schema)
    }


def length_of(kind: Any) -> int | None:
    """Return how many characters a column's type keeps, or None for any number."""
    kept = getattr(kind, "impl_instance", kind)  # of a type of the project's own
    if not isinstance(kept, String):
        return None
    return 1 if kept.length is None and isinstance(kept, CHAR) else kept.length


def keeps_bytes(kind: Any) -> bool:
    """Tell whether a column's type takes bytes.

    A type of the project's own may turn strings into bytes.
    """
    if isinstance(kind, TypeDecorator):
        return False
    try:
        return kind.python_type is bytes
    except NotImplementedError:
        return False


def _must_be_given(column: Mapping[str, Any]) -> bool:
    if column["nullable"] or column.get("default") is not None:
        return False
    is_made = column.get("identity") or column.get("computed")
    return not is_made and column.get("autoincrement") is not True


def _unique(inspector: Any, name: str, schema: str | None) -> Iterator[str]:
    """Return the columns of constraints and indexes that are of one column alone."""
    # In SQLite some constraints are known as indexes alone.
    indexes = inspector.get_indexes(name, schema, include_auto_indexes=True)
    sets = [
        inspector.get_pk_constraint(name, schema)["constrained_columns"],
        *(
            constraint["column_names"]
            for constraint in inspector.get_unique_constraints(name, schema)
        ),
        *(_columns_of(index) for index in indexes if index["unique"]),
    ]
    return (names[0] for names in sets if len(names) == 1 and names[0])


def _columns_of(index: Mapping[str, Any]) -> list[str]:
    """Return the columns of an index, or the one that it has in lower case."""
    expressions = index.get("expressions", [])
    if index["column_names"] != [None] or len(expressions) != 1:
        return list(index["column_names"])
    # PostgreSQL writes lower(email), lower((email)::text), lower(("eMail")::text).
    inner = str(expressions[0]).removeprefix("lower(").partition("::")[0]
    return [inner.strip('()"')]
