"""Rows of a project's model: taken out of their session, and referred to."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, literal, select
from sqlalchemy import inspect as state_of
from sqlalchemy.orm import (
    Mapper,
    RelationshipDirection,
    RelationshipProperty,
    Session,
    with_parent,
)

from fastbearer.accounts.stores.protocol import UserInUseError

__all__ = ["detach", "free_of_references", "type_in"]

ON_DELETE = ("CASCADE", "SET NULL", "SET DEFAULT")
"""Foreign keys that say themselves what becomes of a row."""

IN_USE = "rows of {} refer to the user, and the relationship {} has no cascade"


def detach(session: Session, row: Any) -> None:
    """Take a row out of its session, so that it can be read once that is gone.

    Its columns are loaded (but for those that the model defers), and so is what the
    model loads with it; another relationship can no longer be.
    """
    state = state_of(row)
    columns = state.mapper.column_attrs.keys()
    expired = [key for key in columns if key in state.expired_attributes]
    if expired:
        session.refresh(row, expired)
    for one in _loaded_with(row):
        if one in session:
            session.expunge(one)


def type_in(row: object, attribute: str) -> type | None:
    """Return what the column of an attribute keeps, or None where nobody can tell."""
    mapper: Any = state_of(type(row), raiseerr=False)
    found = None if mapper is None else mapper.attrs.get(attribute)
    columns = getattr(found, "columns", ())
    try:
        return columns[0].type.python_type if columns else None
    except NotImplementedError:  # a type of the project's own
        return None


def _loaded_with(row: Any) -> list[Any]:
    """Return a row, and all that can be reached from it without a query."""
    found: dict[int, Any] = {}
    waiting = [row]
    while waiting:
        one = waiting.pop()
        if id(one) in found:
            continue
        found[id(one)] = one
        state = state_of(one)
        for relationship in state.mapper.relationships:
            loaded = state.dict.get(relationship.key)
            waiting += _members(loaded) if relationship.uselist else [loaded]
        waiting = [other for other in waiting if other is not None]
    return list(found.values())


def _members(collection: Any) -> list[Any]:
    if isinstance(collection, Mapping):
        return list(collection.values())
    return [] if collection is None else list(collection)


def free_of_references(session: Session, mapper: Mapper[Any], row: Any) -> None:
    """Do with rows that refer to a user what the model says, or else the database.

    SQLAlchemy's default takes the user out of the rows of a relationship that says
    nothing of deletion, whatever the foreign key says.

    Raises:
        UserInUseError: There is a row of which nobody has said anything.
    """
    for relationship in mapper.relationships:
        if not _says_nothing(relationship):
            continue
        is_theirs = with_parent(row, relationship.class_attribute)
        other = relationship.mapper
        what = _on_delete(relationship)
        if what == "CASCADE":
            session.execute(
                delete(other.class_)
                .where(is_theirs)
                .execution_options(synchronize_session=False)
            )
            session.expire(row, [relationship.key])
        elif not what:
            found = select(literal(1)).select_from(other.class_).where(is_theirs)
            if session.execute(found.limit(1)).first() is not None:
                name = other.local_table.description
                raise UserInUseError(IN_USE.format(name, relationship.key))


def _says_nothing(relationship: RelationshipProperty[Any]) -> bool:
    return (
        relationship.direction is RelationshipDirection.ONETOMANY
        and not relationship.viewonly
        and not relationship.cascade.delete
        and not relationship.passive_deletes
    )


def _on_delete(relationship: RelationshipProperty[Any]) -> str:
    """Return what the foreign key does with rows: CASCADE, SET ..., or nothing."""
    keys = {key for column in relationship.remote_side for key in column.foreign_keys}
    rules = {str(key.ondelete or "").upper() for key in keys}
    found = rules.intersection(ON_DELETE)
    return found.pop() if len(rules) == len(found) == 1 else ""
