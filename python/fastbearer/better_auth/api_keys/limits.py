"""The limits of a stored API key, read as strictly as whose key it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from fastbearer.better_auth.fields import cleaned
from fastbearer.better_auth.session import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LIMIT_FIELDS", "Limits", "limits_of"]

NUMBERS = (
    "remaining",
    "refillInterval",
    "refillAmount",
    "rateLimitTimeWindow",
    "rateLimitMax",
    "requestCount",
)
OTHERS = ("rateLimitEnabled", "lastRefillAt", "lastRequest", "createdAt")
LIMIT_FIELDS = (*NUMBERS, *OTHERS)

MOST = 2**53
"""The last of the whole numbers that JavaScript tells apart."""
LONGEST = 1000 * 365 * 86_400_000
"""Milliseconds; with more, a time may leave the years that Python has."""
SPANS = frozenset(("refillInterval", "rateLimitTimeWindow"))


class Limits(NamedTuple):
    """How often a key may be used.

    Attributes:
        remaining: Requests that are left; None for any number.
        refill_amount: What is left after a refill; None where there is none.
        refills_at: After this there is one.
        window: How long the rate limit counts; None where a key has no such limit.
        most: Requests in that time.
        counted: Requests that were counted in the last of those times.
        window_ends: When that ends; None where there was no request yet.
    """

    remaining: int | None
    refill_amount: int | None
    refills_at: datetime | None
    window: timedelta | None
    most: int
    counted: int
    window_ends: datetime | None


def limits_of(row: Mapping[str, Any]) -> Limits:
    """Return the limits of a row: field -> what is stored, each date with its zone.

    Raises:
        ValueError: A field has a value that the plugin does not store; the message
            names the field.
    """
    found: dict[str, Any] = dict.fromkeys(LIMIT_FIELDS)
    found |= cleaned(row, LIMIT_FIELDS)
    for name in NUMBERS:
        found[name] = _number(name, found[name])
    amount = refills_at = window = window_ends = None
    if found["refillInterval"] and found["refillAmount"]:
        amount = found["refillAmount"]
        name = "createdAt" if found["lastRefillAt"] is None else "lastRefillAt"
        refills_at = _after(name, found[name], found["refillInterval"])
    span, most = found["rateLimitTimeWindow"], found["rateLimitMax"]
    if None not in (span, most) and found["rateLimitEnabled"] is not False:
        window = timedelta(milliseconds=span)
        if found["lastRequest"] is not None:
            window_ends = _after("lastRequest", found["lastRequest"], span)
    counted = found["requestCount"] or 0
    return Limits(
        found["remaining"], amount, refills_at, window, most or 0, counted, window_ends
    )


def _number(name: str, value: Any) -> int | None:
    if value is None:
        return None
    is_whole = isinstance(value, int) or (isinstance(value, float) and value % 1 == 0)
    least = -MOST if name == "remaining" else 0
    most = LONGEST if name in SPANS else MOST
    if isinstance(value, bool) or not is_whole or not least <= value <= most:
        raise _odd(name)
    return int(value)


def _after(name: str, date: str | None, milliseconds: int) -> datetime:
    """Return the time so much after a date of `cleaned`."""
    try:
        return moment(date) + timedelta(milliseconds=milliseconds)
    except (ValueError, OverflowError):
        raise _odd(name) from None


def _odd(name: str) -> ValueError:
    return ValueError(f"{name} is not what Better Auth stores")
