"""``examples/better-auth``, run as its users run it, from a copy in ``build/``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ports import free_port
from project import ROOT, locked
from servers import NO_NODE, has_node

SOURCES = ROOT / "examples" / "better-auth"
NOT_SOURCES = shutil.ignore_patterns("node_modules", "__pycache__", ".env", "*.db*")


@dataclass(frozen=True)
class Example:
    """The example, while it runs.

    Attributes:
        url: Of the page, and of Better Auth.
        backend: The URL of the backend.
        database: The SQLite file of the accounts.
        process: The command that the user has given.
    """

    url: str
    backend: str
    database: Path
    process: subprocess.Popen[str]

    def children(self) -> list[int]:
        """Return the ids of its processes, Better Auth's first."""
        pid = self.process.pid
        ids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(one) for one in ids]


@contextmanager
def better_auth_example(database: Path) -> Iterator[Example]:
    """Run it with an SQLite file of its own; skip the test without Node."""
    if not has_node():
        pytest.skip(NO_NODE)
    folder = ROOT / "build" / "better-auth-example"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        shutil.copytree(SOURCES, folder, ignore=NOT_SOURCES, dirs_exist_ok=True)
        example = _started(folder / "run", database)
    with example.process as process:
        try:
            yield example
        finally:
            process.terminate()


def _started(run: Path, database: Path) -> Example:
    """Return when it has said that it can be opened."""
    port, backend_port = str(free_port()), str(free_port())
    environment = {
        **os.environ,
        "PORT": port,
        "BACKEND_PORT": backend_port,
        "BETTER_AUTH_DATABASE": str(database),
        "PYTHON": sys.executable,
    }
    # It makes a secret of its own.
    environment.pop("BETTER_AUTH_SECRET", None)
    process = subprocess.Popen(
        [run], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url, backend = f"http://localhost:{port}", f"http://localhost:{backend_port}"
    for line in process.stdout:
        if line.startswith(f"Open {url} "):
            return Example(url, backend, database, process)
    with process:
        pytest.fail(f"the example did not start: {process.wait()}", pytrace=False)
