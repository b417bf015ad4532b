"""The client of a Redis Cluster that a URL names."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from redis.asyncio import RedisCluster
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as SlowServerError

if TYPE_CHECKING:
    from redis.asyncio.cluster import ClusterNode

__all__ = ["TidyCluster"]


class TidyCluster(RedisCluster):
    """A client that keeps nothing of what it has failed to connect to.

    Up to redis-py 7, a connection that cannot be made stays with its node for good
    (redis-py's issue 4110), and nodes are replaced without being disconnected (4057):
    while one is away, memory would grow with each request.
    """

    async def initialize(self) -> TidyCluster:
        """Learn of the nodes, where that is due, and let go of former ones."""
        if not self._initialize:
            return self
        before = self._every_node()
        try:
            await super().initialize()
        finally:
            now = self._every_node()
            for key, node in before.items():
                if key not in now:
                    await _let_go(node)
        return self

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a command; drop connections that came to nothing."""
        try:
            return await super().execute_command(*args, **kwargs)
        except (LostConnectionError, SlowServerError, OSError):
            for node in self._every_node().values():
                _tidy(node)
            raise

    async def aclose(self) -> None:
        """Close the connections to every node."""
        nodes = self._every_node()
        await super().aclose()
        for node in nodes.values():
            await _let_go(node)

    def _every_node(self) -> dict[int, ClusterNode]:
        """Return the nodes by identity: those of one name are equal to each other."""
        manager = self.nodes_manager
        of_slots = {id(nodes): nodes for nodes in manager.slots_cache.values()}
        every = chain(
            manager.nodes_cache.values(),
            manager.startup_nodes.values(),
            *of_slots.values(),
        )
        return {id(node): node for node in every}


def _tidy(node: ClusterNode) -> None:
    """Keep the connections that are open, or free to be opened again."""
    free, every = list(node._free), node._connections  # noqa: SLF001
    every[:] = [*free, *(one for one in every if one.is_connected and one not in free)]


async def _let_go(node: ClusterNode) -> None:
    """Close what is free; what is in use is closed by whoever uses it, in the end."""
    _tidy(node)
    free = list(node._free)  # noqa: SLF001
    connections: list[Any] = list(node._connections)  # noqa: SLF001
    for connection in connections:
        if connection not in free:
            connection.mark_for_reconnect()
            continue
        try:
            await connection.disconnect()
        except (RedisError, OSError):
            continue  # it was lost before
