"""Random JSON, good and bad, and what the standard library makes of it, strictly."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

DIGITS_MAX = 4300
DEPTH_MAX = 32
NOW = 1_700_000_000
"""The time at which all tokens are judged."""

# --- writing --------------------

NAMES = (
    *("exp", "nbf", "iat", "iss", "aud", "sub", "jti", "kid", "typ", "alg", "crit"),
    *("b64", "zip", "cty", "a", "", "name", "email_verified", "realm_access", "tid"),
    *("\\u0065xp", "\\u0061ud", "\\u0061lg", "k\\u0069d", "constructor", "\u00e9"),
)
DATES = ('"exp"', '"nbf"', '"iat"')
LETTERS = "abcxyzsubexp /"
GOOD_PIECES = (
    *("\\n", "\\u0041", "\\u00e9", "\\ud83d\\ude00", "\\\\", "\\/", '\\"', "\\b"),
    *("\u00e9", "\u4e2d", "\U0001f600", "\x7f", "\\u0000", "\ufffd", "\u2028"),
)
BAD_PIECES = (
    *("\\ud800", "\\x", "\n", "\x00", "\\u12", "\\udc00\\ud800", '"', "\\", "\\u00g0"),
    *("\\ud800\\u0041", "\\U0041", "\x1f", "\ud800"),
)
NUMBERS = (
    *("0", "-0", "1", "-1", "1e3", "1.5", "-2.5E-3", "1e308", "1E+2", "1e-400"),
    *("12345678901234567", "0.1", "-0.0", "1.7e9", "9007199254740993.0"),
    *(str(n) for n in (NOW, NOW + 50, NOW - 50, 2**53, 2**53 + 1, -(2**53), 2**63)),
    *(f"{NOW}.5", f"{NOW + 59}.999", "9" * 17, "9" * 18, "9" * 19, "1" + "0" * 4299),
)
BAD_NUMBERS = (
    *(
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "0x1",
        "1e309",
    ),
    *("-1e999", "9" * 4301, "-" + "9" * 4301, "1_000", "\u0661"),
)
WORDS = ("true", "false", "null")
BAD_WORDS = ("nul", "True", "tru", "", "None", "undefined", "//", "'a'")
CLAIM_VALUES = (
    *('"i"', '"j"', '"a"', '["a"]', '["a","b"]', "[]", "[1]", '["a",1]', "null"),
    *('"at+jwt"', '"JWT"', str(NOW + 9), str(NOW - 9), f"{NOW + 0.5}", '"x"'),
)


class Writer:
    """Writes JSON texts, a few of which break one of its rules."""

    def __init__(self, dice: Random, badness: float) -> None:
        self.dice = dice
        self.badness = badness

    def is_bad(self) -> bool:
        return self.dice.random() < self.badness

    def text(self) -> str:
        dice = self.dice
        pieces = []
        for _ in range(dice.choice((0, 1, 3, 7, 8, 15, 16, 17, 33, 70))):
            plain = dice.random() < 0.85
            pieces.append(dice.choice(LETTERS if plain else GOOD_PIECES))
        if self.is_bad():
            pieces.insert(dice.randint(0, len(pieces)), dice.choice(BAD_PIECES))
        return '"' + "".join(pieces) + '"'

    def space(self) -> str:
        if self.is_bad():
            return self.dice.choice(("\x0b", "\xa0", "\ufeff", "\0", ",", ":"))
        return self.dice.choice(("", "", "", "", " ", "\n\t\r "))

    def value(self, depth: int) -> str:
        dice, roll = self.dice, self.dice.random()
        if depth > dice.choice((3, 4, 5, 34)):
            roll *= 0.6
        if roll < 0.2:
            return self.text()
        if roll < 0.35:
            return dice.choice(BAD_NUMBERS if self.is_bad() else NUMBERS)
        if roll < 0.45:
            return dice.choice(BAD_WORDS if self.is_bad() else WORDS)
        if roll < 0.6:
            return dice.choice(CLAIM_VALUES)
        if roll < 0.8:
            items = [self.value(depth + 1) for _ in range(dice.choice((0, 1, 2, 5)))]
            return self.around("[", items, "]")
        return self.object(depth + 1)

    def around(self, start: str, items: list[str], end: str) -> str:
        space = self.space()
        last = self.dice.choice((",", ",,", ";", end)) if self.is_bad() else ""
        return start + space + (space + "," + space).join(items) + last + space + end

    def name(self) -> str:
        if self.dice.random() < 0.8:
            return '"' + self.dice.choice(NAMES) + '"'
        return self.text()

    def object(self, depth: int = 0, first: tuple[str, ...] = ()) -> str:
        members = [*first]
        for _ in range(self.dice.choice((0, 1, 2, 4, 8))):
            colon = self.space() + ":" + self.space()
            name = self.name()
            is_date = name in DATES and self.dice.random() < 0.6
            value = self.dice.choice(NUMBERS) if is_date else self.value(depth)
            members.append(name + colon + value)
        if depth < 1:
            self.dice.shuffle(members)
        return self.around("{", members, "}")


def nested(dice: Random) -> str:
    """Return an object of about as many levels as are allowed."""
    levels = dice.choice((30, 31, 32, 1000))
    inner, outer = dice.choice((("[", "]"), ('{"a":', "}")))
    core = dice.choice(("1", "[]", "{}"))
    return '{"a":' + inner * levels + core + outer * levels + "}"


def payload(dice: Random, first: tuple[str, ...] = ()) -> bytes:
    """Return the bytes of an object, or of what is none."""
    writer = Writer(dice, dice.choice((0, 0, 0, 0.02, 0.2)))
    roll = dice.random()
    if roll < 0.03:
        text = nested(dice)
    elif roll < 0.06:
        text = writer.value(0)
    else:
        text = writer.object(first=first)
    made = text.encode("utf-8", "surrogatepass")
    if dice.random() < 0.06:
        made = dice.choice(
            (
                b"\xef\xbb\xbf" + made,
                made + dice.choice((b"x", b" ", b"\0", b"{}", b",")),
                b" " + made,
                made.decode("utf-8", "replace").encode("utf-16"),
                made.decode("utf-8", "replace").encode("utf-16-le"),
                mutated(dice, made),
            )
        )
    return made


def mutated(dice: Random, data: bytes, times: tuple[int, ...] = (1, 1, 2, 4)) -> bytes:
    """Return the bytes with some changed, taken out, put in or repeated."""
    made = bytearray(data)
    for _ in range(dice.choice(times)):
        at = dice.randint(0, len(made))
        roll = dice.random()
        if roll < 0.4 and at < len(made):
            made[at] = dice.choice((made[at] ^ 1 << dice.randrange(8), made[at] ^ 32))
        elif roll < 0.6:
            del made[at : at + dice.choice((1, 2, 10))]
        elif roll < 0.8:
            made[at:at] = dice.choice((b".", b"=", b"A", b"-", b"\0", b"\xff", b" "))
        else:
            made[at:at] = made[dice.randint(0, len(made)) :][: dice.choice((1, 9, 50))]
    return bytes(made)


# --- reading --------------------


class RefusedError(Exception):
    """What a strict reader does not take."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RefusedError
    return members


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS_MAX:
        raise RefusedError
    return int(text)


def _real(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise RefusedError
    return value


def _constant(_: str) -> None:
    raise RefusedError


def depth_of(value: Any) -> int:
    deepest, left = 0, [(value, 0)]
    while left:
        one, depth = left.pop()
        if isinstance(one, (dict, list)):
            deepest = max(deepest, depth + 1)
            inner = one.values() if isinstance(one, dict) else one
            left += [(item, depth + 1) for item in inner]
    return deepest


def read_strictly(data: bytes) -> dict[str, Any] | None:
    """Return the object that the bytes are, as RFC 8259 and RFC 7519 4 have it."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_real,
            parse_constant=_constant,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # no lone surrogate
    except (ValueError, RefusedError, RecursionError):
        return None
    return value if isinstance(value, dict) and depth_of(value) <= DEPTH_MAX else None
