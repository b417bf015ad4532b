"""Where tasks are kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, not_
from sqlmodel import col, select

from fastbearer.accounts import Database
from fastbearer.accounts.database import update_row
from fastbearer.accounts.records import utc_now
from fastbearer.app.models import Task

__all__ = ["TaskStore"]


class TaskStore:
    """Tasks in the table ``fastbearer_task``.

    Every method works on the tasks of one user: another user's task is
    missing, as one that never was. Each is one statement, so that no two
    requests undo each other's work.

    Args:
        database: Must be open when a method is called.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, user_id: str, *, completed: bool | None, limit: int, offset: int
    ) -> Sequence[Task]:
        """Return a user's tasks, the newest first.

        Args:
            user_id: Whose tasks.
            completed: Only those that are, or are not; None for both.
            limit: How many at most.
            offset: How many to leave out first.
        """
        query = select(Task).where(Task.user_id == user_id)
        if completed is not None:
            query = query.where(Task.completed == completed)
        query = query.order_by(col(Task.created_at).desc(), col(Task.id).desc())
        async with self._database.transaction() as session:
            return (await session.exec(query.limit(limit).offset(offset))).all()

    async def add(self, task: Task) -> None:
        """Keep a new task."""
        async with self._database.transaction() as session:
            session.add(task)

    async def find(self, user_id: str, task_id: str) -> Task | None:
        """Return a task, or None where the user has none of this id."""
        query = select(Task).where(Task.id == task_id, Task.user_id == user_id)
        async with self._database.transaction() as session:
            return (await session.exec(query)).one_or_none()

    async def change(
        self, user_id: str, task_id: str, values: Mapping[str, Any]
    ) -> Task | None:
        """Write some fields of a task; return it, or None as in ``find``."""
        changes = {**values, "updated_at": utc_now()}
        is_theirs = col(Task.user_id) == user_id
        async with self._database.transaction() as session:
            return await update_row(session, (Task, task_id), changes, is_theirs)

    async def toggle(self, user_id: str, task_id: str) -> Task | None:
        """Make a task completed that is not, and the other way round."""
        opposite = {"completed": not_(col(Task.completed))}
        return await self.change(user_id, task_id, opposite)

    async def remove(self, user_id: str, task_id: str) -> bool:
        """Delete a task; return whether there was one."""
        statement = delete(Task).where(
            col(Task.id) == task_id, col(Task.user_id) == user_id
        )
        async with self._database.transaction() as session:
            return (await session.exec(statement)).rowcount == 1

    async def remove_all(self, user_id: str) -> None:
        """Delete every task of a user."""
        statement = delete(Task).where(col(Task.user_id) == user_id)
        async with self._database.transaction() as session:
            await session.exec(statement)
