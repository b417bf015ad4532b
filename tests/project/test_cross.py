"""scripts/cross: other systems, and the programs that it builds for them."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from project import ROOT, locked
from scripts import script

CROSS = script("cross")
ARM = "aarch64-linux-gnu"


def makes(check: str) -> set[str]:
    """Return the functions that the Makefile has the linker replace in a check."""
    command = ["make", "-n", "-B", f"build/check/{check}"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(re.findall(r"--wrap=(\w+)", said.stdout))


@pytest.mark.slow
@pytest.mark.parametrize("source", CROSS.CHECKS, ids=lambda path: path.stem)
def test_the_makefile_replaces_the_same_functions(source: Path) -> None:
    assert CROSS.wrapped(source) == makes(source.stem)


def test_the_warnings_are_those_of_the_build() -> None:
    assert "-Wconversion" in CROSS.warnings()


def test_the_record_tells_of_every_target() -> None:
    record = ROOT / "docs" / "targets.toml"
    if not record.exists():
        pytest.skip("NO docs/targets.toml")
    recorded = {row["name"] for row in tomllib.loads(record.read_text())["target"]}
    assert set(CROSS.TARGETS) - recorded == set()
    others = {name for name in recorded if re.fullmatch(r"\w+-\w+(-\w+)?", name)}
    assert others - set(CROSS.TARGETS) == set()


def test_an_unknown_target_is_refused_with_the_known_ones() -> None:
    command = [str(ROOT / "scripts" / "cross"), "pdp11"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    for name in CROSS.TARGETS:
        assert name in done.stderr


def test_argon2_by_neon() -> None:
    """It is compiled and run without the network, where `make cross` has been."""
    if not all((CROSS.HOME / name).exists() for name in ("root/arm64", "tools")):
        pytest.skip(f"NO EMULATOR OF ARM IN build/cross: make cross TARGETS={ARM}")
    rooms = (ROOT / "csrc/lib/base", ROOT / "csrc/lib/password/argon2")
    sources = [path for room in rooms for path in sorted(room.glob("*.c"))]
    with locked(CROSS.HOME / ".testing"):
        build = CROSS.Build(ARM)
        build.find()
        check = ROOT / "tests/c/argon2_check.c"
        objects = build.compile_all([check, *sources])
        program = build.program(objects, "-Wl,--wrap=pthread_create")
        said = build.started(program, "8")
    assert "neon: tested, 0 wrong" in said
