"""docs/explain/security.md: tests hold each promise, and no row is missing."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from project import ROOT

PAGE = ROOT / "docs" / "explain" / "security.md"

ROWS = {
    "6.1": 3,
    "6.2": 12,
    "6.3": 8,
    "6.4": 6,
    "6.5": 8,
    "6.6": 4,
    "6.7": 2,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 3,
    "7.6": 2,
    "9.1": 3,
    "9.2": 4,
    "10.1": 2,
    "10.2": 3,
    "10.3": 5,
    "10.4": 16,
    "10.5": 5,
    "10.6": 2,
    "10.7": 3,
}
"""Section of OWASP ASVS 5.0.0 -> how many rows it has."""

IDS = [f"{section}.{n}" for section, rows in ROWS.items() for n in range(1, rows + 1)]
HELD = ("held", "held by default", "held with a setting")
VERDICTS = (*HELD, "yours", "not offered", "not met")

TABLE = re.compile(r"(?m)^\|.*\n\|[-| ]+\n((?:\|.*\n)*)")
LINK = re.compile(r"\[`([^`]+)`\]\((\.\./\.\./tests/[^)]+)\)( \(nightly\))?")
CLAIMED = re.compile(r"`(test_\w+)")


def tables(text: str, first: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables whose first column has that name."""
    for table in TABLE.finditer(text):
        head, _, *rows = table[0].splitlines()
        if cells(head)[0] == first:
            yield from map(cells, rows)


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


@functools.cache
def nightly_of(file: Path) -> dict[str, bool]:
    """Return the name of each test of a file, and whether it is for the night alone."""
    body = ast.parse(file.read_text()).body
    of_all = [ast.unparse(one) for one in body if is_mark_of_all(one)]
    return {
        node.name: any("pytest.mark.soak" in mark for mark in of_all)
        or "pytest.mark.soak" in map(ast.unparse, node.decorator_list)
        for node in body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name.startswith("test_")
    }


def is_mark_of_all(node: ast.stmt) -> bool:
    """Tell whether a statement marks every test of its file."""
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"


def faults_of_links(text: str) -> list[str]:
    """Return what is wrong with the links to tests, wherever they stand."""
    found = []
    for name, target, nightly in LINK.findall(text):
        file = PAGE.parent / target
        named, _, case = name.partition("[")
        if not file.is_file():
            found.append(f"{target} is not there")
        elif named not in nightly_of(file):
            found.append(f"{target} has no {named}")
        elif case and case.removesuffix("]") not in file.read_text():
            found.append(f"{named} has no case {case}")
        elif nightly_of(file)[named] is not bool(nightly):
            found.append(f"{named}: (nightly) is for what make soak alone runs")
    linked = Counter(name.partition("[")[0] for name, _, _ in LINK.findall(text))
    for name, times in Counter(CLAIMED.findall(text)).items():
        if times != linked[name]:
            found.append(f"{name} is named without a link")
    return found


def faults_of_promises(text: str) -> list[str]:
    """Return the promises that no test holds."""
    rows = list(tables(text, "Promise"))
    found = [f"no test: {row[0]}" for row in rows if not LINK.search(row[1])]
    found += [f"not a sentence: {row[0]}" for row in rows if not row[0].endswith(".")]
    return found if rows else ["there are no promises"]


def faults_of_rows(text: str) -> list[str]:
    """Return what is wrong with the rows of the standard."""
    rows = list(tables(text, "Row"))
    told = [row[0] for row in rows]
    found = [f"{one} is missing" for one in IDS if one not in told]
    found += [f"{one} is not a row" for one in told if one not in IDS]
    found += [f"{one} comes twice" for one, times in Counter(told).items() if times > 1]
    if not found and told != IDS:
        found.append("the rows are out of order")
    for number, _, verdict, how in rows:
        if verdict not in VERDICTS:
            found.append(f"{number}: {verdict!r} is no verdict")
        elif verdict in HELD and not LINK.search(how):
            found.append(f"{number} is {verdict}, by no test")
        elif not how:
            found.append(f"{number} says nothing")
    return found


def faults(text: str) -> list[str]:
    return [*faults_of_links(text), *faults_of_promises(text), *faults_of_rows(text)]


def test_the_page_is_held_by_tests() -> None:
    assert faults(PAGE.read_text()) == []


def test_the_standard_has_as_many_rows() -> None:
    chapters = Counter(number.partition(".")[0] for number in IDS)
    assert chapters == {"6": 47, "7": 19, "9": 7, "10": 36}


def test_the_verdicts_are_explained() -> None:
    told = [row[0] for row in tables(PAGE.read_text(), "Verdict")]
    assert told == list(VERDICTS)


def test_readers_find_the_page() -> None:
    for page, link in (
        ("SECURITY.md", "docs/explain/security.md"),
        ("docs/index.md", "explain/security.md"),
    ):
        assert f"]({link})" in (ROOT / page).read_text()


def without_link(text: str) -> str:
    """Take every test away from the first promise."""
    start = text.index("| Promise |")
    row = text[start:].splitlines()[2]
    return text.replace(row, LINK.sub("see the tests", row))


SOME = "| 9.1.1 | "


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "(../../tests/core/test_strict.py)",
            "(../../tests/core/test_stricter.py)",
            "is not there",
        ),
        ("[`test_max_bytes_comes_first`]", "[`test_max_bytes_come_first`]", "has no"),
        (
            "[`test_max_bytes_comes_first`]",
            "`test_max_bytes_comes_first`",
            "without a link",
        ),
        ("[`test_audiences`]", "[`test_audiences[nobody's]`]", "has no case"),
        (
            "(../../tests/core/test_memory.py) (nightly)",
            "(../../tests/core/test_memory.py)",
            "nightly",
        ),
        (
            "(../../tests/core/test_constant_time.py) (nightly)",
            "(../../tests/core/test_constant_time.py)",
            "nightly",
        ),
        (SOME, "| 9.1.8 | ", "9.1.1 is missing"),
        (SOME, "| 9.1.8 | ", "9.1.8 is not a row"),
        (SOME, "| 9.1.2 | ", "9.1.2 comes twice"),
        ("| not offered |", "| not needed |", "is no verdict"),
        (
            "| Masked input fields | yours |",
            "| Masked input fields | held |",
            "by no test",
        ),
        ("| yours | There are no pages here. |", "| yours | |", "says nothing"),
        ("| Promise |", "| Hope |", "no promises"),
        ("are compared in constant time. |", "in constant time |", "not a sentence"),
    ],
)
def test_a_planted_fault_is_seen(old: str, new: str, told: str) -> None:
    text = PAGE.read_text()
    assert old in text
    found = faults(text.replace(old, new))
    assert [one for one in found if told in one], found


def test_a_promise_without_a_test_is_seen() -> None:
    found = faults(without_link(PAGE.read_text()))
    assert len(found) == 1 and found[0].startswith("no test: A token is refused")
