"""The rules of keeping what was fetched; nothing here does I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastbearer.errors import KeySourceError

__all__ = ["Fetched", "Shelf", "freshness"]

T = TypeVar("T")

MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})\b", re.IGNORECASE)
NOT_KEPT = re.compile(r"(?:^|[,\s])no-(?:store|cache)\b", re.IGNORECASE)
SECONDS = re.compile(r"\d{1,9}")


@dataclass(frozen=True)
class Fetched(Generic[T]):
    """What was fetched, and for how many seconds it is fresh, if its answer says."""

    value: T
    lifetime: float | None


class Shelf(Generic[T]):
    """The rules of keeping: what there is, how old it is, when to fetch again.

    It does no I/O and reads no clock: ``now`` is seconds of a steady clock.

    Args:
        lifetime: Seconds for which a value is fresh, where its answer does not say.
        max_stale: Seconds after which a value is not used any more.
        cooldown: Least seconds between two attempts.
        name: What is kept, in the message of an error.
    """

    def __init__(
        self, lifetime: float, max_stale: float, cooldown: float, name: str = "keys"
    ) -> None:
        self.failure: str = "not fetched yet"
        self._name = name
        self._lifetime = lifetime
        self._max_stale = max_stale
        self._cooldown = cooldown
        self._tried = float("-inf")
        # What there is, until when it is fresh, and until when it may be used: one
        # tuple, so that a thread without the lock sees what belongs together.
        self._kept: tuple[T | None, float, float] = (None, self._tried, self._tried)

    @property
    def value(self) -> T | None:
        """The last good value, however old."""
        return self._kept[0]

    def is_due(self, now: float, *, refresh: bool) -> bool:
        """Tell whether to fetch; never twice within the cool-down."""
        is_wanted = refresh or self.fresh(now) is None
        return is_wanted and now >= self._tried + self._cooldown

    def fresh(self, now: float) -> T | None:
        """Return what may be used without a thought, or None."""
        value, fresh_until, _ = self._kept
        return value if now < fresh_until else None

    def is_usable(self, now: float) -> bool:
        """Tell whether the value may be used while, or where, no other comes."""
        value, _, usable_until = self._kept
        return value is not None and now < usable_until

    def note_attempt(self, now: float) -> None:
        """Begin a cool-down."""
        self._tried = now

    def put(self, fetched: Fetched[T], now: float) -> None:
        """Keep what was fetched."""
        told = fetched.lifetime
        lifetime = max(self._lifetime if told is None else told, self._cooldown)
        self.failure = ""
        fresh_until = now + min(lifetime, self._max_stale)
        self._kept = (fetched.value, fresh_until, now + self._max_stale)

    def take(self, now: float, *, strictly: bool) -> T:
        """Return the last good value.

        Args:
            now: The time.
            strictly: Not if the last attempt to fetch failed.

        Raises:
            KeySourceError: There is none, or it is too old.
        """
        value = self._kept[0]
        if value is None or not self.is_usable(now) or (strictly and self.failure):
            wait = max(self._tried + self._cooldown - now, 1)
            raise KeySourceError(f"no {self._name}: {self.failure or 'too old'}", wait)
        return value


def freshness(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer says it is fresh (RFC 9111 4.2)."""
    control = headers.get("Cache-Control", "")
    if NOT_KEPT.search(control):
        return 0
    told = MAX_AGE.search(control)
    if told is None:
        return None
    age = headers.get("Age", "")
    return max(int(told[1]) - (int(age) if SECONDS.fullmatch(age) else 0), 0)
