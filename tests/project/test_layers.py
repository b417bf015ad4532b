"""Dependencies point one way, and the core stands on nothing but Python."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT

PACKAGE = ROOT / "python" / "fastbearer"
CORE = sorted(path for path in PACKAGE.glob("*.py*") if path.suffix in (".py", ".pyi"))
SLOW_TO_IMPORT = ["asyncio", "concurrent.futures", "dataclasses", "logging", "typing"]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of pyproject.toml on the package in a folder."""
    command = Path(sys.executable).with_name("lint-imports")
    config = ROOT / "pyproject.toml"
    return subprocess.run(
        [command, "--config", config, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_the_layers() -> None:
    result = lint_imports(PACKAGE.parent)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.soak
@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("keys.py", "from .fastapi import auth"),
        ("errors.py", "from . import keys"),
        ("__init__.py", "from .accounts import models"),
        ("fastapi/settings.py", "import fastbearer.accounts"),
        ("revocation/memory.py", "import fastbearer.fastapi"),
        ("testing.py", "import fastbearer.accounts"),
        ("accounts/models.py", "from fastbearer import app"),
        ("app/tasks.py", "from fastbearer import cli"),
        ("accounts/sessions.py", "from fastbearer.accounts.routes import answers"),
        ("accounts/refresh.py", "from fastbearer.accounts import credentials"),
        ("accounts/stores/ids.py", "from fastbearer.accounts import codes"),
        ("accounts/models.py", "from fastbearer.accounts import database"),
        ("accounts/records.py", "from fastbearer.accounts import models"),
        ("fastapi/client_address.py", "import fastbearer.accounts.stores"),
        ("accounts/routes/schemas.py", "from fastbearer.accounts import assembly"),
        ("accounts/unplaced.py", ""),
        ("accounts/codes.py", "from fastapi import HTTPException"),
        ("accounts/credentials.py", "import fastapi"),
        ("accounts/refresh.py", "import starlette.requests"),
        ("accounts/sessions.py", "from starlette.responses import Response"),
        ("accounts/stores/transactions.py", "import starlette.concurrency"),
        ("accounts/throttle.py", "from fastapi import Request"),
        ("cli/inputs.py", "from fastbearer.cli import commands"),
        ("cli/commands.py", "from fastbearer.cli.parser import parser"),
        ("compat/jwt/help.py", "import fastbearer.compat.jose"),
        ("compat/jose/utils.py", "from fastbearer.compat.passlib import hash"),
        ("compat/passlib/exc.py", "from fastbearer.compat.jwt import utils"),
        ("compat/pwdlib/exceptions.py", "from fastbearer.compat.passlib import exc"),
        ("compat/passlib/exc.py", "import fastbearer.compat.pwdlib.exceptions"),
        ("compat/_shared/der.py", "from fastbearer.compat.jose import utils"),
        ("testing.py", "from fastbearer.compat._shared import clock"),
        ("app/health.py", "import fastbearer.compat._shared.der"),
        ("unplaced.py", ""),
        ("cli/unplaced.py", ""),
        ("compat/unplaced.py", ""),
    ],
)
def test_a_planted_violation_is_seen(tmp_path: Path, module: str, line: str) -> None:
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "fastbearer", ignore=ignored)
    with (tmp_path / "fastbearer" / module).open("a") as source:
        source.write(f"\n{line}\n")
    assert lint_imports(tmp_path).returncode != 0


def searched_sentences(text: str) -> list[int]:
    """Return the lines that ask what an error's sentence says.

    A sentence may be worded better at any time: programs ask for the reason.
    """
    tree = ast.parse(text)
    named = {
        handler.name
        for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler) and handler.name
    }
    sentences = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and is_sentence(node.value, named)
        for target in node.targets
        if isinstance(target, ast.Name)
    } | {"reason"}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(op, (ast.In, ast.NotIn, ast.Eq)) for op in node.ops)
        for side in (node.left, *node.comparators)
        if is_sentence(side, named)
        or (
            isinstance(side, ast.Name)
            and side.id in sentences
            and isinstance(node.left, ast.Constant)
        )
    ]


def is_sentence(node: ast.expr, errors: set[str]) -> bool:
    """Tell whether an expression is ``str(error)`` or ``error.args[0]``."""
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute) and node.attr == "args":
        return isinstance(node.value, ast.Name) and node.value.id in errors
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("str", "repr")
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Name)
        and node.args[0].id in errors
    )


@pytest.mark.parametrize(
    "path",
    sorted(PACKAGE.rglob("*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_no_sentence_of_an_error_is_searched(path: Path) -> None:
    assert searched_sentences(path.read_text()) == []


@pytest.mark.parametrize(
    "condition",
    [
        '"JWK" in str(error)',
        '"objects" not in str(error)',
        'str(error) == "no"',
        '"empty" in error.args[0]',
        '"empty" in reason',
        '"empty" in problem',
    ],
)
def test_a_searched_sentence_is_seen(condition: str) -> None:
    text = (
        "try:\n    go()\nexcept E as error:\n    problem = str(error)\n"
        f"    if {condition}:\n        raise\n"
    )
    assert searched_sentences(text) == [5]


def test_a_reason_may_be_asked_for() -> None:
    text = (
        "try:\n    go()\nexcept E as error:\n"
        '    if error.reason == "key_empty" or error.reason in KNOWN:\n'
        "        raise F(str(error)) from None\n"
    )
    assert searched_sentences(text) == []


def loaded_modules() -> set[str]:
    """Return what a fresh interpreter has loaded only for ``import fastbearer``."""
    code = (
        "import sys; before = set(sys.modules); import fastbearer; "
        "print(*(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", code]
    return set(subprocess.check_output(command, text=True).split())


def test_importing_the_core_is_light() -> None:
    loaded = loaded_modules()
    assert {"fastbearer", "fastbearer._core"} <= loaded
    assert loaded.isdisjoint(SLOW_TO_IMPORT)
    assert not any(name.startswith("fastbearer.fastapi") for name in loaded)


def test_importing_the_core_loads_no_other_package() -> None:
    roots = {name.partition(".")[0] for name in loaded_modules()}
    assert roots - sys.stdlib_module_names == {"fastbearer"}


def imported(text: str) -> set[str]:
    """Return the packages and top modules that a source imports by their names."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            named.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            named.add(str(node.module).partition(".")[0])
    return named


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_the_core_imports_no_other_package(path: Path) -> None:
    named = imported(path.read_text())
    # Who runs on trio has it.
    # What tests of an application need is no part of the core.
    kit = {"fastapi", "starlette"}
    guests = {"loop_event.py": {"trio"}, "testing.py": kit}
    allowed = {"fastbearer"} | guests.get(path.name, set())
    assert named - sys.stdlib_module_names <= allowed


def predictable(text: str) -> bool:
    """Tell whether a source could take a secret from a generator of numbers.

    Who has seen some numbers of ``random`` can tell the next: secrets, codes and salts
    come from the operating system, by ``secrets`` or ``os.urandom``.
    """
    return not imported(text).isdisjoint({"random", "numpy"})


@pytest.mark.parametrize(
    "path",
    sorted(PACKAGE.rglob("*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_nothing_is_taken_from_a_predictable_generator(path: Path) -> None:
    assert not predictable(path.read_text())


@pytest.mark.parametrize("line", ["import random", "from random import Random"])
def test_a_predictable_generator_is_seen(line: str) -> None:
    assert predictable(f"import secrets\n\n\ndef make():\n    {line}\n")
