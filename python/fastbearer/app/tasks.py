"""The routes of a user's own tasks."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, HTTPException, Request

from fastbearer.accounts import AccountEvent, Database
from fastbearer.accounts.records import utc_now
from fastbearer.app.migrations import TASKS
from fastbearer.app.models import Task
from fastbearer.app.schemas import (
    DEFAULT_LIMIT,
    TEXTS,
    Completed,
    Limit,
    NewTask,
    Offset,
    PublicTask,
    TaskAnswer,
    TaskChanges,
    TaskDeleted,
    TaskId,
    TaskList,
    TaskReplacement,
    UserId,
)
from fastbearer.app.task_store import TaskStore
from fastbearer.fastapi import Auth
from fastbearer.fastapi.home_users import owner
from fastbearer.fastapi.strict_routes import StrictRoute, refusals

__all__ = ["Tasks"]

NOT_FOUND = "Task not found"


def owner_of(request: Request, user_id: UserId) -> str:
    """Return under which name the tasks of the path's user are kept."""
    return owner(request.scope, user_id)


Owner = Annotated[str, Depends(owner_of)]


class TasksRoute(StrictRoute):
    """Invalid input is refused in the words of the schemas."""

    texts: ClassVar[dict[str, str]] = TEXTS


class Tasks:
    """Tasks that only the user of the path sees and changes.

    Args:
        auth: Guards every route with ``verify_owner_id``.
        database: Where the tasks are; the router's lifespan opens it.

    Attributes:
        router: The routes, under ``/{user_id}/tasks``.
    """

    def __init__(self, auth: Auth, database: Database) -> None:
        database.add(TASKS)
        self._store = TaskStore(database)
        self.router: APIRouter = APIRouter(
            prefix="/{user_id}/tasks",
            tags=["tasks"],
            dependencies=[Depends(auth.verify_owner_id)],
            route_class=TasksRoute,
            lifespan=database.lifespan,
        )
        self._add_routes()

    async def forget_user(self, event: AccountEvent) -> None:
        """Delete the tasks of a user who is gone."""
        if event.user_id is not None:
            await self._store.remove_all(event.user_id)

    async def list_tasks(
        self,
        owner: Owner,
        completed: Completed = None,
        limit: Limit = DEFAULT_LIMIT,
        offset: Offset = 0,
    ) -> TaskList:
        """List your tasks, the newest first."""
        tasks = await self._store.list(
            owner, completed=completed, limit=limit, offset=offset
        )
        return TaskList(data=[PublicTask.model_validate(task) for task in tasks])

    async def create_task(self, owner: Owner, body: NewTask) -> TaskAnswer:
        """Create a task."""
        now = utc_now()
        task = Task(user_id=owner, **body.model_dump(), created_at=now, updated_at=now)
        await self._store.add(task)
        return _answer(task)

    async def get_task(self, owner: Owner, task_id: TaskId) -> TaskAnswer:
        """Get one task."""
        return _answer(await self._store.find(owner, task_id))

    async def replace_task(
        self, owner: Owner, task_id: TaskId, body: TaskReplacement
    ) -> TaskAnswer:
        """Replace a task: what the body leaves out gets its default."""
        return _answer(await self._store.change(owner, task_id, body.model_dump()))

    async def change_task(
        self, owner: Owner, task_id: TaskId, body: TaskChanges
    ) -> TaskAnswer:
        """Change a task: what the body leaves out stays as it is."""
        changes = body.model_dump(exclude_unset=True)
        if not changes:
            return _answer(await self._store.find(owner, task_id))
        return _answer(await self._store.change(owner, task_id, changes))

    async def toggle_task(self, owner: Owner, task_id: TaskId) -> TaskAnswer:
        """Complete a task, or make it incomplete again."""
        return _answer(await self._store.toggle(owner, task_id))

    async def delete_task(self, owner: Owner, task_id: TaskId) -> TaskDeleted:
        """Delete a task."""
        if not await self._store.remove(owner, task_id):
            raise _not_found()
        return TaskDeleted()

    def _add_routes(self) -> None:
        add = self.router.add_api_route
        # A store that is down is the 503; the 403 may be a cookie's, too.
        many = refusals(400, 401, 403, 503)
        create = refusals(400, 401, 403, 413, 503)
        one = refusals(400, 401, 403, 404, 503)
        write = refusals(400, 401, 403, 404, 413, 503)
        add("", self.list_tasks, methods=["GET"], responses=many)
        add("", self.create_task, methods=["POST"], status_code=201, responses=create)
        add("/{task_id}", self.get_task, methods=["GET"], responses=one)
        add("/{task_id}", self.replace_task, methods=["PUT"], responses=write)
        add("/{task_id}", self.change_task, methods=["PATCH"], responses=write)
        add("/{task_id}", self.delete_task, methods=["DELETE"], responses=one)
        add("/{task_id}/complete", self.toggle_task, methods=["PATCH"], responses=one)


def _answer(task: Task | None) -> TaskAnswer:
    if task is None:
        raise _not_found()
    return TaskAnswer(data=PublicTask.model_validate(task))


def _not_found() -> HTTPException:
    return HTTPException(404, NOT_FOUND)
