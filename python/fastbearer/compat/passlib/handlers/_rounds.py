"""Handlers whose hashes cost as many rounds as is wanted."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from fastbearer.compat.passlib._settings import Settings
from fastbearer.compat.passlib.exc import PasslibConfigWarning
from fastbearer.compat.passlib.handlers._base import Handler

__all__ = ["ROUNDS_ALIASES", "RoundsHandler"]

ROUNDS_ALIASES = {
    "min_desired_rounds": "min_rounds",
    "max_desired_rounds": "max_rounds",
}


class RoundsHandler(Handler):
    """A scheme with rounds.

    Attributes:
        default_rounds: Of new hashes.
        min_desired_rounds: Hashes with fewer are outdated, if it is not None.
        max_desired_rounds: Hashes with more are outdated, if it is not None.
        min_rounds: The fewest that the scheme knows.
        max_rounds: The most that are computed here.
    """

    setting_kwds: ClassVar[tuple[str, ...]] = ("rounds",)
    aliases: ClassVar[Mapping[str, str]] = ROUNDS_ALIASES

    default_rounds: int = 1
    min_desired_rounds: int | None = None
    max_desired_rounds: int | None = None
    min_rounds: ClassVar[int] = 1
    max_rounds: ClassVar[int] = 10_000_000

    def everywhere_kwds(self) -> set[str]:
        """Return which of the settings of every scheme it takes."""
        more = ["min_rounds", "max_rounds", "default_rounds", "vary_rounds"]
        return {*self.setting_kwds, *ROUNDS_ALIASES, *more}

    def configure(self, asked: Settings) -> None:
        """Take the rounds; ``vary_rounds`` is ignored, with passlib's warning."""
        super().configure(asked)
        every = self._rounds(asked, "rounds")
        self._limit(
            _first(self._rounds(asked, "min_rounds"), every),
            _first(self._rounds(asked, "max_rounds"), every),
        )
        self._begin(_first(self._rounds(asked, "default_rounds"), every))
        _check_variation(asked.take("vary_rounds"), self.name)

    def is_outdated(self, hash: str) -> bool:
        """Tell whether other settings made a hash of this scheme."""
        rounds = int(self.parts(hash)["rounds"])
        least, most = self.min_desired_rounds, self.max_desired_rounds
        return (
            (least is not None and rounds < least)
            or (most is not None and rounds > most)
            or self.differs(hash)
        )

    def differs(self, hash: str) -> bool:
        """Tell whether other settings than the rounds are not those of today."""
        return False

    def _rounds(self, asked: Settings, name: str) -> int | None:
        return asked.number(name, self.min_rounds, self.max_rounds)

    def _limit(self, least: int | None, most: int | None) -> None:
        if least is not None:
            self.min_desired_rounds = least
        if most is None:
            return
        lower = self.min_desired_rounds
        if lower is not None and most < lower:
            message = f"{self.name}: max_rounds is below min_rounds"
            if least is not None:
                raise ValueError(message)
            warnings.warn(message, PasslibConfigWarning, stacklevel=2)
            most = lower
        self.max_desired_rounds = most

    def _begin(self, rounds: int | None) -> None:
        """Set the rounds of new hashes within the limits."""
        wanted = self.default_rounds if rounds is None else rounds
        within = wanted
        if self.min_desired_rounds is not None:
            within = max(within, self.min_desired_rounds)
        if self.max_desired_rounds is not None:
            within = min(within, self.max_desired_rounds)
        if rounds is not None and within != rounds:
            message = "default_rounds is not within min_rounds and max_rounds"
            raise ValueError(f"{self.name}: {message}")
        self.default_rounds = within


def _first(value: int | None, otherwise: int | None) -> int | None:
    return otherwise if value is None else value


def _check_variation(value: Any, scheme: str) -> None:
    """Check how much the rounds were to vary, which they do not.

    Raises:
        ValueError: It is less than nothing, or more than everything.
        TypeError: It is no number, nor the text of one.
    """
    if isinstance(value, str):
        value = _number_in(value)
    if value is None:
        return
    if not isinstance(value, (int, float)):
        raise TypeError("vary_rounds must be int or float")
    if value < 0 or (isinstance(value, float) and value > 1):
        raise ValueError(f"{scheme}: vary_rounds is out of range")
    if value:
        message = "vary_rounds is deprecated in passlib 1.7, and ignored here"
        warnings.warn(message, PasslibConfigWarning, stacklevel=2)


def _number_in(text: str) -> float:
    if text.endswith("%"):
        return float(text[:-1]) / 100
    return float(text) if "." in text else int(text)
