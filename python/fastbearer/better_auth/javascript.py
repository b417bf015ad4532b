"""JSON, numbers and dates in the form in which JavaScript writes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["EXACT", "iso", "json_bytes"]

EXACT = 2**53  # beyond it, JavaScript's integers are not exact
LEVELS_MAX = 32
INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
INDEX_END = 2**32 - 1  # ECMAScript 6.1.7: array indices come first


def json_bytes(value: Any) -> bytes:
    """Return JSON, byte for byte as JavaScript would write it.

    A Better Auth server reads the data and writes it again before it looks at the
    signature of the strategy "compact".

    Raises:
        TypeError: A value has a type that JSON does not have.
        ValueError: There is a number that JavaScript writes in another form, a lone
            surrogate, or more than the 32 levels that are read.
    """
    plain = _plain(value, LEVELS_MAX)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")


def _plain(value: Any, levels: int) -> Any:
    if isinstance(value, (Mapping, list, tuple)) and levels == 0:
        raise ValueError(f"more than {LEVELS_MAX} levels")
    if isinstance(value, Mapping):
        named = {str(name): one for name, one in value.items()}
        return {
            name: _plain(named[name], levels - 1) for name in sorted(named, key=_place)
        }
    if isinstance(value, (list, tuple)):
        return [_plain(one, levels - 1) for one in value]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int) and not -EXACT < value < EXACT:
        raise ValueError("an integer that JavaScript does not have")
    return value


def _place(name: str) -> int:
    """Return a name's place in JavaScript: indices in order, others as they came."""
    is_index = INDEX.fullmatch(name) is not None
    return min(int(name), INDEX_END) if is_index else INDEX_END


def _number(value: float) -> float | int:
    if value.is_integer() and -EXACT < value < EXACT:
        return int(value)
    if not math.isfinite(value) or "e" in repr(value):
        raise ValueError("a number that JavaScript writes in another form")
    return value


def iso(value: datetime) -> str:
    """Return a date as JavaScript's ``toISOString`` does; without a zone it is UTC."""
    utc = value.astimezone(UTC) if value.tzinfo else value
    return utc.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
