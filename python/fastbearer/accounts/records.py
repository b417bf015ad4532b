"""What the rows of our tables are made of: a base, ids, secrets and times."""

import secrets
from datetime import UTC, datetime
from hashlib import sha256
from uuid import uuid4

from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

__all__ = [
    "Record",
    "UtcDateTime",
    "Words",
    "digest",
    "new_id",
    "new_secret",
    "utc_now",
]

SECRET_BYTES = 32


def new_id() -> str:
    """Return a fresh id: 32 lower-case hexadecimal digits, at random."""
    return uuid4().hex


def new_secret() -> str:
    """Return 32 random bytes as text; too many to guess, so no salt is needed."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the form in which a secret is stored: 64 hexadecimal digits."""
    return sha256(secret.encode()).hexdigest()


def utc_now() -> datetime:
    """Return the current time, aware of its zone."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Times that are aware and in UTC, also on databases that know no zones."""

    impl: DateTime = DateTime(timezone=True)
    cache_ok: bool = True

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


class Words(TypeDecorator[list[str]]):
    """Words without spaces, in a string with spaces between them (RFC 6749 3.3)."""

    impl: type[String] = String
    cache_ok: bool = True

    def process_bind_param(
        self, value: list[str] | None, dialect: Dialect
    ) -> str | None:
        """Return the text.

        Raises:
            ValueError: A word is empty, or has a space.
        """
        if value is None:
            return None
        if any(word.split() != [word] for word in value):
            raise ValueError("a word must not be empty, nor have spaces")
        return " ".join(value)

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> list[str] | None:
        """Return the words."""
        return None if value is None else value.split()


class Record(SQLModel, registry=registry()):
    """Base of our tables: a MetaData of their own, and prefixed names.

    So they neither meet nor shadow the tables of the project around them.
    """
