"""The type hints: complete, right, and the same as the compiled module's."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbearer import _core
from project import ROOT
from scripts import script

STUBS = ROOT / "python" / "fastbearer" / "_core.pyi"
COMPLETE = 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["mypy"], id="mypy --strict"),
        pytest.param(["mypy.stubtest", "fastbearer._core"], id="stubtest"),
    ],
)
def test_types(arguments: list[str]) -> None:
    command = [sys.executable, "-m", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def completeness(package: Path) -> tuple[float, list[str]]:
    """Return the share of public names whose type pyright knows, and the others."""
    command = [sys.executable, "-m", "pyright", "--verifytypes", "fastbearer"]
    found = Path(sys.executable).parent
    result = subprocess.run(
        [*command, "--ignoreexternal", "--outputjson"],
        env={
            **os.environ,
            "PATH": f"{found}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(package),
            "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
        },
        capture_output=True,
        text=True,
    )
    told = json.loads(result.stdout)["typeCompleteness"]
    assert told["exportedSymbolCounts"]["withKnownType"] > 1000, result.stdout
    unknown = [
        f"{symbol['name']}: {fault['message'].partition(chr(10))[0]}"
        for symbol in told["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"]
        for fault in symbol["diagnostics"]
    ]
    return told["completenessScore"], unknown


@pytest.mark.slow
def test_pyright_knows_the_types_of_what_is_public() -> None:
    """The few that it does not know are methods that also have the name of a function.

    PyJWT offers them as such, and a `Callable` in their place would hide arguments.
    """
    score, unknown = completeness(ROOT / "python")
    assert score >= COMPLETE, "\n".join(unknown)


# --- the stubs say what the compiled module says --------------------------------


def documented() -> Iterator[tuple[str, str | None]]:
    """Yield the name and the docstring of each class and function of the stubs."""
    for node in ast.parse(STUBS.read_text()).body:
        if isinstance(node, ast.ClassDef):
            yield node.name, ast.get_docstring(node)
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.name[:2] != "__":
                    yield f"{node.name}.{member.name}", ast.get_docstring(member)
        elif isinstance(node, ast.FunctionDef):
            yield node.name, ast.get_docstring(node)


def compiled(name: str) -> object:
    owner, _, member = name.partition(".")
    found: object = getattr(_core, owner)
    return getattr(found, member) if member else found


@pytest.mark.parametrize(("name", "text"), [*documented()])
def test_the_stubs_document_what_the_module_does(name: str, text: str | None) -> None:
    """One text, in C; an editor reads it in the stubs."""
    assert text
    assert text == inspect.getdoc(compiled(name))


def test_the_stubs_are_as_the_script_writes_them() -> None:
    text = STUBS.read_text()
    assert script("stub-docs").written(text) == text


def test_a_text_that_has_changed_is_written_again() -> None:
    text = STUBS.read_text()
    assert text.count("Make a fresh random key.") == 1
    stale = text.replace("Make a fresh random key.", "Make a key.")
    assert script("stub-docs").written(stale) == text
