"""What the core does when an allocation fails: never more than a MemoryError.

``scarce_memory.py`` calls every entry point, in a process in which ``alloc_fail.c``
stands before the allocator, or ``alloc_call.c`` before that of libcrypto or of Python;
``make soak`` lets every allocation fail in turn.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import core_entries
from other_pythons import built_with
from project import ROOT

SOURCES = ROOT / "tests" / "c"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        platform.libc_ver()[0] != "glibc" or "ASAN_OPTIONS" in os.environ,
        reason="it takes glibc's allocator",
    ),
]


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
        [
            *(*shared, python, "-o", str(call), str(SOURCES / "alloc_call.c")),
            *(str(fail), "-lcrypto"),
        ],
    ):
        subprocess.run(command, check=True)
    return home


IS_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
ALLOCATOR = "default" if IS_FREE_THREADED else "malloc"

WITHOUT_GIL = pytest.mark.skipif(
    IS_FREE_THREADED,
    reason="A PYTHON WITHOUT THE GIL DOES NOT ALLOCATE BY MALLOC: nothing can fail",
)


def run(
    tools: Path, *arguments: str, package: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Make the calls, of a core of their own where one is named."""
    paths = [*([str(package)] if package else []), str(tools)]
    paths += [path for path in sys.path if path]
    return subprocess.run(
        [sys.executable, str(ROOT / "tests" / "kit" / "scarce_memory.py"), *arguments],
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


def complaints(tools: Path, *arguments: str) -> tuple[int, list[str], str]:
    """Return the exit code, what was not as it should be, and the last call."""
    done = run(tools, *arguments)
    return done.returncode, done.stdout.splitlines(), done.stderr[-800:]


def failures(last: str) -> int:
    """Return how many allocations have failed, and print it."""
    found = re.search(r"^= (\d+) allocations of (\d+) entry points", last, re.MULTILINE)
    assert found is not None, last
    print(found[0], "failed")
    assert int(found[2]) == len({*core_entries.entry_points()}) - len(
        core_entries.NEVER_CALLED
    )
    return int(found[1])


@WITHOUT_GIL
def test_scarce_memory_changes_no_answer(tools: Path) -> None:
    code, wrong, last = complaints(tools, "some", "malloc")
    assert (code, wrong) == (0, []), last
    assert failures(last) > 1000


@WITHOUT_GIL
@pytest.mark.parametrize(
    "calls", ["real", pytest.param("", marks=pytest.mark.soak, id="all")]
)
def test_the_first_call_without_memory_changes_no_answer(
    tools: Path, calls: str
) -> None:
    """Python keeps the memory in which it reads long numbers: later calls take none."""
    code, wrong, last = complaints(tools, "fresh", "malloc", f"--calls={calls}")
    assert (code, wrong) == (0, []), last
    found = re.search(r"^= (\d+) allocations", last, re.MULTILINE)
    assert found is not None, last
    assert int(found[1]) > 40, last


def test_an_error_of_others_changes_no_answer(tools: Path) -> None:
    """The queue of libcrypto's errors is the thread's, and newer ones leave more."""
    code, wrong, last = complaints(tools, "others")
    if "libcrypto is inside the module" in last:
        pytest.skip("LIBCRYPTO IS INSIDE THE MODULE: nobody else's errors are there")
    assert (code, wrong) == (0, []), last


@WITHOUT_GIL
@pytest.mark.soak
@pytest.mark.parametrize("allocator", ["malloc", "libcrypto", "python"])
@pytest.mark.parametrize("mode", ["every", "leaks"])
def test_no_allocation_that_fails_changes_an_answer(
    tools: Path, mode: str, allocator: str
) -> None:
    code, wrong, last = complaints(tools, mode, allocator)
    if "allocator cannot be changed" in last:
        pytest.skip("LIBCRYPTO'S ALLOCATOR CANNOT BE CHANGED: only malloc's fails")
    assert (code, wrong) == (0, []), last
    assert failures(last) > 1000


# A file of csrc, what goes, what comes in its place, whose memory is lacking, and how
# the names of the calls begin that see it.
PLANTED = [
    ("lib/jose/pkey.c", "&& !is_sure", "&& false", "libcrypto", "raw Ed"),
    ("lib/jose/pkey.c", "EVP_MD_CTX_FLAG_FINALISE", "0", "libcrypto", "raw "),
    (
        "lib/crypto/aead.c",
        "is_ready && !encrypts ?",
        "!encrypts ?",
        "libcrypto",
        "open ",
    ),
    (
        "lib/crypto/key_wrap.c",
        "fb_failure_of(is_ready ?",
        "(1 ?",
        "libcrypto",
        "unwrap",
    ),
    ("lib/jose/secret.c", "if (scratch == NULL) {", "if (false) {", "malloc", "secret"),
    (
        "module/key/jwk_part.c",
        "PyErr_Occurred() ? fb_jwk_failed() :",
        "",
        "python",
        "refused",
    ),
    (
        "module/json/json_out.c",
        "if (bytes == NULL) {",
        "if (false) {",
        "python",
        "sign",
    ),
    (
        "module/token/header.c",
        "if (out->parsed == NULL) {",
        "if (false) {",
        "python",
        "verify",
    ),
    ("module/json/scalar.c", "value == -1.0", "false", "malloc", "real"),
]


@WITHOUT_GIL
@pytest.mark.soak
@pytest.mark.parametrize(
    ("file", "old", "new", "allocator", "calls"),
    PLANTED,
    ids=[f"{p[0]} {p[1]}" for p in PLANTED],
)
def test_a_planted_bug_is_seen(
    tools: Path,
    file: str,
    old: str,
    new: str,
    allocator: str,
    calls: str,
    tmp_path: Path,
) -> None:
    text = (ROOT / "csrc" / file).read_text()
    assert old in text
    package = built_with(
        sys.executable, "fuzzed", file, text.replace(old, new, 1), tmp_path
    )
    limits = ("--first", f"--calls={calls}")
    mode = "fresh" if calls == "real" else "every"
    done = run(tools, mode, allocator, *limits, package=package)
    if "allocator cannot be changed" in done.stderr:
        pytest.skip("LIBCRYPTO'S ALLOCATOR CANNOT BE CHANGED: only malloc's fails")
    assert done.returncode < 0 or done.stdout.endswith("\n"), done.stderr[-800:]
