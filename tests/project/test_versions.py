"""docs/trust/versions.md says what is supported; what supports it says the same."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from project import ROOT

PAGE = (ROOT / "docs" / "trust" / "versions.md").read_text()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHON = re.compile(r"(?m)^\| (3\.\d+) \| \w+ (\d{4}) \| (yes)? ?\|$")
ROWS: list[tuple[str, str, str]] = PYTHON.findall(PAGE)


def test_the_pythons_are_those_of_the_classifiers() -> None:
    prefix = "Programming Language :: Python :: "
    named = [one.removeprefix(prefix) for one in PROJECT["project"]["classifiers"]]
    supported = [one for one in named if re.fullmatch(r"3\.\d+", one)]
    assert [version for version, _, _ in ROWS] == supported
    assert PROJECT["project"]["requires-python"] == f">= {supported[0]}"
    assert f"CPython from {supported[0]} on" in PAGE


def test_there_is_a_wheel_without_the_gil_where_the_page_says_so() -> None:
    built = PROJECT["tool"]["cibuildwheel"]["build"].split()
    for version, _, has_one in ROWS:
        tag = f"cp{version.replace('.', '')}"
        assert f"{tag}-*" in built
        assert (f"{tag}t-*" in built) == bool(has_one)


def test_the_ends_of_life_follow_each_other() -> None:
    """Five years after its first release, which is each October (PEP 602)."""
    assert [int(year) for _, year, _ in ROWS] == [
        2027 + int(version.partition(".")[2]) - 11 for version, _, _ in ROWS
    ]


def test_openssl_is_the_one_that_the_build_asks_for() -> None:
    (oldest,) = re.findall(r'LIBCRYPTO = "libcrypto >= ([\d.]+)"', setup_py())
    assert f"the system's OpenSSL, {oldest} or later" in PAGE


def test_the_line_of_openssl_is_that_of_the_wheels() -> None:
    inside = tomllib.loads((ROOT / "scripts" / "openssl.toml").read_text())
    line = inside["version"].rpartition(".")[0]
    assert f"OpenSSL maintains {line}, the line in the wheels, until " in PAGE


def test_nothing_is_deprecated_without_being_named() -> None:
    """The drop-ins repeat the warnings of the originals."""
    package = ROOT / "python" / "fastbearer"
    sources = [path for path in package.rglob("*.py") if "compat" not in path.parts]
    warned = [path.name for path in sources if "DeprecationWarning" in path.read_text()]
    assert bool(warned) != ("Nothing is deprecated at the moment." in PAGE), warned


def setup_py() -> str:
    return (ROOT / "setup.py").read_text()
