"""The changelog's fragments, of which towncrier makes a section of CHANGELOG.md."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT

FOLDER = ROOT / "changelog.d"
TEMPLATE = "template.md.jinja"
NAME = re.compile(r"[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md")
SENTENCES = re.compile(r"[A-Z`].*\.\n?")


def faults(name: str, text: str) -> list[str]:
    """Return what is wrong with a fragment."""
    found = []
    if NAME.fullmatch(name) is None:
        found.append("its name is not <slug>.<kind>.md")
    if SENTENCES.fullmatch(text) is None:
        found.append("it is not one line of full sentences")
    if re.search(r"#\d", text):
        found.append("it has the number of an issue")
    return found


FRAGMENTS = sorted(path for path in FOLDER.iterdir() if path.name != TEMPLATE)


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_is_a_line_of_its_kind(path: Path) -> None:
    assert faults(path.name, path.read_text()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.bugfix.md", "A thing works.\n"),
        ("A thing.fixed.md", "A thing works.\n"),
        ("12.md", "A thing works.\n"),
        ("a.fixed.md", "A thing works.\nAnother, too.\n"),
        ("a.fixed.md", "a thing works"),
        ("a.fixed.md", "A thing works (#12).\n"),
        ("a.fixed.md", ""),
    ],
)
def test_a_planted_fault_is_seen(name: str, text: str) -> None:
    assert faults(name, text) != []


def test_the_fragments_make_a_section() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft"]
    result = subprocess.run(
        [*command, "--version", "1.0.0", "--date", "2026-01-02"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    section = " ".join(result.stdout.split())
    assert "## 1.0.0 - 2026-01-02" in section
    for path in FRAGMENTS:
        assert " ".join(path.read_text().split()) in section
