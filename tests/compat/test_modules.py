"""The modules of the drop-ins are those of the originals, but for private ones."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastbearer.compat import PACKAGES
from project import ROOT

HOME = "fastbearer.compat."
PACKAGE = ROOT / "python" / "fastbearer"

INSTALLED = """
import sys
from fastbearer import compat

compat.install("{name}")
print(*sorted(one for one in sys.modules if one.partition(".")[0] == "{name}"))
"""

MISSING = """
import sys
from importlib.util import find_spec

print(*(one for one in sys.argv[1:] if find_spec(one) is None))
"""


def modules(name: str) -> set[str]:
    """Return the names of a drop-in's modules, as the original calls them."""
    paths = importlib.import_module(HOME + name).__path__
    found = pkgutil.walk_packages(paths, f"{HOME}{name}.")
    return {name, *(one.name.removeprefix(HOME) for one in found)}


def public(names: set[str]) -> set[str]:
    return {name for name in names if "._" not in name}


def missing(names: set[str]) -> list[str]:
    """Return those that no installed package has.

    A fresh interpreter is asked: some of the originals replace their modules.
    """
    command = [sys.executable, "-c", MISSING, *sorted(names)]
    return subprocess.check_output(command, text=True).split()


def encoders_of_base64url(folder: Path) -> list[str]:
    """Return where base64url is encoded without padding by hand."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.glob("**/*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "urlsafe_b64encode"
    ]


@pytest.mark.parametrize("name", PACKAGES)
def test_public_modules_are_the_originals(name: str) -> None:
    ours = public(modules(name))
    assert len(ours) > 1
    assert missing(ours) == []


@pytest.mark.parametrize("name", PACKAGES)
def test_install_gives_the_public_modules_alone(name: str) -> None:
    script = INSTALLED.format(name=name)
    printed = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert set(printed.split()) == public(modules(name))


def test_base64url_has_one_home() -> None:
    assert encoders_of_base64url(PACKAGE) == ["base64url.py"]
