"""The drop-ins beside the packages that they stand in for, through the same calls.

Every call of a table runs in every round, in turn, each as often as it takes to
fill some milliseconds; the least time of all rounds counts. Keys are given as text
at every call, for that is how these packages are used. What they answer is compared
before anything is timed.

    python benchmarks/compat.py [--rounds N]
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The project, not this folder, whose http.py is not Python's package.
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import random
import time
import warnings
from collections.abc import Callable
from typing import Any

import jose.jwt as original
from benchmarks.serving import SECRET

import fastbearer.compat.jose.jwt as drop_in
from fastbearer import Key

SMALL = {
    "sub": "5f0c3b9a7d1e4c2f8a6b5d4e3c2b1a09",
    "email": "ada@example.com",
    "iat": 1_700_000_000,
    "exp": 2_000_000_000,
}
TYPICAL = {**SMALL, "name": "x" * 200, "roles": ["a" * 10] * 14}
DECODE_MARK, ENCODE_MARK = 12.0, 8.0
BATCH_SECONDS = 0.004

Call = Callable[[], Any]


def times(calls: dict[str, Call], rounds: int) -> dict[str, float]:
    """Return the least microseconds of each call."""
    counts, least = {}, dict.fromkeys(calls, float("inf"))
    for name, call in calls.items():
        call()
        started = time.perf_counter()
        call()
        once = time.perf_counter() - started
        counts[name] = max(1, int(BATCH_SECONDS / max(once, 1e-7)))
    for _ in range(rounds):
        for name in random.sample(list(calls), len(calls)):
            call, count = calls[name], range(counts[name])
            started = time.perf_counter()
            for _ in count:
                call()
            elapsed = (time.perf_counter() - started) / len(count)
            least[name] = min(least[name], elapsed * 1e6)
    return least


def encoding(jwt: Any, claims: dict[str, Any], key: str, algorithm: str) -> Call:
    return lambda: jwt.encode(claims, key, algorithm=algorithm)


def decoding(jwt: Any, token: str, key: str, algorithm: str) -> Call:
    algorithms = [algorithm]
    return lambda: jwt.decode(token, key, algorithms=algorithms)


def cases() -> dict[str, tuple[Call, Call, float | None]]:
    """Return name -> the original's call, ours, and the mark."""
    found: dict[str, tuple[Call, Call, float | None]] = {}
    for claims in (SMALL, TYPICAL):
        token = original.encode(claims, SECRET)
        assert token == drop_in.encode(claims, SECRET)
        pair = [decoding(jwt, token, SECRET, "HS256") for jwt in (original, drop_in)]
        found[f"HS256 decode, {len(token)} bytes"] = (pair[0], pair[1], DECODE_MARK)
        pair = [encoding(jwt, claims, SECRET, "HS256") for jwt in (original, drop_in)]
        found[f"HS256 encode, {len(token)} bytes"] = (pair[0], pair[1], ENCODE_MARK)
    for algorithm in ("RS256", "ES256"):
        key = Key.generate(algorithm)
        private, public = key.to_pem(private=True), key.to_pem()
        token = drop_in.encode(SMALL, private, algorithm)
        pair = [decoding(jwt, token, public, algorithm) for jwt in (original, drop_in)]
        found[f"{algorithm} decode, PEM per call"] = (pair[0], pair[1], 1.0)
        pair = [encoding(jwt, SMALL, private, algorithm) for jwt in (original, drop_in)]
        found[f"{algorithm} encode, PEM per call"] = (pair[0], pair[1], None)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = cases()
    calls: dict[str, Call] = {}
    for name, (theirs, ours, _) in found.items():
        if "decode" in name:
            assert theirs() == ours(), name
        calls |= {f"{name}: theirs": theirs, f"{name}: ours": ours}
    least = times(calls, options.rounds)
    print("python-jose and fastbearer.compat.jose, us a call")
    for name, (_, _, mark) in found.items():
        theirs_us, ours_us = least[f"{name}: theirs"], least[f"{name}: ours"]
        ratio = theirs_us / ours_us
        verdict = ""
        if mark is not None:
            verdict = f" (mark {mark:g}: {'reached' if ratio >= mark else 'MISSED'})"
        print(f"  {name:28} {theirs_us:9.2f} {ours_us:8.2f}  {ratio:6.1f}x{verdict}")


if __name__ == "__main__":
    main()
