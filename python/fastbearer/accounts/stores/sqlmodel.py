"""Users in a model of the project's own."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.concurrency import run_in_threadpool

from fastbearer.accounts.models import User
from fastbearer.accounts.stores.ids import comparable, key_of
from fastbearer.accounts.stores.protocol import EmailTakenError
from fastbearer.connections.engine import sql_outages
from fastbearer.errors import ConfigurationError

__all__ = ["SQLModelUserStore"]

T = TypeVar("T")


class SQLModelUserStore:
    """Keeps users in a table of the project, through its own sessions.

    The model has ``id`` (text, UUID or integer, made by the model or by the
    database), ``email`` and a field for the password hash; ``name`` and
    ``email_verified`` if there are such fields. Where it has ``is_active``,
    users for whom that is false are as good as unknown. E-mails are compared
    in lower case; put a unique index on ``lower(email)``, or store them so.

    Args:
        model: A SQLModel class with ``table=True``.
        session_dependency: The function with ``yield`` that FastAPI's
            ``Depends`` takes: it gives a ``Session``, which is then used in
            a thread, or an ``AsyncSession``.
        password_hash: Name of the field with the hash.
        name: Name of the field with the user's name.

    Raises:
        ConfigurationError: The model lacks such a field.
    """

    def __init__(
        self,
        model: type[SQLModel],
        session_dependency: Callable[[], Any],
        *,
        password_hash: str = "password_hash",
        name: str = "name",
    ) -> None:
        for field in ("id", "email", password_hash):
            if field not in model.model_fields:
                raise ConfigurationError(f"{model.__name__} has no field {field}")
        self._model: Any = model
        self._password_hash = password_hash
        self._name = name if name in model.model_fields else None
        self._is_async = inspect.isasyncgenfunction(session_dependency)
        self._sessions = session_dependency

    def new_row(self, user: User) -> SQLModel:
        """Return the row of a new user; override it for more fields."""
        values = {"email": user.email, self._password_hash: user.password_hash}
        if self._name is not None and user.name is not None:
            values[self._name] = user.name
        row: SQLModel = self._model(**values)
        return row

    async def add(self, user: User) -> None:
        """As in `UserStore`; the user's id becomes that of the row."""
        if await self.find_by_email(user.email) is not None:
            raise EmailTakenError("this e-mail is registered already")
        row: Any = self.new_row(user)

        def insert(session: Session) -> str:
            session.add(row)
            session.flush()
            return str(row.id)

        try:
            user.id = await self._run(insert)
        except IntegrityError:
            if await self.find_by_email(user.email) is None:
                raise
            raise EmailTakenError("this e-mail is registered already") from None

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`."""
        lowered = func.lower(col(self._model.email))

        def find(session: Session) -> User | None:
            rows = session.exec(select(self._model).where(lowered == email).limit(2))
            found = rows.all()
            # Two that differ in case: whose password it is nobody can tell.
            return self._user(found[0]) if len(found) == 1 else None

        return await self._run(find)

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`."""
        key = self._key(user_id)
        if key is None:
            return None

        def find(session: Session) -> User | None:
            is_theirs = col(self._model.id) == comparable(key)
            return self._user(
                session.exec(select(self._model).where(is_theirs)).first()
            )

        return await self._run(find)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`."""
        key = self._key(user.id)

        def replace(session: Session) -> bool:
            row = session.get(self._model, key, with_for_update=True)
            if row is None or getattr(row, self._password_hash) != user.password_hash:
                return False
            setattr(row, self._password_hash, password_hash)
            return True

        return await self._run(replace)

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`; without such a field, nothing is noted."""
        key = self._key(user.id)

        def verify(session: Session) -> None:
            row = session.get(self._model, key)
            if row is not None and hasattr(row, "email_verified"):
                row.email_verified = True

        await self._run(verify)

    async def remove(self, user: User) -> None:
        """As in `UserStore`."""
        key = self._key(user.id)

        def remove(session: Session) -> None:
            row = session.get(self._model, key)
            if row is not None:
                session.delete(row)

        await self._run(remove)

    def _user(self, row: Any) -> User | None:
        if row is None or not getattr(row, "is_active", True):
            return None
        return User(
            id=str(row.id),
            email=row.email.lower(),
            name=None if self._name is None else getattr(row, self._name),
            password_hash=getattr(row, self._password_hash),
            email_verified=bool(getattr(row, "email_verified", False)),
        )

    def _key(self, user_id: str) -> Any:
        return key_of(user_id, self._model.__table__.c.id.type.python_type)

    async def _run(self, work: Callable[[Session], T]) -> T:
        """Do some work in one transaction."""
        with sql_outages():
            if self._is_async:
                async with _opened(self._sessions) as session:
                    result = await session.run_sync(work)  # type: ignore[arg-type]
                    await session.commit()
                    return result
            return await run_in_threadpool(self._run_here, work)

    def _run_here(self, work: Callable[[Session], T]) -> T:
        with _opened_here(self._sessions) as session:
            result = work(session)
            session.commit()
            return result


@asynccontextmanager
async def _opened(sessions: Callable[[], Any]) -> AsyncIterator[AsyncSession]:
    async with asynccontextmanager(sessions)() as session:
        yield session


@contextmanager
def _opened_here(sessions: Callable[[], Any]) -> Iterator[Session]:
    with contextmanager(sessions)() as session:
        yield session
