"""Sign-ins without pause, and an unrelated route meanwhile.

Starts the service with one uvicorn worker, lets 32 clients sign in without
pause, and asks `/open` every 20 ms, each answer counted from when it was due:
first with nobody signing in, then during the storm, in the same run. Only
sign-ins that were answered with 200 count. Limits on sign-ins are off, or there
would be no storm. Then the same for the recipe of FastAPI's documentation (users
in a dictionary; argon2-cffi, which pwdlib calls, at the same parameters).

    python benchmarks/storm.py [--seconds N] [--clients N] [--runs N]
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The project, not this folder, whose http.py is not Python's package.
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import asyncio
import multiprocessing
import os
import statistics
import time
from collections import Counter
from typing import Any

import httpx2
from benchmarks.serving import SECRET, served

POLL_SECONDS = 0.02
PASSWORD = "correct horse battery staple"
P50_MARK, P99_MARK = 3.0, 15.0  # times the idle value
ANSWERED_MARK = 0.95
RECIPE_MARK = 2.0  # times the sign-ins of the recipe
MEMORY_MIB = 64  # of one hash


def make_app() -> Any:
    """Return the service and, beside it, a route that has nothing to do with it."""
    from fastbearer.app import create_app

    app = create_app()

    @app.get("/open")
    async def open_route() -> dict[str, bool]:
        return {"open": True}

    return app


def make_recipe() -> Any:
    """Return what FastAPI's documentation teaches, with our paths."""
    from datetime import UTC, datetime, timedelta

    import jwt
    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError
    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
    users: dict[str, str] = {}

    @app.get("/open")
    async def open_route() -> dict[str, bool]:
        return {"open": True}

    @app.post("/api/auth/signup")
    async def sign_up_route(body: dict[str, str]) -> None:
        users[body["email"]] = hasher.hash(body["password"])

    @app.post("/api/auth/signin")
    async def sign_in_route(body: dict[str, str]) -> dict[str, str]:
        try:
            hasher.verify(users[body["email"]], body["password"])
        except VerifyMismatchError:
            raise HTTPException(401) from None
        expires = datetime.now(UTC) + timedelta(minutes=30)
        token = jwt.encode({"sub": body["email"], "exp": expires}, SECRET, "HS256")
        return {"access_token": token, "token_type": "bearer"}

    return app


def peak_mib(process: int) -> float:
    """Return the greatest resident size that the process has had, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


# --- the storm, from a process of its own --------------------


async def sign_in_until(http: httpx2.AsyncClient, email: str, end: float) -> list[int]:
    """Sign in again and again; return the statuses."""
    statuses = []
    while time.monotonic() < end:
        body = {"email": email, "password": PASSWORD}
        answer = await http.post("/api/auth/signin", json=body)
        statuses.append(answer.status_code)
    return statuses


async def storm(url: str, clients: int, seconds: float) -> Counter[int]:
    limits = httpx2.Limits(max_connections=clients)
    async with httpx2.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
        end = time.monotonic() + seconds
        emails = [f"user{n}@example.com" for n in range(clients)]
        found = await asyncio.gather(
            *(sign_in_until(http, email, end) for email in emails)
        )
    return Counter(status for statuses in found for status in statuses)


def storm_process(url: str, clients: int, seconds: float, results: Any) -> None:
    results.put(asyncio.run(storm(url, clients, seconds)))


# --- the polls --------------------


async def poll(url: str, seconds: float) -> list[float]:
    """Return the ms from when each poll was due to its answer."""
    start = time.monotonic()
    async with httpx2.AsyncClient(base_url=url, timeout=60) as http:

        async def one(due: float) -> float:
            await asyncio.sleep(due - time.monotonic())
            answer = await http.get("/open")
            assert answer.status_code == 200
            return (time.monotonic() - due) * 1000

        times = int(seconds / POLL_SECONDS)
        return await asyncio.gather(
            *(one(start + n * POLL_SECONDS) for n in range(times))
        )


def percentile(values: list[float], hundredths: int) -> float:
    return statistics.quantiles(values, n=100)[hundredths - 1]


def sign_up(url: str, clients: int) -> None:
    for n in range(clients):
        body = {"email": f"user{n}@example.com", "password": PASSWORD}
        answer = httpx2.post(f"{url}/api/auth/signup", json=body, timeout=60)
        answer.raise_for_status()


def one_run(factory: str, clients: int, seconds: float) -> dict[str, float]:
    command = ["-m", "uvicorn", "--factory", f"benchmarks.storm:{factory}"]
    command += ["--log-level", "warning", "--loop", "uvloop"]
    with served(*command) as (url, process):
        base = peak_mib(process)
        sign_up(url, clients)
        idle = asyncio.run(poll(url, seconds))
        results: Any = multiprocessing.Queue()
        arguments = (url, clients, seconds, results)
        others = multiprocessing.Process(target=storm_process, args=arguments)
        others.start()
        time.sleep(0.5)
        busy = asyncio.run(poll(url, seconds - 1))
        statuses = results.get()
        others.join()
        return {
            "idle p50": percentile(idle, 50),
            "idle p99": percentile(idle, 99),
            "p50": percentile(busy, 50),
            "p99": percentile(busy, 99),
            "polls": len(busy),
            "signed in per s": statuses[200] / seconds,
            "answered 200": statuses[200] / statuses.total(),
            "base MiB": base,
            "peak MiB": peak_mib(process),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for _ in range(options.runs):
        ours = one_run("make_app", options.clients, options.seconds)
        show("fastbearer", ours)
        p50, p99 = ours["p50"] / ours["idle p50"], ours["p99"] / ours["idle p99"]
        judge("p50 over idle", p50, p50 <= P50_MARK, P50_MARK)
        judge("p99 over idle", p99, p99 <= P99_MARK, P99_MARK)
        answered = ours["answered 200"]
        judge("answered 200", answered, answered >= ANSWERED_MARK, ANSWERED_MARK)
        most = ours["base MiB"] + slots() * (MEMORY_MIB + 2)
        judge("peak MiB", ours["peak MiB"], ours["peak MiB"] <= most, most)
        recipe = one_run("make_recipe", options.clients, options.seconds)
        show("docs recipe", recipe)
        times = ours["signed in per s"] / recipe["signed in per s"]
        judge("sign-ins over the recipe's", times, times >= RECIPE_MARK, RECIPE_MARK)


def slots() -> int:
    """Return how many passwords are hashed at a time."""
    return len(os.sched_getaffinity(0))


def show(name: str, run: dict[str, float]) -> None:
    print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in run.items()))


def judge(name: str, value: float, is_reached: bool, mark: float) -> None:
    verdict = "reached" if is_reached else "MISSED"
    print(f"  {name}: {value:.2f}, mark {mark:.2f}: {verdict}")


if __name__ == "__main__":
    sys.exit(main())
