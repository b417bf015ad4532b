"""What the C code of tests is compiled and linked with, and what it takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from project import ROOT

__all__ = ["DEFINES", "LIBRARIES", "needs_checkout", "needs_proc"]


def _is_installed(library: str) -> bool:
    """Ask pkg-config, as the build does: not every machine has them."""
    if not shutil.which("pkg-config"):
        return False
    command = ["pkg-config", "--exists", library]
    return subprocess.run(command, check=False).returncode == 0


_OPTIONAL = [name for name in ("libargon2", "libsodium") if _is_installed(name)]
DEFINES = [f"-DFASTBEARER_{name.upper()}" for name in _OPTIONAL]
LIBRARIES = [*(f"-l{name.removeprefix('lib')}" for name in _OPTIONAL), "-lcrypto"]

needs_checkout = pytest.mark.skipif(
    not (ROOT / ".venv" / ".made").exists(),
    reason="MAKE HAS SET UP NOTHING HERE: no C code of the tests is compiled",
)
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="NO /proc: no memory is measured"
)
