"""What protecting a route costs: in process, and over HTTP with wrk.

In process: the same FastAPI application without sockets, on uvloop, one pinned
core; all cases take turns, the least of the rounds counts. The figure is what a
case adds to the route without a dependency.

With wrk: uvicorn with uvloop and httptools, one worker; the server on one core,
wrk on another; all cases take turns in a shuffled order, medians.

    python benchmarks/http.py [--rounds N] [--seconds N] [--wrk-rounds N]
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The project, not this folder, whose http.py is not Python's package.
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import time
from contextlib import ExitStack
from typing import Annotated, Any
from uuid import uuid4

import jwt
import uvloop
from benchmarks.serving import SECRET, served
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import jwt as jose_jwt

from fastbearer.fastapi import Auth, BearerMiddleware, Settings
from fastbearer.revocation import MemoryRevocations

BATCH = 200
DEPENDENCY_MARK, MIDDLEWARE_MARK, WRK_MARK, REVOCATION_MARK = 1.35, 0.45, 0.80, 3.0

auth = Auth(Settings(better_auth_secret=SECRET))
ended = MemoryRevocations()
revoking = Auth(Settings(better_auth_secret=SECRET), revocations=ended)
bearer = HTTPBearer()
USER = ("5f0c3b9a7d1e4c2f8a6b5d4e3c2b1a09", "ada@example.com")
TOKEN = auth.generate_jwt_token(*USER)
SESSION_TOKEN = revoking.generate_jwt_token(*USER, claims={"sid": uuid4().hex})
"""As the accounts sign them: with the session, its generation and a ``jti``."""

ENDED_SESSIONS, ENDED_USERS = 100_000, 1_000


async def nothing() -> None:
    """Do nothing, as a dependency."""


async def docs_recipe(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> dict[str, Any]:
    """Verify with PyJWT, as FastAPI's documentation does."""
    try:
        claims: dict[str, Any] = jwt.decode(
            credentials.credentials, SECRET, algorithms=["HS256"]
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    return claims


async def jose_pattern(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> dict[str, Any]:
    """Verify with python-jose, as it is taught."""
    claims = jose_jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"])
    return {"user_id": claims["sub"], "email": claims.get("email")}


def application(case: str) -> Any:
    """Return the application of a case, with one route."""
    app: Any = FastAPI()
    dependencies: dict[str, Any] = {
        "no-op dependency": nothing,
        "verify_jwt_token": auth.verify_jwt_token,
        "with revocations": revoking.verify_jwt_token,
        "docs recipe": docs_recipe,
        "python-jose": jose_pattern,
    }
    dependency = dependencies.get(case)

    if dependency is None:

        @app.get("/me")
        async def plain() -> dict[str, bool]:
            return {"ok": True}

    else:
        needed = Depends(dependency)

        @app.get("/me")
        async def protected(user: Any = needed) -> dict[str, bool]:
            return {"ok": True}

    return BearerMiddleware(app, auth=auth) if case == "BearerMiddleware" else app


CASES = [
    "open route",
    "no-op dependency",
    "verify_jwt_token",
    "with revocations",
    "BearerMiddleware",
    "docs recipe",
    "python-jose",
]


async def fill() -> None:
    """Let as much have ended as a busy site remembers."""
    until = time.time() + 7 * 86_400
    for _ in range(ENDED_SESSIONS):
        await ended.end_session(uuid4().hex, until)
    for _ in range(ENDED_USERS):
        await ended.revoke(uuid4().hex, until)
        await ended.end_sessions(uuid4().hex)


def scope(token: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/me",
        "raw_path": b"/me",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"user-agent", b"bench"),
            (b"accept", b"*/*"),
            (b"authorization", b"Bearer " + token.encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def batch(app: Any, token: str = TOKEN) -> float:
    """Return the microseconds of a request, the mean of a batch."""
    statuses: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scopes = [scope(token) for _ in range(BATCH)]
    started = time.perf_counter()
    for one in scopes:
        await app(one, receive, send)
    elapsed = time.perf_counter() - started
    assert statuses == [200] * BATCH
    return elapsed / BATCH * 1e6


async def in_process(rounds: int) -> dict[str, float]:
    await fill()
    apps = {case: application(case) for case in CASES}
    tokens = dict.fromkeys(CASES, TOKEN) | {"with revocations": SESSION_TOKEN}
    for case in CASES:
        await batch(apps[case], tokens[case])
    least = dict.fromkeys(CASES, float("inf"))
    for _ in range(rounds):
        for case in random.sample(CASES, len(CASES)):
            least[case] = min(least[case], await batch(apps[case], tokens[case]))
    return least


def show_in_process(least: dict[str, float]) -> None:
    base = least["open route"]
    unit = least["no-op dependency"] - base
    print(f"in process, us over the open route ({base:.1f}); the no-op is 1.00")
    for case in CASES[1:]:
        added = least[case] - base
        print(f"  {case:20} {added:7.2f}  {added / unit:5.2f}")
    revocation = least["with revocations"] - least["verify_jwt_token"]
    for name, value, mark in (
        (
            "verify_jwt_token / no-op",
            (least["verify_jwt_token"] - base) / unit,
            DEPENDENCY_MARK,
        ),
        (
            "BearerMiddleware / no-op",
            (least["BearerMiddleware"] - base) / unit,
            MIDDLEWARE_MARK,
        ),
        ("revocation check, us", revocation, REVOCATION_MARK),
    ):
        verdict = "reached" if value <= mark else "MISSED"
        print(f"  {name}: {value:.2f}, mark {mark}: {verdict}")


# Over HTTP

WRK_CASES = [case for case in CASES if case != "no-op dependency"]


def serve(app: Any, port: int) -> None:
    import uvicorn

    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        proxy_headers=False,
        log_level="warning",
    )


def wrk(url: str, seconds: int, token: str = TOKEN) -> float:
    core = max(os.sched_getaffinity(0))
    command = ["taskset", "-c", str(core), "wrk", "-t1", "-c32", f"-d{seconds}s"]
    command += ["-H", f"Authorization: Bearer {token}", url]
    printed = subprocess.check_output(command, text=True)
    assert "Non-2xx" not in printed, printed
    found = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert found is not None, printed
    return float(found[1])


def over_http(rounds: int, seconds: int) -> None:
    pinned = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    rates: dict[str, list[float]] = {case: [] for case in WRK_CASES}
    with ExitStack() as servers:
        urls = {
            case: servers.enter_context(
                served(__file__, "--serve", case, before=pinned)
            )
            for case in WRK_CASES
        }
        for _ in range(rounds):
            for case in random.sample(WRK_CASES, len(WRK_CASES)):
                rates[case].append(wrk(f"{urls[case][0]}/me", seconds))
    base = statistics.median(rates["open route"])
    print(f"wrk, 32 connections, {rounds} rounds of {seconds} s: requests a second")
    for case in WRK_CASES:
        rate = statistics.median(rates[case])
        print(f"  {case:20} {rate:8.0f}  {rate / base:5.2f}")
    ratio = statistics.median(rates["verify_jwt_token"]) / base
    verdict = "reached" if ratio >= WRK_MARK else "MISSED"
    print(f"  verify_jwt_token / open: {ratio:.2f}, mark {WRK_MARK}: {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--wrk-rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(application(options.serve), options.port)
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    least = uvloop.run(in_process(options.rounds))
    show_in_process(least)
    os.sched_setaffinity(0, cores)
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk")
    elif options.wrk_rounds:
        over_http(options.wrk_rounds, options.seconds)


if __name__ == "__main__":
    main()
