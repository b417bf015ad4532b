"""One small change of a source file, after which some test ought to fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple


class Change(NamedTuple):
    """What an operator makes of a place in a text: ``text[start:end]`` goes."""

    operator: str
    start: int
    end: int
    put: str


class Mutant(NamedTuple):
    """A change, and how people know it again after other lines have moved."""

    file: str
    function: str
    line: int
    operator: str
    was: str
    becomes: str
    text: str
    """The whole file with the change."""

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What an explanation names: the file, the function, the lines, the new ones.

        The operator follows from the last two.
        """
        return self.file, self.function, self.was, self.becomes


def mutant(file: str, function: str, text: str, change: Change) -> Mutant:
    """Return a file with one change."""
    first = text.rfind("\n", 0, change.start) + 1
    last = text.find("\n", change.end)
    last = len(text) if last < 0 else last
    changed = text[: change.start] + change.put + text[change.end :]
    new_last = last + len(changed) - len(text)
    return Mutant(
        file,
        function,
        text.count("\n", 0, change.start) + 1,
        change.operator,
        " ".join(text[first:last].split()),
        " ".join(changed[first:new_last].split()),
        changed,
    )


def in_order(mutants: list[Mutant], seed: int) -> Iterator[Mutant]:
    """Yield a file's mutants by lot, each operator in turn and a line but once.

    The lot of a mutant depends on what it is and on the seed alone, so an edit
    elsewhere in the file moves no other mutant.
    """
    taken: Counter[str] = Counter()
    lines = set()
    waiting = sorted(mutants, key=lambda one: lot(one, seed))
    while waiting:
        one = min(waiting, key=lambda one: taken[one.operator])  # the first of these
        waiting.remove(one)
        if one.line not in lines:
            yield one
        taken[one.operator] += 1
        lines.add(one.line)


def lot(one: Mutant, seed: int) -> str:
    """Return a number that only this mutant has."""
    return sha256("\0".join((str(seed), *one.name)).encode()).hexdigest()
