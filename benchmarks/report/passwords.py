"""Passwords: hashes of each scheme, and hashes a second on every core."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.passwords import (
    COSTS,
    PASSWORD,
    Cost,
    bcrypt_calls,
    calls_of,
    race,
    throughput,
)
from benchmarks.report.figures import OURS, Effort, Figure, figures_of, is_installed

from fastbearer import PasswordHash

NODE = Path(__file__).with_name("argon2.mjs")
MODULES = "NODE_BENCH_MODULES"
"""The setting that names the folder with Node's packages."""

CHEAP = Cost(8, 1, 1, 1, None)  # to see that all of it runs
NOTES = {"@node-rs/argon2": "in a process of its own"}
SLOT = "fastbearer, in a slot"


def measure(effort: Effort) -> Iterator[Figure]:
    """Yield the figures of all tables of passwords."""
    for cost in (CHEAP,) if effort.is_quick else COSTS:
        yield from _argon2(cost, effort)
    rounds = effort.of(7)
    yield from _medians("bcrypt, cost 12", bcrypt_calls(), effort.of(4))
    yield from _medians("PBKDF2-SHA256, 100,000", _pbkdf2_calls(), rounds)
    yield from _medians("scrypt, N=16384, r=16, p=1", _scrypt_calls(), rounds)


def _medians(
    case: str, calls: dict[str, Callable[[], Any]], rounds: int
) -> Iterator[Figure]:
    found = race(calls, rounds)
    medians = {name: statistics.median(taken) for name, taken in found.items()}
    yield from figures_of("hash", case, medians, "ms", NOTES)


def _argon2(cost: Cost, effort: Effort) -> Iterator[Figure]:
    calls = calls_of(cost)
    if is_installed("pwdlib"):
        from pwdlib.hashers.argon2 import Argon2Hasher

        theirs = Argon2Hasher(**cost.options)
        calls["pwdlib"] = lambda: theirs.hash(PASSWORD)
    in_a_slot = calls.pop(SLOT)
    rounds = effort.of(9)
    found = race(calls, rounds)
    medians = {name: statistics.median(taken) for name, taken in found.items()}
    medians |= _by_node(cost, rounds)
    case = f"Argon2id, {cost.name}"
    yield from figures_of("hash", case, medians, "ms", NOTES)
    workers = len(os.sched_getaffinity(0))
    rates: dict[str, list[float]] = {}
    for _ in range(effort.of(5)):
        for name, call in {**calls, OURS: in_a_slot}.items():
            each = 1 if effort.is_quick else 3
            rates.setdefault(name, []).append(throughput(call, workers, each))
    middles = {name: statistics.median(each) for name, each in rates.items()}
    yield from figures_of("hashes on every core", case, middles, "hashes/s")


def _by_node(cost: Cost, rounds: int) -> dict[str, float]:
    """Return the median of @node-rs/argon2, where Node and the package are here."""
    modules = os.environ.get(MODULES)
    if not modules or shutil.which("node") is None:
        return {}
    asked = {"rounds": rounds, "password": PASSWORD, **cost.options}
    command = ["node", str(NODE), json.dumps(asked)]
    told = subprocess.run(command, cwd=modules, capture_output=True, text=True)
    if told.returncode != 0:
        return {}
    answer = json.loads(told.stdout)
    assert PasswordHash().verify(PASSWORD, answer["hash"]), "another hash"
    return {"@node-rs/argon2": statistics.median(answer["milliseconds"])}


def _pbkdf2_calls() -> dict[str, Callable[[], Any]]:
    import hashlib

    from fastbearer import _core

    salt = b"0123456789abcdef"
    setting = _core.password_setting("pbkdf2-sha256", salt, rounds=100_000)
    encoded = PASSWORD.encode()
    calls: dict[str, Callable[[], Any]] = {
        OURS: lambda: _core.password_hash(PASSWORD, setting),
        "hashlib": lambda: hashlib.pbkdf2_hmac("sha256", encoded, salt, 100_000),
    }
    if is_installed("passlib"):
        from passlib.hash import pbkdf2_sha256

        theirs = pbkdf2_sha256.using(rounds=100_000)
        calls["passlib"] = lambda: theirs.hash(PASSWORD)
    return calls


def _scrypt_calls() -> dict[str, Callable[[], Any]]:
    import hashlib

    ours = PasswordHash("scrypt", n=16384, r=16, p=1)
    encoded, salt = PASSWORD.encode(), b"0123456789abcdef"
    calls: dict[str, Callable[[], Any]] = {
        OURS: lambda: ours.hash(PASSWORD),
        "hashlib": lambda: hashlib.scrypt(
            encoded, salt=salt, n=16384, r=16, p=1, maxmem=1 << 26
        ),
    }
    return calls
