"""What the core does when an allocation fails: never more than a MemoryError.

``scarce_memory.py`` makes the calls, in a process in which ``alloc_fail.c``
stands before the allocator; ``make soak`` lets every allocation fail in turn.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from project import ROOT

SOURCES = ROOT / "tests" / "c"

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or "ASAN_OPTIONS" in os.environ,
    reason="it takes glibc's allocator",
)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the allocator that fails and the module that asks it to."""
    home = tmp_path_factory.mktemp("scarce")
    compiler = sysconfig.get_config_var("CC").split()
    shared = [*compiler, "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    python = f"-I{sysconfig.get_path('include')}"
    fail, call = home / "alloc_fail.so", home / "alloc_call.so"
    for command in (
        [*shared, "-o", str(fail), str(SOURCES / "alloc_fail.c")],
        [*shared, python, "-o", str(call), str(SOURCES / "alloc_call.c"), str(fail)],
    ):
        subprocess.run(command, check=True)
    return home


IS_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
ALLOCATOR = "default" if IS_FREE_THREADED else "malloc"

WITHOUT_GIL = pytest.mark.skipif(
    IS_FREE_THREADED,
    reason="A PYTHON WITHOUT THE GIL DOES NOT ALLOCATE BY MALLOC: nothing can fail",
)


def complaints(tools: Path, mode: str) -> tuple[int, list[str], str]:
    """Return the exit code, what was not as it should be, and the last call."""
    paths = [str(tools), *(path for path in sys.path if path)]
    run = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "kit" / "scarce_memory.py"), mode],
        env={
            **os.environ,
            "LD_PRELOAD": str(tools / "alloc_fail.so"),
            "PYTHONMALLOC": ALLOCATOR,
            "PYTHONPATH": os.pathsep.join(paths),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout.splitlines(), run.stderr[-800:]


@WITHOUT_GIL
def test_scarce_memory_changes_no_answer(tools: Path) -> None:
    code, wrong, last = complaints(tools, "some")
    assert (code, wrong) == (0, []), last


def test_an_error_of_others_changes_no_answer(tools: Path) -> None:
    """The queue of libcrypto's errors is the thread's, and newer ones leave more."""
    code, wrong, last = complaints(tools, "others")
    if "libcrypto is inside the module" in last:
        pytest.skip("LIBCRYPTO IS INSIDE THE MODULE: nobody else's errors are there")
    assert (code, wrong) == (0, []), last


@WITHOUT_GIL
@pytest.mark.soak
@pytest.mark.parametrize("mode", ["every", "leaks"])
def test_no_allocation_that_fails_changes_an_answer(tools: Path, mode: str) -> None:
    code, wrong, last = complaints(tools, mode)
    assert (code, wrong) == (0, []), last
