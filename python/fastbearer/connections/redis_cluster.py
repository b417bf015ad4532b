"""The client of a Redis Cluster that a URL names.

Each command here has keys of one slot, so that a table of slots and redis-py's client
of one server for each node are all there is to it. redis-py's own asyncio client of a
cluster would do more, but up to its version 7 it sends commands to wrong nodes before
it knows them, and keeps each connection that it could not make (its issue 4110).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import SSLConnection
from redis.commands import AsyncCoreCommands
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, TryAgainError
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import TimeoutError as SlowServerError

from fastbearer.connections.shared_attempt import SharedAttempt

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ClusterClient"]

SLOTS = 16384
MOST_TRIES = 8
PAUSE_SECONDS = 0.05

Place = tuple[str, int]

NO_SLOT = "no node of the cluster has that slot"
NO_NODE = "no node of the cluster can be reached"


class ClusterClient(AsyncCoreCommands):
    """Sends each command to the node that has the slot of its keys.

    A node that answers that a slot is elsewhere (``MOVED``, ``ASK``) is believed. When
    one cannot be reached, the others are asked who has taken its place.

    Args:
        seeds: Host and port of some nodes.
        options: Arguments of redis-py for the connections to each node.
    """

    _event_dispatcher: Any = None  # for commands that are not used here

    def __init__(self, seeds: Iterable[Place], options: dict[str, Any]) -> None:
        self._options = dict(options)
        if self._options.pop("ssl", False):
            self._options["connection_class"] = SSLConnection
        self._seeds = tuple(seeds)
        self._nodes: dict[Place, Any] = {}
        self._slots: list[Place | None] = [None] * SLOTS
        self._learning = SharedAttempt()
        self._times_learned = 0
        for place in self._seeds:
            # Refuses arguments that it does not know.
            self._node(place).connection_pool.make_connection()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command whose keys are of one slot.

        Raises:
            RedisError: It has failed, or no node can be reached that has the slot.
        """
        slot = key_slot(_first_key(args))
        asked: Place | None = None
        for _ in range(MOST_TRIES):
            learned = self._times_learned
            place = asked or await self._place_of(slot)
            try:
                return await self._sent(place, asked is not None, args, options)
            except MovedError as error:
                asked = None
                self._slots[slot] = (error.host or place[0], error.port)
            except AskError as error:
                asked = (error.host or place[0], error.port)
            except TryAgainError:
                await asyncio.sleep(PAUSE_SECONDS)
            except ClusterDownError:
                self._slots[slot] = None  # who knows what it looks like afterwards
                raise
            except (LostConnectionError, SlowServerError, OSError):
                await self._learn(learned, last=place)
                if self._slots[slot] == place:
                    raise
                asked = None
        raise ClusterDownError(NO_SLOT)

    async def any_node(self) -> Redis:
        """Return the client of a node that can be reached.

        Raises:
            RedisError: There is none.
        """
        await self._learn(self._times_learned)
        node: Redis = next(iter(self._nodes.values()))
        return node

    async def aclose(self) -> None:
        """Close the connections to every node."""
        await self._learning.aclose()
        nodes, self._nodes = self._nodes, {}
        self._slots = [None] * SLOTS
        for node in nodes.values():
            await node.aclose()

    def _node(self, place: Place) -> Any:
        found = self._nodes.get(place)
        if found is None:
            host, port = place
            pool = ConnectionPool(**self._options, host=host, port=port)
            found = self._nodes[place] = Redis.from_pool(pool)
        return found

    async def _sent(
        self, place: Place, is_asking: bool, args: tuple[Any, ...], options: Any
    ) -> Any:
        node = self._node(place)
        if not is_asking:
            return await node.execute_command(*args, **options)
        async with node.client() as one:  # both over the same connection
            await one.execute_command("ASKING")
            return await one.execute_command(*args, **options)

    async def _place_of(self, slot: int) -> Place:
        if self._slots[slot] is None:
            await self._learn(self._times_learned)
        place = self._slots[slot]
        if place is None:
            raise ClusterDownError(NO_SLOT)
        return place

    async def _learn(self, times: int, last: Place | None = None) -> None:
        """Ask a node who has which slots; of many who need it at a time, one asks.

        Args:
            times: How often that was learned when it was needed: it may have been
                meanwhile.
            last: Who is asked after all others.

        Raises:
            RedisError: Nobody can be asked, or a node refuses to tell.
        """
        if self._times_learned == times:
            await self._learning.join(lambda: self._ask(last))

    async def _ask(self, last: Place | None) -> None:
        places = dict.fromkeys((*self._nodes, *self._seeds))
        for place in sorted(places, key=lambda one: one == last):
            try:
                told = await self._node(place).execute_command("CLUSTER", "SLOTS")
            except (LostConnectionError, SlowServerError, OSError):
                continue
            await self._take(told, place)
            return
        raise LostConnectionError(NO_NODE)

    async def _take(self, told: Any, teller: Place) -> None:
        """Note who has which slots, and let go of nodes that have none."""
        slots: list[Place | None] = [None] * SLOTS
        for first, last, master, *_ in told:
            host = master[0].decode() if isinstance(master[0], bytes) else master[0]
            place = (host or teller[0], int(master[1]))
            slots[first : last + 1] = [place] * (last - first + 1)
        self._slots = slots
        self._times_learned += 1
        # Whoever told it is first, for it can be reached.
        current = {teller, *slots}
        nodes = {teller: self._nodes[teller], **self._nodes}
        self._nodes = {place: one for place, one in nodes.items() if place in current}
        for place, node in nodes.items():
            if place not in current:
                await node.connection_pool.disconnect(inuse_connections=False)


def _first_key(args: tuple[Any, ...]) -> bytes:
    """Return the first key of a command, as it is sent."""
    is_script = str(args[0]).upper() in ("EVAL", "EVALSHA")
    key = args[3] if is_script else args[1]
    return key if isinstance(key, bytes) else str(key).encode()
