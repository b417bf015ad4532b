"""The tables that this package owns, and what their columns are made of."""

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import uuid4

from sqlalchemy import DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

__all__ = ["Record", "User", "UtcDateTime", "new_id", "utc_now"]

EMAIL_LENGTH = 254  # RFC 5321 4.5.3.1.3, as RFC 3696 erratum 1690 counts it
NAME_LENGTH = 255


def new_id() -> str:
    """Return a fresh id: 32 lower-case hexadecimal digits, at random."""
    return uuid4().hex


def utc_now() -> datetime:
    """Return the current time, aware of its zone."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Times that are aware and in UTC, also on databases that know no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Return the time in UTC.

        Raises:
            ValueError: The time is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time must be aware of its zone")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Return the time in UTC; SQLite gives it back without its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


class Record(SQLModel, registry=registry()):
    """Base of our tables: a MetaData of their own, and prefixed names.

    So they neither meet nor shadow the tables of the project around them.
    """


class User(Record, table=True):
    """A user who signed up here.

    Attributes:
        id: Opaque; 32 lower-case hexadecimal digits.
        email: In the form of ``schemas.Email``, hence unique whatever its
            case was.
        name: What the user wants to be called, if they said so.
        password_hash: Of any format that ``PasswordHash.verify`` knows.
        created_at: UTC.
        updated_at: UTC.
    """

    __tablename__: ClassVar[Any] = "fastbearer_user"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    email: str = Field(unique=True, max_length=EMAIL_LENGTH)
    name: str | None = Field(default=None, max_length=NAME_LENGTH)
    password_hash: str = Field(repr=False)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
