"""The drop-ins beside the packages that they stand in for, through the same calls.

Every call of a table runs in every round, in turn, each as often as it takes to
fill some milliseconds; the least time of all rounds counts. Keys are given as text
at every call, for that is how these packages are used, but for the rows where the
original has a key object that was loaded before. What they answer is compared before
anything is timed.

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jose.jwk
import jose.jwt
import jwt
from benchmarks.serving import SECRET
from cryptography.hazmat.primitives.serialization import load_pem_public_key

import fastbearer.compat.jose.jwt as our_jose
import fastbearer.compat.jwt as our_jwt
from fastbearer import Key

SMALL = {
    "sub": "5f0c3b9a7d1e4c2f8a6b5d4e3c2b1a09",
    "email": "ada@example.com",
    "iat": 1_700_000_000,
    "exp": 2_000_000_000,
}
TYPICAL = {**SMALL, "name": "x" * 200, "roles": ["a" * 10] * 14}
PEM_DECODE_MARK, RSA_ENCODE_MARK = 1.0, 50.0
BATCH_SECONDS = 0.004

Call = Callable[[], Any]


def times(calls: dict[Any, Call], rounds: int) -> dict[Any, float]:
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


@dataclass
class Peer:
    """An original, its drop-in, and what is asked of the drop-in."""

    name: str
    original: Any
    drop_in: Any
    decode_mark: float
    encode_mark: float
    load: Callable[[str, str], Any]


PEERS = [
    Peer("python-jose", jose.jwt, our_jose, 12.0, 8.0, jose.jwk.construct),
    Peer(
        "PyJWT",
        jwt,
        our_jwt,
        15.0,
        8.0,
        lambda pem, _: load_pem_public_key(pem.encode()),
    ),
]
Case = tuple[Call, Call, float | None]


def shared_secret(peer: Peer) -> Iterator[tuple[str, Case]]:
    for claims in (SMALL, TYPICAL):
        token = peer.original.encode(claims, SECRET, algorithm="HS256")
        assert token == peer.drop_in.encode(claims, SECRET, algorithm="HS256")
        size = f"HS256, {len(token)} bytes"
        calls = [
            decoding(one, token, SECRET, "HS256")
            for one in (peer.original, peer.drop_in)
        ]
        yield f"{size}: decode", (calls[0], calls[1], peer.decode_mark)
        calls = [
            encoding(one, claims, SECRET, "HS256")
            for one in (peer.original, peer.drop_in)
        ]
        yield f"{size}: encode", (calls[0], calls[1], peer.encode_mark)


def key_pairs(peer: Peer, algorithm: str) -> Iterator[tuple[str, Case]]:
    key = Key.generate(algorithm)
    private, public = key.to_pem(private=True), key.to_pem()
    token = peer.drop_in.encode(SMALL, private, algorithm)
    ours = decoding(peer.drop_in, token, public, algorithm)
    theirs = decoding(peer.original, token, public, algorithm)
    yield f"{algorithm}, PEM per call: decode", (theirs, ours, None)
    loaded = peer.load(public, algorithm)
    theirs = decoding(peer.original, token, loaded, algorithm)
    name = f"{algorithm}, theirs loaded: decode"
    yield name, (theirs, ours, PEM_DECODE_MARK)
    ours = encoding(peer.drop_in, SMALL, private, algorithm)
    theirs = encoding(peer.original, SMALL, private, algorithm)
    is_marked = algorithm == "RS256"
    mark = RSA_ENCODE_MARK if is_marked else None
    yield f"{algorithm}, PEM per call: encode", (theirs, ours, mark)


def cases(peer: Peer) -> dict[str, Case]:
    """Return name -> the original's call, ours, and the mark."""
    found = dict(shared_secret(peer))
    for algorithm in ("RS256", "ES256"):
        found |= key_pairs(peer, algorithm)
    for name, (theirs, ours, _) in found.items():
        if "decode" in name:
            assert theirs() == ours(), name
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = {peer.name: cases(peer) for peer in PEERS}
    calls: dict[tuple[str, str, str], Call] = {}
    for peer, rows in found.items():
        for name, (theirs, ours, _) in rows.items():
            calls[peer, name, "theirs"], calls[peer, name, "ours"] = theirs, ours
    least = times(calls, options.rounds)
    for peer, rows in found.items():
        print(f"{peer} and its drop-in, us a call")
        for name, (_, _, mark) in rows.items():
            theirs_us, ours_us = (least[peer, name, who] for who in ("theirs", "ours"))
            ratio = theirs_us / ours_us
            verdict = ""
            if mark is not None:
                reached = "reached" if ratio >= mark else "MISSED"
                verdict = f" (mark {mark:g}: {reached})"
            print(f"  {name:30} {theirs_us:9.2f} {ours_us:8.2f} {ratio:6.1f}x{verdict}")


if __name__ == "__main__":
    main()
