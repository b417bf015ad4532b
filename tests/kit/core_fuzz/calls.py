"""What a call of the fuzzer is, and who makes calls of which entry point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any


class OddError(Exception):
    """What the fuzzer's own hostile objects raise; it may come through."""


Check = Callable[[Any, BaseException | None], str | None]
"""From a result, or what was raised, to what is wrong with it."""


def returns(answer: Any) -> Check:
    """Return a check for exactly that answer, also by its types."""

    def check(result: Any, error: BaseException | None) -> str | None:
        if error is not None:
            return f"should answer {answer!r:.300}"
        same = type(result) is type(answer) and repr(result) == repr(answer)
        return None if same else f"answers {result!r:.300}, not {answer!r:.300}"

    return check


def refuses(*reasons: str) -> Check:
    """Return a check for a refusal that names one of those reasons."""

    def check(result: Any, error: BaseException | None) -> str | None:
        if error is None:
            return f"accepts: {result!r:.300}"
        reason = getattr(error, "reason", None)
        return None if reason in reasons else f"says {reason}, not one of {reasons}"

    return check


def raises(*classes: type[BaseException]) -> Check:
    def check(result: Any, error: BaseException | None) -> str | None:
        if error is None:
            return f"accepts: {result!r:.300}"
        return None if isinstance(error, classes) else "raises another class"

    return check


def anything(result: Any, error: BaseException | None) -> str | None:
    """Pass: what is asked for is no more than a documented answer."""
    return None


def holds(is_right: Callable[[Any], bool]) -> Check:
    """Return a check for an answer of which that is true."""

    def check(result: Any, error: BaseException | None) -> str | None:
        if error is not None:
            return "should not be refused"
        return None if is_right(result) else f"answers {result!r:.300}"

    return check


@dataclass(frozen=True)
class Call:
    """A function and its arguments; what is right; and what no error may show."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    check: Check = anything
    secrets: tuple[str | bytes, ...] = ()


Maker = Callable[[Random], Call]


@dataclass(frozen=True)
class Case:
    entry: str
    make: Maker
    raises: tuple[type[BaseException], ...]
    weight: int


CASES: list[Case] = []


def calls(
    entry: str, *raised: type[BaseException], weight: int = 2
) -> Callable[[Maker], Maker]:
    """Register what makes calls of an entry point.

    Args:
        entry: As `core_entries` names it.
        raised: The errors that it is documented to raise, besides TypeError.
        weight: How often it is chosen, beside others.
    """

    def register(make: Maker) -> Maker:
        CASES.append(Case(entry, make, raised, weight))
        return make

    return register
