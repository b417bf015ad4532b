"""docs/questions: whatever the package says of a failure has an entry.

The lists are taken from the code: the classes of errors, the statuses of the C core,
and the reasons and log lines that Python's part writes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from fastbearer import errors
from project import ROOT

QUESTIONS = ROOT / "docs" / "questions"
PACKAGE = ROOT / "python" / "fastbearer"
SOURCES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in ("compat", "testing.py")
]
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
GIVEN = {"log_refusal": (0, 1), "because": (0,)}
"""Function -> the arguments that are codes and reasons."""

GIVEN |= dict.fromkeys(
    ("BoundTokenError", "InvalidProofError", "refused", "_malformed"), (1,)
)
NOT_REFUSALS = {"ok", "no_memory"}
"""Statuses that no error has."""


def codes() -> set[str]:
    """Return the code of each error of the package."""
    return {one for path in SOURCES for one in codes_in(path.read_text())}


def codes_in(source: str) -> Iterator[str]:
    """Yield the codes of the classes of errors in a module."""
    for node in ast.walk(ast.parse(source)):
        for line in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(line, ast.AnnAssign):
                target, value = line.target, line.value
            elif isinstance(line, ast.Assign):
                target, value = line.targets[0], line.value
            else:
                continue
            is_code = ast.unparse(target) == "code" and isinstance(value, ast.Constant)
            if is_code and isinstance(value.value, str):
                yield value.value


def statuses() -> set[str]:
    """Return the reasons of the core."""
    table = (ROOT / "csrc/lib/base/status.h").read_text()
    names = re.findall(r"\bX\((\w+), ", table.partition("#define X(name")[0])
    return {name.lower() for name in names} - NOT_REFUSALS - {"name"}


def constants(tree: ast.AST) -> dict[str, str]:
    """Return the texts that have a name in a module."""
    return {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def reasons_in(source: str) -> Iterator[str]:
    """Yield each code and reason that a module of Python gives a refusal."""
    tree = ast.parse(source)
    named = constants(tree)

    def text(node: ast.AST | None) -> str | None:
        if isinstance(node, ast.Name):
            return named.get(node.id)
        return node.value if isinstance(node, ast.Constant) else None  # type: ignore[return-value]

    for node in ast.walk(tree):
        found: list[str | None] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            places = GIVEN.get(node.func.id, ())
            found = [text(node.args[at]) for at in places if at < len(node.args)]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            name = getattr(target, "attr", getattr(target, "id", ""))
            found = [text(node.value)] if name == "reason" else []
        elif isinstance(node, ast.FunctionDef) and node.name == "flaw":
            found = [
                text(one)
                for one in ast.walk(node)
                if isinstance(one, ast.Constant) and "_" in str(one.value)
            ]
        yield from (one for one in found if one is not None and NAME.fullmatch(one))


def reasons() -> set[str]:
    """Return the codes and reasons of Python's part."""
    return {one for path in SOURCES for one in reasons_in(path.read_text())}


def headings(page: Path) -> list[str]:
    return re.findall(r"(?m)^### ([a-z0-9_]+)$", page.read_text())


def test_every_code_and_reason_has_an_entry() -> None:
    told = headings(QUESTIONS / "codes.md")
    assert codes() | statuses() | reasons() == set(told)
    assert len(told) == len(set(told))


def test_the_lists_are_those_of_the_code() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert {one.code for one in classes} < codes()
    assert len(statuses()) > 60
    planted = "X = 'no_x'\nlog_refusal('a_code', X)\nerror.reason = 'b_reason'\n"
    assert {*reasons_in(planted)} == {"a_code", "no_x", "b_reason"}
    assert {"scheme_missing", "token_empty", "cross_site", "iss_wrong"} <= reasons()


def test_an_entry_says_something() -> None:
    text = (QUESTIONS / "codes.md").read_text()
    for name, entry in re.findall(r"(?ms)^### (\w+)\n(.*?)(?=^#|\Z)", text):
        assert len(entry.strip()) > 30, name


# --- the log ------------------------------------------------------------------

LEVELS = {"debug", "info", "warning", "error", "exception"}
SPOKEN = {
    "text": "fastapi/client_address.py",
    "told": "accounts/stores/model_checks.py",
}
"""Variable of a line's text -> the module that has it among its constants."""


def log_lines(path: Path) -> Iterator[str]:
    """Yield the texts of the log lines of a module."""
    tree = ast.parse(path.read_text())
    named = constants(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if ast.unparse(node.func.value) != "logger" or node.func.attr not in LEVELS:
            continue
        text = node.args[0]
        if isinstance(text, ast.Constant):
            yield str(text.value)
        elif ast.unparse(text) in named:
            yield named[ast.unparse(text)]
        else:
            assert ast.unparse(text) in SPOKEN, f"{path}: {ast.unparse(text)}"


def fragments(text: str) -> list[str]:
    """Return the parts of a line between what is filled in."""
    return [one.strip(" :;,") for one in re.split(r"%[srd]|\{[^}]*\}", text)]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_every_line_of_the_log_has_an_entry() -> None:
    page = squeezed((QUESTIONS / "log.md").read_text())
    lines = [line for path in SOURCES for line in log_lines(path)]
    assert len(lines) > 40
    told = [max(fragments(line), key=len) for line in lines]
    assert [one for one in told if squeezed(one) not in page] == []


def test_the_lines_that_variables_hold_have_entries() -> None:
    page = squeezed((QUESTIONS / "log.md").read_text())
    for name, module in SPOKEN.items():
        named = constants(ast.parse((PACKAGE / module).read_text()))
        of_the_log = {
            "text": ("UNREADABLE", "UNNAMED", "NOBODY"),
            "told": ("NOT_UNIQUE",),
        }
        for one in of_the_log[name]:
            for part in fragments(named[one]):
                assert squeezed(part) in page, part


# --- what stops a start -------------------------------------------------------


def test_what_stops_a_start_has_an_entry() -> None:
    """The hints that tests/cli/test_failed_starts.py asks for."""
    source = (ROOT / "tests/cli/test_failed_starts.py").read_text()
    hints = re.findall(r'Start\(\s*r?"([^"]+)"', source)
    assert len(hints) > 20
    page = squeezed((QUESTIONS / "start.md").read_text())
    assert [one for one in hints if not re.search(one, page)] == []


def test_what_a_response_says_is_in_the_index() -> None:
    from fastbearer.fastapi import challenges

    page = (QUESTIONS / "index.md").read_text()
    for text in (
        *(challenges.NOT_AUTHENTICATED, challenges.INVALID, challenges.EXPIRED),
        *(challenges.REVOKED, challenges.MISSING_USER_ID, challenges.CROSS_SITE),
        *(challenges.INSUFFICIENT_SCOPE, challenges.NO_KEYS, challenges.NO_ANSWER),
        *(challenges.NO_STORE, challenges.OTHER_USER),
    ):
        first = re.split(r"(?<=\.) |(?<=:) ", text)[0]
        assert first in page, text
