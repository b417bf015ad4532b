"""Numbers, dates and texts are written as JavaScript writes them: Node itself says."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from better_auth_samples import STRATEGIES, big, server
from fastbearer.better_auth.javascript import iso, iso_of, json_bytes
from servers import NO_NODE, has_node
from waiting import HANG

needs_node = pytest.mark.node

EDGES = [
    *(0.0, -0.0, 1.0, -1.0, 0.1, 1.5, 5e-324, -5e-324, 2.2250738585072014e-308),
    *(1e21, 1e20, 999999999999999900000.0, 123456789012345680000.0, 1e22, 1.7e308),
    *(1e-6, 1e-7, 1.5e-7, 0.000001234, 9.999e-7, 123e-20, 1e16, 1e15, 1e17, 2.0**53),
    *(2.0**63, 2.0**64, 1e100, 1.5e300, 4.35, 0.30000000000000004, sys.float_info.max),
    *(float("nan"), float("inf"), float("-inf")),
]


def in_node(program: str, given: Any) -> Any:
    """Return what a program makes of JSON on its stdin."""
    if not has_node():
        pytest.skip(NO_NODE)
    read = "const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    said = subprocess.run(
        ["node", "-e", f"{read} console.log(JSON.stringify({program}))"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=HANG,
    )
    return json.loads(said.stdout)


def numbers() -> Iterator[float]:
    dice = random.Random(19)
    yield from EDGES
    for _ in range(20_000):
        yield struct.unpack("<d", dice.randbytes(8))[0]  # any bits
    for _ in range(5_000):
        yield dice.uniform(-1, 1) * 10.0 ** dice.randint(-25, 25)
        yield float(dice.randint(-(2**70), 2**70))
        yield round(dice.uniform(-1e6, 1e6), dice.randint(0, 6))


@needs_node
def test_numbers_are_those_of_node() -> None:
    every = list(numbers())
    bits = [struct.pack("<d", number).hex() for number in every]
    expected = in_node(
        "given.map(x => JSON.stringify(Buffer.from(x, 'hex').readDoubleLE()))", bits
    )
    assert [json_bytes(number).decode() for number in every] == expected
    assert len(expected) > 35_000


@needs_node
def test_integers_are_those_of_node() -> None:
    dice = random.Random(20)
    every = [sign * (2**power) for power in range(80) for sign in (1, -1)]
    every += [10**power for power in range(23)]  # 10**23 is no double
    every += [dice.randint(-(2**53), 2**53) for _ in range(5_000)]
    every += [int(float(dice.randint(2**53, 2**90))) for _ in range(5_000)]
    texts = [str(number) for number in every]
    expected = in_node("given.map(x => JSON.stringify(Number(x)))", texts)
    assert [json_bytes(number).decode() for number in every] == expected
    for other in (2**53 + 1, -(2**53) - 1, 10**23, 10**400):
        with pytest.raises(ValueError, match="JavaScript"):
            json_bytes(other)


LAST = 8_640_000_000_000_000


@needs_node
def test_dates_are_those_of_node() -> None:
    dice = random.Random(21)
    every = [0, 1, -1, 999, -999, LAST, -LAST, 253_402_300_799_999, 253_402_300_800_000]
    every += [-62_135_596_800_000, -62_135_596_800_001, -62_167_219_200_001]
    every += [dice.randint(-LAST, LAST) for _ in range(20_000)]
    every += [dice.randint(-(10**14), 3 * 10**14) for _ in range(20_000)]
    every += [day * 86_400_000 - (day % 2) for day in range(-1_100_000, 1_100_000, 97)]
    expected = in_node("given.map(x => new Date(x).toISOString())", every)
    assert [iso_of(moment) for moment in every] == expected
    for moment in (LAST + 1, -LAST - 1, 10**30):
        with pytest.raises(ValueError, match="JavaScript"):
            iso_of(moment)


@needs_node
def test_datetimes_in_any_zone_are_those_of_node() -> None:
    """At the ends of Python's calendar, UTC has years that Python does not have."""
    dice = random.Random(22)
    minutes = (-1439, -330, 1, 345, 1439)
    zones = [UTC, *(timezone(timedelta(minutes=minute)) for minute in minutes)]
    every = [datetime.min.replace(tzinfo=zone) for zone in zones]
    every += [datetime.max.replace(tzinfo=zone) for zone in zones]
    span = (datetime.max - datetime.min) // timedelta(microseconds=1)
    every += [
        datetime.min.replace(tzinfo=dice.choice(zones))
        + timedelta(microseconds=dice.randint(86_400_000_000, span - 86_400_000_000))
        for _ in range(5_000)
    ]
    start = datetime(1970, 1, 1, tzinfo=UTC)
    moments = [(one - start) // timedelta(milliseconds=1) for one in every]
    expected = in_node("given.map(x => new Date(x).toISOString())", moments)
    assert [iso(one) for one in every] == expected
    assert {text[:7] for text in expected} >= {"0000-12", "+010000"}
    bare = datetime(2026, 11, 22, 6, 46, 51, 909_999)
    assert iso(bare) == iso(bare.replace(tzinfo=UTC)) == "2026-11-22T06:46:51.909Z"


@needs_node
def test_texts_and_objects_are_those_of_node() -> None:
    dice = random.Random(23)
    ranges = [(0, 0x80), (0, 0x800), (0x2000, 0x2100), (0xE000, 0x10FFFF)]
    texts = [
        "".join(chr(dice.randint(*dice.choice(ranges))) for _ in range(12))
        for _ in range(3_000)
    ]
    names = [*"ab10", "10", "9", "01", "-1", "4294967294", "4294967295", "é", ""]
    objects = [
        {name: [texts[at], {"1": None, "0": at % 2 == 0}]}
        | dict.fromkeys(dice.sample(names, 6), at)
        for at, name in enumerate(texts)
    ]
    given = [*texts, *objects, [], {}, [[]], [{}], True, False, None]
    expected = in_node("given.map(x => JSON.stringify(x))", given)
    assert [json_bytes(one).decode() for one in given] == expected


@pytest.mark.parametrize("value", [{1, 2}, b"x", object(), 1j, [b"x"], {"a": {1}}])
def test_what_json_does_not_have(value: Any) -> None:
    with pytest.raises(TypeError):
        json_bytes(value)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_odd_numbers_are_read_again(strategy: Any) -> None:
    session, user = big(1)
    odd = [number for number in EDGES if number == number and abs(number) < 1e308]
    written = server().write_session_data(
        session, {**user, "n": odd}, strategy=strategy
    )
    read = server().read_session_data(written).user["n"]
    assert [float(number) for number in read] == odd
    lost = {**user, "n": float("nan")}
    written = server().write_session_data(session, lost, strategy=strategy)
    assert server().read_session_data(written).user["n"] is None
