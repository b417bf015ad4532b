"""The order of it all: traffic, measurements at rest, deaths, and the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from endurance.audit import Audit
from endurance.client import PAUSE_SECONDS, Client, Gate
from endurance.deployment import WORKERS, Deployment, deployed
from endurance.ledger import POSTGRES, REDIS, BrokenError, Ledger
from endurance.outages import Sentry
from endurance.promises import Promises
from endurance.sessions import ENDINGS, Sessions
from endurance.strangers import Stranger
from endurance.watch import Sample, sample
from endurance.wire import Line
from servers import ask

MOST_GROWTH_MIB = 24
"""By which a worker may grow after the warm-up: its caches are bounded, and a leak of
hundreds of bytes for each request would be more."""

MOST_FILES = 40
"""More open files than after the warm-up: the pools' connections come and go."""

MOST_THREADS = 4
"""More threads than after the warm-up: a fetch of keys, and its resolver."""

MOST_CONNECTIONS = WORKERS * 20
"""To PostgreSQL: ten of each worker stay, and ten more come and go."""

SECONDS_OF_TRAFFIC = 30.0
"""Between two measurements."""

CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass
class Plan:
    """What is asked of a campaign.

    Attributes:
        seconds: Of traffic, without the deaths, the warm-up and the audit.
        kills: How often each store dies.
        visitors: How many there are at a time.
        seed: Of all that is chosen at random.
        first_path: As in `deployed`.
    """

    seconds: float = 1800.0
    kills: int = 2
    visitors: int = 10
    seed: int = 1
    first_path: str | None = None


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        ledger: The answers, and the faults.
        samples: Worker -> its measurements after the warm-up.
        connections: To PostgreSQL, at each measurement.
        visits: How many visitors there were.
        kept: What the audit has found to be kept: what -> how many.
        rotations: Of the issuer's keys.
    """

    ledger: Ledger = field(default_factory=Ledger)
    samples: dict[int, list[Sample]] = field(default_factory=dict)
    connections: list[int] = field(default_factory=list)
    visits: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    rotations: int = 0


def run(plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Do it all.

    Args:
        plan: What is asked.
        tell: Is told what is about to be done.
    """
    tell("the stores and the service are started")
    with deployed(plan.first_path) as deployment:
        return asyncio.run(Campaign(plan, deployment, tell).run())


class Campaign:
    """One of them.

    Args:
        plan: What is asked.
        deployment: Runs.
        tell: As in `run`.
    """

    def __init__(
        self, plan: Plan, deployment: Deployment, tell: Callable[[str], None]
    ) -> None:
        self.outcome = Outcome()
        self._plan = plan
        self._tell = tell
        self._deployment = deployment
        self._ledger = self.outcome.ledger
        self._promises = Promises(self._ledger)
        self._gate = Gate()
        self._is_over = False
        self._clients: set[Client] = set()
        self._numbers = count(1)

    async def run(self) -> Outcome:
        """Return what came of it."""
        try:
            await self._run()
        finally:
            for one in list(self._clients):
                await self._leave(one)
        return self.outcome

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as crowd:
            sentry = await self._sentry()
            for one in self._crowd():
                crowd.create_task(one)
            self._tell("the warm-up")
            await self._visits(2 * len(ENDINGS))
            await self._measure()
            for store in [POSTGRES, REDIS] * self._plan.kills:
                await self._traffic()
                self._tell(f"{store} is killed")
                await sentry.suffer(self._deployment, store)
            await self._traffic()
            self._is_over = True
            self._tell("the last visitors")
        await self._measure()
        self._judge_growth()
        self._tell("the audit")
        audit = Audit(self._deployment, self._promises, self._new_client)
        self.outcome.kept = await audit.run()

    async def _sentry(self) -> Sentry:
        client = self._new_client()
        visitor = Sessions(client, self._promises)
        session = await visitor.sign_up()
        return Sentry(client, visitor, session.access, self._new_stranger())

    def _crowd(self) -> list[Coroutine[Any, Any, None]]:
        visitors = [self._visitors(number) for number in range(self._plan.visitors)]
        return [*visitors, self._strangers(), self._strangers(), self._sceptic()]

    # --- the traffic ---------------------------------------------------------------

    async def _visitors(self, number: int) -> None:
        """Visit, one after the other, each with the next of the endings."""
        endings = list(ENDINGS)
        while not self._is_over:
            client = self._new_client()
            try:
                await Sessions(client, self._promises).visit(
                    endings[number % len(endings)]
                )
            except BrokenError:
                pass  # it is noted
            finally:
                await self._leave(client)
            number += 1
            self.outcome.visits += 1

    async def _strangers(self) -> None:
        stranger = self._new_stranger()
        while not self._is_over:
            await _noted(stranger.round())

    async def _sceptic(self) -> None:
        """Try tokens that ended long ago, and sessions that go on."""
        client, promises = self._new_client(), self._promises
        while not self._is_over:
            if promises.ended:
                await _noted(client.check_ended(client.random.choice(promises.ended)))
            if promises.staying:
                session = client.random.choice(promises.staying)
                await _noted(client.check_good(session.access))
            if not (promises.ended and promises.staying):
                await asyncio.sleep(PAUSE_SECONDS)

    async def _traffic(self) -> None:
        """Let the crowd go on, at least until each visitor was there; measure."""
        self._tell(f"traffic, after {self.outcome.visits} visitors")
        self._deployment.issuer.rotate()
        self.outcome.rotations += 1
        seconds = self._plan.seconds / (2 * self._plan.kills + 1)
        parts = max(1, round(seconds / SECONDS_OF_TRAFFIC))
        for _ in range(parts):
            done = self.outcome.visits
            await asyncio.sleep(seconds / parts)
            await self._visits(self._plan.visitors, since=done)
            await self._measure()

    async def _visits(self, number: int, since: int = 0) -> None:
        while self.outcome.visits < since + number:
            await asyncio.sleep(0.05)

    # --- the workers ---------------------------------------------------------------

    async def _measure(self) -> None:
        service = self._deployment.service
        await self._gate.close()
        try:
            if not service.alive():
                self._ledger.fault("a worker that has died", service.workers)
                return
            for worker in service.workers:
                found = sample(worker, self._ledger.requests)
                self.outcome.samples.setdefault(worker, []).append(found)
            url = self._deployment.database
            ((number,),) = await asyncio.to_thread(ask, url, CONNECTIONS)
            self.outcome.connections.append(number)
        finally:
            self._gate.open()

    def _judge_growth(self) -> None:
        for worker, samples in self.outcome.samples.items():
            first, last = samples[0], samples[-1]
            checks = [
                ("memory, MiB", (last.rss - first.rss) / 1024, MOST_GROWTH_MIB),
                ("open files", last.files - first.files, MOST_FILES),
                ("threads", last.threads - first.threads, MOST_THREADS),
            ]
            for what, growth, most in checks:
                if growth > most:
                    self._ledger.fault(
                        f"a worker grows: {what}",
                        f"worker {worker} by {growth:.0f}, of {most} at most",
                    )
        if max(self.outcome.connections, default=0) > MOST_CONNECTIONS:
            self._ledger.fault("too many connections to PostgreSQL")

    # --- who asks ------------------------------------------------------------------

    def _new_client(self) -> Client:
        """Return a client with an address of its own."""
        number = next(self._numbers)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        service = self._deployment.service
        lines = [Line(service.port, one, address) for one in service.workers]
        random = Random(f"{self._plan.seed} {number}")
        client = Client(self._ledger, self._gate, lines, random)
        self._clients.add(client)
        return client

    async def _leave(self, client: Client) -> None:
        self._clients.remove(client)
        for line in client.lines:
            await line.close()

    def _new_stranger(self) -> Stranger:
        return Stranger(self._new_client(), self._deployment.issuer)


async def _noted(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except BrokenError:
        await asyncio.sleep(0)  # it is noted, and who asks goes on
