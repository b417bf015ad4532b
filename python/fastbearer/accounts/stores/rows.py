"""Rows of a project's model: made, taken out of their session, and referred to."""

import inspect
from collections.abc import Mapping
from typing import Any

from sqlalchemy import inspect as state_of
from sqlalchemy import literal, select
from sqlalchemy.orm import (
    Mapper,
    RelationshipDirection,
    RelationshipProperty,
    Session,
    with_parent,
)
from sqlmodel import SQLModel

from fastbearer.accounts.stores.protocol import UserInUseError

__all__ = ["accepted", "check_references", "detach", "make_row"]

ON_DELETE = ("CASCADE", "SET NULL", "SET DEFAULT")
"""Foreign keys that say themselves what becomes of a row."""

IN_USE = "rows of {} refer to the user, and the relationship {} has no cascade"


def make_row(model: Any, values: Mapping[str, Any]) -> Any:
    """Return a new row: what its class does not take for arguments is set after."""
    names = accepted(model, values)
    row = model(**{name: values[name] for name in names})
    for name, value in values.items():
        if name not in names:
            setattr(row, name, value)
    return row


def accepted(model: Any, names: Mapping[str, Any]) -> set[str]:
    """Return which attributes a class takes as arguments."""
    if issubclass(model, SQLModel):
        return set(names)  # its signature has the aliases
    parameters = inspect.signature(model).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return set(names)
    positional = {one.name for one in parameters if one.kind is not one.POSITIONAL_ONLY}
    return positional.intersection(names)


def detach(session: Session, row: Any) -> None:
    """Take a row out of its session, so that it can be read once that is gone.

    Its columns are loaded (but for those that the model defers); a relationship that
    is not can no longer be.
    """
    state = state_of(row)
    columns = state.mapper.column_attrs.keys()
    expired = [key for key in columns if key in state.expired_attributes]
    if expired:
        session.refresh(row, expired)
    if row in session:
        session.expunge(row)


def check_references(session: Session, mapper: Mapper[Any], row: Any) -> None:
    """Make sure that no row is left without its user where nobody has said so.

    SQLAlchemy's default takes the user out of the rows of a relationship that says
    nothing of deletion.

    Raises:
        UserInUseError: There is one.
    """
    for relationship in mapper.relationships:
        if _says_nothing(relationship) and _is_referred_to(session, relationship, row):
            name = relationship.mapper.local_table.description
            raise UserInUseError(IN_USE.format(name, relationship.key))


def _says_nothing(relationship: RelationshipProperty[Any]) -> bool:
    if relationship.direction is not RelationshipDirection.ONETOMANY:
        return False
    if relationship.viewonly or relationship.cascade.delete:
        return False
    if relationship.passive_deletes:
        return False
    keys = {key for column in relationship.remote_side for key in column.foreign_keys}
    return not any(str(key.ondelete).upper() in ON_DELETE for key in keys)


def _is_referred_to(
    session: Session, relationship: RelationshipProperty[Any], row: Any
) -> bool:
    is_theirs = with_parent(row, relationship.class_attribute)
    found = select(literal(1)).select_from(relationship.mapper.class_)
    query = found.where(is_theirs).limit(1)
    return session.execute(query).first() is not None
