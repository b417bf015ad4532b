"""A signer writes numbers as json.dumps does: the fewest digits that mean the same.

Most real numbers are written by the core's own algorithm, with powers of ten from a
table; the others by CPython. Here both are beside repr().
"""

from __future__ import annotations

import json
import math
import random
import struct
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterable

import pytest

from fastbearer import Key, Signer
from project import ROOT

SIGNER = Signer(Key.from_secret("0123456789abcdef0123456789abcdef"))


def written(numbers: list[float]) -> str:
    segment = SIGNER.sign({"n": numbers}).split(".")[1]
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()


def check(numbers: Iterable[float]) -> None:
    """Write numbers, and their negatives, beside json.dumps."""
    some = list(numbers)
    both = [*some, *(-number for number in some)]
    text = written(both)
    if text != json.dumps({"n": both}, separators=(",", ":")):  # for a short report
        found = text[len('{"n":[') : -2].split(",")
        wrong = [
            pair
            for pair in zip(found, map(repr, both), strict=True)
            if pair[0] != pair[1]
        ]
        pytest.fail(f"{len(wrong)} numbers: {wrong[:5]}")


def neighbours(number: float) -> list[float]:
    below, above = math.nextafter(number, 0), math.nextafter(number, math.inf)
    near = (math.nextafter(below, 0), below, number, above)
    return [one for one in near if math.isfinite(one)]


def from_bits(bits: int) -> float:
    number: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return number


@pytest.mark.slow
def test_real_numbers_of_all_sizes() -> None:
    rng = random.Random(1)
    every = (from_bits(rng.getrandbits(63)) for _ in range(50_000))
    check(number for number in every if math.isfinite(number))


@pytest.mark.slow
def test_real_numbers_near_one() -> None:
    rng = random.Random(2)
    for width in (1, 4, 20, 60, 110, 150, 220):
        exponents = (1023 + rng.randrange(-width, width) for _ in range(20_000))
        check(from_bits(e << 52 | rng.getrandbits(52)) for e in exponents)


def test_powers_and_their_neighbours() -> None:
    check(one for e in range(-1074, 1024) for one in neighbours(math.ldexp(1.0, e)))
    check(one for e in range(-323, 309) for one in neighbours(float(f"1e{e}")))
    check(
        one
        for e in range(-80, 90)
        for digit in (2, 5, 9, 15, 25, 99)
        for one in neighbours(float(f"{digit}e{e}"))
    )


def test_numbers_that_people_write() -> None:
    rng = random.Random(3)
    for places in range(18):
        check(round(rng.uniform(0, 1000), places) for _ in range(2_000))
        check(round(rng.uniform(0, 1), places) for _ in range(2_000))
    check(1_795_483_104 + rng.randrange(10**6) / 10**6 for _ in range(20_000))
    check(n / 100 for n in range(20_000))


def test_whole_numbers() -> None:
    rng = random.Random(4)
    check(float(n) for n in range(5_000))
    check(float(rng.getrandbits(rng.randrange(1, 80))) for _ in range(20_000))
    for edge in (2**52, 2**53, 2**54, 10**15, 10**16, 10**17):
        check(float(edge + n) for n in range(-40, 40))


def test_halves_and_ties() -> None:
    """Numbers whose two shortest forms are as near as each other."""
    rng = random.Random(5)
    ties = [9007199254740993.0, 2.0**-44, 5e-324, 9.5, 2**63 + 2.0**11, 1.5e22]
    check(ties)
    check(
        (2 * rng.getrandbits(51) + 1) / 2 ** rng.randrange(1, 60) for _ in range(9_999)
    )
    check((rng.getrandbits(53) | 1) * 2.0 ** rng.randrange(1, 30) for _ in range(9_999))


def test_where_one_algorithm_ends_and_the_other_begins() -> None:
    for bound in ("1e-50", "1e-45", "1e-48", "1e78", "1e79", "1e80", "1e82"):
        for e in range(-4, 5):
            check(neighbours(float(bound) * 2.0**e))
    check([0.0, sys.float_info.min, sys.float_info.max, 5e-324])


def test_integers() -> None:
    edges = [10**n + d for n in range(25) for d in (-1, 0, 1)]
    edges += [2**n + d for n in range(70) for d in (-1, 0, 1)]
    assert written([*edges, *(-n for n in edges)]) == json.dumps(
        {"n": [*edges, *(-n for n in edges)]}, separators=(",", ":")
    )


def test_the_table_is_what_its_script_makes() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "scripts" / "json_powers"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == (ROOT / "csrc/lib/json/json_powers.c").read_text()
