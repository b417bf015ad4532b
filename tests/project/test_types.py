"""The type hints: complete, right, and the same as the compiled module's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from project import ROOT


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["mypy"], id="mypy --strict"),
        pytest.param(["mypy.stubtest", "fastbearer._core"], id="stubtest"),
    ],
)
def test_types(arguments: list[str]) -> None:
    command = [sys.executable, "-m", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
