"""What the options of the command line are made of."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastbearer.utf8 import utf8_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "claim",
    "days_up_to",
    "field",
    "filled",
    "lifetime",
    "text_of",
    "within",
    "words",
]

INVITED_DAYS = 3_650
ELSEWHERE = frozenset(
    ("email", "username", "phone", "name", "password", "roles", "user_id")
) | {"email_verified", "is_active"}
"""What has an option or a command of its own; a password is no argument at all."""


def within(numbers: range) -> Callable[[str], int]:
    """Return the type of an option that is one of these numbers."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) not in numbers:
            raise argparse.ArgumentTypeError(
                f"must be a number from {numbers[0]} to {numbers[-1]}"
            )
        return int(text)

    return number


def days_up_to(most: int) -> Callable[[str], float]:
    """Return the type of an option that is a time in days; parts of a day are good."""

    def days(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(
                f"must be a number above 0 and at most {most}"
            )
        return value

    return days


def claim(text: str) -> tuple[str, Any]:
    """Return the name and the value of ``NAME=VALUE``."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise argparse.ArgumentTypeError("must be NAME=VALUE")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def filled(text: str) -> str:
    """Return the text, which must not be empty."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def text_of(text: str) -> str:
    """Return a string that is Unicode, whatever the bytes of the command line."""
    if utf8_of(text) is None:
        raise argparse.ArgumentTypeError("must be UTF-8")
    return text


def words(text: str) -> list[str]:
    """Return what stands between commas."""
    return [word for word in text_of(text).replace(",", " ").split(" ") if word]


def field(text: str) -> tuple[str, str]:
    """Return the name and the value of ``NAME=VALUE``."""
    name, separator, value = text_of(text).partition("=")
    if not name.isidentifier() or not separator:
        raise argparse.ArgumentTypeError("must be NAME=VALUE")
    if name in ELSEWHERE:
        raise argparse.ArgumentTypeError(f"must not be {name}: see the other options")
    return name, value


def lifetime(text: str) -> timedelta:
    """Return for how long an invitation is good, from a number of days."""
    return timedelta(days=days_up_to(INVITED_DAYS)(text))
