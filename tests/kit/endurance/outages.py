"""The deaths of PostgreSQL and of Redis, and how the workers get over them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from endurance.accounts import CREATED, LIST_TASKS, NEW_TASK, SIGN_IN, Visitor
from endurance.client import ME, OK, PAUSE_SECONDS, Client
from endurance.deployment import Deployment
from endurance.ledger import POSTGRES, AwayError, BrokenError, Kind, Ledger
from endurance.promises import Task
from endurance.strangers import Stranger
from endurance.wire import Line, bearer

MOST_ROUNDS = 300
"""In which a worker has to miss a store that has died, and to be over its absence when
it answers again: half a minute at least, and longer on a slow machine."""

ROUNDS = 3
"""In which nothing is refused: then a worker is over it."""

READY = Kind("readyz", is_health=True)


class Sentry:
    """Sees when both workers know that a store is away, and when they are over it.

    Args:
        client: Asks.
        visitor: Has signed up, and stays.
        token: The visitor's.
        stranger: Comes with what is refused in any case.
    """

    def __init__(
        self, client: Client, visitor: Visitor, token: str, stranger: Stranger
    ) -> None:
        self._client = client
        self._visitor = visitor
        self._token = token
        self._stranger = stranger

    async def suffer(self, deployment: Deployment, store: str) -> None:
        """Let a store die, wait until that shows, and start it again."""
        ledger = self._client.ledger
        server = deployment.stores[store]
        outage = ledger.begin(store)
        await asyncio.to_thread(server.kill)
        if not await self._each(lambda line: self._is_away(line, store)):
            ledger.fault(f"{store} is away, and it is not missed")
        outage.refused = time.monotonic()
        with suppress(BrokenError):
            await self._stranger.round()
        await asyncio.to_thread(server.start)
        outage.started = time.monotonic()
        for number in range(ROUNDS):
            is_served = await self._each(self._is_served)
            if not number:
                outage.served = time.monotonic()
            if not is_served:
                ledger.fault(
                    f"{store} is back, and a worker is not over it",
                    f"after {MOST_ROUNDS} rounds",
                )
                break
        outage.recovered = time.monotonic()

    async def _each(self, is_so: Callable[[Line], Awaitable[bool]]) -> bool:
        """Wait until something is so of each worker; tell whether it has become so."""
        for line in self._client.lines:
            for _ in range(MOST_ROUNDS):
                if await is_so(line):
                    break
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return False
        return True

    async def _is_away(self, line: Line, store: str) -> bool:
        """Tell whether all is refused that needs a store, and it is called down."""
        asked = [self._me(line), self._sign_in(line)]
        if store == POSTGRES:
            asked += [self._task(line), self._list(line)]
        served = [await one for one in asked]
        return not any(served) and not await self._is_ready(line)

    async def _is_served(self, line: Line) -> bool:
        asked = [self._me, self._sign_in, self._task, self._list, self._is_ready]
        return all([await one(line) for one in asked])

    async def _ask(self, *request: Any, line: Line, body: Any = None) -> bool:
        headers = bearer(self._token)
        try:
            await self._client.ask(*request, headers=headers, body=body, line=line)
        except (AwayError, BrokenError):
            return False
        return True

    async def _me(self, line: Line) -> bool:
        return await self._ask(ME, "GET", "/api/auth/me", OK, line=line)

    async def _list(self, line: Line) -> bool:
        return await self._ask(LIST_TASKS, "GET", self._path, OK, line=line)

    async def _sign_in(self, line: Line) -> bool:
        account = self._visitor.account
        body = {"email": account.email, "password": account.password}
        return await self._ask(
            SIGN_IN, "POST", "/api/auth/signin", OK, line=line, body=body
        )

    async def _task(self, line: Line) -> bool:
        title = "of the sentry"
        try:
            reply, _ = await self._client.ask(
                NEW_TASK,
                "POST",
                self._path,
                CREATED,
                headers=bearer(self._token),
                body={"title": title},
                line=line,
            )
        except (AwayError, BrokenError):
            self._visitor.promises.unsure.add(title)
            return False
        task = Task(self._visitor.account.id, title)
        self._visitor.promises.tasks[reply.data["id"]] = task
        return True

    async def _is_ready(self, line: Line) -> bool:
        return await self._ask(READY, "GET", "/readyz", OK, line=line)

    @property
    def _path(self) -> str:
        return f"/{self._visitor.account.id}/tasks"


def recoveries(ledger: Ledger) -> list[str]:
    """Return a line for each outage."""
    return [
        f"{one.store}: killed, missed by both workers after"
        f" {(one.refused or 0) - one.killed:.1f} s, started again, over it"
        f" {(one.served or 0) - (one.started or 0):.1f} s after it answered"
        for one in ledger.outages
    ]
