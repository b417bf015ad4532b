"""What the task routes read and answer."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from fastbearer.app.models import DESCRIPTION_LENGTH, TITLE_LENGTH, USER_ID_LENGTH
from fastbearer.fastapi.strict_routes import WithoutNul

__all__ = [
    "Completed",
    "Limit",
    "NewTask",
    "Offset",
    "PublicTask",
    "TaskAnswer",
    "TaskChanges",
    "TaskDeleted",
    "TaskId",
    "TaskList",
    "TaskReplacement",
    "UserId",
]

ID_LENGTH = 255
MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_OFFSET = 2**31 - 1

TEXTS = {
    "title": f"Title must be a string of 1 to {TITLE_LENGTH} characters",
    "description": (
        f"Description must be a string of at most {DESCRIPTION_LENGTH} characters, "
        "or null"
    ),
    "completed": "Completed must be true or false",
    "limit": f"Limit must be a whole number from 1 to {MAX_LIMIT}",
    "offset": f"Offset must be a whole number from 0 to {MAX_OFFSET}",
    "user_id": f"User ID must be at most {USER_ID_LENGTH} characters, without NUL",
    "task_id": f"Task ID must be at most {ID_LENGTH} characters, without NUL",
}

Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_LENGTH),
    WithoutNul,
    Field(description=TEXTS["title"]),
]
Description = Annotated[
    Annotated[str, StringConstraints(max_length=DESCRIPTION_LENGTH), WithoutNul] | None,
    Field(description=TEXTS["description"]),
]

UserId = Annotated[
    str, WithoutNul, Path(max_length=USER_ID_LENGTH, description="Your own user ID")
]
TaskId = Annotated[str, WithoutNul, Path(max_length=ID_LENGTH)]
Completed = Annotated[bool | None, Query(description="Only those that are, or are not")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=TEXTS["limit"])]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description=TEXTS["offset"])]


class NewTask(BaseModel):
    """A task to create."""

    title: Title
    description: Description = None


class TaskReplacement(NewTask):
    """A whole task; what it leaves out gets its default."""

    completed: StrictBool = False


class TaskChanges(BaseModel):
    """Some fields of a task; what it leaves out stays as it is."""

    # The defaults are never used; factories keep them out of the schema.
    title: Title = Field(default_factory=str)
    description: Description = None
    completed: StrictBool = Field(default_factory=bool)


class PublicTask(BaseModel):
    """A task as its user sees it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(from_attributes=True)

    id: str
    title: str
    description: str | None
    completed: bool
    created_at: datetime
    updated_at: datetime


class TaskAnswer(BaseModel):
    """One task."""

    success: Literal[True] = True
    data: PublicTask


class TaskList(BaseModel):
    """Tasks, the newest first."""

    success: Literal[True] = True
    data: list[PublicTask]


class TaskDeleted(BaseModel):
    """The answer to a deletion."""

    success: Literal[True] = True
