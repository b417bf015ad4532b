"""Protected routes: what a request costs in process, and requests a second by wrk."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import uvloop
from benchmarks import http as kept
from benchmarks.report.figures import OURS, Effort, Figure, figures_of, is_installed
from benchmarks.serving import SECRET, served
from fastapi import Depends, FastAPI

OPEN, NO_OP = "open route", "no-op dependency"
USER_ID = "5f0c3b9a-7d1e-4c2f-8a6b-5d4e3c2b1a09"
NAMES = {
    "verify_jwt_token": OURS,
    "with revocations": f"{OURS}, with revocations",
    "BearerMiddleware": f"{OURS}, as a middleware",
    "docs recipe": "FastAPI's recipe (PyJWT)",
}
NOTES = {
    "fastapi-users": "also looks its user up, here in a dictionary",
    f"{OURS}, with revocations": "100,000 sessions that have ended are remembered",
}


def authx_application() -> tuple[Any, str]:
    """Return AuthX's protected route, and a token for it."""
    from authx import AuthX, AuthXConfig

    config = AuthXConfig(
        JWT_ALGORITHM="HS256", JWT_SECRET_KEY=SECRET, JWT_TOKEN_LOCATION=["headers"]
    )
    authx = AuthX(config=config)
    app = FastAPI()
    authx.handle_errors(app)

    @app.get("/me", dependencies=[Depends(authx.access_token_required)])
    async def protected() -> dict[str, bool]:
        return {"ok": True}

    return app, authx.create_access_token(uid=USER_ID)


def fastapi_users_application() -> tuple[Any, str]:
    """Return fastapi-users' protected route over users in memory, and a token."""
    from types import SimpleNamespace
    from uuid import UUID

    from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
    from fastapi_users.authentication import (
        AuthenticationBackend,
        BearerTransport,
        JWTStrategy,
    )

    user = SimpleNamespace(id=UUID(USER_ID), is_active=True, is_verified=True)

    class Users:
        async def get(self, user_id: UUID) -> Any:
            return user if user_id == user.id else None

    class Manager(UUIDIDMixin, BaseUserManager):  # type: ignore[misc,type-arg]
        reset_password_token_secret = verification_token_secret = SECRET

    async def manager() -> Any:
        return Manager(Users())  # type: ignore[arg-type]

    def strategy() -> Any:
        return JWTStrategy(secret=SECRET, lifetime_seconds=86_400)

    backend: Any = AuthenticationBackend(
        name="jwt", transport=BearerTransport("login"), get_strategy=strategy
    )
    users: Any = FastAPIUsers(manager, [backend])
    app = FastAPI()

    @app.get("/me", dependencies=[Depends(users.current_user(active=True))])
    async def protected() -> dict[str, bool]:
        return {"ok": True}

    return app, asyncio.run(strategy().write_token(user))


FURTHER = {"AuthX": authx_application, "fastapi-users": fastapi_users_application}


def applications() -> dict[str, tuple[Any, str]]:
    """Return the name of each case -> its application, and a token that it takes."""
    found = {
        case: (
            kept.application(case),
            kept.SESSION_TOKEN if case == "with revocations" else kept.TOKEN,
        )
        for case in kept.CASES
    }
    for package, make in FURTHER.items():
        if is_installed(package):
            found[package] = make()
    return found


Cases = dict[str, tuple[Any, str]]
"""A case -> its application, and a token that it takes."""


async def _in_process(
    rounds: int, cases: dict[str, tuple[Any, str]]
) -> dict[str, float]:
    least = dict.fromkeys(cases, float("inf"))
    for app, token in cases.values():
        await kept.batch(app, token)
    for _ in range(rounds):
        for case in random.sample(list(cases), len(cases)):
            least[case] = min(least[case], await kept.batch(*cases[case]))
    return least


def measure(effort: Effort) -> Iterator[Figure]:
    """Yield what each adds to a route without a dependency, and requests a second."""
    if effort.is_quick:
        kept.ENDED_SESSIONS, kept.ENDED_USERS, kept.BATCH = 10, 10, 2
    cases = applications()
    asyncio.run(kept.fill())
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    least = uvloop.run(_in_process(effort.of(effort.rounds // 2), cases))
    os.sched_setaffinity(0, cores)
    added = {
        NAMES.get(case, case): taken - least[OPEN]
        for case, taken in least.items()
        if case != OPEN
    }
    yield from figures_of("route", "added to a request", added, "µs", NOTES)
    if shutil.which("wrk") is not None:
        rates = _by_wrk(effort, cases)
        yield from figures_of("requests", "one worker", rates, "requests/s", NOTES)


def _by_wrk(effort: Effort, cases: Cases) -> dict[str, float]:
    seconds = 1 if effort.is_quick else 2
    asked = [OPEN, "verify_jwt_token", "BearerMiddleware", "docs recipe", *FURTHER]
    asked = [case for case in asked if case in cases]
    pinned = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    rates: dict[str, list[float]] = {case: [] for case in asked}
    with ExitStack() as servers:
        urls = {
            case: servers.enter_context(
                served("-m", "benchmarks.report.routes", case, before=pinned)
            )[0]
            for case in asked
        }
        for _ in range(effort.of(4)):
            for case in random.sample(asked, len(asked)):
                rates[case].append(
                    kept.wrk(f"{urls[case]}/me", seconds, cases[case][1])
                )
    return {
        NAMES.get(case, case): statistics.median(each) for case, each in rates.items()
    }


if __name__ == "__main__":
    # ``python -m benchmarks.report.routes CASE --port N`` serves one of them.
    asked_for, _, port = sys.argv[1:]
    kept.serve(
        FURTHER[asked_for]()[0]
        if asked_for in FURTHER
        else kept.application(asked_for),
        int(port),
    )
