"""Examples are short: what a project writes to have accounts of its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from project import ROOT

MOST_LINES = 40
APPLICATIONS = sorted((ROOT / "examples").glob("*/app.py"))


def lines_of(module: Path) -> int:
    """Count all lines but the module's docstring and empty ones: imports, too."""
    text = module.read_text()
    first, *_ = ast.parse(text).body
    rest = text.splitlines()[first.end_lineno :]
    return sum(1 for line in rest if line.strip())


def test_there_are_three() -> None:
    names = [module.parent.name for module in APPLICATIONS]
    assert names == ["from-fastapi-users", "own-fields", "roles"]


@pytest.mark.parametrize("module", APPLICATIONS, ids=lambda one: one.parent.name)
def test_an_application_is_short(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))
    assert lines_of(module) <= MOST_LINES
