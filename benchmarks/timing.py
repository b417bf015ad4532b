"""Whether the time of a refused sign-in tells that an e-mail is registered.

Pairs of sign-ins, one with an unknown e-mail and one with a wrong password, in
random order, over HTTP, with the hash that is used by default. Limits are off,
or most of them would be refused before anything is hashed.

    python benchmarks/timing.py [--pairs N]
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The project, not this folder, whose http.py is not Python's package.
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import random
import statistics
import time

import httpx2
from benchmarks.serving import served

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
    with (
        served("-m", "fastbearer", "serve") as (url, _),
        httpx2.Client(base_url=url, timeout=60) as client,
    ):
        body = {"email": KNOWN, "password": "correct horse battery"}
        client.post("/api/auth/signup", json=body).raise_for_status()
        times = measure(client, options.pairs)
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


if __name__ == "__main__":
    sys.exit(main())
