"""Accounts in this event loop, a client of theirs, and what they have written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from accounts_kit import CHEAP, EMAIL, PASSWORD, Store, make_auth
from fastbearer.accounts import AccountEvent, Accounts, Message
from wide_databases import client_of


class Desk:
    """A client of accounts, the messages that they have sent, and the events."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        outbox: list[Message],
        events: list[AccountEvent],
    ) -> None:
        self.client = client
        self.outbox = outbox
        self.events = events
        self.token = ""

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx2.Response:
        """Ask as whoever has the token, and keep the token of the answer."""
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        json = None if method == "GET" else body
        answer = await self.client.request(method, path, json=json, headers=sent)
        data = answer.json().get("data") if answer.is_success else None
        if isinstance(data, dict) and "token" in data:
            self.token = data["token"]
        return answer

    async def post(self, path: str, **body: Any) -> int:
        return (await self.ask("POST", path, **body)).status_code

    async def told(self, path: str, **body: Any) -> tuple[int, Any]:
        """Return status and body of the answer."""
        answer = await self.ask("POST", path, **body)
        return answer.status_code, answer.json()

    async def sign_up(self, email: str = EMAIL, **body: Any) -> str:
        """Sign up, stay signed in, and return the token."""
        self.token = ""
        body = {"password": PASSWORD, **body}
        assert await self.post("signup", email=email, **body) == 201
        return self.token

    async def me(self) -> dict[str, Any]:
        answer = await self.ask("GET", "me")
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def code(self, path: str = "forgot-password") -> str:
        """Ask for a code, and return it."""
        body = {"email": EMAIL} if path == "forgot-password" else {}
        assert await self.post(path, **body) == 202
        return self.outbox[-1].code

    async def code_to(self, new: str) -> str:
        """Ask for a change of the e-mail, and return the code that was sent."""
        body = {"new_email": new, "password": PASSWORD}
        assert await self.post("change-email", **body) == 202
        return self.sent("change_email")[-1].code

    def sent(self, purpose: str) -> list[Message]:
        return [one for one in self.outbox if one.purpose == purpose]

    def names(self) -> list[str]:
        return [event.name for event in self.events]


@asynccontextmanager
async def desk_of(
    database: Store, *, settings: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Desk]:
    outbox: list[Message] = []
    events: list[AccountEvent] = []
    auth = make_auth(database, **{"revocation": "database", **(settings or {})})
    accounts = Accounts(auth, **{"hasher": CHEAP, "send": outbox.append, **options})
    accounts.on_event()(events.append)
    async with client_of(accounts) as client:
        yield Desk(client, outbox, events)


def at_the_desk(work: Any, database: Store, **options: Any) -> Any:
    """Run a coroutine function that takes a desk."""

    async def run() -> Any:
        async with desk_of(database, **options) as desk:
            return await work(desk)

    return asyncio.run(run())
