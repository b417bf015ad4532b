"""What the build makes of its environment, and the core of its CPU."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from fastbearer import _core
from project import ROOT

pytestmark = pytest.mark.slow


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
    known = "release, debug, sanitize, coverage, training, quick"
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


@pytest.mark.parametrize("kind", ["release", "debug", "training"])
def test_a_release_alone_uses_a_profile(tmp_path: Path, kind: str) -> None:
    run = build(tmp_path, FASTBEARER_PROFILE="made", FASTBEARER_BUILD=kind)
    assert run.returncode == 0, run.stderr
    calls = [line.split() for line in run.stdout.splitlines() if " -c " in line]
    assert calls
    for call in calls:
        assert ("-fprofile-instr-use=made" in call) == (kind == "release")


def test_a_training_compiles_what_a_release_compiles(tmp_path: Path) -> None:
    """Functions of other conditions would have other counters."""
    defined = []
    for kind in ("training", "release"):
        words = build(tmp_path, FASTBEARER_BUILD=kind).stdout.split()
        defined.append({word for word in words if re.match("-[DU]", word)})
    training, release = defined
    assert training | {"-D_FORTIFY_SOURCE=2"} == release


OPTIONAL = ["libargon2", "libsodium"]


@pytest.mark.parametrize("library", OPTIONAL)
def test_a_library_that_is_optional_can_be_left_out(
    tmp_path: Path, library: str
) -> None:
    variable = f"FASTBEARER_{library.upper()}"
    run = build(tmp_path, **{variable: "0"})
    assert run.returncode == 0, run.stderr
    assert f"-D{variable}" not in run.stdout.split()
    assert f"-l{library.removeprefix('lib')}" not in run.stdout.split()
    known = subprocess.run(["pkg-config", "--exists", library], check=False)
    if known.returncode != 0:
        pytest.skip(f"NO {library} ON THIS MACHINE")
    run = build(tmp_path)
    assert f"-D{variable}" in run.stdout.split()
    assert f"-l{library.removeprefix('lib')}" in run.stdout.split()


def test_a_static_library_is_linked_in_place_of_the_shared(tmp_path: Path) -> None:
    archive = tmp_path / "made" / "lib" / "libsodium.a"
    header = tmp_path / "made" / "include" / "sodium.h"
    for path in (archive, header):
        path.parent.mkdir(parents=True)
        path.touch()
    run = build(tmp_path, FASTBEARER_LIBSODIUM=str(archive))
    assert run.returncode == 0, run.stderr
    words = run.stdout.split()
    assert "-DFASTBEARER_LIBSODIUM" in words
    assert f"-I{archive.parent}/../include" in words
    assert str(archive) in words
    assert "-lsodium" not in words


@pytest.mark.parametrize("library", ["libcrypto", *OPTIONAL])
def test_a_static_library_that_is_not_there_is_named(
    tmp_path: Path, library: str
) -> None:
    variable = f"FASTBEARER_{library.upper()}"
    run = build(tmp_path, **{variable: "/nowhere/lib.a"})
    assert run.returncode == 1
    assert f"fastbearer: {variable}: no such file: /nowhere/lib.a\n" in run.stderr
    assert "Traceback" not in run.stderr


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
