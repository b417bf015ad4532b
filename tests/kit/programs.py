"""Programs in a folder: run to their end, or for as long as a context lasts."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from accounts_kit import http
from waiting import wait_until


def run_in(
    folder: Path,
    environment: Mapping[str, str],
    command: Sequence[str],
    stdin: str = "",
    *,
    is_good: bool = True,
) -> str:
    """Run a command, and return what it prints.

    Args:
        folder: Where.
        environment: Its whole environment.
        command: The command.
        stdin: What it reads.
        is_good: Whether it has to succeed; if not, it has to fail, and what it says of
            that is returned.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is is_good, done.stdout + done.stderr
    return done.stdout if is_good else done.stderr


@contextmanager
def started_in(
    folder: Path,
    environment: Mapping[str, str],
    command: Sequence[str],
    url: str,
    log: Path,
) -> Iterator[None]:
    """Run a server until Ctrl-C at the end; it answers first.

    Args:
        folder: Where.
        environment: Its whole environment.
        command: The command.
        url: Of the application.
        log: Takes what it says on standard error, and is shown if it ends too soon.
    """
    with (
        log.open("ab") as stderr,
        subprocess.Popen(
            command, cwd=folder, env=environment, stderr=stderr
        ) as process,
    ):

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                http.get(f"{url}/openapi.json")
            except httpx2.TransportError:
                return False
            return True

        try:
            wait_until(answers)
            yield
        finally:
            process.send_signal(signal.SIGINT)
