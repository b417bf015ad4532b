"""Calls that may not work long: a bound on CPU seconds, which are no wall clock."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

__all__ = ["said_in_bounds"]

CPU_SECONDS = 3
"""Far more than anything asked here takes, far less than it would take unbounded."""

BOUND = f"""
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))
data = json.load(sys.stdin)
"""


def said_in_bounds(code: str, data: Any) -> str:
    """Return what code prints in a process that may not work long.

    Args:
        code: Python that finds what it works on in the name ``data``.
        data: What JSON can hold.
    """
    run = subprocess.run(
        [sys.executable, "-c", BOUND + code],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, (run.returncode, run.stderr)
    return run.stdout.strip()
