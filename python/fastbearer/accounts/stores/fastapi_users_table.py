"""The table of users that fastapi-users has made."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CHAR, Boolean, Dialect, String, TypeDecorator, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeEngine

__all__ = ["FastAPIUsersTable", "HyphenatedUuid"]

UUID_LENGTH = 36


class HyphenatedUuid(TypeDecorator[UUID]):
    """UUIDs as fastapi-users keeps them: PostgreSQL's own type, else 36 characters.

    SQLAlchemy's ``Uuid`` writes 32 characters into databases without such a type, and
    would find nobody there.
    """

    impl: CHAR = CHAR(UUID_LENGTH)
    cache_ok: bool = True

    @property
    def python_type(self) -> type[UUID]:
        """What the values are."""
        return UUID

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of a database."""
        kept = Uuid() if dialect.name == "postgresql" else CHAR(UUID_LENGTH)
        return dialect.type_descriptor(kept)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the UUID as the database has it."""
        if value is None:
            return None
        known = value if isinstance(value, UUID) else UUID(value)
        return known if dialect.name == "postgresql" else str(known)

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        """Return the UUID."""
        if value is None or isinstance(value, UUID):
            return value
        return UUID(value)


class FastAPIUsersTable:
    """The columns of fastapi-users' ``SQLAlchemyBaseUserTableUUID``.

    A mixin for a declarative model: ``class User(FastAPIUsersTable, Base)``. A table
    with integer ids has ``id: Mapped[int] = mapped_column(primary_key=True)`` in its
    own class.
    """

    __tablename__ = "user"

    id: Mapped[Any] = mapped_column(HyphenatedUuid, primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(320), unique=True, index=True)
    hashed_password: Mapped[str] = mapped_column(String(1024))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    is_superuser: Mapped[bool] = mapped_column(Boolean, default=False)
    is_verified: Mapped[bool] = mapped_column(Boolean, default=False)
