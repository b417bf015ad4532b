"""Whether all that was acknowledged is there at the end, and nothing that must not be.

The service is stopped and started again first: its new workers know what Redis and
PostgreSQL know, and nothing else.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from endurance.accounts import SIGN_IN, WRONG_CREDENTIALS, WRONG_SIGN_IN
from endurance.client import OK, Client
from endurance.deployment import Deployment
from endurance.ledger import BrokenError, Kind
from endurance.promises import Account, Promises
from endurance.sessions import ENDED_REFRESH, WRONG_REFRESH
from endurance.strangers import INVALID, ISSUERS_USER
from endurance.wire import bearer
from servers import ask

AUDITORS = 8
MOST_PASSWORDS = 60
"""Users who sign in at the end: each takes as long as a password is to be guessed."""

MOST_SPENT = 500
SURE_OF_BOTH = 20
"""Answers in a row that are alike, half of them by either worker."""

WITHDRAWN = Kind("tasks listed, key that was withdrawn")
UNKNOWN_KEY = "unknown_key: kid_unknown"

REFUSED = re.compile(r"token refused: ([^;\n]+)")
UNHEARD = re.compile(
    r"Traceback|Exception in ASGI|Exception ignored|never retrieved|never awaited"
    r"|ResourceWarning|Fatal|Segmentation|Child process .* died"
)
"""What a log has that nobody wants to read, whatever has become of the stores."""

Thing = TypeVar("Thing")


class Audit:
    """Goes through all promises.

    Args:
        deployment: Runs.
        promises: What was acknowledged.
        new_client: Makes somebody who asks the workers that there are.
    """

    def __init__(
        self,
        deployment: Deployment,
        promises: Promises,
        new_client: Callable[[], Client],
    ) -> None:
        self._deployment = deployment
        self._promises = promises
        self._ledger = promises.ledger
        self._new_client = new_client

    async def run(self) -> dict[str, int]:
        """Return what was kept: what -> how many."""
        service = self._deployment.service
        with suppress(BrokenError):
            await self._withdrawn_keys()
        await asyncio.to_thread(self._stop)
        await asyncio.to_thread(service.start)
        promises = self._promises
        going_on = [
            session.access
            for account in promises.accounts
            for session in account.sessions
        ]
        await self._each(promises.ended, Client.check_ended)
        await self._each(going_on, Client.check_good)
        await self._each(promises.spent[-MOST_SPENT:], _refused_refresh)
        await self._each(self._some_accounts(), _sign_in)
        await asyncio.to_thread(self._stop)
        await asyncio.to_thread(self._check_tables)
        self._check_log()
        return {
            "tasks": len(promises.tasks),
            "deleted tasks": len(promises.deleted),
            "users": sum(one.is_gone is False for one in promises.accounts),
            "deleted users": sum(one.is_gone is True for one in promises.accounts),
            "sessions that go on": len(going_on),
            "ended access tokens": len(promises.ended),
        }

    async def _each(
        self,
        things: Iterable[Thing],
        check: Callable[[Client, Thing], Awaitable[None]],
    ) -> None:
        waiting = iter(list(things))

        async def work() -> None:
            client = self._new_client()
            for one in waiting:
                try:
                    await check(client, one)
                except BrokenError:
                    continue  # it is noted

        await asyncio.gather(*(work() for _ in range(AUDITORS)))

    def _some_accounts(self) -> list[Account]:
        known = [one for one in self._promises.accounts if one.is_gone is not None]
        random = self._new_client().random
        return random.sample(known, min(MOST_PASSWORDS, len(known)))

    async def _withdrawn_keys(self) -> None:
        """See to it that no worker takes a token whose key the issuer has withdrawn.

        They take one until they have fetched the keys again, which they do when those
        that they have are no longer fresh.
        """
        client = self._new_client()
        for token in self._deployment.issuer.retired:
            refused = 0
            while refused < SURE_OF_BOTH:
                line = client.lines[refused % len(client.lines)]
                _, answer = await client.ask(
                    WITHDRAWN,
                    "GET",
                    f"/{ISSUERS_USER}/tasks",
                    OK,
                    INVALID,
                    headers=bearer(token),
                    line=line,
                )
                if answer is INVALID:
                    self._ledger.refusals[UNKNOWN_KEY] += 1
                    refused += 1
                else:
                    refused = 0
                    await asyncio.sleep(0.2)

    def _stop(self) -> None:
        """Stop the service, and see how its processes end."""
        service = self._deployment.service
        status = service.stop()
        if status != 0:
            self._ledger.fault("the service has not ended cleanly", f"status {status}")
        if service.finished() != set(service.workers):
            self._ledger.fault("a worker has not ended by itself", service.workers)

    def _check_tables(self) -> None:
        url, promises = self._deployment.database, self._promises
        found = {
            task: (owner, title, completed)
            for task, owner, title, completed in ask(
                url, "SELECT id, user_id, title, completed FROM fastbearer_task"
            )
        }
        for key, one in promises.tasks.items():
            if found.pop(key, None) != (one.owner, one.title, one.completed):
                self._ledger.fault("a task that was acknowledged and is not kept", key)
        for key in promises.deleted & found.keys():
            self._ledger.fault("a task that was deleted and is there", key)
        owners = {one.id for one in promises.accounts if one.is_gone is False}
        for key, (owner, title, _) in found.items():
            if owner in owners and title not in promises.unsure:
                self._ledger.fault("a task that nobody has created", (key, title))
        users = {email for (email,) in ask(url, "SELECT email FROM fastbearer_user")}
        for account in promises.accounts:
            if account.is_gone is False and account.email not in users:
                self._ledger.fault("a user who is not kept", account.email)
            if account.is_gone is True and account.email in users:
                self._ledger.fault("a user who was deleted is there", account.email)

    def _check_log(self) -> None:
        """Compare why tokens were refused with why they should be."""
        told: Counter[str] = Counter()
        for line in self._deployment.service.lines():
            refused = REFUSED.search(line)
            if refused is not None:
                told[refused[1].strip()] += 1
            elif UNHEARD.search(line):
                self._ledger.fault("the log has an error that nobody expects", line)
        for why, count in self._ledger.refusals.items():
            if told[why] != count:
                self._ledger.fault(
                    "tokens were refused for another reason",
                    f"{why}: {count} refused, {told[why]} in the log",
                )


async def _refused_refresh(client: Client, token: str) -> None:
    body = {"refresh_token": token}
    await client.insist(
        ENDED_REFRESH, "POST", "/api/auth/refresh", WRONG_REFRESH, body=body
    )


async def _sign_in(client: Client, account: Account) -> None:
    body = {"email": account.email, "password": account.password}
    kind, answer = (SIGN_IN, OK)
    if account.is_gone:
        kind, answer = WRONG_SIGN_IN, WRONG_CREDENTIALS
    await client.insist(kind, "POST", "/api/auth/signin", answer, body=body)
