"""The rules of fetching and keeping a key set; nothing here does I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastbearer.errors import KeySourceError
from fastbearer.keys import KeySet

__all__ = ["Answer", "Fetched", "Shelf", "freshness"]

MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})\b", re.IGNORECASE)
NOT_KEPT = re.compile(r"(?:^|[,\s])no-(?:store|cache)\b", re.IGNORECASE)
SECONDS = re.compile(r"\d{1,9}")


@dataclass(frozen=True)
class Answer:
    """A key set as it came, and for how many seconds it is fresh, if it says."""

    body: bytes
    lifetime: float | None


@dataclass(frozen=True)
class Fetched:
    """An answer and its keys."""

    answer: Answer
    keys: KeySet


class Shelf:
    """The rules of keeping: what there is, how old it is, when to fetch again.

    It does no I/O and reads no clock: ``now`` is seconds of a steady clock.
    """

    def __init__(self, lifetime: float, max_stale: float, cooldown: float) -> None:
        self.keys: KeySet | None = None
        self.failure = "not fetched yet"
        self._body = b""
        self._lifetime = lifetime
        self._max_stale = max_stale
        self._cooldown = cooldown
        self._fetched = self._fresh_until = self._tried = float("-inf")

    def is_due(self, now: float, *, unknown_kid: bool) -> bool:
        """Tell whether to fetch; never twice within the cool-down."""
        is_wanted = unknown_kid or not self.is_fresh(now)
        return is_wanted and now >= self._tried + self._cooldown

    def is_fresh(self, now: float) -> bool:
        """Tell whether the set may be used without a thought."""
        return now < self._fresh_until

    def is_usable(self, now: float) -> bool:
        """Tell whether the set may be used while, or where, no other comes."""
        return self.keys is not None and now < self._fetched + self._max_stale

    def note_attempt(self, now: float) -> None:
        """Begin a cool-down."""
        self._tried = now

    def read(self, answer: Answer) -> KeySet:
        """Return the keys of an answer.

        The same text keeps its keys, and with them what verifiers remember.

        Raises:
            InvalidKeyError: It has no usable key.
        """
        if self.keys is not None and answer.body == self._body:
            return self.keys
        return KeySet.from_jwks(answer.body)

    def put(self, fetched: Fetched, now: float) -> None:
        """Keep what was fetched."""
        answer = fetched.answer
        lifetime = self._lifetime if answer.lifetime is None else answer.lifetime
        self.keys = fetched.keys
        self.failure = ""
        self._body = answer.body
        self._fetched = now
        self._fresh_until = now + min(max(lifetime, self._cooldown), self._max_stale)

    def take(self, now: float, *, strictly: bool) -> KeySet:
        """Return the last good set.

        Args:
            now: The time.
            strictly: Not if the last attempt to fetch failed.

        Raises:
            KeySourceError: There is none, or it is too old.
        """
        if self.keys is None or not self.is_usable(now) or (strictly and self.failure):
            wait = max(self._tried + self._cooldown - now, 1)
            raise KeySourceError(f"no keys: {self.failure or 'too old'}", wait)
        return self.keys


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
