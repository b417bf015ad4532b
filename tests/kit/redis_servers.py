"""Redis servers of our own: single ones, clusters, and a master that is watched.

Each is in a folder that is thrown away, on the loopback, and dies by its process ID.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ports import free_port
from waiting import HANG, wait_until

NO_REDIS = "NO REDIS: none answers at 127.0.0.1:6379, and none is installed to start"
SLOTS = 16384
MASTER = "mymaster"


def answers_redis(url: str) -> bool:
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(url, socket_timeout=HANG) as client:
            client.ping()
    except (OSError, RedisError):
        return False
    return True


class RedisServer:
    """A Redis of our own, whose data outlives its death.

    Args:
        folder: For its data.
        options: More of its command line.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip(NO_REDIS)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [program, *self._settings(folder), *options]
        self._process: subprocess.Popen[bytes] | None = None

    def _settings(self, folder: Path) -> list[str]:
        settings = ["--bind", "127.0.0.1", "--port", str(self.port)]
        settings += ["--dir", str(folder), "--save", "", "--appendonly", "yes"]
        settings += ["--repl-diskless-sync-delay", "0"]  # no second replica comes
        return [*settings, "--appendfsync", "always"]

    def start(self) -> None:
        """Return when it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        process = self._process
        wait_until(lambda: process.poll() is not None or answers_redis(self.url))
        assert process.poll() is None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    stop = kill

    def ask(self, *command: object) -> Any:
        """Send one command; the answer is redis-py's."""
        from redis import Redis

        with Redis.from_url(
            self.url, socket_timeout=HANG, decode_responses=True
        ) as one:
            return one.execute_command(*command)  # type: ignore[no-untyped-call]


class ClusterNode(RedisServer):
    """One node of a cluster, which keeps its place when it dies."""

    def __init__(self, folder: Path) -> None:
        self.bus = free_port()
        folder.mkdir()
        options = ["--cluster-enabled", "yes", "--cluster-port", str(self.bus)]
        options += ["--cluster-node-timeout", "1000"]
        super().__init__(folder, *options, "--cluster-replica-validity-factor", "0")

    @property
    def place(self) -> tuple[str, int, int]:
        """What other nodes meet it by."""
        return ("127.0.0.1", self.port, self.bus)

    def is_ready(self, count: int) -> bool:
        """Tell whether it knows as many nodes, who have all the slots."""
        told = self.ask("CLUSTER", "INFO")
        facts = dict(line.split(":") for line in told.split())
        known = int(facts["cluster_known_nodes"])
        return known == count and facts["cluster_state"] == "ok"


class RedisClusterServer:
    """Three masters that share the slots.

    Attributes:
        nodes: The masters.
        url: Of the whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.nodes = [ClusterNode(folder / str(number)) for number in range(3)]
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        self.url = f"redis+cluster://{hosts}"
        self._replicas: list[ClusterNode] = []

    def start(self) -> None:
        """Return when it serves every slot."""
        for node in self.nodes:
            node.start()
        bounds = [SLOTS * number // 3 for number in range(4)]
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            first, last = bounds[number], bounds[number + 1] - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            self.nodes[0].ask("CLUSTER", "MEET", *node.place)
        self.wait()

    def wait(self) -> None:
        """Return when every node serves."""
        every = [*self.nodes, *self._replicas]
        for node in every:
            wait_until(lambda node=node: node.is_ready(len(every)))  # type: ignore[misc]

    def stop(self) -> None:
        for node in [*self.nodes, *self._replicas]:
            node.stop()

    def flush(self) -> None:
        """Forget all data."""
        for node in self.nodes:
            node.ask("FLUSHALL")

    def node_of(self, key: str) -> ClusterNode:
        """Return the master that had a key's slot at the beginning."""
        slot = int(self.nodes[0].ask("CLUSTER", "KEYSLOT", key))
        return self.nodes[min(slot * 3 // SLOTS, 2)]

    def add_replica(self, master: ClusterNode) -> ClusterNode:
        """Start a replica of a master; return it when it has its data."""
        replica = ClusterNode(self._folder / f"replica{len(self._replicas)}")
        replica.start()
        self._replicas.append(replica)
        self.nodes[0].ask("CLUSTER", "MEET", *replica.place)
        self.wait()
        replica.ask("CLUSTER", "REPLICATE", master.ask("CLUSTER", "MYID"))
        wait_until(lambda: follows(replica))
        return replica


class WatchedRedis:
    """A master and its replica, which a Sentinel watches.

    Attributes:
        master: The first one.
        replica: The one that takes its place.
        sentinel: Who watches them.
        url: Of whatever is the master.
    """

    def __init__(self, folder: Path) -> None:
        for name in ("master", "replica", "sentinel"):
            (folder / name).mkdir()
        self.master = RedisServer(folder / "master")
        self.replica = RedisServer(
            folder / "replica", "--replicaof", f"127.0.0.1 {self.master.port}"
        )
        self.sentinel = SentinelServer(folder / "sentinel", self.master.port)
        self.url = f"redis+sentinel://127.0.0.1:{self.sentinel.port}/{MASTER}/0"

    def start(self) -> None:
        """Return when the Sentinel knows both."""
        self.master.start()
        self.replica.start()
        wait_until(lambda: follows(self.replica))
        self.sentinel.start()
        wait_until(self._is_complete)

    def stop(self) -> None:
        for server in (self.sentinel, self.replica, self.master):
            server.stop()

    def _is_complete(self) -> bool:
        found = self.sentinel.ask("SENTINEL", "REPLICAS", MASTER)
        # As a list of names and values, or as redis-py has read it.
        return len(found) == 1 and "ok" in str(found)


class SentinelServer(RedisServer):
    """A Sentinel that decides alone, and soon."""

    def __init__(self, folder: Path, master: int) -> None:
        self._master = master
        self._file = folder / "sentinel.conf"
        super().__init__(folder)

    def _settings(self, folder: Path) -> list[str]:
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {folder}",
            f"sentinel monitor {MASTER} 127.0.0.1 {self._master} 1",
            f"sentinel down-after-milliseconds {MASTER} 500",
            f"sentinel failover-timeout {MASTER} 2000",
        ]
        self._file.write_text("\n".join(lines) + "\n")
        return [str(self._file), "--sentinel"]


def follows(replica: RedisServer) -> bool:
    """Tell whether a replica has its master's data."""
    told = replica.ask("INFO", "replication")
    return bool(
        told["role"] == "slave"
        and told["master_link_status"] == "up"
        and not told["master_sync_in_progress"]
    )
