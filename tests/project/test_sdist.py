"""The source distribution holds all that is needed to build and test it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from project import ROOT

WHOLE = (".ci", ".clang-format", "benchmarks", "compose.yaml", "csrc", "Dockerfile")
WHOLE += ("Makefile", "python", "scripts", "tests")
"""What the build, the tests and the Makefile take from here."""


@pytest.mark.soak
def test_it_has_every_file_of_ours(tmp_path: Path) -> None:
    command = ["git", "ls-files", *WHOLE]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("NO GIT, or no repository: what ought to be there is not known")
    ours = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    make = [sys.executable, "setup.py", "-q", "sdist", "-d", str(tmp_path)]
    subprocess.run(make, cwd=ROOT, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        packed = {name.partition("/")[2] for name in opened.getnames()}
    assert ours - packed == set()
