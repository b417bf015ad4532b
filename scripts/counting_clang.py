"""A clang that counts what a program executes, and its tools of the same version."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

INSTALL = Path(__file__).with_name("apt-install")


def find_clang() -> Path | None:
    """Return clang, also where only a version of it is installed."""
    named = shutil.which("clang")
    if named:
        return Path(named)
    versions = Path("/usr/lib").glob("llvm-*/bin/clang")
    return max(versions, key=lambda path: float(path.parts[3][5:]), default=None)


def tool(clang: Path, name: str) -> str:
    """Return a program of the same version."""
    command = [str(clang), f"--print-prog-name={name}"]
    found = subprocess.check_output(command, text=True).strip()  # noqa: S603
    return found if os.access(found, os.X_OK) else name


def counts(clang: Path) -> bool:
    """Tell whether this clang has what its counters need to be linked and read."""
    command = [clang, "-fprofile-instr-generate", "-x", "c", "-", "-o", os.devnull]
    text = b"int main(void) { return 0; }"
    done = subprocess.run(command, input=text, capture_output=True)  # noqa: S603
    tools = (tool(clang, name) for name in ("llvm-cov", "llvm-profdata"))
    return done.returncode == 0 and all(map(shutil.which, tools))


def install(*packages: str) -> bool:
    """Install packages through apt, where that can be done."""
    command = [INSTALL, *packages]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603


def clang_that_counts() -> Path | None:
    """Return a clang with its runtime and tools, installing them if need be."""
    clang = find_clang()
    if clang is None and install("clang", "llvm"):
        clang = find_clang()
    if clang is not None and not counts(clang):
        asked = [clang, "-dumpversion"]
        version = subprocess.check_output(asked, text=True).split(".")[0]  # noqa: S603
        install(f"libclang-rt-{version}-dev", f"llvm-{version}")
    return clang if clang is not None and counts(clang) else None
