"""Examples are short: what a project writes to have accounts of its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from project import ROOT

MOST_LINES = 40
APPLICATIONS = sorted(one.parent for one in (ROOT / "examples").glob("*/app.py"))
THEIRS = {"before.py"}
"""The application that was there before, which is compared with."""


def lines_of(module: Path) -> int:
    """Count all lines but the module's docstring and empty ones: imports, too."""
    text = module.read_text()
    first, *_ = ast.parse(text).body
    rest = text.splitlines()[first.end_lineno :]
    return sum(1 for line in rest if line.strip())


def test_there_are_three() -> None:
    names = [folder.name for folder in APPLICATIONS]
    assert names == ["from-fastapi-users", "own-fields", "roles"]


@pytest.mark.parametrize("folder", APPLICATIONS, ids=lambda one: one.name)
def test_an_application_is_short(folder: Path) -> None:
    modules = [one for one in folder.glob("*.py") if one.name not in THEIRS]
    assert all(ast.get_docstring(ast.parse(one.read_text())) for one in modules)
    assert sum(map(lines_of, modules)) <= MOST_LINES
