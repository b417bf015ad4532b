"""Whether the time of a refused sign-in tells that an e-mail is registered.

Pairs of sign-ins, one with an unknown e-mail and one with a wrong password, in
random order, over HTTP, with the hash that is used by default. Limits are off,
or most of them would be refused before anything is hashed.

    python benchmarks/timing.py [--pairs N]
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose http.py is not Python's package

import argparse
import os
import random
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import httpx2

SECRET = "q7Wn3VfB0sXcE5rT9yUiK2mLhJ8gDzA4pO6vNxCbQwY"
KNOWN, UNKNOWN = "ada@example.com", "bob@example.com"
MEDIANS_MARK = 0.05  # of the median
AUC_MARK = 0.6  # 0.5 is a coin


def refused_ms(client: httpx2.Client, email: str) -> float:
    """Return how long it takes to be refused."""
    body = {"email": email, "password": "wrong horse battery"}
    started = time.perf_counter()
    answer = client.post("/api/auth/signin", json=body)
    elapsed = time.perf_counter() - started
    assert answer.status_code == 401, answer.text
    return elapsed * 1000


def measure(client: httpx2.Client, pairs: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for email in (KNOWN, UNKNOWN) * 5:
        refused_ms(client, email)
    for _ in range(pairs):
        for email in random.sample([KNOWN, UNKNOWN], 2):
            times[email].append(refused_ms(client, email))
    return times


def area_under_curve(first: list[float], second: list[float]) -> float:
    """Return how often one of the first is less than one of the second."""
    wins = sum((a < b) + (a == b) / 2 for a in first for b in second)
    return wins / (len(first) * len(second))


def judge(name: str, value: float, mark: float) -> bool:
    print(f"  {name}: {value:.3f}, mark {mark}: ", end="")
    print("reached" if value <= mark else "MISSED")
    return value <= mark


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=200)
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "BETTER_AUTH_SECRET": SECRET,
            "THROTTLE": "off",
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/timing.db",
        }
        command = [sys.executable, "-m", "fastbearer", "serve", "--port", str(port)]
        with Path(folder, "log").open("w") as log:
            server = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url, server)
            with httpx2.Client(base_url=url, timeout=60) as client:
                body = {"email": KNOWN, "password": "correct horse battery"}
                client.post("/api/auth/signup", json=body).raise_for_status()
                times = measure(client, options.pairs)
        finally:
            server.terminate()
            server.wait()
    known, unknown = (statistics.median(times[one]) for one in (KNOWN, UNKNOWN))
    print(
        f"{options.pairs} pairs, medians: wrong password {known:.2f} ms, unknown",
        end="",
    )
    print(f" e-mail {unknown:.2f} ms")
    area = area_under_curve(times[KNOWN], times[UNKNOWN])
    apart = judge("medians apart", abs(known / unknown - 1), MEDIANS_MARK)
    told = judge("area under the curve", max(area, 1 - area), AUC_MARK)
    return 0 if apart and told else 1


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            httpx2.get(f"{url}/healthz")
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the service did not start")


if __name__ == "__main__":
    sys.exit(main())
