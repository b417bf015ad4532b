"""How a project's model is asked for users."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session

from fastbearer.accounts.emails import spellings
from fastbearer.accounts.names import Name
from fastbearer.accounts.stores.mapping import UserMapping

__all__ = ["UserRows"]


class UserRows:
    """The rows of a model.

    Args:
        fields: The model's.
    """

    def __init__(self, fields: UserMapping) -> None:
        self._fields = fields
        self._model = fields.model

    def called(self, session: Session, name: Name, value: str) -> list[Any]:
        """Return the rows of those who are called so, be they active or not."""
        return [
            row
            for row in self.equal(session, name, value)
            if self._fields.name_of(row, name) == value
            and not self._fields.is_deleted(row)
        ]

    def one_called(self, session: Session, name: Name, value: str) -> Any | None:
        """Return the row of the one who is called so: of several, the active one."""
        rows = self.called(session, name, value)
        active = [row for row in rows if self._fields.is_active(row)]
        # Of two that differ in case, say, nobody can tell whose password it is.
        found = active or rows
        return found[0] if len(found) == 1 else None

    def equal(self, session: Session, name: Name, value: str) -> Sequence[Any]:
        """Return the rows that the database takes for those with a name."""
        stored = self._fields.attribute(name)
        written = spellings(value) if name == "email" else (value,)
        is_theirs = or_(func.lower(stored).in_(written), stored.in_(written))
        return _rows(session, select(self._model).where(is_theirs))

    def row(
        self,
        session: Session,
        user_id: str,
        *only_if: ColumnElement[bool],
        is_to_go: bool = False,
    ) -> Any | None:
        """Return the row with an id, deleted or not; it may be any string.

        Args:
            session: Where it is asked for.
            user_id: The id.
            *only_if: What must be so as well.
            is_to_go: Whether others who would remove it are to wait.
        """
        key = self._fields.key(user_id)
        if key is None:
            return None
        query = select(self._model).where(self._fields.attribute("id") == key, *only_if)
        if is_to_go:
            query = query.with_for_update(of=self._model)
        try:
            rows = _rows(session, query)
        except StatementError as error:
            if isinstance(error, DBAPIError):
                raise
            return None  # a type of the project's own that takes no such text
        found = [row for row in rows if self._fields.id_of(row) == user_id]
        return found[0] if found else None

    def page(self, session: Session, after: str | None, limit: int) -> Sequence[Any]:
        """Return the rows after an id, in the database's order of the ids."""
        by = self._fields.attribute("id")
        query = select(self._model).order_by(by).limit(limit)
        if self._fields.keeps("deleted_at"):
            query = query.where(self._fields.attribute("deleted_at").is_(None))
        if after is not None:
            key = self._fields.key(after)
            if key is None:
                return []
            query = query.where(by > key)
        return _rows(session, query)


def _rows(session: Session, query: Any) -> Sequence[Any]:
    # A relationship that is loaded with its user gives the user several times.
    rows: Sequence[Any] = session.execute(query).unique().scalars().all()
    return rows
