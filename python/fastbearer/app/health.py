"""Routes for whoever watches over the service: is it up, is it of use?"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from fastbearer.accounts import Database, UserStore
from fastbearer.fastapi import Auth

__all__ = ["Health"]

TIMEOUT_SECONDS = 3.0

State = Literal["ok", "down"]

logger = logging.getLogger("fastbearer")


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether the service can do its work.

    Attributes:
        status: "ok", or "down" where a store is.
        database: The database of ``DATABASE_URL``, and where the users are, if that
            is another.
        redis: Redis; null without a ``REDIS_URL``.
    """

    status: State
    database: State
    redis: State | None


class Health:
    """``/healthz`` and ``/readyz``.

    Args:
        auth: Says where Redis is.
        database: The database of the service.
        users: Where the users are; asked as well if it has a ``ping``.

    Attributes:
        router: The routes.
    """

    def __init__(self, auth: Auth, database: Database, users: UserStore) -> None:
        self._auth = auth
        self._database = database
        self._users = users
        self.router = APIRouter(tags=["health"])
        self.router.add_api_route("/healthz", self.healthz, methods=["GET"])
        self.router.add_api_route(
            "/readyz",
            self.readyz,
            methods=["GET"],
            responses={503: {"model": Ready, "description": "A store is down"}},
        )

    async def healthz(self) -> Alive:
        """Tell that the process answers."""
        return Alive()

    async def readyz(self, response: Response) -> Ready:
        """Tell whether the stores answer; 503 where one does not."""
        database, redis = await asyncio.gather(
            _state("database", self._databases), self._redis()
        )
        is_down = "down" in (database, redis)
        if is_down:
            response.status_code = 503
        return Ready(status="down" if is_down else "ok", database=database, redis=redis)

    async def _databases(self) -> None:
        await self._database.ping()
        if hasattr(self._users, "ping"):
            await self._users.ping()

    async def _redis(self) -> State | None:
        url = self._auth.settings.redis_url
        if url is None:
            return None
        from redis.asyncio import Redis

        async with Redis.from_url(url) as client:
            return await _state("redis", lambda: client.get("fastbearer:ping"))


async def _state(name: str, ask: Callable[[], Awaitable[object]]) -> State:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await ask()
    except Exception as error:
        logger.error("%s is down: %s", name, type(error).__name__)
        return "down"
    return "ok"
