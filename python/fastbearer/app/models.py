"""The table of tasks."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import Field

from fastbearer.accounts.records import Record, UtcDateTime, new_id, utc_now

__all__ = ["Task"]

USER_ID_LENGTH = 255
TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 2000


class Task(Record, table=True):
    """Something that a user wants to do.

    Attributes:
        id: Opaque; 32 lower-case hexadecimal digits.
        user_id: The user of the token, or a name that stands for issuer and subject. No
            foreign key: a token that a Better Auth frontend signed may name a user who
            never signed up here.
        title: Not empty.
        description: More about it, or None.
        completed: Whether it is done.
        created_at: UTC.
        updated_at: UTC; when one of the fields was last written.
    """

    __tablename__: ClassVar[Any] = "fastbearer_task"
    # The order of a user's list.
    __table_args__: ClassVar[tuple[Index, ...]] = (
        Index("fastbearer_task_by_age", "user_id", "created_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    user_id: str = Field(max_length=USER_ID_LENGTH)
    title: str = Field(max_length=TITLE_LENGTH)
    description: str | None = Field(default=None, max_length=DESCRIPTION_LENGTH)
    completed: bool = False
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
