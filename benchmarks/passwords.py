"""Passwords: fastbearer beside its peers, in one process.

Every case runs in every round, in turn; medians and minima count, and of three
runs the middle one: the machine may be shared, the ratios hold. Hashes are
verified crosswise before anything is timed. Peers that are not installed are
named and left out.

    python benchmarks/passwords.py [--rounds N] [--runs N] [--json FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The project, not this folder, whose http.py is not Python's package.
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import base64
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastbearer import PasswordHash, _core

PASSWORD = "correct horse battery staple"
PACKAGES = {"argon2": "argon2-cffi", "nacl": "PyNaCl", "bcrypt": "bcrypt"}

Call = Callable[[], Any]


@dataclass(frozen=True)
class Cost:
    """Argon2id's parameters, and the mark: how many times argon2-cffi's speed."""

    memory: int  # KiB
    passes: int
    lanes: int
    mark: float
    throughput_mark: float | None

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"{self.memory // 1024} MiB, t={self.passes}, p={self.lanes}"

    @property
    def options(self) -> dict[str, int]:
        """The keyword arguments of hashers, ours and argon2-cffi's."""
        return {
            "time_cost": self.passes,
            "memory_cost": self.memory,
            "parallelism": self.lanes,
        }


COSTS = (
    Cost(65536, 3, 4, 2.3, 2.2),
    Cost(65536, 3, 1, 2.4, None),
    Cost(19456, 2, 1, 2.2, 2.2),
)
MARKED = ("argon2-cffi", "hashlib")
SCRYPT_MARK = 1.35  # where libsodium computes it
PBKDF2_MARK = 2.5  # where the CPU has instructions for SHA-256
AVX2_MARK = 1.8  # where there is no AVX-512


def is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


# --- what is timed ----------------------------------------------------------------


def in_a_slot(hasher: PasswordHash) -> Call:
    """Return what a slot of the pool does: one thread, lanes in turn."""
    stored = hasher.hash(PASSWORD)
    return lambda: _core.password_hash(PASSWORD, stored, 1)


def calls_of(cost: Cost) -> dict[str, Call]:
    """Return the hash of that cost by each library that has it."""
    ours = PasswordHash("argon2id", **cost.options)
    calls: dict[str, Call] = {
        "fastbearer": lambda: ours.hash(PASSWORD),
        "fastbearer, in a slot": in_a_slot(ours),
    }
    if is_installed("argon2"):
        import argon2

        theirs = argon2.PasswordHasher(**cost.options)
        calls["argon2-cffi"] = lambda: theirs.hash(PASSWORD)
        check(theirs.verify(ours.hash(PASSWORD), PASSWORD))
        check(ours.verify(PASSWORD, theirs.hash(PASSWORD)))
    if is_installed("nacl") and cost.lanes == 1:
        from nacl import pwhash

        def nacl_hash() -> bytes:
            return pwhash.argon2id.str(
                PASSWORD.encode(), opslimit=cost.passes, memlimit=cost.memory * 1024
            )

        calls["PyNaCl"] = nacl_hash
        check(ours.verify(PASSWORD, nacl_hash().rstrip(b"\0")))
    return calls


def bcrypt_calls() -> dict[str, Call]:
    """Return bcrypt of cost 12, which most stored hashes have."""
    ours = PasswordHash("bcrypt", rounds=12)
    calls: dict[str, Call] = {"fastbearer": lambda: ours.hash(PASSWORD)}
    if is_installed("bcrypt"):
        import bcrypt

        encoded = PASSWORD.encode()
        calls["bcrypt"] = lambda: bcrypt.hashpw(encoded, bcrypt.gensalt(12))
        check(bcrypt.checkpw(encoded, ours.hash(PASSWORD).encode()))
        check(ours.verify(PASSWORD, calls["bcrypt"]()))
    return calls


def scrypt_calls() -> dict[str, Call]:
    """Return scrypt at the cost that Better Auth has by default."""
    salt = "0123456789abcdef" * 2
    cost: dict[str, Any] = {"n": 2**14, "r": 16, "p": 1, "maxmem": 2**26, "dklen": 64}

    def theirs() -> bytes:
        return hashlib.scrypt(PASSWORD.encode(), salt=salt.encode(), **cost)

    stored = f"{salt}:{theirs().hex()}"
    return verifying(stored) | {"hashlib": theirs}


def pbkdf2_calls() -> dict[str, Call]:
    """Return PBKDF2-SHA256 with a tenth of the iterations that Django has now."""
    salt, iterations = "0123456789abcdef", 100_000

    def theirs() -> bytes:
        return hashlib.pbkdf2_hmac(
            "sha256", PASSWORD.encode(), salt.encode(), iterations
        )

    key = base64.b64encode(theirs()).decode()
    return verifying(f"pbkdf2_sha256${iterations}${salt}${key}") | {"hashlib": theirs}


def verifying(stored: str) -> dict[str, Call]:
    """Return how we verify a hash, once it is known that we do it right."""
    hasher = PasswordHash()
    check(hasher.verify(PASSWORD, stored))
    check(not hasher.verify(f"{PASSWORD}!", stored))
    return {"fastbearer": lambda: hasher.verify(PASSWORD, stored)}


def check(holds: bool) -> None:
    if not holds:
        raise SystemExit("the libraries do not verify each other's hashes")


# --- timing -----------------------------------------------------------------------


def race(calls: dict[str, Call], rounds: int) -> dict[str, list[float]]:
    """Return the ms of every call in every round, taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            taken[name].append((time.perf_counter() - start) * 1000)
    return taken


def throughput(call: Call, workers: int, each: int) -> float:
    """Return hashes a second by so many threads at once."""
    threads = [
        threading.Thread(target=lambda: [call() for _ in range(each)])
        for _ in range(workers)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return workers * each / (time.perf_counter() - start)


def middle(runs: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Return the run whose figure is the middle one."""
    return sorted(runs, key=lambda run: run[key])[len(runs) // 2]


def measure(calls: dict[str, Call], rounds: int, runs: int) -> list[dict[str, Any]]:
    """Return a row for each library, from its run of the middle median."""
    every: dict[str, list[dict[str, Any]]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, taken in race(calls, rounds).items():
            median, least = statistics.median(taken), min(taken)
            every[name].append({"library": name, "median": median, "least": least})
    return [middle(found, "median") for found in every.values()]


def measure_throughput(calls: dict[str, Call], runs: int) -> list[dict[str, Any]]:
    workers = len(os.sched_getaffinity(0))
    names = [name for name in ("fastbearer, in a slot", "argon2-cffi") if name in calls]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(runs * 3):
        for name in names:
            rate = throughput(calls[name], workers, 4)
            found[name].append({"library": name, "rate": rate})
    return [middle(rows, "rate") for rows in found.values()]


# --- showing ----------------------------------------------------------------------


def verdict(ratio: float, mark: float | None) -> str:
    if mark is None:
        return ""
    return f"{'reached' if ratio >= mark else 'MISSED'} (>= {mark:g}x)"


def mark_of(cost: Cost) -> float | None:
    if _core.argon2_engine == "avx512":
        return cost.mark
    return AVX2_MARK if _core.argon2_engine == "avx2" else None


def show(title: str, rows: list[dict[str, Any]], mark: float | None) -> None:
    """Print a table: ms, and how many times as fast as each we are."""
    print(f"\n{title}")
    ours = rows[0]
    for row in rows:
        by_median = row["median"] / ours["median"]
        by_least = row["least"] / ours["least"]
        told = verdict(by_median, mark) if row["library"] in MARKED else ""
        print(
            f"  {row['library']:22} {row['median']:8.1f} ms ({row['least']:.1f})"
            f"  {by_median:5.2f}x ({by_least:.2f}x)  {told}"
        )


def show_throughput(rows: list[dict[str, Any]], mark: float | None) -> None:
    for row in rows:
        ratio = rows[0]["rate"] / row["rate"]
        told = verdict(ratio, mark) if row is not rows[0] else ""
        label = f"{row['library']}, every core"
        print(f"  {label:32} {row['rate']:7.1f}/s  {ratio:5.2f}x  {told}")


def describe() -> None:
    """Print what is measured, and on what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    print(f"fastbearer {importlib.metadata.version('fastbearer')} {_core.__file__}")
    print(f"Argon2 by {_core.argon2_engine}, scrypt by {_core.scrypt_engine}")
    print(f"Python {platform.python_version()}, {_core.libcrypto_version}")
    print(f"{len(model)} x {model[0] if model else platform.machine()}")
    for module, package in PACKAGES.items():
        if is_installed(module):
            print(f"  {package} {importlib.metadata.version(package)}")
        else:
            print(f"  {package} IS MISSING: its rows and marks are left out")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    describe()
    tables: dict[str, Any] = {"engine": _core.argon2_engine}
    for cost in COSTS:
        calls = calls_of(cost)
        rows = measure(calls, options.rounds, options.runs)
        show(f"Argon2id, {cost.name}: median (least)", rows, mark_of(cost))
        rates = measure_throughput(calls, options.runs)
        show_throughput(rates, cost.throughput_mark)
        tables[cost.name] = {"hash": rows, "throughput": rates}
    rows = measure(bcrypt_calls(), max(options.rounds // 3, 3), options.runs)
    show("bcrypt, cost 12: median (least)", rows, None)
    tables["bcrypt"] = rows
    by_sodium = _core.scrypt_engine == "libsodium"
    others = (
        ("scrypt, N=2^14, r=16, p=1", scrypt_calls, SCRYPT_MARK if by_sodium else None),
        ("PBKDF2-SHA256, 100,000 iterations", pbkdf2_calls, PBKDF2_MARK),
    )
    for title, calls_there, mark in others:
        rows = measure(calls_there(), options.rounds, options.runs)
        show(f"{title}: median (least)", rows, mark)
        tables[title] = rows
    if options.json:
        options.json.write_text(json.dumps(tables, indent=1))


if __name__ == "__main__":
    sys.exit(main())
