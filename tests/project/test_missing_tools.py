"""What setup.py says where something that the build needs is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT

pytestmark = pytest.mark.slow

BUILD = [sys.executable, "setup.py", "build_ext", "--force"]


def build(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build with nothing on the PATH but what a test has put there."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    folders = ["--build-lib", str(tmp_path), "--build-temp", str(tmp_path)]
    kept = {name: text for name, text in os.environ.items() if name != "CFLAGS"}
    return subprocess.run(
        [*BUILD, *folders],
        cwd=ROOT,
        env={**kept, "PATH": str(tmp_path / "bin"), **environment},
        capture_output=True,
        text=True,
    )


def program(tmp_path: Path, name: str, text: str) -> None:
    """Put a program on the PATH."""
    path = tmp_path / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    run = build(tmp_path, CC="no-such-compiler")
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-8:-5] == [
        "  a C compiler (no-such-compiler)",
        "  pkg-config",
        "  OpenSSL with its headers (libcrypto >= 3.0.3, which pkg-config finds)",
    ]


@pytest.mark.parametrize("system", ["apt-get", "dnf", "apk", "brew"])
def test_every_system_has_a_line_that_installs_it(tmp_path: Path, system: str) -> None:
    said = build(tmp_path).stderr.splitlines()[-4:]
    (line,) = (line for line in said if f" {system} " in line)
    name, _, command = line.strip().partition(": ")
    page = (ROOT / "docs" / "start" / "install.md").read_text()
    assert f"| {name} | `{command}` |" in page


def test_an_old_openssl_is_missing(tmp_path: Path) -> None:
    program(tmp_path, "pkg-config", "exit 1")
    said = build(tmp_path, CC="/bin/true").stderr
    assert "OpenSSL with its headers" in said
    assert "\n  pkg-config\n" not in said and "a C compiler" not in said


def test_python_without_headers_is_named(tmp_path: Path) -> None:
    """Debian has them in a package of their own."""
    code = "import runpy, sysconfig; sysconfig.get_path = lambda *_, **__: '/nowhere'; "
    code += "runpy.run_path('setup.py', run_name='__main__')"
    run = subprocess.run(
        [sys.executable, "-c", code, *BUILD[2:], "--build-temp", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "Python's headers (/nowhere/Python.h)" in run.stderr


def test_a_source_distribution_needs_none_of_them(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "setup.py", "--name"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert re.search(r"^fastbearer$", run.stdout, re.MULTILINE)
