"""The fuzzer of the core's entry points: it forgets none, and sees what is planted.

``make fuzz-python SECONDS=60`` makes random calls, and ``SEED`` those of a run again.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import core_entries
from core_fuzz import loop  # noqa: F401 - it registers the cases
from core_fuzz.__main__ import told
from core_fuzz.calls import CASES
from core_fuzz.oracle import shows
from other_pythons import built_with
from project import ROOT

SEED = "20260514"
CALLS = 2000
"""How many calls the quick run makes: a few seconds' worth."""

PATIENT = 20_000
"""Within so many calls a planted bug has to be seen; the first thousands do."""

# A file of csrc, what goes, and what comes in its place.
PLANTED = [
    ("token/claims.c", "now >= date + rules->leeway ?", "now > date + rules->leeway ?"),
    ("token/claims.c", "return overflow == 0 &&", "return"),
    ("token/claims.c", "return STATUS_AUD_SHAPE;\n            }", "continue;\n }"),
    ("token/header.c", "known->of[NAME_crit] != NULL", "false"),
    ("token/given.c", "if (has == 1) {", "if (false) {"),
    ("json/json_read.c", "PyDict_GET_SIZE(object) != members", "false"),
    ("json/shape.c", "memset(member->mask, 0xff,", "(void)(text.len,"),
    ("json/json_number.c", "if (!isfinite(number)) {", "if (isnan(number)) {"),
    ("json/json_string.c", "c >= DEL", "c > DEL"),
    ("key/jwk_traits.c", '!fb_jwk_text_is(use, "sig")', "false"),
    ("pytext.c", "text->p == NULL && PyErr_E", "text->p != NULL && PyErr_E"),
    ("password_parts.c", "PyErr_Clear();\n    }\n    return 1;", "}\n    return 1;"),
    ("http/cookie.c", "PyUnicode_Compare(kept, text) == 0", "false"),
    ("session_members.c", "wanted == TEXT ||", "true ||"),
]


def fuzz(
    *arguments: str, package: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the fuzzer, with a core of its own where one is named."""
    paths = [*([str(package)] if package else []), str(ROOT / "tests" / "kit")]
    inherited = os.environ.get("PYTHONPATH")
    paths += [inherited] if inherited else []
    return subprocess.run(
        [sys.executable, "-m", "core_fuzz", "--seed", SEED, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_stub_lists_what_the_core_has() -> None:
    assert core_entries.of_stub() == core_entries.of_module()


def test_no_entry_point_is_forgotten() -> None:
    wanted = {*core_entries.entry_points()} - core_entries.NEVER_CALLED
    assert {case.entry for case in CASES} == wanted


@pytest.mark.slow
def test_a_short_run_finds_nothing() -> None:
    run = fuzz("--calls", str(CALLS))
    assert run.returncode == 0, run.stdout + run.stderr
    wanted = len({case.entry for case in CASES})
    assert f"{CALLS} calls of {wanted} entry points" in run.stdout


def test_a_call_is_made_again_by_its_number() -> None:
    first, second = (fuzz("--case", "777").stdout for _ in range(2))
    assert re.sub("0x[0-9a-f]+", "", first) == re.sub("0x[0-9a-f]+", "", second)
    assert "nothing is wrong" in first


def test_an_error_that_shows_a_secret_is_seen() -> None:
    secret = "0123456789abcdef0123"
    assert shows(f"the key {secret[3:]} is wrong", (secret,))
    assert not shows("the key is wrong", (secret,))


ABORTS = """
import os, sys
from fastbearer import _core
_core.password_rest = lambda seconds: os.abort()
from core_fuzz.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_what_ends_the_process_is_told(tmp_path: Path) -> None:
    """The number of the call is known to whoever watches."""
    number = next(n for n, case in enumerate(CASES) if case.entry == "password_rest")
    progress = tmp_path / "number"
    progress.write_text("0")
    command = [sys.executable, "-c", ABORTS, "--seed", SEED, "--calls", "200"]
    command += ["--progress", str(progress)]
    kit = {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "kit")}
    done = subprocess.run(command, env=kit, capture_output=True, check=False)
    assert done.returncode == -signal.SIGABRT
    assert progress.read_text().strip() == str(number)
    assert (
        told(done.returncode, progress) == f"FOUND call {number} ended the process: -6"
    )


@pytest.mark.soak
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="it builds cores of its own")
@pytest.mark.parametrize(
    ("file", "old", "new"), PLANTED, ids=[f"{p[0]} {p[1][:40]}" for p in PLANTED]
)
def test_a_planted_bug_is_seen(file: str, old: str, new: str, tmp_path: Path) -> None:
    source = f"module/{file}"
    text = (ROOT / "csrc" / source).read_text()
    assert old in text
    package = built_with(
        sys.executable, "fuzzed", source, text.replace(old, new, 1), tmp_path
    )
    run = fuzz("--calls", str(PATIENT), "--first", package=package)
    assert run.returncode != 0, run.stdout
    assert "FOUND" in run.stdout
