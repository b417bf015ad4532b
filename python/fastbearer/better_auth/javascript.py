"""JSON, numbers and dates in the form in which JavaScript writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring
from typing import Any

__all__ = ["EXACT", "iso", "iso_of", "json_bytes"]

EXACT = 2**53  # beyond it, JavaScript's integers are not exact
LEVELS_MAX = 32
INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
INDEX_END = 2**32 - 1  # ECMAScript 6.1.7: array indices come first


EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
MILLISECOND = timedelta(milliseconds=1)
DAY = 86_400_000  # milliseconds
DATE_END = 100_000_000 * DAY  # ECMAScript 21.4.1.1: no date is further from 1970
DAYS_TO_1970 = 719_468  # from the first of March of the year 0
CYCLE, CYCLE_YEARS = 146_097, 400  # days and years, after which leap years repeat


def json_bytes(value: Any) -> bytes:
    """Return JSON, byte for byte as JavaScript's ``JSON.stringify`` writes it.

    A Better Auth server reads the data and writes it again before it looks at the
    signature of the strategy "compact".

    Raises:
        TypeError: A value has a type that JSON does not have.
        ValueError: There is an integer that JavaScript does not have, a lone
            surrogate, or more than the 32 levels that are read.
    """
    return _text(value, LEVELS_MAX).encode("utf-8")


def _text(value: Any, levels: int) -> str:
    if isinstance(value, str):
        return str(encode_basestring(value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, datetime):
        return f'"{iso(value)}"'
    if not isinstance(value, (Mapping, list, tuple)):
        raise TypeError(f"JSON has nothing for {type(value).__name__}")
    if levels == 0:
        raise ValueError(f"more than {LEVELS_MAX} levels")
    if isinstance(value, Mapping):
        named = {str(name): one for name, one in value.items()}
        members = (
            f"{encode_basestring(name)}:{_text(named[name], levels - 1)}"
            for name in sorted(named, key=_place)
        )
        return f"{{{','.join(members)}}}"
    return f"[{','.join(_text(one, levels - 1) for one in value)}]"


def _place(name: str) -> int:
    """Return a name's place in JavaScript: indices in order, others as they came."""
    is_index = INDEX.fullmatch(name) is not None
    return min(int(name), INDEX_END) if is_index else INDEX_END


def _number(value: float) -> str:
    """Return a number as ECMAScript 6.1.6.1.20 writes it; what is none is null."""
    if isinstance(value, int):
        if -EXACT < value < EXACT:
            return int.__repr__(value)
        value = _exactly(value)
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"  # also minus zero
    # Both write as few digits as tell the number from its neighbours.
    sign = "-" if value < 0 else ""
    mantissa, _, power = f"{float.__repr__(abs(value))}e".partition("e")
    whole, _, fraction = mantissa.partition(".")
    exponent = int(power.strip("e") or 0) + len(whole)
    digits = f"{whole}{fraction}".rstrip("0")
    exponent -= len(digits) - len(digits.lstrip("0"))
    return sign + _written(digits.lstrip("0"), exponent)


def _written(digits: str, exponent: int) -> str:
    """Return 0.DIGITS times ten to the power of the exponent."""
    count = len(digits)
    if count <= exponent <= 21:
        return digits.ljust(exponent, "0")
    if 0 < exponent <= 21:
        return f"{digits[:exponent]}.{digits[exponent:]}"
    if -6 < exponent <= 0:
        return f"0.{'0' * -exponent}{digits}"
    first, others = digits[0], digits[1:]
    return f"{first}{'.' if others else ''}{others}e{exponent - 1:+d}"


def _exactly(value: int) -> float:
    """Return the number that JavaScript has for an integer.

    Raises:
        ValueError: It has none.
    """
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if found != value:
        raise ValueError("an integer that JavaScript does not have")
    return found


def iso(value: datetime) -> str:
    """Return a date as JavaScript's ``toISOString`` does; without a zone it is UTC."""
    offset = value.utcoffset()
    plain = value.replace(tzinfo=None)
    if not offset:
        return plain.isoformat(timespec="milliseconds") + "Z"
    return iso_of((plain - EPOCH - offset) // MILLISECOND)


def iso_of(milliseconds: int) -> str:
    """Return the date of milliseconds since 1970, as ``toISOString`` does.

    It has years that Python does not have (ECMAScript 21.4.1.32).

    Raises:
        ValueError: JavaScript does not have the date.
    """
    if abs(milliseconds) > DATE_END:
        raise ValueError("a date that JavaScript does not have")
    days, rest = divmod(milliseconds, DAY)
    cycles, day = divmod(days + DAYS_TO_1970, CYCLE)
    year_of_cycle = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year_of_cycle + year_of_cycle // 4 - year_of_cycle // 100
    month = (5 * day + 2) // 153  # since March, so that a leap day comes last
    day -= (153 * month + 2) // 5
    year = cycles * CYCLE_YEARS + year_of_cycle + (month > 9)
    shown = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+07d}"
    seconds, fraction = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    date = f"{shown}-{(month + 2) % 12 + 1:02d}-{day + 1:02d}"
    return f"{date}T{hour:02d}:{minute:02d}:{second:02d}.{fraction:03d}Z"
