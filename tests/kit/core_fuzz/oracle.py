"""What is wrong with what a call did, whatever it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from fastbearer import FastbearerError
from project import ROOT

from .calls import Call, Case, OddError

WINDOW = 12
"""Characters of a secret that are too many for an error to show."""

ALWAYS = (TypeError, OddError)


@cache
def reasons() -> frozenset[str]:
    return frozenset((ROOT / "tests" / "core" / "reasons.txt").read_text().split())


def is_documented(
    error: BaseException, raised: tuple[type[BaseException], ...]
) -> bool:
    """Tell whether it is one of those; of Python's own, no subclass is."""
    if isinstance(error, FastbearerError):
        return any(isinstance(error, one) for one in raised)
    return type(error) in (*ALWAYS, *raised)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and what it came from, which a traceback shows, too."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            left += [one.__cause__, one.__context__]


def shown(error: BaseException) -> str:
    """Return all that a log could show of an error."""
    return "\n".join(f"{one} {one.args!r}" for one in chain(error))


def windows(secret: str | bytes) -> Iterator[str]:
    text = secret if isinstance(secret, str) else secret.decode("latin-1")
    for at in range(0, len(text) - WINDOW + 1, WINDOW // 3):
        yield text[at : at + WINDOW]


def shows(text: str, secrets: tuple[str | bytes, ...]) -> bool:
    return any(part in text for secret in secrets for part in windows(secret))


def complaint(
    case: Case, call: Call, result: object, error: BaseException | None
) -> str | None:
    """Return what breaks a rule that holds for every call."""
    if error is None:
        return None
    name = type(error).__name__
    if not is_documented(error, case.raises):
        return f"{name} is not documented: {str(error)[:300]}"
    if isinstance(error, OddError):
        return None
    if shows(shown(error), call.secrets):
        return f"{name} shows what is secret: {shown(error)[:300]}"
    reason = getattr(error, "reason", None)
    if reason is not None and reason not in reasons():
        return f"{name} has a reason that nobody knows: {reason}"
    return None
