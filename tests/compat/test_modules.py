"""The modules of the drop-ins are those of the originals, but for private ones."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from fastbearer.compat import PACKAGES

HOME = "fastbearer.compat."

INSTALLED = """
import sys
from fastbearer import compat

compat.install("{name}")
print(*sorted(one for one in sys.modules if one.partition(".")[0] == "{name}"))
"""


def modules(name: str) -> set[str]:
    """Return the names of a drop-in's modules, as the original calls them."""
    paths = importlib.import_module(HOME + name).__path__
    found = pkgutil.walk_packages(paths, f"{HOME}{name}.")
    return {name, *(one.name.removeprefix(HOME) for one in found)}


def public(names: set[str]) -> set[str]:
    return {name for name in names if "._" not in name}


@pytest.mark.parametrize("name", PACKAGES)
def test_public_modules_are_the_originals(name: str) -> None:
    ours = public(modules(name))
    assert len(ours) > 1
    assert {one for one in ours if find_spec(one) is None} == set()


@pytest.mark.parametrize("name", PACKAGES)
def test_install_gives_the_public_modules_alone(name: str) -> None:
    script = INSTALLED.format(name=name)
    printed = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert set(printed.split()) == public(modules(name))
