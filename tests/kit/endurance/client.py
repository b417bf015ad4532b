"""Somebody who asks, at both workers, and goes on when a store is back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

from endurance.ledger import (
    NO_SUCH_USER_TEXT,
    REVOKED_TEXT,
    Answer,
    AwayError,
    BrokenError,
    BusyError,
    Kind,
    Ledger,
)
from endurance.promises import EndedToken
from endurance.wire import HangError, Header, Line, LostError, Reply, bearer

PAUSE_SECONDS = 0.1
"""Between two attempts while a store is away."""

MOST_IN_CALM = 20
"""Attempts that are refused while no store is away."""

ME = Kind("account, good token")
ENDED = Kind("account, ended token")
REVOKED = Answer(401, REVOKED_TEXT)
NO_SUCH_USER = Answer(401, NO_SUCH_USER_TEXT)
OK = Answer(200)


class Gate:
    """Stops all requests, so that the workers can be measured at rest."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._calm = asyncio.Event()
        self._calm.set()
        self._under_way = 0

    async def __aenter__(self) -> None:
        while not self._open.is_set():
            await self._open.wait()
        self._under_way += 1
        self._calm.clear()

    async def __aexit__(self, *failure: object) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._calm.set()

    async def close(self) -> None:
        """Return when no request is under way; there will be none until `open`."""
        self._open.clear()
        await self._calm.wait()

    def open(self) -> None:
        self._open.set()


class Client:
    """Asks either worker, at random.

    Args:
        ledger: Judges each answer.
        gate: Is passed at each request.
        lines: One to each worker.
        random: Chooses.
    """

    def __init__(
        self, ledger: Ledger, gate: Gate, lines: Sequence[Line], random: Random
    ) -> None:
        self.ledger = ledger
        self.random = random
        self.lines = lines
        self._gate = gate

    async def ask(
        self,
        kind: Kind,
        method: str,
        path: str,
        *allowed: Answer,
        headers: Sequence[Header] = (),
        body: Any = None,
        line: Line | None = None,
    ) -> tuple[Reply, Answer]:
        """Return what is answered, which is one of what may be.

        Raises:
            AwayError, BrokenError: As in `Ledger.judge`.
        """
        reply = await self.reply(kind, method, path, headers, body, line)
        return reply, self.ledger.judge(kind, reply, allowed, path)

    async def reply(
        self,
        kind: Kind,
        method: str,
        path: str,
        headers: Sequence[Header] = (),
        body: Any = None,
        line: Line | None = None,
    ) -> Reply:
        """Return what is answered, whatever it is.

        Raises:
            BrokenError: There is no answer.
        """
        chosen = self.random.choice(self.lines) if line is None else line
        async with self._gate:
            try:
                return await chosen.ask(method, path, headers=headers, body=body)
            except HangError as error:
                self.ledger.fault(f"{kind.name}: no answer", error)
            except LostError as error:
                self.ledger.fault(f"{kind.name}: a connection that was lost", error)
        raise BrokenError

    async def insist(
        self,
        kind: Kind,
        method: str,
        path: str,
        *allowed: Answer,
        unsure: Sequence[Answer] = (),
        headers: Sequence[Header] = (),
        body: Any = None,
    ) -> tuple[Reply, Answer, bool]:
        """Ask until the answer is no 503.

        Args:
            kind: As in `ask`, like the others.
            method: As in `ask`.
            path: As in `ask`.
            allowed: What may be answered.
            unsure: What may be answered as well, once there was a 503: it may have
                been done all the same.
            headers: As in `ask`.
            body: As in `ask`.

        Returns:
            The last element: whether there was a 503.
        """
        is_unsure, calm = False, 0
        while True:
            try:
                may_be = (*allowed, *unsure) if is_unsure else allowed
                reply, answer = await self.ask(
                    kind, method, path, *may_be, headers=headers, body=body
                )
            except AwayError as error:
                is_unsure = True
                is_calm = self.ledger.is_calm and not isinstance(error, BusyError)
                calm = calm + 1 if is_calm else 0
                if calm > MOST_IN_CALM:
                    raise BrokenError from None  # each of them is a fault already
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return reply, answer, is_unsure

    async def check_good(self, token: str) -> None:
        """Ask for an account with a token that is good."""
        await self.insist(ME, "GET", "/api/auth/me", OK, headers=bearer(token))

    async def check_ended(self, ended: EndedToken) -> None:
        """Ask with a token whose session has ended, once; a 503 will do."""
        reply = await self.reply(ENDED, "GET", "/api/auth/me", bearer(ended.token))
        must = ended.must_be_refused(reply, self.ledger)
        # Who has not heard of a deletion yet takes the token, and finds no user.
        allowed = (REVOKED,) if must else (REVOKED, NO_SUCH_USER, OK)
        with suppress(AwayError):
            self.ledger.judge(ENDED, reply, allowed)
