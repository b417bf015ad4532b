"""What the build makes of its environment, and the core of its CPU."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from fastbearer import _core
from project import ROOT


def build(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build with a compiler that only says how it was called."""
    command = [sys.executable, "setup.py", "build_ext", "--force"]
    command += ["--build-lib", str(tmp_path), "--build-temp", str(tmp_path)]
    kept = {name: text for name, text in os.environ.items() if name != "CFLAGS"}
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, "CC": "echo", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_build_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    run = build(tmp_path, FASTBEARER_BUILD="fast")
    assert run.returncode == 1
    known = "release, debug, sanitize, coverage, quick"
    assert f"FASTBEARER_BUILD must be one of {known}\n" in run.stderr
    assert "Traceback" not in run.stderr


def test_flags_of_the_environment_come_after_the_interpreters(tmp_path: Path) -> None:
    run = build(tmp_path, CFLAGS="-DMINE=1")
    calls = [line.split() for line in run.stdout.splitlines() if "-DMINE=1" in line]
    assert calls
    own = sysconfig.get_config_var("CFLAGS").split()
    for call in calls:
        assert set(own) <= set(call)
        assert call.index("-DMINE=1") > call.index(own[-1])


def cpu_flags() -> set[str]:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return set(value.split())
    return set()


@pytest.mark.skipif(
    not Path("/proc/cpuinfo").is_file() or platform.machine() != "x86_64",
    reason="it takes Linux's word for an x86 CPU",
)
def test_the_engine_is_the_widest_that_the_cpu_has() -> None:
    code = "from fastbearer import _core; print(_core.argon2_engine)"
    environment = {k: v for k, v in os.environ.items() if k != "FASTBEARER_ARGON2"}
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    flags = cpu_flags()
    widest = (
        "avx512" if "avx512f" in flags else "avx2" if "avx2" in flags else "portable"
    )
    assert shown.stdout.strip() == widest
    assert _core.argon2_engine


def test_no_runtime_is_asked_what_the_cpu_can_do() -> None:
    """Of another compiler the runtime may say no to everything."""
    for source in (ROOT / "csrc").rglob("*.c"):
        assert "__builtin_cpu" not in source.read_text(), source
