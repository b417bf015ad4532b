"""Figures as they are kept: one of a library in a case, on a machine."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastbearer import _core

OURS = "fastbearer"

PEERS = {
    "argon2-cffi": "argon2",
    "Authlib": "authlib",
    "AuthX": "authx",
    "bcrypt": "bcrypt",
    "clasp-jwt": "clasp",
    "fastapi-better-auth-bridge": "fastapi_better_auth",
    "fastapi-users": "fastapi_users",
    "joserfc": "joserfc",
    "oxyjwt": "oxyjwt",
    "passlib": "passlib",
    "pwdlib": "pwdlib",
    "PyJWT": "jwt",
    "PyNaCl": "nacl",
    "python-jose": "jose",
    "ryjwt": "ryjwt",
}
"""Each package that is compared -> its module."""

ALSO = ("cryptography", "fastapi", "orjson", "starlette", "uvicorn", "uvloop")


@dataclass(frozen=True)
class Figure:
    """What one library took in one case.

    Attributes:
        suite: The table that it belongs to, such as "tokens".
        case: The row of the table.
        library: The column.
        value: The figure.
        unit: Of the value: "µs", "ms", "requests/s", ...
        note: What the library leaves out or does differently, in words.
    """

    suite: str
    case: str
    library: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Effort:
    """How long the measuring may take.

    Attributes:
        rounds: How often each case takes its turn.
        seconds: How long a server is asked.
        is_quick: Whether it is only to see that all of it runs.
    """

    rounds: int
    seconds: float
    is_quick: bool

    def of(self, rounds: int, least: int = 1) -> int:
        """Return a number of rounds, or the least where it is to be quick."""
        return least if self.is_quick else max(rounds, least)


QUICK = Effort(1, 0.3, is_quick=True)
FULL = Effort(100, 3, is_quick=False)


def is_installed(package: str) -> bool:
    """Tell whether a package that is compared is here."""
    return importlib.util.find_spec(PEERS[package]) is not None


def versions() -> dict[str, str | None]:
    """Return the version of each package that is compared; None if it is missing."""
    found: dict[str, str | None] = {}
    for package in (OURS, *PEERS, *ALSO):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def commit() -> str:
    """Return which state of the source this is, or "" outside of a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    here = Path(__file__).parent
    found = subprocess.run(command, cwd=here, capture_output=True, text=True)
    return found.stdout.strip() if found.returncode == 0 else ""


def processor() -> str:
    """Return the name of the processor."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


def environment() -> dict[str, Any]:
    """Return on what the figures are taken, and how busy it is at this moment."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libcrypto": _core.libcrypto_version,
        "argon2 engine": _core.argon2_engine,
        "load": round(os.getloadavg()[0], 1),
        "versions": versions(),
    }


def other_work(seconds: float = 1) -> float:
    """Return how many cores others keep busy while this process does nothing."""
    before = _cpu_seconds()
    time.sleep(seconds)
    return round((_cpu_seconds() - before) / seconds, 1)


def _cpu_seconds() -> float:
    """Return what all processors have worked since the start of the system."""
    told = Path("/proc/stat")
    if not told.exists():
        return 0.0
    user, nice, system, _, _, *interrupts = told.read_text().split("\n")[0].split()[1:]
    ticks = sum(map(int, (user, nice, system, *interrupts[:3])))
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass
class Results:
    """All figures of a run, with their environment.

    Attributes:
        environment: As `environment` returns it.
        figures: What was measured.
        failures: Suite or peer -> why it has no figures.
    """

    environment: dict[str, Any]
    figures: list[Figure]
    failures: dict[str, str]

    def of(self, suite: str) -> dict[str, dict[str, Figure]]:
        """Return case -> library -> figure of a suite, in the order of measuring."""
        found: dict[str, dict[str, Figure]] = {}
        for figure in self.figures:
            if figure.suite == suite:
                found.setdefault(figure.case, {})[figure.library] = figure
        return found

    def write(self, path: Path) -> None:
        """Keep them as JSON, a figure a line."""
        head = {"environment": self.environment, "failures": self.failures}
        lines = ",\n".join(
            "  " + json.dumps(asdict(figure), ensure_ascii=False)
            for figure in self.figures
        )
        text = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{text},\n "figures": [\n{lines}\n ]\n}}\n')

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what `write` has written."""
        kept = json.loads(path.read_text())
        figures = [Figure(**figure) for figure in kept["figures"]]
        return cls(kept["environment"], figures, kept["failures"])


def figures_of(
    suite: str,
    case: str,
    found: dict[str, float],
    unit: str,
    notes: dict[str, str] | None = None,
) -> Iterable[Figure]:
    """Yield a figure for each library of a case, to three significant places."""
    for library, value in found.items():
        note = (notes or {}).get(library, "")
        yield Figure(suite, case, library, float(f"{value:.4g}"), unit, note)


def log(text: str) -> None:
    """Say how far the run has come."""
    print(text, file=sys.stderr, flush=True)
