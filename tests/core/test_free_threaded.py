"""The core in threads that nothing keeps apart: a Python without the GIL.

``HAMMER`` is how many runs the nightly part makes in all, the same number of each case;
``TSAN_PYTHON`` names a Python that ThreadSanitizer watches (scripts/free-threaded).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from other_pythons import (
    built_for,
    built_with,
    environment,
    free_threaded,
    thread_sanitizer,
)
from project import ROOT
from thread_cases import CASES, run_case

HAMMER = int(os.environ.get("HAMMER", "1000"))
EACH = -(-HAMMER // len(CASES))
A_FIFTIETH = 50
PATIENCE = 50
"""Runs in which a planted bug has to be seen; the first does it, mostly."""

# file, texts that go, what takes their place, the case that sees it
PLANTED = [
    (
        "module/json/json_write.c",
        ["return PyDict_Copy(object);"],
        "return Py_NewRef(object);",
        "claims that others replace",
    ),
    (
        "module/json/json_write.c",
        ["return PyList_AsTuple(container);"],
        "return Py_NewRef(container);",
        "a list that is sorted while it is signed",
    ),
    (
        "module/token/cache.c",
        ["PyMutex_Lock(&cache->adding);", "PyMutex_Unlock(&cache->adding);"],
        "",
        "the bound of a cache",
    ),
    (
        "module/session_members.c",
        ["fb_json_still(args[0])", "fb_json_still(args[1])"],
        "Py_NewRef(args[0])",
        "members of a session that others change",
    ),
    (
        "module/http/field.c",
        ["return PyList_AsTuple(headers);"],
        "return Py_NewRef(headers);",
        "headers of a request that others change",
    ),
]

STAYS_OFF = """
import sys
import fastbearer, fastbearer._core, fastbearer.jws
assert not sys._is_gil_enabled()
"""


@pytest.fixture
def python() -> str:
    found = free_threaded()
    if found is None:
        pytest.skip("NO FREE-THREADED PYTHON FOUND (python3.13t or later)")
    return found


def test_the_gil_stays_off(python: str) -> None:
    """CPython turns it on, with a warning, for a module that does not say it can."""
    package = str(built_for(python, "free-threaded"))
    subprocess.run(
        [python, "-W", "error", "-c", STAYS_OFF],
        env=environment(PYTHONPATH=package),
        check=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_threads_that_nothing_keeps_apart(python: str, case: str) -> None:
    run = run_case(python, built_for(python, "free-threaded"), case)
    assert run.returncode == 0, run.stderr


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES)
def test_a_thousand_runs(python: str, case: str) -> None:
    package = built_for(python, "free-threaded")
    for _ in range(EACH):
        run = run_case(python, package, case, share=A_FIFTIETH)
        assert run.returncode == 0, run.stderr


@pytest.mark.soak
@pytest.mark.parametrize(
    ("file", "olds", "new", "case"), PLANTED, ids=[f"{p[0]} {p[3]}" for p in PLANTED]
)
def test_a_planted_bug_is_seen(
    python: str, file: str, olds: list[str], new: str, case: str, tmp_path: Path
) -> None:
    text = (ROOT / "csrc" / file).read_text()
    for old in olds:
        assert old in text
        text = text.replace(old, new)
    package = built_with(python, "free-threaded", file, text, tmp_path)
    runs = (run_case(python, package, case) for _ in range(PATIENCE))
    assert any(run.returncode != 0 for run in runs)


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES)
def test_thread_sanitizer_has_nothing_to_report(case: str) -> None:
    found = thread_sanitizer()
    if found is None:
        pytest.skip("NO TSAN_PYTHON: ThreadSanitizer watched nothing")
    python, options = found
    package = built_for(python, "thread-sanitizer")
    core = next((package / "fastbearer").glob("_core.*.so"))
    assert b"__tsan_" in core.read_bytes(), "the core itself is not watched"
    run = run_case(
        python,
        package,
        case,
        share=A_FIFTIETH,
        PYTHONMALLOC="default",
        TSAN_OPTIONS=options,
    )
    assert run.returncode == 0, run.stderr
