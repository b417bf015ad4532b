"""Routes for whoever watches over the service: is it up, is it of use?"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from fastbearer.accounts import Accounts
from fastbearer.fastapi import Auth
from fastbearer.fastapi.bounded_routes import BoundedRoute

__all__ = ["Health"]

TIMEOUT_SECONDS = 3.0

State = Literal["ok", "down"]

logger: logging.Logger = logging.getLogger("fastbearer")


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
        problem: What Redis refuses to this user; only there if it does.
    """

    status: State
    database: State
    redis: State | None
    problem: str = ""


class Health:
    """``/healthz`` and ``/readyz``.

    Args:
        auth: Says whether there is a Redis.
        accounts: Whose stores are asked: the database, the users if they are
            elsewhere and can answer a ``ping``, and Redis.

    Attributes:
        router: The routes.
    """

    def __init__(self, auth: Auth, accounts: Accounts) -> None:
        self._auth = auth
        self._accounts = accounts
        self.router: APIRouter = APIRouter(tags=["health"], route_class=BoundedRoute)
        self.router.add_api_route("/healthz", self.healthz, methods=["GET"])
        self.router.add_api_route(
            "/readyz",
            self.readyz,
            methods=["GET"],
            response_model_exclude_unset=True,
            responses={503: {"model": Ready, "description": "A store is down"}},
        )

    async def healthz(self) -> Alive:
        """Tell that the process answers."""
        return Alive()

    async def readyz(self, response: Response) -> Ready:
        """Tell whether the stores do what a sign-in needs; 503 where one does not."""
        database, redis = await asyncio.gather(
            _failure("database", self._ping_databases()),
            _failure("redis", self._accounts.check_redis()),
        )
        has_redis = self._auth.redis is not None
        states: dict[str, State | None] = {
            "status": "ok" if database is None and redis is None else "down",
            "database": "ok" if database is None else "down",
            "redis": ("ok" if redis is None else "down") if has_redis else None,
        }
        if states["status"] == "down":
            response.status_code = 503
        refused = _refused(redis)
        if refused is None:
            return Ready.model_validate(states)
        logger.error("redis is down: %s", refused)
        return Ready.model_validate({**states, "problem": refused})

    async def _ping_databases(self) -> None:
        await self._accounts.database.ping()
        if hasattr(self._accounts.store, "ping"):
            await self._accounts.store.ping()


def _refused(error: Exception | None) -> str | None:
    if error is None:
        return None
    # Redis is there, so its extra is, too.
    from fastbearer.connections.redis import refused_by_redis

    return refused_by_redis(error)


async def _failure(name: str, work: Awaitable[object]) -> Exception | None:
    """Return what went wrong, or None."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await work
    except Exception as error:
        logger.error("%s is down: %s", name, type(error).__name__)
        return error
    return None
