"""What the C code of tests is compiled and linked with, and what it takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from project import ROOT

__all__ = ["DEFINES", "LIBRARIES", "needs_checkout", "needs_proc"]


def _is_installed(library: str) -> bool:
    """Ask pkg-config, as the build does: libargon2 is not on every machine."""
    if not shutil.which("pkg-config"):
        return False
    command = ["pkg-config", "--exists", library]
    return subprocess.run(command, check=False).returncode == 0


_HAS_LIBARGON2 = _is_installed("libargon2")
DEFINES = ["-DFASTBEARER_LIBARGON2"] if _HAS_LIBARGON2 else []
LIBRARIES = [*(["-largon2"] if _HAS_LIBARGON2 else []), "-lcrypto"]

needs_checkout = pytest.mark.skipif(
    not (ROOT / ".venv" / ".made").exists(),
    reason="MAKE HAS SET UP NOTHING HERE: no C code of the tests is compiled",
)
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="NO /proc: no memory is measured"
)
