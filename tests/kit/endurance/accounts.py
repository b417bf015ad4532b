"""Visitors: each signs up, works, and ends sessions in one of all ways."""

from __future__ import annotations

from itertools import count
from secrets import token_hex

from endurance.client import OK, Client
from endurance.ledger import Answer, Kind
from endurance.promises import Account, Promises, Session, Task
from endurance.wire import Reply, bearer

SIGN_UP = Kind("sign-up", hashes=True)
SIGN_IN = Kind("sign-in", hashes=True)
WRONG_SIGN_IN = Kind("sign-in, wrong password", hashes=True)
NEW_TASK = Kind("task created")
READ_TASK = Kind("task read")
LIST_TASKS = Kind("tasks listed")
CHANGE_TASK = Kind("task changed")
DELETE_TASK = Kind("task deleted")
NO_TASK = Kind("task that is gone")
OTHERS_TASKS = Kind("tasks of another user")

CREATED = Answer(201)
TAKEN = Answer(400, "Email already registered")
WRONG_CREDENTIALS = Answer(401, "Invalid email or password")
NOT_FOUND = Answer(404, "Task not found")
OTHER_USER = Answer(403, "User ID mismatch: You can only access your own data")

_numbers = count(1)


class Visitor:
    """One user.

    Args:
        client: Asks.
        promises: Where it is noted what was acknowledged.
    """

    def __init__(self, client: Client, promises: Promises) -> None:
        self.client = client
        self.promises = promises
        self.account = Account(f"user{next(_numbers)}@example.com", token_hex(12))

    async def sign_up(self) -> Session:
        """Return the first session."""
        account = self.account
        body = {"email": account.email, "password": account.password}
        reply, answer, _ = await self.client.insist(
            SIGN_UP, "POST", "/api/auth/signup", CREATED, unsure=[TAKEN], body=body
        )
        self.promises.accounts.append(account)
        if answer is TAKEN:  # at an attempt whose answer was a 503
            return await self.sign_in()
        return self._begun(reply)

    async def sign_in(self) -> Session:
        """Return a session more."""
        body = {"email": self.account.email, "password": self.account.password}
        reply, _, _ = await self.client.insist(
            SIGN_IN, "POST", "/api/auth/signin", OK, body=body
        )
        return self._begun(reply)

    def _begun(self, reply: Reply) -> Session:
        data = reply.data
        self.account.id = data["user"]["id"]
        session = Session(data["token"], data["refresh_token"])
        self.account.sessions.append(session)
        return session

    async def refused_sign_in(self, password: str) -> None:
        """Sign in with a password that is wrong, or not the user's any more."""
        body = {"email": self.account.email, "password": password}
        await self.client.insist(
            WRONG_SIGN_IN, "POST", "/api/auth/signin", WRONG_CREDENTIALS, body=body
        )

    async def work(self, token: str) -> None:
        """Create tasks, read, change and delete them."""
        first, second, third = [await self.create_task(token) for _ in range(3)]
        await self.change_task(token, second)
        await self.delete_task(token, third)
        await self.list_tasks(token, present={first, second}, absent={third})
        others = (OTHERS_TASKS, "GET", "/somebody-else/tasks", OTHER_USER)
        await self.client.insist(*others, headers=bearer(token))

    async def create_task(self, token: str) -> str:
        """Return the ID of a new task."""
        title = token_hex(8)
        path = f"/{self.account.id}/tasks"
        reply, _, is_unsure = await self.client.insist(
            NEW_TASK,
            "POST",
            path,
            CREATED,
            headers=bearer(token),
            body={"title": title},
        )
        if is_unsure:
            self.promises.unsure.add(title)
        task_id: str = reply.data["id"]
        self.promises.tasks[task_id] = Task(self.account.id, title)
        return task_id

    async def change_task(self, token: str, task_id: str) -> None:
        task = self.promises.tasks[task_id]
        changes = {"title": f"{task.title} changed", "completed": True}
        await self.client.insist(
            CHANGE_TASK,
            "PATCH",
            f"/{self.account.id}/tasks/{task_id}",
            OK,
            headers=bearer(token),
            body=changes,
        )
        if task.title in self.promises.unsure:
            self.promises.unsure.add(changes["title"])
        task.title, task.completed = changes["title"], True
        reply, _, _ = await self.client.insist(
            READ_TASK,
            "GET",
            f"/{self.account.id}/tasks/{task_id}",
            OK,
            headers=bearer(token),
        )
        if reply.data["title"] != task.title or not reply.data["completed"]:
            self.client.ledger.fault("a change of a task that was lost", reply.body)

    async def delete_task(self, token: str, task_id: str) -> None:
        path, headers = f"/{self.account.id}/tasks/{task_id}", bearer(token)
        await self.client.insist(
            DELETE_TASK, "DELETE", path, OK, unsure=[NOT_FOUND], headers=headers
        )
        del self.promises.tasks[task_id]
        self.promises.deleted.add(task_id)
        await self.client.insist(NO_TASK, "GET", path, NOT_FOUND, headers=headers)

    async def list_tasks(self, token: str, present: set[str], absent: set[str]) -> None:
        path = f"/{self.account.id}/tasks"
        reply, _, _ = await self.client.insist(
            LIST_TASKS, "GET", path, OK, headers=bearer(token)
        )
        found = {one["id"] for one in reply.data}
        if not present <= found or absent & found:
            self.client.ledger.fault("a list without a task, or with a deleted one")
