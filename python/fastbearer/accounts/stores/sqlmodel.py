"""Users in a model of the project's own."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from uuid import UUID

from anyio import to_thread
from sqlalchemy import ColumnElement, Uuid, func, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from fastbearer.accounts.emails import is_same_email, recorded_form, spellings
from fastbearer.accounts.models import User
from fastbearer.accounts.stores.ids import comparable, key_of
from fastbearer.accounts.stores.keys import check_keys, gives_keys
from fastbearer.accounts.stores.protocol import (
    TAKEN,
    EmailTakenError,
    UserInUseError,
)
from fastbearer.connections.engine import sql_outages
from fastbearer.errors import ConfigurationError

__all__ = ["SQLModelUserStore"]

T = TypeVar("T")


class SQLModelUserStore:
    """Keeps users in a table of the project, through its own sessions.

    The model has ``id`` (text, UUID or integer, made by the model or by the
    database), ``email`` and a field for the password hash; ``name`` and
    ``email_verified`` if there are such fields. E-mails are compared in lower
    case; put a unique index on ``lower(email)``, or store them so.

    Users who are not active, or were deleted with their row left in place, are
    as good as unknown. The e-mail of one who is not active stays taken; that of
    a deleted row is free again where the table's unique index leaves such rows
    out.

    Integer ids must not be given twice: in SQLite the table needs
    ``sqlite_autoincrement``, else the next user inherits the tokens of one who
    was deleted.

    Args:
        model: A SQLModel class with ``table=True``.
        session_dependency: The function with ``yield`` that FastAPI's
            ``Depends`` takes: it gives a ``Session``, which is then used in
            a thread, or an ``AsyncSession``.
        password_hash: Name of the field with the hash.
        name: Name of the field with the user's name.
        is_active: Name of the field that is false for users who may not sign
            in; it need not exist.
        deleted_at: Name of the field that is not None for deleted users; it
            need not exist.

    Raises:
        ConfigurationError: The model lacks a field that is needed, or one that
            was given another name.
    """

    def __init__(
        self,
        model: type[SQLModel],
        session_dependency: Callable[[], Any],
        *,
        password_hash: str = "password_hash",
        name: str = "name",
        is_active: str = "is_active",
        deleted_at: str = "deleted_at",
    ) -> None:
        needed = ["id", "email", password_hash]
        needed += [is_active] if is_active != "is_active" else []
        needed += [deleted_at] if deleted_at != "deleted_at" else []
        for field in needed:
            if field not in model.model_fields:
                raise ConfigurationError(f"{model.__name__} has no field {field}")
        self._model: Any = model
        self._password_hash = password_hash
        self._name = name if name in model.model_fields else None
        self._is_active = is_active
        self._deleted_at = deleted_at
        self._is_async = inspect.isasyncgenfunction(session_dependency)
        self._sessions = session_dependency

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Look at the table, if it is there already.

        Raises:
            ConfigurationError: It would give an integer id twice.
        """
        table = self._model.__table__
        if gives_keys(table):
            await self._run(lambda session: check_keys(session, table))
        yield

    def new_row(self, user: User) -> SQLModel:
        """Return the row of a new user; override it for more fields."""
        values = {"email": user.email, self._password_hash: user.password_hash}
        if self._name is not None and user.name is not None:
            values[self._name] = user.name
        row: SQLModel = self._model(**values)
        return row

    async def add(self, user: User) -> None:
        """As in `UserStore`; the user's id becomes that of the row."""
        if await self._run(lambda session: self._is_taken(session, user.email)):
            raise EmailTakenError(TAKEN)
        row: Any = self.new_row(user)

        def insert(session: Session) -> str:
            session.add(row)
            session.flush()
            return str(row.id)

        try:
            user.id = await self._run(insert)
        except IntegrityError:
            # The database may hold more to be equal than we do.
            found = await self._run(lambda session: self._rows(session, user.email))
            if not found:
                raise
            raise EmailTakenError(TAKEN) from None

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`."""

        def find(session: Session) -> User | None:
            rows = self._rows(session, email)
            found = [
                row
                for row in rows
                if is_same_email(row.email, email) and self._may_sign_in(row)
            ]
            # Of two that differ in case, say, nobody can tell whose password it is.
            return self._user(found[0]) if len(found) == 1 else None

        return await self._run(find)

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`."""
        key = self._key(user_id)
        if key is None:
            return None

        def find(session: Session) -> User | None:
            row = session.exec(select(self._model).where(self._is_row(key))).first()
            if row is None or str(row.id) != user_id or not self._may_sign_in(row):
                return None
            return self._user(row)

        return await self._run(find)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`: one statement, that of several at a time one wins."""
        stored = col(getattr(self._model, self._password_hash))
        is_unchanged: ColumnElement[bool] = stored == user.password_hash
        if not user.password_hash:  # their first; `_user` has read NULL as empty
            is_unchanged = or_(is_unchanged, stored.is_(None))
        statement = self._update(
            user, is_unchanged, **{self._password_hash: password_hash}
        )
        return await self._run(lambda session: _changed(session, statement))

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`; without such a field, nothing is noted."""
        if "email_verified" not in self._model.model_fields:
            return
        is_same = col(self._model.email) == user.address
        statement = self._update(user, is_same, email_verified=True)
        await self._run(lambda session: _changed(session, statement))

    async def remove(self, user: User) -> None:
        """As in `UserStore`."""
        key = self._key(user.id)

        def remove(session: Session) -> None:
            row = session.get(self._model, key)
            if row is not None:
                session.delete(row)

        try:
            await self._run(remove)
        except IntegrityError:
            raise UserInUseError("rows of other tables refer to the user") from None

    def _rows(self, session: Session, email: str) -> Sequence[Any]:
        """Return the rows that the database takes for those with an e-mail."""
        stored = col(self._model.email)
        written = spellings(email)
        is_theirs = or_(func.lower(stored).in_(written), stored.in_(written))
        rows: Sequence[Any] = session.exec(select(self._model).where(is_theirs)).all()
        return rows

    def _is_taken(self, session: Session, email: str) -> bool:
        """Tell whether somebody has an e-mail, be they active or not."""
        return any(
            is_same_email(row.email, email) and not self._is_deleted(row)
            for row in self._rows(session, email)
        )

    def _is_deleted(self, row: Any) -> bool:
        return getattr(row, self._deleted_at, None) is not None

    def _may_sign_in(self, row: Any) -> bool:
        is_active = bool(getattr(row, self._is_active, True))
        return is_active and not self._is_deleted(row)

    def _user(self, row: Any) -> User:
        user = User(
            id=str(row.id),
            email=recorded_form(row.email or ""),
            name=None if self._name is None else getattr(row, self._name),
            password_hash=getattr(row, self._password_hash) or "",
            email_verified=bool(getattr(row, "email_verified", False)),
        )
        user.put_on_record(row.email or "")
        return user

    def _key(self, user_id: str) -> Any:
        kept = self._model.__table__.c.id.type
        if isinstance(kept, Uuid) and not kept.as_uuid:
            # A text here, and a UUID there: PostgreSQL takes no other to compare.
            return None if key_of(user_id, UUID) is None else user_id
        return key_of(user_id, kept.python_type)

    def _is_row(self, key: Any) -> ColumnElement[bool]:
        is_row: ColumnElement[bool] = col(self._model.id) == comparable(key)
        return is_row

    def _update(self, user: User, only_if: ColumnElement[bool], **values: Any) -> Any:
        return (
            update(self._model)
            .where(self._is_row(self._key(user.id)), only_if)
            .values(**values)
            .execution_options(synchronize_session=False)
        )

    async def _run(self, work: Callable[[Session], T]) -> T:
        """Do some work in one transaction."""
        with sql_outages():
            if self._is_async:
                async with _opened(self._sessions) as session:
                    result = await session.run_sync(work)  # type: ignore[arg-type]
                    await session.commit()
                    return result
            return await to_thread.run_sync(self._run_here, work)

    def _run_here(self, work: Callable[[Session], T]) -> T:
        with _opened_here(self._sessions) as session:
            result = work(session)
            session.commit()
            return result


def _changed(session: Session, statement: Any) -> bool:
    """Tell whether a statement has changed one row."""
    result: Any = session.execute(statement)
    return bool(result.rowcount == 1)


@asynccontextmanager
async def _opened(sessions: Callable[[], Any]) -> AsyncIterator[AsyncSession]:
    async with asynccontextmanager(sessions)() as session:
        yield session


@contextmanager
def _opened_here(sessions: Callable[[], Any]) -> Iterator[Session]:
    with contextmanager(sessions)() as session:
        yield session
