"""A Redis Cluster whose nodes do not answer, and the many who wait for it."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from redis.asyncio import RedisCluster
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as SlowServerError

from fastbearer.connections.redis import OUTAGES, RedisAccess
from fastbearer.connections.redis_cluster import ClusterClient
from waiting import until

SEEDS = (("a", 1), ("b", 2), ("c", 3))
MANY = 40


class Nodes:
    """The nodes of a cluster, which answer when they are told to.

    Attributes:
        asked: How often a node was asked who has which slots.
        sent: How many other commands have come.
        outcome: What comes of it when a node is asked: slots, or an error.
        go: Set for nodes to answer.
        closed: How many nodes have been closed.
    """

    def __init__(self) -> None:
        self.asked = self.sent = self.closed = 0
        self.outcome: object = SlowServerError("nothing")
        self.go = asyncio.Event()
        self.connection_pool = self  # of each node

    async def execute_command(self, *args: Any, **_: Any) -> Any:
        is_question = args[0] == "CLUSTER"
        self.asked += is_question
        self.sent += not is_question
        await self.go.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome if is_question else b"value"

    async def aclose(self) -> None:
        self.closed += 1

    async def disconnect(self, **_: Any) -> None:
        """Have no connections."""

    def serve(self) -> None:
        """Answer from now on."""
        self.outcome = [[0, 16383, [b"a", 1]]]
        self.go.set()


def cluster() -> tuple[ClusterClient, Nodes]:
    """Return a client, and the nodes that it knows."""
    client, nodes = ClusterClient(SEEDS, {}), Nodes()
    client._nodes = dict.fromkeys(SEEDS, nodes)
    return client, nodes


def many(client: Any) -> list[asyncio.Task[Any]]:
    """Ask for many keys at a time."""
    return [asyncio.create_task(client.get(f"k{number}")) for number in range(MANY)]


async def gathered(tasks: list[asyncio.Task[Any]]) -> set[Any]:
    """Return what has come of tasks: values, and types of errors."""
    found = await asyncio.gather(*tasks, return_exceptions=True)
    return {type(one) if isinstance(one, BaseException) else one for one in found}


async def begun(tasks: list[asyncio.Task[Any]]) -> None:
    """Return when tasks have come as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


@pytest.mark.parametrize(
    ("outcome", "raised", "asked"),
    [
        (SlowServerError("nothing"), LostConnectionError, len(SEEDS)),
        (OSError("gone"), LostConnectionError, len(SEEDS)),
        (ResponseError("This instance has cluster support disabled"), ResponseError, 1),
    ],
)
def test_all_who_wait_share_a_failure(
    outcome: Exception, raised: type[Exception], asked: int
) -> None:
    """Where each asked in turn, the last would wait as often as there are others."""

    async def run() -> None:
        client, nodes = cluster()
        nodes.outcome = outcome
        waiting = many(client)
        await begun(waiting)
        nodes.go.set()
        assert await gathered(waiting) == {raised}
        assert nodes.asked == asked

    asyncio.run(run())


def test_all_who_lose_their_nodes_share_a_failure() -> None:
    async def run() -> None:
        client, nodes = cluster()
        nodes.serve()
        assert await client.get("k") == b"value"
        client._nodes = dict.fromkeys(SEEDS, nodes)
        nodes.go.clear()
        nodes.outcome = SlowServerError("nothing")
        nodes.asked = nodes.sent = 0
        waiting = many(client)
        await begun(waiting)
        nodes.go.set()
        assert await gathered(waiting) == {LostConnectionError}
        assert (nodes.sent, nodes.asked) == (MANY, len(SEEDS))

    asyncio.run(run())


def test_all_who_wait_share_what_is_learned() -> None:
    async def run() -> None:
        client, nodes = cluster()
        waiting = many(client)
        await begun(waiting)
        nodes.serve()
        assert await gathered(waiting) == {b"value"}
        assert nodes.asked == 1

    asyncio.run(run())


def test_whoever_comes_after_a_failure_asks_again() -> None:
    async def run() -> None:
        client, nodes = cluster()
        nodes.go.set()
        for times in (1, 2):
            assert await gathered(many(client)) == {LostConnectionError}
            assert nodes.asked == times * len(SEEDS)
        nodes.serve()
        assert await client.get("k") == b"value"

    asyncio.run(run())


def test_a_caller_who_goes_away_leaves_the_question_to_the_others() -> None:
    """However many hang up one after another, nobody asks from the beginning."""

    async def run() -> None:
        client, nodes = cluster()
        waiting = many(client)
        for gone in waiting[:-1]:
            await begun(waiting[-1:])
            gone.cancel()
        await begun(waiting[-1:])
        nodes.serve()
        assert await gathered(waiting) == {asyncio.CancelledError, b"value"}
        assert nodes.asked == 1

    asyncio.run(run())


def test_a_failure_that_nobody_waits_for_is_not_reported_as_a_mistake() -> None:
    async def run() -> None:
        client, nodes = cluster()
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, it: told.append(it))
        waiting = many(client)
        await begun(waiting)
        for one in waiting:
            one.cancel()
        assert await gathered(waiting) == {asyncio.CancelledError}
        del waiting, one  # whoever went away knew the question
        nodes.go.set()
        await until(lambda: client._learning._task is None)
        gc.collect()
        assert told == []

    asyncio.run(run())


def test_closing_ends_the_question_for_all_who_wait() -> None:
    async def run() -> None:
        client, nodes = cluster()
        waiting = many(client)
        await begun(waiting)
        await client.aclose()
        raised = await gathered(waiting)
        assert all(issubclass(one, OUTAGES) for one in raised)
        assert client._nodes == {} and nodes.closed == len(SEEDS)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_question_of_a_loop_that_is_gone_holds_nobody() -> None:
    client = ClusterClient(SEEDS, {})

    def new_nodes() -> Nodes:
        nodes = Nodes()
        client._nodes = dict.fromkeys(SEEDS, nodes)
        return nodes

    async def leave() -> None:
        new_nodes()
        await begun(many(client))

    async def come() -> None:
        new_nodes().serve()
        assert await client.get("k") == b"value"
        await client.aclose()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    asyncio.run(come())


class OwnCluster(RedisCluster):
    """An application's client of a cluster whose nodes do not answer."""

    def __init__(self) -> None:
        super().__init__(host="127.0.0.1", port=1)
        self.times = 0
        self.go = asyncio.Event()

    async def initialize(self) -> RedisCluster:
        self.times += 1
        await self.go.wait()
        raise LostConnectionError("nothing")


def test_all_who_wait_for_a_client_of_ones_own_share_a_failure() -> None:
    async def run() -> None:
        client = OwnCluster()
        access = RedisAccess(client)
        waiting = [asyncio.create_task(access.ready()) for _ in range(MANY)]
        await begun(waiting)
        client.go.set()
        assert await gathered(waiting) == {LostConnectionError}
        assert client.times == 1
        with pytest.raises(LostConnectionError):
            await access.ready()
        assert client.times == 2

    asyncio.run(run())


def test_a_client_of_ones_own_that_never_hears_an_answer_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have no time-outs, and what it has asked may be lost for good."""
    monkeypatch.setattr("fastbearer.connections.redis.READY_SECONDS", 0)

    async def run() -> None:
        client = OwnCluster()
        access = RedisAccess(client)
        waiting = [asyncio.create_task(access.ready()) for _ in range(MANY)]
        raised = await gathered(waiting)
        assert all(issubclass(one, OUTAGES) for one in raised)
        assert client.times == 1
        with pytest.raises(OUTAGES):
            await access.ready()
        assert client.times == 2
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_closing_leaves_no_question_of_a_client_of_ones_own() -> None:
    async def run() -> None:
        access = RedisAccess(OwnCluster())
        waiting = asyncio.create_task(access.ready())
        await begun([waiting])
        await access.aclose()
        with pytest.raises(OUTAGES):
            await waiting
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
