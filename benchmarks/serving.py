"""A server for a benchmark, in a process of its own, on the loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SECRET = "q7Wn3VfB0sXcE5rT9yUiK2mLhJ8gDzA4pO6vNxCbQwY"
ROOT = Path(__file__).parent.parent


@contextmanager
def served(*command: str, before: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Run ``python <command> --port N`` with an SQLite database, and no limits.

    Yield its URL and its process id.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "BETTER_AUTH_SECRET": SECRET,
            "THROTTLE": "off",
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/bench.db",
        }
        with Path(folder, "log").open("w") as log:
            server = subprocess.Popen(
                [*before, sys.executable, *command, "--port", str(port)],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the service did not start")
