"""Sign-ins without pause, and an unrelated route meanwhile.

Starts the service with one uvicorn worker, lets 32 clients sign in without
pause, and asks `/open` every 20 ms, each answer counted from when it was due:
first with nobody signing in, then during the storm, in the same run. Only
sign-ins that were answered with 200 count.

    python benchmarks/storm.py [--seconds N] [--clients N] [--runs N]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

HERE = Path(__file__).parent
POLL_SECONDS = 0.02
PASSWORD = "correct horse battery staple"
P50_MARK, P99_MARK = 3.0, 15.0  # times the idle value
ANSWERED_MARK = 0.95
SECRET = "q7Wn3VfB0sXcE5rT9yUiK2mLhJ8gDzA4pO6vNxCbQwY"


def make_app() -> Any:
    """Return the service and, beside it, a route that has nothing to do with it."""
    from fastbearer.app import create_app

    app = create_app()

    @app.get("/open")
    async def open_route() -> dict[str, bool]:
        return {"open": True}

    return app


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """Run the service in a process of its own; yield its URL and process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "BETTER_AUTH_SECRET": SECRET,
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/storm.db",
        }
        command = [sys.executable, "-m", "uvicorn", "--factory", "storm:make_app"]
        command += ["--port", str(port), "--log-level", "warning", "--loop", "uvloop"]
        server = subprocess.Popen(command, cwd=HERE, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/open", server)
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()
            server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            httpx2.get(url)
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the service did not start")


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
        httpx2.post(f"{url}/api/auth/signup", json=body).raise_for_status()


def one_run(clients: int, seconds: float) -> dict[str, float]:
    with served() as (url, process):
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
            "peak MiB": peak_mib(process),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for _ in range(options.runs):
        run = one_run(options.clients, options.seconds)
        print(", ".join(f"{name} {value:.2f}" for name, value in run.items()))
        p50, p99 = run["p50"] / run["idle p50"], run["p99"] / run["idle p99"]
        reached = p50 <= P50_MARK and p99 <= P99_MARK
        reached = reached and run["answered 200"] >= ANSWERED_MARK
        print(
            f"  p50 {p50:.2f}x idle (<= {P50_MARK:g}), p99 {p99:.2f}x "
            f"(<= {P99_MARK:g}): {'reached' if reached else 'MISSED'}"
        )


if __name__ == "__main__":
    sys.exit(main())
