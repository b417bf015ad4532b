"""Redis in several processes that die: nodes of a cluster, and a watched master."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from accounts_kit import (
    answer,
    http,
    make_service,
    me,
    post,
    refused,
    sign_in,
    sign_up,
    token_of,
)
from redis_servers import ClusterNode, RedisClusterServer
from servers import own_redis_cluster, own_watched_redis
from waiting import wait_until

Serve = Callable[[FastAPI], str]
UNAVAILABLE = "The service cannot reach its store. Please try again."
KEY = "fastbearer:{ended}:number"

SETTINGS: dict[str, Any] = {
    "revocation": "redis",
    "revocation_lag_seconds": 2,
    "throttle": True,
    "throttle_failures": "100000/hour",
    "throttle_requests": "100000/hour",
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisClusterServer]:
    with own_redis_cluster() as started:
        yield started


class Client:
    """Somebody with two sessions, of which one has ended."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.gone = token_of(sign_up(base))
        self.kept = token_of(sign_in(base))
        assert post(base, "signout", self.gone).status_code == 200
        self.check()

    def check(self) -> None:
        """Assert that what has ended has, and what has not has not."""
        found = [me(self.base, token).status_code for token in (self.gone, self.kept)]
        assert found == [401, 200]

    def statuses(self) -> tuple[int, int, int]:
        """Return those of both sessions, and of a sign-in."""
        gone = me(self.base, self.gone).status_code
        assert gone in (401, 503)  # never a pass
        kept = me(self.base, self.kept).status_code
        signed_in = sign_in(self.base).status_code
        assert kept in (200, 503) and signed_in in (200, 503)
        return gone, kept, signed_in

    def wait_for(self, *statuses: int) -> None:
        """Wait until it is as expected; nothing passes meanwhile that must not."""
        wait_until(lambda: self.statuses() == statuses)


@pytest.mark.redis_cluster
def test_a_node_of_a_cluster_dies_and_comes_back(
    serve: Serve, tmp_path: Path, cluster: RedisClusterServer
) -> None:
    cluster.flush()
    base = serve(make_service(tmp_path / "a.db", redis_url=cluster.url, **SETTINGS))
    client = Client(base)
    node = cluster.node_of(KEY)
    with ThreadPoolExecutor(4) as threads:
        under_load = threads.map(lambda _: client.statuses(), range(40))
        node.kill()
        assert len(list(under_load)) == 40
    client.wait_for(503, 503, 503)
    assert answer(sign_in(base)) == refused(503, UNAVAILABLE)
    assert post(base, "signout", client.kept).status_code == 503
    ready = http.get(f"{base}/readyz")
    assert (ready.status_code, ready.json()["redis"]) == (503, "down")
    node.start()
    client.wait_for(401, 200, 200)
    cluster.wait()
    assert http.get(f"{base}/readyz").json()["redis"] == "ok"


@pytest.mark.redis_cluster
def test_a_slot_that_moves(
    serve: Serve, tmp_path: Path, cluster: RedisClusterServer
) -> None:
    """What is where it was no more is found, also in between (MOVED and ASK)."""
    cluster.flush()
    base = serve(make_service(tmp_path / "a.db", redis_url=cluster.url, **SETTINGS))
    client = Client(base)
    source = cluster.node_of(KEY)
    target = next(node for node in cluster.nodes if node is not source)
    slot = source.ask("CLUSTER", "KEYSLOT", KEY)
    for old, new in ((source, target), (target, source)):  # and back
        begin_to_move(slot, old, new)
        client.statuses()  # in between
        end_move(cluster, slot, old, new)
        client.wait_for(401, 200, 200)
        token = token_of(sign_in(base))
        assert post(base, "signout", token).status_code == 200
        assert me(base, token).status_code == 401


def begin_to_move(slot: int, source: ClusterNode, target: ClusterNode) -> None:
    names = [node.ask("CLUSTER", "MYID") for node in (source, target)]
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[0])
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[1])


def end_move(
    cluster: RedisClusterServer, slot: int, source: ClusterNode, target: ClusterNode
) -> None:
    keys = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000)
    place = ("127.0.0.1", target.port, "", 0, 60_000)
    source.ask("MIGRATE", *place, "KEYS", *keys)
    name = target.ask("CLUSTER", "MYID")
    for node in (target, *(one for one in cluster.nodes if one is not target)):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", name)


@pytest.mark.redis_cluster
def test_a_replica_takes_the_place_of_a_dead_node(
    serve: Serve, tmp_path: Path, cluster: RedisClusterServer
) -> None:
    cluster.flush()
    node = cluster.node_of(KEY)
    cluster.add_replica(node)
    base = serve(make_service(tmp_path / "a.db", redis_url=cluster.url, **SETTINGS))
    client = Client(base)
    node.kill()
    client.wait_for(401, 200, 200)
    token = token_of(sign_in(base))
    assert post(base, "signout", token).status_code == 200
    assert me(base, token).status_code == 401


@pytest.mark.redis_sentinel
def test_a_watched_master_dies(serve: Serve, tmp_path: Path) -> None:
    with own_watched_redis() as redis:
        base = serve(make_service(tmp_path / "a.db", redis_url=redis.url, **SETTINGS))
        client = Client(base)
        redis.sentinel.kill()
        client.check()  # who is connected needs it no more
        assert sign_in(base).status_code == 200
        redis.master.kill()
        client.wait_for(503, 503, 503)
        assert answer(sign_in(base)) == refused(503, UNAVAILABLE)
        redis.sentinel.start()
        client.wait_for(401, 200, 200)
        assert redis.replica.ask("INFO", "replication")["role"] == "master"
        token = token_of(sign_in(base))
        assert post(base, "signout", token).status_code == 200
        assert me(base, token).status_code == 401
