"""Other Pythons on this machine, and the package built for them.

A build is kept in ``build/interpreters``, and is quick when nothing has changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from project import ROOT, locked

VERSIONS = ("3.12", "3.13", "3.14", "3.15")
FREE_THREADED = ("3.15t", "3.14t", "3.13t")
BUILDS = ROOT / "build" / "interpreters"
NOT_FOR_OTHERS = ("LD_PRELOAD", "ASAN_OPTIONS", "PYTHONMALLOC", "PYTHONPATH")
"""Variables that suit this interpreter alone."""

CAN_BE_BUILT_FOR = """
import sys, sysconfig
open(sysconfig.get_path("include") + "/Python.h").close()
print(sys.version_info >= (3, 12) and sys.executable)
"""

COMPILER = """
import sysconfig
print(sysconfig.get_path("include"), *sysconfig.get_config_var("CC").split(), sep="\\n")
"""

NO_GIL = """
import sysconfig
print(sysconfig.get_config_var("Py_GIL_DISABLED") or "")
"""


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in NOT_FOR_OTHERS}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"} | more


def asked(command: list[str], **more: str) -> str | None:
    """Return what a command prints, or None if it fails."""
    done = subprocess.run(
        command, env=environment(**more), capture_output=True, text=True, cwd=ROOT
    )
    return done.stdout.strip() if done.returncode == 0 else None


def candidates(versions: Iterable[str]) -> Iterator[str]:
    """Yield what may be such a Python, the one of pyenv before its shim."""
    for version in versions:
        if shutil.which("pyenv"):
            latest = asked(["pyenv", "latest", version])
            prefix = latest and asked(["pyenv", "prefix", latest])
            if prefix:
                yield f"{prefix}/bin/python"
        on_path = shutil.which(f"python{version}")
        if on_path:
            yield on_path


def newer_pythons() -> dict[str, str]:
    """Return the newer Pythons that have headers, by version."""
    found: dict[str, str] = {}
    for candidate in candidates(VERSIONS):
        executable = asked([candidate, "-c", CAN_BE_BUILT_FOR])
        if executable and executable != "False":
            name = asked([executable, "-c", "import sys; print(sys.version[:4])"])
            found.setdefault(name or candidate, executable)
    return found


def free_threaded() -> str | None:
    """Return a Python that runs without the GIL and has headers, if there is one.

    FREE_THREADED_PYTHON names one that is not on the PATH.
    """
    named = os.environ.get("FREE_THREADED_PYTHON")
    others = (*candidates(FREE_THREADED), sys.executable)
    for candidate in others if named is None else (named, *others):
        executable = asked([candidate, "-c", CAN_BE_BUILT_FOR])
        if executable and executable != "False" and asked([executable, "-c", NO_GIL]):
            return executable
    return None


def thread_sanitizer() -> tuple[str, str] | None:
    """Return TSAN_PYTHON, and what it is to be told in TSAN_OPTIONS, or None.

    What scripts/free-threaded installs has CPython's list of its own races beside it.
    libcrypto is not built for ThreadSanitizer, which does not see how it keeps threads
    apart: what happens within it is left out.
    """
    python = os.environ.get("TSAN_PYTHON")
    if not python:
        return None
    options = ["ignore_noninstrumented_modules=1"]
    prefix = asked([python, "-c", "import sys; print(sys.base_prefix)"])
    known = Path(prefix or "") / "tsan-suppressions.txt"
    if known.exists():
        options.append(f"suppressions={known}")
    return python, " ".join(options)


def setuptools_alone(home: Path) -> Path:
    """Return a directory that holds our setuptools and no compiled package."""
    home.mkdir(parents=True, exist_ok=True)
    for name in ("setuptools", "_distutils_hack"):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            pytest.skip(f"{name} is missing, which builds the core for another Python")
        link = home / name
        link.unlink(missing_ok=True)
        link.symlink_to(Path(spec.origin).parent)
    return home


def built_for(python: str, version: str, flags: str = "debug") -> Path:
    """Build the package for another Python, where its sources have changed.

    Args:
        python: Its executable.
        version: The name of the build.
        flags: As FASTBEARER_BUILD in setup.py.
    """
    base = BUILDS / version
    base.mkdir(parents=True, exist_ok=True)
    library = base / "lib"
    command = [python, "setup.py", "-q", "build"]
    command += ["--build-base", str(base), "--build-lib", str(library)]
    with locked(base / "lock"):
        tools = setuptools_alone(base / "tools")
        done = subprocess.run(
            command,
            env=environment(PYTHONPATH=str(tools), FASTBEARER_BUILD=flags),
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
    assert done.returncode == 0, done.stderr
    return library


def built_with(python: str, version: str, file: str, text: str, folder: Path) -> Path:
    """Return a copy of what `built_for` made, in which one source is another.

    Args:
        python: The executable of that Python.
        version: The name of the build.
        file: A file of csrc.
        text: What takes its place.
        folder: Where the copy is made.
    """
    # The tests themselves may run on several Pythons in turn.
    version = f"{version}-{sysconfig.get_config_var('SOABI')}"
    package = built_for(python, version)
    copy = shutil.copytree(package, folder / "package")
    (core,) = (copy / "fastbearer").glob("_core.*.so")
    (objects,) = (BUILDS / version).glob("temp.*/csrc")
    sources = (ROOT / "csrc").rglob("*.c")
    others = [
        objects / source.relative_to(ROOT / "csrc").with_suffix(".o")
        for source in sources
        if source != ROOT / "csrc" / file
    ]
    planted = folder / Path(file).name
    planted.write_text(text)
    headers = asked(["objdump", "-p", str(core)]) or ""
    libraries = re.findall(r"NEEDED +(lib(?:crypto|argon2|sodium)\S+)", headers)
    include, *compiler = (asked([python, "-c", COMPILER]) or "").split("\n")
    subprocess.run(
        [
            *(*compiler, "-std=c11", "-g", "-w", "-shared", "-fPIC", "-pthread"),
            *(f"-I{include}", "-Icsrc/lib", "-Icsrc/module"),
            f"-I{(ROOT / 'csrc' / file).parent}",
            *("-o", str(core), str(planted)),
            *(str(one) for one in others if one.exists()),
            *(f"-l:{library}" for library in libraries),
        ],
        cwd=ROOT,
        check=True,
    )
    # What cannot be loaded would fail like what a planted bug has broken.
    subprocess.run(
        [python, "-c", "import fastbearer"],
        cwd=folder,
        env=environment(PYTHONPATH=str(copy)),
        check=True,
    )
    return copy
