"""The settings that a handler is asked for, each read once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from fastbearer.compat.passlib.exc import PasslibHashWarning

__all__ = ["Settings", "UnknownSettingError"]

YES = {"1", "on", "t", "true", "y", "yes"}
NO = {"0", "f", "false", "n", "no", "off"}


class UnknownSettingError(TypeError):
    """A handler has no such setting."""

    def __init__(self, scheme: str, name: str) -> None:
        super().__init__(f"{scheme} has no setting {name}")


class Settings:
    """What one handler is asked for.

    Args:
        scheme: The handler's name.
        given: Values by name; None is nothing.
        aliases: Other names, and what they stand for.
        is_relaxed: Bring values that are out of range back into it, with a
            warning.

    Raises:
        TypeError: A name and its alias are both there.
    """

    def __init__(
        self,
        scheme: str,
        given: Mapping[str, Any],
        aliases: Mapping[str, str],
        *,
        is_relaxed: bool,
    ) -> None:
        self.scheme = scheme
        self._is_relaxed = is_relaxed
        self._left: dict[str, Any] = {}
        for name, value in given.items():
            meant = aliases.get(name, name)
            if meant in self._left:
                raise TypeError(f"{name} and {meant} are the same setting")
            self._left[meant] = value

    def take(self, name: str) -> Any:
        """Return a value, or None."""
        return self._left.pop(name, None)

    def number(self, name: str, least: int, most: int) -> int | None:
        """Return an integer within these limits, or None.

        Raises:
            TypeError: It is no integer, nor the text of one.
            ValueError: It is out of range, and that is not to be mended.
        """
        value = self.take(name)
        if isinstance(value, str):
            value = int(value)
        if value is None:
            return None
        if not isinstance(value, int):
            raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
        within = max(least, min(value, most))
        if within != value:
            self._complain(f"{self.scheme}: {name} is {least} to {most}")
        return within

    def number_or(self, otherwise: int, name: str, least: int, most: int) -> int:
        """Return an integer within these limits, or what it is without this setting.

        Raises:
            TypeError: As in `number`.
            ValueError: As there.
        """
        value = self.number(name, least, most)
        return otherwise if value is None else value

    def flag(self, name: str) -> bool | None:
        """Return whether something is wanted, or None.

        Raises:
            ValueError: It is a string that says neither yes nor no.
        """
        value = self.take(name)
        if value is None or not isinstance(value, str):
            return None if value is None else bool(value)
        text = value.strip().lower()
        if text in YES | NO:
            return text in YES
        raise ValueError(f"{self.scheme}: {name} is true or false")

    def finish(self) -> None:
        """Check that every value was taken.

        Raises:
            UnknownSettingError: One was not.
        """
        for name in self._left:
            raise UnknownSettingError(self.scheme, name)

    def _complain(self, message: str) -> None:
        if not self._is_relaxed:
            raise ValueError(message)
        warnings.warn(message, PasslibHashWarning, stacklevel=2)
